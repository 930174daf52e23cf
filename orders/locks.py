"""The locks of orders. The documented order: orders by id, then promo codes by id, customers by id, shifts by id,
then (in inventory) stock levels.

Nothing else in this app calls `select_for_update`, but for `orders.staff_locks`.
"""

import datetime
from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction

from foundation.errors import Refusal
from orders.errors import OrderArchived, UnknownCustomer, UnknownOrder, UnknownSalesImport, UnknownShift
from orders.models import ArchivedOrder, BatchRun, Customer, CustomerMessage, Order, PromoCode, SalesImport, Shift

# Advisory locks of their own; the numbers say nothing.
IMPORT_KEYS = 7_236_001
PHONES = 7_236_002


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


def lock_promo_codes(code_ids: Collection[int]) -> dict[int, PromoCode]:
    """Locks these promo codes in the order of their ids: who uses the last of a code does so alone."""
    rows = PromoCode.objects.select_for_update(no_key=True).filter(pk__in=code_ids).order_by("pk")
    return {code.pk: code for code in rows}


def lock_promo_code_called(code: str) -> PromoCode | None:
    """Locks the promo code that is called so, in capitals; None if there is none."""
    return PromoCode.objects.select_for_update(no_key=True).filter(code=code).first()


def lock_customers(customer_ids: Collection[int]) -> dict[int, Customer]:
    """Locks these customers in the order of their ids; unknown ones are left out. To be taken after promo codes."""
    rows = Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=customer_ids).order_by("pk")
    return {customer.pk: customer for customer in rows}


def lock_customer(customer_id: int) -> Customer:
    """Locks the customer until the end of the transaction and returns them as they are now. Raises UnknownCustomer."""
    customer = lock_customers([customer_id]).get(customer_id)
    if customer is None:
        raise UnknownCustomer(customer_id)
    return customer


def lock_phone(number: str) -> None:
    """Lets one transaction at a time look for a customer by this number and write them down. To be taken before the
    customer's own row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [PHONES, number])


def lock_shift(shift_id: int) -> Shift:
    """Locks the shift until the end of the transaction and returns it as it is now. Raises UnknownShift."""
    rows = Shift.objects.select_for_update(of=("self",), no_key=True).select_related("location")
    shift = rows.filter(pk=shift_id).first()
    if shift is None:
        raise UnknownShift(shift_id)
    return shift


def lock_open_shifts(location_ids: Collection[int]) -> list[Shift]:
    """Locks the open shifts of these locations in the order of their ids: none of them is closed meanwhile."""
    rows = Shift.objects.select_for_update(of=("self",), no_key=True)
    return list(rows.filter(location_id__in=location_ids, closed_at=None).order_by("pk"))


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


def claim_next_customer_message(now: datetime.datetime) -> CustomerMessage | None:
    """Locks the next message to a customer that is due; one that another worker holds is passed over."""
    due = CustomerMessage.objects.filter(status=CustomerMessage.Status.WAITING, next_attempt_at__lte=now)
    return due.order_by("next_attempt_at", "pk").select_for_update(skip_locked=True, of=("self",)).first()
