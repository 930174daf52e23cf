"""What of an account's quantities is looked up, what is written, in which order, and what is not believed."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketplaces.choices import Marketplace
from marketplaces.clients.base import QuantityChange
from marketplaces.models import Listing, SellerAccount
from marketplaces.services.offered import Offer

# People change quantities on the marketplace too, and some changes get lost: what is shown there is read again.
LOOKED_UP_FOR = datetime.timedelta(hours=1)
# Fewer listings than these may go to nothing at once; of more, no more than half.
BELIEVED = 10
# Where the warehouse must be named; on Ozon the only one of a seller is meant without that.
BY_WAREHOUSE = (Marketplace.WILDBERRIES,)


@dataclass(frozen=True, slots=True)
class Target:
    """A listing, and how many pieces it shall show. `wanted_at` is the mark that it had when that was computed: a newer
    one tells of something that `pieces` does not know yet."""

    listing: Listing
    pieces: int
    wanted_at: datetime.datetime | None

    @property
    def differs(self) -> bool:
        """Whether the marketplace shows something else, or nobody knows what."""
        return self.listing.offered != self.pieces

    def is_due(self, at: datetime.datetime) -> bool:
        return self.listing.push_not_before is None or self.listing.push_not_before <= at

    def is_to_be_looked_up(self, at: datetime.datetime) -> bool:
        """Whether what the marketplace shows has to be read before anything is written: it is not known, was read long
        ago, or the last write did not come to what it should (it may have come late)."""
        listing = self.listing
        return (
            listing.offered is None
            or listing.offered_at is None
            or listing.offered_at <= at - LOOKED_UP_FOR
            or listing.push_attempts > 0
        )

    def change(self, account: SellerAccount) -> QuantityChange:
        return QuantityChange(
            sku=self.listing.sku,
            quantity=self.pieces,
            warehouse_id=account.push_warehouse_id,
            external_ids=self.listing.external_ids,
        )


def why_not_sent(account: SellerAccount, *, is_stopped: bool) -> str:
    """Why no quantity is sent to the marketplace of this account, as a sentence; empty if they are. `is_stopped`: the
    switch that stops all pushes is off."""
    if not account.is_active:
        return _("The account is switched off.")
    if account.mode != SellerAccount.Mode.LIVE:
        return _("The account is read only: nothing is written to the marketplace.")
    if account.connection == SellerAccount.Connection.NONE:
        return _("The account is not connected.")
    if account.marketplace in BY_WAREHOUSE and not account.push_warehouse_id:
        return _("The account does not say which of its warehouses the quantities are for.")
    if is_stopped:
        return _("Sending to all marketplaces is stopped.")
    return ""


def targets_of(listings: Iterable[Listing], offers: Mapping[int, Offer]) -> list[Target]:
    """What these listings shall show; nothing is known to be right for one whose product is not tracked."""
    known = ((listing, offers.get(listing.pk, Offer(None)).pieces) for listing in listings)
    return [Target(listing, pieces, listing.push_wanted_at) for listing, pieces in known if pieces is not None]


def going_to_nothing(targets: Iterable[Target]) -> list[Target]:
    """Those that are offered now and shall not be any more."""
    return [target for target in targets if target.pieces == 0 and target.listing.offered]


def is_absurd(*, emptied: int, listings: int) -> bool:
    """Whether so many of an account's listings go to nothing at once that it looks like a mistake of ours: a recipe, a
    minimum or a location that was changed by accident takes a whole shop off its marketplace."""
    return emptied > BELIEVED and emptied * 2 > listings


def most_urgent_first(targets: Iterable[Target]) -> list[Target]:
    """What sells what is not there comes first: what shall be nothing, then what shall be less, then the rest by how
    long it has waited."""

    def urgency(target: Target) -> tuple[bool, bool, float, int]:
        listing = target.listing
        is_less = listing.offered is None or target.pieces < listing.offered
        waits_since = target.wanted_at.timestamp() if target.wanted_at else float("inf")
        return target.pieces != 0, not is_less, waits_since, listing.pk

    return sorted(targets, key=urgency)


def parts(targets: Sequence[Target], size: int) -> Iterable[Sequence[Target]]:
    for start in range(0, len(targets), size):
        yield targets[start : start + size]
