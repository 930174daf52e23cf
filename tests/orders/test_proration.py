"""What somebody has earned in a month, by days and by hours."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.proration import Pay, Period, earned, month_of, most_hours, pay_in

pytestmark = pytest.mark.django_db

APRIL = Period(date(2026, 4, 1), date(2026, 4, 30))
CENT = Decimal("0.01")
AMOUNTS = st.decimals("0.01", "999999.99", places=2)
MONTHS = st.dates(date(2000, 1, 1), date(2100, 12, 31)).map(month_of)


def pay(amount: str, first: int, last: int, per: str = "month") -> Pay:
    return Pay(Decimal(amount), per, Period(date(2026, 4, first), date(2026, 4, last)))


def earned_in_april(*pays: Pay, hours: str = "0") -> str:
    return str(earned(pays=pays, hours=Decimal(hours), days_in_month=30))


def test_a_month_is_paid_by_its_days() -> None:
    assert earned_in_april(pay("30000", 1, 30)) == "30000.00"
    assert earned_in_april(pay("30000", 21, 30)) == "10000.00"
    assert earned_in_april(pay("100", 1, 1)) == "3.33"
    assert earned_in_april(pay("20000", 1, 10), pay("25000", 11, 30)) == "23333.33"
    assert earned_in_april() == "0.00"


def test_it_is_rounded_once_and_half_up() -> None:
    assert earned_in_april(pay("0.15", 1, 1)) == "0.01"  # half a cent
    assert earned_in_april(pay("0.14", 1, 1)) == "0.00"
    assert earned_in_april(pay("0.14", 1, 1), pay("0.14", 2, 2), pay("0.14", 3, 3)) == "0.01"  # 1.4 cents


def test_hours_are_paid_by_their_rate_and_shared_by_days_where_it_changes() -> None:
    assert earned_in_april(pay("120", 1, 30, "hour"), hours="80.5") == "9660.00"
    assert earned_in_april(pay("100", 1, 15, "hour"), pay("120", 16, 30, "hour"), hours="60") == "6600.00"
    assert earned_in_april(pay("30000", 1, 10), pay("100", 11, 30, "hour"), hours="60") == "16000.00"
    assert most_hours([pay("30000", 1, 10), pay("100", 11, 30, "hour")]) == 480


def test_what_lies_outside_the_days_is_not_paid() -> None:
    pays = [
        Pay(Decimal(2), "month", Period(date(2026, 4, 11))),
        Pay(Decimal(1), "month", Period(date(2026, 1, 1), date(2026, 4, 10))),
        Pay(Decimal(3), "month", Period(date(2026, 5, 1))),
    ]

    assert pay_in(APRIL, pays) == [pay("1", 1, 10), pay("2", 11, 30)]
    assert month_of(date(2024, 2, 10)).days == 29
    with pytest.raises(ValueError, match="no end"):
        Period(date(2026, 1, 1)).days  # noqa: B018


@given(MONTHS, AMOUNTS, st.lists(st.integers(1, 30), max_size=5))
def test_a_salary_written_down_in_pieces_pays_as_in_one(month: Period, amount: Decimal, cuts: list[int]) -> None:
    assert month.last is not None
    starts = sorted({month.first, *(month.first + timedelta(days=cut) for cut in cuts if cut < month.days)})
    ends = [start - timedelta(days=1) for start in starts[1:]] + [month.last]
    pieces = [Pay(amount, "month", Period(*days)) for days in zip(starts, ends, strict=True)]

    assert sum(one.period.days for one in pieces) == month.days
    assert earned(pays=pieces, hours=Decimal(0), days_in_month=month.days) == amount
    # Rounded each for itself, they may differ from the whole by half a cent each and no more.
    apart = sum(earned(pays=[one], hours=Decimal(0), days_in_month=month.days) for one in pieces)
    assert abs(apart - amount) <= CENT / 2 * len(pieces)


@given(MONTHS, AMOUNTS, AMOUNTS, st.integers(1, 27), st.decimals(0, 300, places=2))
def test_nobody_earns_more_than_the_better_rate_or_less_than_the_worse(
    month: Period, one: Decimal, other: Decimal, cut: int, hours: Decimal
) -> None:
    middle = month.first + timedelta(days=cut)
    for per, whole in (("month", Decimal(1)), ("hour", hours)):
        pays = [
            Pay(one, per, Period(month.first, middle - timedelta(days=1))),
            Pay(other, per, Period(middle, month.last)),
        ]
        got = earned(pays=pays, hours=hours, days_in_month=month.days)
        assert min(one, other) * whole - CENT / 2 <= got <= max(one, other) * whole + CENT / 2
