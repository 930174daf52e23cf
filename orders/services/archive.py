"""Old orders move into the archive, and back if somebody wants them back.

A part of them at a time, each in one transaction: an order and all that belongs to it stands in one place or in the
other, whenever somebody looks and wherever a run is killed.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Model

from orders.locks import lock_archived_orders, lock_orders
from orders.models import (
    ArchivedCancelledItem,
    ArchivedEvent,
    ArchivedItem,
    ArchivedOrder,
    CancelledItem,
    Order,
    OrderEvent,
    OrderItem,
)

# Orders of one transaction: a fraction of a second, in which nobody else waits for more than one of them.
PART = 1000


@dataclass(frozen=True, slots=True)
class Moved:
    """A table whose rows go where their orders go. `key` names the order; with `of`, it names a row of that table."""

    live: type[Model]
    archived: type[Model]
    key: str
    of: "Moved | None" = None


ITEMS = Moved(OrderItem, ArchivedItem, "order_id")
# Whatever hangs on an order by a foreign key moves with it: a new table gets its row here, before what it points to,
# and an archived twin of its abstract model. A test finds those that have none.
MOVED = (
    Moved(CancelledItem, ArchivedCancelledItem, "item_id", of=ITEMS),
    Moved(OrderEvent, ArchivedEvent, "order_id"),
    ITEMS,
    Moved(Order, ArchivedOrder, "id"),
)


@transaction.atomic
def archive_orders(*, before: datetime.datetime, limit: int = PART) -> int:
    """Moves orders that were placed, and completed or cancelled, before this moment into the archive: the oldest
    first, at most `limit` of them. Returns how many; 0 once there are no more."""
    old = Order.objects.filter(placed_at__lt=before, closed_at__lt=before).order_by("placed_at", "pk")
    locked = lock_orders(old.values_list("pk", flat=True)[:limit])
    return move([order.pk for order in locked], into_archive=True)


@transaction.atomic
def restore_orders(*, order_ids: Sequence[int]) -> int:
    """Moves these orders out of the archive, as they were. Returns how many; unknown ones are left out."""
    return move(lock_archived_orders(order_ids), into_archive=False)


def move(order_ids: Sequence[int], *, into_archive: bool) -> int:
    """Moves the locked orders and all that belongs to them, a statement for each table."""
    if order_ids:
        with connection.cursor() as cursor:
            for table in MOVED:
                cursor.execute(statement(table, into_archive=into_archive), [list(order_ids)])
    return len(order_ids)


def statement(table: Moved, *, into_archive: bool) -> str:
    """Takes a table's rows out and writes the same ones in: what the DELETE returns, the INSERT has."""
    source, target = (table.live, table.archived) if into_archive else (table.archived, table.live)
    # Names of the shop's own tables and columns only: nothing that anybody typed.
    columns = ", ".join(f'"{field.column}"' for field in table.archived._meta.local_concrete_fields)
    condition = f'"{table.key}" = ANY(%s)'
    if table.of is not None:
        owner = table.of.live if into_archive else table.of.archived
        condition = f'"{table.key}" IN (SELECT id FROM "{owner._meta.db_table}" WHERE "{table.of.key}" = ANY(%s))'  # noqa: S608
    return (
        f'WITH gone AS (DELETE FROM "{source._meta.db_table}" WHERE {condition} RETURNING {columns}) '  # noqa: S608
        f'INSERT INTO "{target._meta.db_table}" ({columns}) SELECT {columns} FROM gone'
    )
