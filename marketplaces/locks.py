"""The locks of this app, in the documented order: seller account (by id), mirrored orders by id, stock operations by
id, synchronisation's state and cursors, listings by id; then the locks of inventory.

Nothing else in this app calls `select_for_update`. No network call is made while one of them is held.
"""

import datetime
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import transaction

from marketplaces.errors import UnknownAccount, UnknownOperation
from marketplaces.models import (
    DeviceConnection,
    Listing,
    MarketplaceOrder,
    SellerAccount,
    StockOperation,
    SyncCursor,
    SyncState,
)


def lock_account(account_id: UUID) -> SellerAccount:
    """Locks the account until the end of the transaction and returns it as it is now. Raises UnknownAccount."""
    inside_a_transaction()
    account = SellerAccount.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    return account


def lock_device_connection(account_id: UUID) -> DeviceConnection | None:
    """Locks the account's connection in progress. To be taken after the account, if both."""
    return DeviceConnection.objects.select_for_update(no_key=True).filter(account_id=account_id).first()


def lock_marketplace_orders(*, account_id: UUID, external_ids: Collection[str]) -> dict[str, MarketplaceOrder]:
    """Locks these mirrored orders in the order of their ids: {the marketplace's id: order}; unknown ones are left
    out."""
    inside_a_transaction()
    rows = MarketplaceOrder.objects.select_for_update(no_key=True, of=("self",))
    return {
        order.external_id: order
        for order in rows.filter(account_id=account_id, external_id__in=external_ids).order_by("pk")
    }


def lock_mirrored(order_ids: Collection[UUID]) -> list[MarketplaceOrder]:
    """Locks these mirrored orders, of whatever accounts, in the order of their ids; unknown ones are left out."""
    inside_a_transaction()
    rows = MarketplaceOrder.objects.select_for_update(no_key=True, of=("self",))
    return list(rows.filter(pk__in=order_ids).order_by("pk"))


def lock_operations(operation_ids: Collection[UUID], **conditions: Any) -> list[StockOperation]:
    """Locks these operations in the order of their ids; unknown ones are left out, and those of which the conditions
    are not true, as they are when they are locked."""
    inside_a_transaction()
    rows = StockOperation.objects.select_for_update(no_key=True, of=("self",)).filter(
        pk__in=operation_ids, **conditions
    )
    # The raw order is large, and nobody who locks operations reads it.
    return list(rows.select_related("account", "order").defer("order__payload").order_by("pk"))


def lock_operation(operation_id: UUID) -> StockOperation:
    """Locks one operation and returns it as it is now. Raises UnknownOperation."""
    locked = lock_operations([operation_id])
    if not locked:
        raise UnknownOperation(operation_id)
    return locked[0]


def claim_due_operations(
    *, now: datetime.datetime, lease: datetime.timedelta, limit: int, operation_ids: Collection[UUID] | None = None
) -> list[UUID]:
    """Takes operations that are due (of these ones, if they are named), for as long as the lease, passing over those
    that another worker has."""
    inside_a_transaction()
    due = StockOperation.objects.due(now=now)
    if operation_ids is not None:
        due = due.filter(pk__in=operation_ids)
    due = due.order_by("next_attempt_at", "pk").select_for_update(skip_locked=True, no_key=True, of=("self",))
    ids = [operation.pk for operation in due.only("pk")[:limit]]
    StockOperation.objects.filter(pk__in=ids).update(leased_until=now + lease)
    return ids


def lease_operations(operation_ids: Collection[UUID], *, until: datetime.datetime | None) -> None:
    """Gives these operations to whoever calls until then, or to nobody. They are locked in the order of their ids: an
    UPDATE alone takes them in any order, and would meet those who lock them in this one in a circle."""
    inside_a_transaction()
    rows = StockOperation.objects.select_for_update(no_key=True).filter(pk__in=operation_ids).order_by("pk")
    StockOperation.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(leased_until=until)


def lock_sync_state(*, account_id: UUID, what: str) -> SyncState:
    """Locks where the synchronisation of `what` stands, and begins it if it never ran."""
    inside_a_transaction()
    SyncState.objects.get_or_create(account_id=account_id, what=what)
    return SyncState.objects.select_for_update(no_key=True).get(account_id=account_id, what=what)


def lock_cursors(*, account_id: UUID, names: Collection[str]) -> dict[str, SyncCursor]:
    """Locks these cursors of the account, in the order of their names; those that never moved are left out."""
    inside_a_transaction()
    rows = SyncCursor.objects.select_for_update(no_key=True).filter(account_id=account_id, name__in=names)
    return {cursor.name: cursor for cursor in rows.order_by("name")}


def lock_listings(listing_ids: Collection[int]) -> list[Listing]:
    """Locks these listings in the order of their ids; unknown ones are left out."""
    inside_a_transaction()
    return list(Listing.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=listing_ids).order_by("pk"))


def inside_a_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A lock outside a transaction would be gone at once.")
