"""Moments as people at a place read them."""

import datetime
import zoneinfo

from foundation.moments import day_of_year_and_time


def moment_at(moment: datetime.datetime, time_zone: str) -> str:
    """A moment (aware) by the clocks of `time_zone`: 21 Nov 2026, 10:35."""
    return day_of_year_and_time(moment.astimezone(zoneinfo.ZoneInfo(time_zone)))
