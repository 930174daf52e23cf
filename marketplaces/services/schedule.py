"""What is to be read now."""

import datetime
from uuid import UUID

from django.db.models import Q

from marketplaces.models import SellerAccount, SyncRun, SyncState


def due_syncs(*, now: datetime.datetime) -> list[tuple[UUID, SyncRun.What]]:
    """(account, orders or stock) of everything that is to be read now and that nobody reads: of accounts that are
    connected, or whose last token still lives. Two queries.

    When something is due stands in the database: what was not read because a message was lost is due again.
    """
    connected = Q(connection=SellerAccount.Connection.CONNECTED)
    living = Q(connection=SellerAccount.Connection.LOST, access_expires_at__gt=now)
    accounts = SellerAccount.objects.filter(connected | living, is_active=True).order_by("pk")
    ids = list(accounts.values_list("pk", flat=True))
    states = {(state.account_id, state.what): state for state in SyncState.objects.filter(account__in=ids)}
    return [
        (account_id, what)
        for account_id in ids
        for what in (SyncRun.What.ORDERS, SyncRun.What.INVENTORY)
        if is_due(states.get((account_id, what)), now)
    ]


def is_due(state: SyncState | None, now: datetime.datetime) -> bool:
    """What was never read is due."""
    if state is None:
        return True
    return state.next_due_at <= now and (state.leased_until is None or state.leased_until <= now)
