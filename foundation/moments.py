"""Moments as people read them: in the time zone of the place that they are about."""

import datetime
import zoneinfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def day_and_time(when: datetime.datetime, zone: str) -> str:
    """21 Nov, 10:32; with the year if it is another one."""
    local = when.astimezone(zoneinfo.ZoneInfo(zone))
    this_year = timezone.now().astimezone(local.tzinfo).year
    if local.year == this_year:
        return date_format(local, pgettext("format of a date", "j M, H:i"))
    return day_of_year_and_time(local)


def day_of_year_and_time(local: datetime.datetime) -> str:
    """21 Nov 2026, 10:32, by the clocks of the moment's own zone."""
    return date_format(local, pgettext("format of a date", "j M Y, H:i"))


def day_of_year(day: datetime.date) -> str:
    """21 Nov 2026"""
    return date_format(day, pgettext("format of a date", "j M Y"))


def clock(when: datetime.datetime, zone: str) -> str:
    """10:32"""
    return date_format(when.astimezone(zoneinfo.ZoneInfo(zone)), "H:i")


def span(length: datetime.timedelta) -> str:
    """A length of time in its largest units: 0 min, 59 min, 2 h 10 min, 3 d."""
    minutes = max(int(length.total_seconds()) // 60, 0)
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    if minutes < 24 * 60:
        return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}
    return _("%(days)d d") % {"days": minutes // (24 * 60)}
