"""Moments as the pages of backups show them: by the clocks of the shop, since a backup is of no one location."""

import datetime
import zoneinfo

from django.utils.html import format_html
from django.utils.safestring import SafeString

from foundation.moments import day_of_year_and_time
from foundation.shop import current_shop

NOTHING = "—"


def moment(at: datetime.datetime | None) -> SafeString | str:
    """21 Nov 2026, 10:35; a dash for none."""
    return NOTHING if at is None else format_html('<span class="sv-when">{}</span>', said(at))


def first_second(at: datetime.datetime) -> datetime.datetime:
    """The first whole second that is not before it: a beginning as people may type it in."""
    whole = at.replace(microsecond=0)
    return whole if whole == at else whole + datetime.timedelta(seconds=1)


def to_the_second(at: datetime.datetime | None) -> SafeString | str:
    """21 Nov 2026, 10:35:07: what can be recovered to is that exact."""
    if at is None:
        return NOTHING
    return format_html('<span class="sv-when">{}:{}</span>', said(at), f"{at.second:02}")


def said(at: datetime.datetime) -> str:
    """The same in plain words."""
    return day_of_year_and_time(at.astimezone(zoneinfo.ZoneInfo(current_shop().time_zone)))
