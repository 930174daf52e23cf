"""Moments as people at a place read them."""

import datetime
import zoneinfo

from django.utils.formats import date_format


def moment_at(moment: datetime.datetime, time_zone: str) -> str:
    """A moment (aware) by the clocks of `time_zone`: 21 Nov 2026, 10:35."""
    return date_format(moment.astimezone(zoneinfo.ZoneInfo(time_zone)), "j M Y, H:i")
