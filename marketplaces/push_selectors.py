"""Questions about the quantities that marketplaces show: how far each account is from what it should be."""

import datetime
from dataclasses import dataclass

from django.db.models import QuerySet

from marketplaces.models import Listing, SellerAccount, SyncRun, SyncState
from marketplaces.services import push_alarms
from marketplaces.services.offered import offers_of
from marketplaces.services.push_plan import targets_of, why_not_sent
from marketplaces.services.switch import pushes_are_stopped
from monitoring.selectors import open_alerts


@dataclass(slots=True)
class PushState:
    """The listings of an account: how many there are, show something else than they should (as far as is known), were
    refused, and are of products that nobody knows the stock of. `held` is what an alert says that holds them back,
    `why_not` why nothing is sent at all."""

    account: SellerAccount
    why_not: str
    listings: int = 0
    different: int = 0
    refused: int = 0
    untracked: int = 0
    sent_at: datetime.datetime | None = None
    not_before: datetime.datetime | None = None
    held: str = ""


def push_states(*, now: datetime.datetime) -> list[PushState]:
    """How the quantities of each seller account stand. A constant number of queries."""
    is_stopped = pushes_are_stopped()
    accounts: QuerySet[SellerAccount] = SellerAccount.objects.select_related("location").defer("credentials", "tokens")
    states = {
        account.pk: PushState(account, why_not_sent(account, is_stopped=is_stopped))
        for account in accounts.order_by("marketplace", "name")
    }
    listings = list(Listing.objects.filter(is_active=True))
    targets = targets_of(listings, offers_of([listing.pk for listing in listings], at=now))
    for listing in listings:
        state = states[listing.account_id]
        state.listings += 1
        state.refused += bool(listing.push_error)
        state.untracked += 1
    for target in targets:
        state = states[target.listing.account_id]
        state.untracked -= 1
        state.different += target.differs
    for sync in SyncState.objects.filter(what=SyncRun.What.TRANSACTIONS):
        states[sync.account_id].sent_at = sync.last_success_at
        states[sync.account_id].not_before = sync.next_due_at if sync.failures and sync.next_due_at > now else None
    for alert in open_alerts().filter(event=push_alarms.PUSHES_HELD):
        for pk, state in states.items():
            if str(pk) == alert.subject:
                state.held = push_alarms.held_sentence(alert.details)
    return list(states.values())
