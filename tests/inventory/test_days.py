"""A location's day: it starts when the location says, and the clocks may change in it."""

import datetime as dt

import pytest

from inventory.models import Location

UTC = dt.UTC
WARSAW, BANGKOK, NEW_YORK = "Europe/Warsaw", "Asia/Bangkok", "America/New_York"


def place(zone: str, starts: str = "00:00") -> Location:
    return Location(name="Here", time_zone=zone, day_starts_at=dt.time.fromisoformat(starts))


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "starts", "at", "day"),
    [
        ("UTC", "00:00", "2026-05-01 00:00", "2026-05-01"),
        ("UTC", "00:00", "2026-05-01 23:59:59.999999", "2026-05-01"),
        (BANGKOK, "00:00", "2026-05-01 16:59:59", "2026-05-01"),
        (BANGKOK, "00:00", "2026-05-01 17:00", "2026-05-02"),
        (BANGKOK, "04:00", "2026-05-01 20:59:59", "2026-05-01"),
        (BANGKOK, "04:00", "2026-05-01 21:00", "2026-05-02"),
        (NEW_YORK, "00:00", "2026-05-01 03:59:59", "2026-04-30"),
        (NEW_YORK, "22:00", "2026-05-02 01:59:59", "2026-04-30"),
        (NEW_YORK, "22:00", "2026-05-02 02:00", "2026-05-01"),
    ],
)
def test_a_sale_belongs_to_the_day_of_the_location(zone, starts, at, day):
    assert place(zone, starts).day_of(moment(at)) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(
    ("zone", "starts", "day", "hours"),
    [
        (WARSAW, "00:00", "2026-03-28", 24),
        (WARSAW, "00:00", "2026-03-29", 23),
        (WARSAW, "04:00", "2026-03-28", 23),
        (WARSAW, "04:00", "2026-03-29", 24),
        (WARSAW, "00:00", "2026-10-25", 25),
        (WARSAW, "04:00", "2026-10-24", 25),
        (WARSAW, "04:00", "2026-10-25", 24),
        (BANGKOK, "04:00", "2026-10-25", 24),
    ],
)
def test_a_day_in_which_the_clocks_change_is_an_hour_shorter_or_longer(zone, starts, day, hours):
    start, end = place(zone, starts).day_bounds(dt.date.fromisoformat(day))
    assert end - start == dt.timedelta(hours=hours)


@pytest.mark.parametrize("zone", [WARSAW, NEW_YORK, BANGKOK, "Asia/Beirut", "Pacific/Apia", "Australia/Lord_Howe"])
@pytest.mark.parametrize("starts", ["00:00", "01:30", "02:15", "02:30", "03:00", "23:45"])
def test_every_moment_belongs_to_exactly_the_day_within_whose_bounds_it_lies(zone, starts):
    """Around both changes of the clocks, also for a day that begins in the hour that is missing or comes twice."""
    location = place(zone, starts)
    for first in ("2026-03-27", "2026-04-03", "2026-10-02", "2026-10-23", "2026-10-30", "2026-03-06"):
        at = moment(f"{first} 12:00")
        for _quarter in range(4 * 24 * 3):
            start, end = location.day_bounds(location.day_of(at))
            assert start <= at < end, at
            at += dt.timedelta(minutes=15)


def test_days_follow_each_other_without_a_gap():
    location = place(WARSAW, "02:30")
    day = dt.date(2026, 1, 1)
    for _day in range(366):
        following = day + dt.timedelta(days=1)
        assert location.day_bounds(day)[1] == location.day_bounds(following)[0]
        day = following


def test_today_is_the_day_of_the_moment_that_is_given():
    assert place(BANGKOK, "04:00").today(moment("2026-05-01 20:59")) == dt.date(2026, 5, 1)
