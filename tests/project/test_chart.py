"""The home page's chart: pure numbers."""

import datetime
from decimal import Decimal

import pytest

from foundation.scale import step_for
from project.chart import HEIGHT, TOP, chart_of

MONDAY = datetime.date(2026, 3, 9)


def days(*amounts: int) -> list[tuple[datetime.date, Decimal, int]]:
    return [(MONDAY + datetime.timedelta(days=place), Decimal(amount), 1) for place, amount in enumerate(amounts)]


@pytest.mark.parametrize(
    ("highest", "step"),
    [("0", "1"), ("0.50", "0.2"), ("3", "1"), ("3.01", "1.5"), ("4280", "1500"), ("9000", "3000"), ("9001", "4000")],
)
def test_three_round_steps_reach_the_highest_amount(highest: str, step: str) -> None:
    assert step_for(Decimal(highest)) == Decimal(step)
    assert 3 * step_for(Decimal(highest)) >= Decimal(highest)


def test_heights_are_in_proportion_to_the_amounts() -> None:
    chart = chart_of(days(0, 150, 300))

    assert [bar.height for bar in chart.bars] == [0.0, HEIGHT / 2, HEIGHT]
    assert [bar.y for bar in chart.bars] == [TOP + HEIGHT, TOP + HEIGHT / 2, TOP]
    assert [line.amount for line in chart.lines] == [100, 200, 300]


def test_bars_share_the_width_and_the_last_stands_out() -> None:
    chart = chart_of(days(1, 2, 3, 4))

    assert [bar.middle for bar in chart.bars] == [12.5, 37.5, 62.5, 87.5]
    assert [bar.is_last for bar in chart.bars] == [False, False, False, True]
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in chart.bars)


def test_a_day_that_sold_little_still_shows_a_line() -> None:
    assert chart_of(days(1, 1_000_000)).bars[0].height == 2.0


def test_days_without_sales_are_no_fault() -> None:
    assert [bar.height for bar in chart_of(days(0, 0)).bars] == [0.0, 0.0]
    assert chart_of([]).bars == []
