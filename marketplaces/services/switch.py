"""The one switch that stops all writing to marketplaces, and the question that every writer asks first."""

import datetime

import structlog
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from marketplaces.models import MarketplaceSwitch, SellerAccount

LONGEST_REASON = 300

logger = structlog.get_logger("marketplaces.switch")


def the_switch() -> MarketplaceSwitch:
    """The switch as it stands now; one that nobody has touched lets everything through."""
    return MarketplaceSwitch.objects.filter(pk=1).first() or MarketplaceSwitch()


def pushes_are_stopped() -> bool:
    """Whether nothing may be written to any marketplace now. One query."""
    return MarketplaceSwitch.objects.filter(pk=1, pushes_stopped_at__isnull=False).exists()


def may_write(account: SellerAccount) -> bool:
    """Whether anything may be written to the marketplace of this account now: it is live, and the switch is on. To be
    asked right before each write: the switch acts at once."""
    return account.is_live and not pushes_are_stopped()


def stop_pushes(*, reason: str, by_id: int | None, at: datetime.datetime) -> MarketplaceSwitch:
    """Stops all writing to all marketplaces; reading goes on. Stopped already: the first reason and time stay.

    Raises InvalidInput at "reason" without one, or with one that is too long.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInput.at("reason", _("Say why nothing may be sent to the marketplaces."))
    if len(reason) > LONGEST_REASON:
        raise InvalidInput.at("reason", _("The reason has at most %(most)d characters.") % {"most": LONGEST_REASON})
    MarketplaceSwitch.objects.get_or_create(pk=1)
    switch = MarketplaceSwitch.objects.filter(pk=1, pushes_stopped_at=None)
    if switch.update(pushes_stopped_at=at, stopped_by_id=by_id, reason=reason):
        logger.warning("pushes_stopped", by=by_id, reason=reason)
    return the_switch()


def start_pushes(*, by_id: int | None = None) -> MarketplaceSwitch:
    """Lets writing to the marketplaces go on. What has changed meanwhile is sent by the next runs."""
    switch = MarketplaceSwitch.objects.filter(pk=1, pushes_stopped_at__isnull=False)
    if switch.update(pushes_stopped_at=None, stopped_by_id=None, reason=""):
        logger.warning("pushes_started", by=by_id)
    return the_switch()
