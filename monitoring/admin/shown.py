"""Channels and messages as lists and pages show them."""

import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundation.admin.badges import badge
from foundation.admin.moments import moment_at
from foundation.moments import span
from foundation.shop import current_shop
from monitoring.models import Channel, Delivery
from monitoring.severity import Severity

NOTHING = "—"
SEVERITY_KINDS = {
    Severity.INFO: "info",
    Severity.WARNING: "warn",
    Severity.ERROR: "bad",
    Severity.CRITICAL: "bad",
}
STATUS_KINDS = {
    Delivery.Status.WAITING: "info",
    Delivery.Status.SENT: "good",
    Delivery.Status.GIVEN_UP: "bad",
}


def moment(at: datetime.datetime | None) -> SafeString | str:
    """By the clocks of the shop, since a channel is of no one location; a dash for none."""
    if at is None:
        return NOTHING
    return format_html('<span class="sv-when">{}</span>', moment_at(at, current_shop().time_zone))


def ago(at: datetime.datetime | None) -> str:
    """5 min ago; a dash for what never was."""
    return NOTHING if at is None else _("%(span)s ago") % {"span": span(timezone.now() - at)}


def channel_badge(channel: Channel) -> SafeString:
    """Whether messages arrive there now."""
    now = timezone.now()
    if not channel.is_enabled:
        return badge("off", _("switched off"))
    if channel.disabled_reason:
        return badge("bad", _("refused"), channel.disabled_reason)
    if channel.failing_since:
        return badge("warn", _("does not answer"), channel.last_error)
    if channel.blocked_until and channel.blocked_until > now:
        return badge("info", _("pauses"), _("The other side has asked for a pause."))
    return badge("good", _("works")) if channel.last_sent_at else badge("off", _("nothing sent yet"))


def severity_badge(severity: str) -> SafeString:
    return badge(SEVERITY_KINDS[Severity(severity)], Severity(severity).label)


def status_badge(delivery: Delivery) -> SafeString:
    return badge(STATUS_KINDS[Delivery.Status(delivery.status)], delivery.get_status_display(), delivery.last_error)


def words_of(delivery: Delivery) -> str:
    """Its title; of one that still gathers what happens, that it does."""
    return delivery.title or (_("is being gathered") if delivery.rendered_at is None else str(delivery))
