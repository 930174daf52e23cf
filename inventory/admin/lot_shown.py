"""Lots and their dates as people at a place read them."""

import datetime
import zoneinfo

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundation.admin.moments import moment_at
from foundation.moments import day_of_year
from inventory.admin.shown import badge
from inventory.lot_selectors import lots_that_expire_before
from inventory.models import Location, StockLot

NOTHING = "—"


def keeps_until(expires_at: datetime.datetime | None, location: Location) -> str:
    """Until when something keeps, by the location's clocks: a whole day as its date, else with the time."""
    if expires_at is None:
        return NOTHING
    last_day = location.day_of(expires_at - datetime.timedelta(microseconds=1))
    if location.day_bounds(last_day)[1] == expires_at:
        return day_of_year(last_day)
    return moment_at(expires_at, location.time_zone)


def lot_name(lot: StockLot | None, location: Location) -> str:
    """21 Nov 2026, L42; nothing for what is in no lot."""
    if lot is None:
        return ""
    date = keeps_until(lot.expires_at, location) if lot.expires_at else _("no date")
    return f"{date}, {lot.code}" if lot.code else date


def lot_link(lot: StockLot, text: str) -> SafeString:
    """The way to the page of a lot."""
    return format_html(
        '<a class="sv-link" href="{}">{}</a>', reverse("admin:inventory_stocklot_change", args=[lot.pk]), text
    )


def expiry_badge(lot: StockLot, at: datetime.datetime) -> SafeString:
    """Until when the lot keeps, red where that is over and yellow on its last day."""
    if lot.expires_at is None:
        return format_html('<span class="sv-muted">{}</span>', _("no date"))
    text = keeps_until(lot.expires_at, lot.location)
    if lot.is_expired(at):
        return badge("bad", text, _("expired"))
    if lot.expires_at <= lot.location.day_bounds(lot.location.today(at))[1]:
        return badge("warn", text, _("expires today"))
    return format_html('<span class="sv-when">{}</span>', text)


def expired_number(request: HttpRequest) -> int:
    """How many lots have expired, for the menu."""
    return lots_that_expire_before(timezone.now()).order_by().count()


def local_field_value(moment: datetime.datetime | None, location: Location) -> str:
    """The moment as a browser's field of a day and a time takes it, by the location's clocks."""
    if moment is None:
        return ""
    return f"{moment.astimezone(zoneinfo.ZoneInfo(location.time_zone)):%Y-%m-%dT%H:%M}"
