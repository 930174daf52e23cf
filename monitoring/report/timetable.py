"""When the report of a place's day is due, by the clocks on its walls."""

import datetime
import zoneinfo

from monitoring.report.registry import Place

DAY = datetime.timedelta(days=1)
NOON = datetime.timedelta(hours=12)
# What an outage kept back is sent on the same date, and at least so long.
MADE_UP_FOR = datetime.timedelta(hours=6)


def tells_of_the_day_before(place: Place) -> bool:
    """Whether the report comes in the first half of the place's day: at eight in the morning people want yesterday, at
    eleven in the evening today."""
    return (since_midnight(place.report_at) - since_midnight(place.day_starts_at)) % DAY < NOON


def due_at(place: Place, day: datetime.date) -> datetime.datetime:
    """When the report of the place's `day` is due, in UTC.

    An hour that the clocks leave out is the one after it; of one that they show twice, it is the first.
    """
    date = day + DAY if tells_of_the_day_before(place) else day
    if place.report_at < place.day_starts_at:
        # It comes after midnight, when that day is not over yet.
        date += DAY
    local = datetime.datetime.combine(date, place.report_at, tzinfo=zoneinfo.ZoneInfo(place.time_zone))
    return local.astimezone(datetime.UTC)


def day_due(place: Place, *, at: datetime.datetime) -> datetime.date | None:
    """The day whose report should have come by now, None if that was too long ago to be news."""
    zone = zoneinfo.ZoneInfo(place.time_zone)
    day = at.astimezone(zone).date()
    while (due := due_at(place, day)) > at:
        day -= DAY
    is_today = due.astimezone(zone).date() == at.astimezone(zone).date()
    return day if is_today or at - due < MADE_UP_FOR else None


def since_midnight(time: datetime.time) -> datetime.timedelta:
    return datetime.timedelta(hours=time.hour, minutes=time.minute, seconds=time.second)
