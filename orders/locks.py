"""The locks of orders. The documented order: orders by id, then customers, then (in inventory) stock levels.

Nothing else in this app calls `select_for_update`.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction

from foundation.errors import Refusal
from orders.errors import OrderArchived, UnknownOrder, UnknownSalesImport
from orders.models import ArchivedOrder, BatchRun, Order, SalesImport

# An advisory lock of its own; the number says nothing.
IMPORT_KEYS = 7_236_001


def lock_order(order_id: int) -> Order:
    """Locks the order until the end of the transaction and returns it as it is now.

    Raises UnknownOrder, OrderArchived.
    """
    locked = lock_orders([order_id])
    if not locked:
        raise why_not_locked([order_id])[order_id]
    return locked[0]


def lock_orders(order_ids: Collection[int]) -> list[Order]:
    """Locks these orders in the order of their ids; unknown ones are left out."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A lock outside a transaction would be gone at once.")
    return list(Order.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=order_ids).order_by("pk"))


def why_not_locked(order_ids: Collection[int]) -> dict[int, Refusal]:
    """For ids that `lock_orders` left out, after it: the order is archived, or there is none."""
    archived = dict(ArchivedOrder.objects.filter(pk__in=order_ids).order_by().values_list("pk", "number"))
    return {pk: OrderArchived(archived[pk]) if pk in archived else UnknownOrder(pk) for pk in order_ids}


def lock_archived_orders(order_ids: Collection[int]) -> list[int]:
    """Locks these archived orders in the order of their ids, and returns the ids; unknown ones are left out."""
    rows = ArchivedOrder.objects.select_for_update(of=("self",)).filter(pk__in=order_ids).order_by("pk")
    return [order.pk for order in rows]


def lock_batch_run(run_id: UUID | str) -> BatchRun:
    """Locks a batch, so that two workers never deal with the same part of it."""
    return BatchRun.objects.select_for_update(no_key=True).get(pk=run_id)


def lock_sales_import(import_id: UUID | str) -> SalesImport:
    """Locks an import of sales, so that two workers never write the same part of it. Raises UnknownSalesImport."""
    found = SalesImport.objects.select_for_update(of=("self",), no_key=True).filter(pk=import_id).first()
    if found is None:
        raise UnknownSalesImport(import_id)
    return found


def lock_import_keys() -> None:
    """Holds up everybody else who imports sales until the end of the transaction: which of them are there already
    does not change meanwhile. To be taken after the import's own row and before the menu."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_KEYS])
