"""The same SQL without the shop: what `place_order` sends is recorded and sent again by plain psycopg2.

This is the limit that the service is compared with: the same statements, parameters and results, in the same
transactions, with nothing computed in between. Only the ids that the database gives to each new order are put
where the service puts them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
from django.db import connection

from orders.models import Order
from orders.pricing import OrderLine


@dataclass(frozen=True)
class NewOrder:
    """Stands in recorded parameters where the id of the new order goes; `as_text` as the ledger names it."""

    as_text: bool


@dataclass(frozen=True)
class NewItem:
    """Stands where the id of the new order's line number `place` goes."""

    place: int
    as_text: bool


@dataclass(frozen=True)
class Recording:
    """The statements of one order. `order` and `items` are the places of the two that return new ids."""

    statements: list[tuple[str, Any]]
    order: int
    items: int

    def play(self, connection: Any) -> None:
        """Places the order once more, through a plain psycopg2 connection, in one transaction."""
        order_id, item_ids = 0, []
        with connection.cursor() as cursor:
            for place, (sql, parameters) in enumerate(self.statements):
                cursor.execute(sql, filled(parameters, order_id, item_ids))
                if cursor.description is not None:
                    rows = cursor.fetchall()
                    if place == self.order:
                        order_id = rows[0][0]
                    elif place == self.items:
                        item_ids = [row[0] for row in rows]
        connection.commit()


def record(place_order: Callable[[Sequence[OrderLine]], Order], lines: Sequence[OrderLine]) -> Recording:
    """Places an order and keeps what it sent."""
    sent: list[tuple[str, Any]] = []

    def keep(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        sent.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(keep):
        order = place_order(lines)
    starts = [sql.lstrip()[:40] for sql, _parameters in sent]
    marks: dict[tuple[type, Any], Any] = {(int, order.pk): NewOrder(False), (str, str(order.pk)): NewOrder(True)}
    for place, pk in enumerate(order.items.order_by("pk").values_list("pk", flat=True)):
        marks |= {(int, pk): NewItem(place, False), (str, str(pk)): NewItem(place, True)}
    return Recording(
        # The ids of orders and lines begin far above all others (see `benchmarks.placing`): no other number is one.
        statements=[(sql, marked(parameters, marks)) for sql, parameters in sent],
        order=next(n for n, start in enumerate(starts) if start.startswith('INSERT INTO "orders_order" ')),
        items=next(n for n, start in enumerate(starts) if start.startswith('INSERT INTO "orders_orderitem"')),
    )


def marked(value: Any, marks: dict[tuple[type, Any], Any]) -> Any:
    """The parameters with a mark wherever an id of the recorded order stands."""
    if isinstance(value, dict):
        return {key: marked(one, marks) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [marked(one, marks) for one in value]
    return marks.get((type(value), value), value) if isinstance(value, int | str) else value


def filled(value: Any, order_id: int, item_ids: Sequence[int]) -> Any:
    """The parameters with the new order's ids in place of the marks."""
    kind = type(value)
    if kind is dict:
        return {key: filled(one, order_id, item_ids) for key, one in value.items()}
    if kind is list:
        return [filled(one, order_id, item_ids) for one in value]
    if kind is NewOrder:
        return str(order_id) if value.as_text else order_id
    if kind is NewItem:
        return str(item_ids[value.place]) if value.as_text else item_ids[value.place]
    return value


def connect(url: str) -> Any:
    """A plain connection, set as Django sets its own."""
    plain = psycopg2.connect(url)
    plain.set_client_encoding("UTF8")
    with plain.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
    plain.commit()
    return plain
