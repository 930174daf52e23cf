"""Seller accounts: added, changed, deleted. Their keys are the business of `credentials`, whether these work that of
`testing`."""

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from foundation.services.records import check_record
from inventory.errors import ClosedLocation
from inventory.models import Location
from marketplaces.errors import AccountInUse, NotConnected
from marketplaces.locks import lock_account
from marketplaces.models import (
    Listing,
    MarketplaceOrder,
    MarketplaceStock,
    SellerAccount,
    StockOperation,
    SyncRun,
    SyncState,
)
from marketplaces.services.credentials import put_credentials

logger = structlog.get_logger("marketplaces.accounts")

# What may be changed of an account. To whom it belongs may not: data of different sellers are strictly apart.
CHANGEABLE = (
    *("name", "location", "mode", "is_active", "push_warehouse_id"),
    *("orders_every", "stock_every", "max_changes_per_run"),
)


def add_account(
    *,
    marketplace: str,
    external_user_id: str,
    name: str,
    location: Location,
    credentials: Mapping[str, Any] | None = None,
    added_by_id: int | None,
    at: datetime.datetime,
    **settings: Any,
) -> SellerAccount:
    """Adds an account, with its keys if they are there already; `settings` are further fields of CHANGEABLE.

    It is not connected yet, and so starts read only: Allegro is connected by its code, the others by a test. Raises
    InvalidInput and WrongCredentials at their fields, ClosedLocation, and NotConnected for a live mode.
    """
    refuse_other_settings(settings)
    account = SellerAccount(
        marketplace=marketplace,
        external_user_id=external_user_id.strip(),
        name=name.strip(),
        location=location,
        created_at=at,
        **settings,
    )
    with transaction.atomic():
        check_record(account)
        if not location.is_active:
            raise ClosedLocation(location.name)
        refuse_live_without_connection(account)
        account.save(force_insert=True)
        if credentials is not None:
            put_credentials(account, credentials, stored_by_id=added_by_id, at=at)
    return account


def change_account(
    *,
    account_id: UUID,
    changes: Mapping[str, Any],
    credentials: Mapping[str, Any] | None = None,
    changed_by_id: int | None,
    at: datetime.datetime,
) -> SellerAccount:
    """Changes these fields of an account (see CHANGEABLE), and its keys if some are given.

    Raises UnknownAccount, InvalidInput and WrongCredentials at their fields, ClosedLocation, and NotConnected for the
    live mode of an account that is not connected.
    """
    refuse_other_settings(changes)
    with transaction.atomic():
        account = lock_account(account_id)
        before = {name: getattr(account, name) for name in changes}
        for name, value in changes.items():
            setattr(account, name, value.strip() if isinstance(value, str) else value)
        check_record(account)
        if "location" in changes and account.location != before["location"] and not account.location.is_active:
            raise ClosedLocation(account.location.name)
        if "mode" in changes and before["mode"] != account.mode:
            refuse_live_without_connection(account)
            logger.info("mode_changed", account=str(account.pk), mode=account.mode, user_id=changed_by_id)
        if changes:
            account.save(update_fields=list(changes))
        bring_forward(account, before=before, at=at)
        if credentials is not None:
            put_credentials(account, credentials, stored_by_id=changed_by_id, at=at)
    return account


def delete_account(*, account_id: UUID) -> SellerAccount:
    """Deletes an account that nothing has come of, with what was read of its stock, and returns it as it was.

    Raises UnknownAccount, and AccountInUse if it has orders, operations or listings.
    """
    with transaction.atomic():
        account = lock_account(account_id)
        users = [
            str(model._meta.verbose_name_plural)
            for model in (MarketplaceOrder, StockOperation, Listing)
            if model._default_manager.filter(account=account).exists()
        ]
        if users:
            raise in_use(account, ", ".join(users))
        try:
            with transaction.atomic():
                MarketplaceStock.objects.filter(account=account).delete()
                SyncRun.objects.filter(account=account).delete()
                # A copy is what the caller gets: deleting takes the primary key away.
                SellerAccount.objects.filter(pk=account_id).delete()
                # Keys are checked at the commit otherwise, too late for a sentence.
                connection.check_constraints()
        except IntegrityError as error:
            # Written while we looked.
            raise in_use(account, _("what has just been read of it")) from error
    logger.info("account_deleted", account=str(account_id))
    return account


def in_use(account: SellerAccount, users: str) -> AccountInUse:
    return AccountInUse(
        _("“%(name)s” can't be deleted: it has %(users)s. Switch it off instead.")
        % {"name": account.name, "users": users}
    )


def refuse_other_settings(settings: Mapping[str, Any]) -> None:
    """What is no field that anybody may set is a mistake of the caller's, not of the person."""
    if unknown := sorted(set(settings) - set(CHANGEABLE)):
        raise TypeError(f"No setting of an account: {', '.join(unknown)}")


def refuse_live_without_connection(account: SellerAccount) -> None:
    """Only what has good keys may write: raises NotConnected."""
    is_connected = account.connection == SellerAccount.Connection.CONNECTED and account.credentials
    if account.mode == SellerAccount.Mode.LIVE and not is_connected:
        raise NotConnected(account.name)


def bring_forward(account: SellerAccount, *, before: Mapping[str, Any], at: datetime.datetime) -> None:
    """A shorter interval counts at once, and does not wait for the end of the longer one."""
    due = {
        "orders_every": (SyncRun.What.ORDERS, datetime.timedelta(seconds=account.orders_every)),
        "stock_every": (SyncRun.What.INVENTORY, datetime.timedelta(minutes=account.stock_every)),
    }
    for name, (what, interval) in due.items():
        if name in before and before[name] > getattr(account, name):
            states = SyncState.objects.filter(account=account, what=what)
            states.update(next_due_at=Least(F("next_due_at"), at + interval))
