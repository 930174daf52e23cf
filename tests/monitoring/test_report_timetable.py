"""When a daily report is due: by the clocks of its place, also on the nights when these are changed."""

import datetime as dt
import zoneinfo

import pytest

from inventory.daily_report import place_of
from inventory.models import Location
from monitoring.report.registry import Place
from monitoring.report.timetable import day_due, due_at

WARSAW, BANGKOK = "Europe/Warsaw", "Asia/Bangkok"


def place(report_at: str, *, starts: str = "00:00", zone: str = BANGKOK) -> Place:
    location = Location(name="Here", time_zone=zone, day_starts_at=dt.time.fromisoformat(starts))
    return place_of(location, dt.time.fromisoformat(report_at))


def at(text: str, zone: str = BANGKOK) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))


@pytest.mark.parametrize(
    ("report_at", "starts", "due"),
    [
        # In the second half of the day it tells of the day itself, in the first of the one before.
        ("22:30", "00:00", "2026-05-01 22:30"),
        ("12:00", "00:00", "2026-05-01 12:00"),
        ("08:00", "00:00", "2026-05-02 08:00"),
        ("00:00", "00:00", "2026-05-02 00:00"),
        # A day from four to four: two in the morning still belongs to it, five is the next one's.
        ("23:00", "04:00", "2026-05-01 23:00"),
        ("02:00", "04:00", "2026-05-02 02:00"),
        ("05:00", "04:00", "2026-05-02 05:00"),
        # A night shop, from eight in the evening.
        ("02:00", "20:00", "2026-05-03 02:00"),
        ("09:00", "20:00", "2026-05-02 09:00"),
    ],
)
def test_the_hour_decides_which_day_is_told(report_at: str, starts: str, due: str) -> None:
    shop, day = place(report_at, starts=starts), dt.date(2026, 5, 1)

    assert due_at(shop, day) == at(due)
    assert day_due(shop, at=at(due)) == day
    assert day_due(shop, at=at(due) - dt.timedelta(seconds=1)) != day


def test_an_hour_that_the_clocks_leave_out_is_the_one_after_it() -> None:
    """On 29 March 2026 two in the morning is three in Warsaw."""
    shop = place("02:30", zone=WARSAW)

    assert due_at(shop, dt.date(2026, 3, 28)) == dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)


def test_of_an_hour_that_comes_twice_the_first_counts_and_it_is_due_once() -> None:
    """On 25 October 2026 the hour from two to three comes twice in Warsaw, first at midnight UTC."""
    shop, day = place("02:30", zone=WARSAW), dt.date(2026, 10, 24)
    night = dt.datetime(2026, 10, 25, 0, 0, tzinfo=dt.UTC)
    minutes = [night + dt.timedelta(minutes=number) for number in range(180)]

    assert due_at(shop, day) == night + dt.timedelta(minutes=30)
    assert [day_due(shop, at=moment) for moment in minutes] == [None] * 30 + [day] * 150


@pytest.mark.parametrize("report_at", ["00:00", "02:30", "03:00", "12:00", "23:59"])
@pytest.mark.parametrize("starts", ["00:00", "02:30", "04:00", "22:00"])
def test_over_a_year_every_day_is_due_once_and_in_order(report_at: str, starts: str) -> None:
    shop = place(report_at, starts=starts, zone=WARSAW)
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(365)]
    dues = [due_at(shop, day) for day in days]

    assert all(dt.timedelta(hours=22) < late - early < dt.timedelta(hours=26) for early, late in zip(dues, dues[1:]))  # noqa: B905, RUF007
    assert [day_due(shop, at=due) for due in dues] == days


def test_what_an_outage_kept_back_is_made_up_for_on_the_same_date() -> None:
    morning, evening = place("08:00"), place("22:30")
    day = dt.date(2026, 5, 1)

    assert day_due(morning, at=at("2026-05-02 23:59")) == day
    assert day_due(morning, at=at("2026-05-03 00:01")) is None
    # Late in the evening that would be little time: six hours at least.
    assert day_due(evening, at=at("2026-05-02 04:29")) == day
    assert day_due(evening, at=at("2026-05-02 04:31")) is None


def test_an_hour_that_is_set_for_tonight_sends_nothing_of_yesterday() -> None:
    assert day_due(place("22:30"), at=at("2026-05-02 15:00")) is None
