"""The counter's queue: the active orders of a location, the longest waiting first, as the page there shows them."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from orders.models import Order, OrderItem

# Every change of an order writes its row anew, whichever service makes it, and the row then carries the transaction
# that wrote it. The ids alone would miss a change, and the newest event one that committed after a later one.
VERSION = """
SELECT md5(coalesce(string_agg(id || '.' || xmin, ',' ORDER BY id), ''))
FROM orders_order
WHERE location_id = %s AND status IN ('pending', 'preparing', 'ready')
"""
CALLED_BY = 3


def call_number(number: int) -> str:
    """What people call out for an order: the last three digits of its number. #1042 is called 042.

    A thousand orders go by before it is used again. It follows from the number, so that a receipt, a label, the
    customer's own page and the queue say the same without asking anybody.
    """
    return f"{number % 10**CALLED_BY:0{CALLED_BY}d}"


@dataclass(frozen=True, slots=True)
class QueuedLine:
    """What of a line is still to be made."""

    quantity: int
    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueuedOrder:
    """An active order with all that somebody must know who makes it and hands it over."""

    id: int
    number: int
    status: str
    channel: str
    customer: str
    comment: str
    placed_at: datetime.datetime
    total: Decimal
    due: Decimal
    lines: tuple[QueuedLine, ...]

    @property
    def call_number(self) -> str:
        return call_number(self.number)


def queue_version(*, location_id: int) -> str:
    """A word that is another one as soon as anything in the location's queue has changed. One small query."""
    with connection.cursor() as cursor:
        cursor.execute(VERSION, [location_id])
        version: str = cursor.fetchone()[0]
    return version


def queue_of(*, location_id: int) -> list[QueuedOrder]:
    """The location's active orders, the longest waiting first. Two queries, however many there are."""
    rows = list(
        Order.objects.filter(location_id=location_id)
        .active()
        .order_by("placed_at", "id")
        # Values and not objects: the page asks every few seconds, at every till.
        .values_list(
            "id", "number", "status", "channel", "customer__name", "comment", "placed_at", "total", "withheld", "paid"
        )
    )
    lines = lines_of([row[0] for row in rows])
    return [
        QueuedOrder(
            id=pk,
            number=number,
            status=status,
            channel=channel,
            customer=customer or "",
            comment=comment,
            placed_at=placed_at,
            total=total,
            due=max(total + withheld - paid, Decimal("0.00")),
            lines=tuple(lines.get(pk, ())),
        )
        for pk, number, status, channel, customer, comment, placed_at, total, withheld, paid in rows
    ]


def lines_of(order_ids: list[int]) -> dict[int, list[QueuedLine]]:
    """What is still to be made of each of these orders."""
    wanted: Any = OrderItem.objects.filter(order_id__in=order_ids).order_by("order_id", "position", "id")
    lines: dict[int, list[QueuedLine]] = {}
    for order_id, name, quantity, cancelled, options in wanted.values_list(
        "order_id", "name", "quantity", "cancelled_quantity", "options"
    ):
        if quantity > cancelled:
            chosen = tuple(str(option["name"]) for option in options)
            lines.setdefault(order_id, []).append(QueuedLine(quantity - cancelled, name, chosen))
    return lines
