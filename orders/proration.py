"""What somebody has earned in a month, from their salaries and the days that they were employed.

A month's salary is earned by calendar days: of 30 days employed for 10, a third. Hours are written down for the month
as a whole; where the pay of an hour changes within it, each rate gets its share of them by its days. All is added up
exactly and rounded once, half up.
"""

import datetime
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from foundation.decimals import round_money
from orders.models import Salary

HOURS_OF_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Period:
    """Some days, both ends included; without a last one they go on."""

    first: datetime.date
    last: datetime.date | None = None

    def within(self, other: "Period") -> "Period | None":
        """The days of this period that belong to the other one too; None if there are none."""
        lasts = [last for last in (self.last, other.last) if last is not None]
        first, last = max(self.first, other.first), min(lasts, default=None)
        return None if last is not None and last < first else Period(first, last)

    @property
    def days(self) -> int:
        """How many days; of a period that has an end."""
        if self.last is None:
            raise ValueError("It has no end.")
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Pay:
    """So much per month or hour in a period."""

    amount: Decimal
    per: str
    period: Period


def month_of(day: datetime.date) -> Period:
    """The calendar month that the day belongs to."""
    return Period(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))


def pay_in(period: Period, pays: Iterable[Pay]) -> list[Pay]:
    """What of the pay falls into the period, the earliest first."""
    found = (Pay(pay.amount, pay.per, days) for pay in pays if (days := pay.period.within(period)) is not None)
    return sorted(found, key=lambda pay: pay.period.first)


def earned(*, pays: Sequence[Pay], hours: Decimal, days_in_month: int) -> Decimal:
    """What the pay of a month's days comes to, with so many hours where it is by the hour."""
    monthly = sum((pay.amount * pay.period.days for pay in pays if pay.per == Salary.Per.MONTH), Decimal(0))
    hourly = [pay for pay in pays if pay.per == Salary.Per.HOUR]
    # Over one denominator, so that nothing is rounded before the end.
    hourly_days = sum(pay.period.days for pay in hourly) or 1
    weighted = sum((pay.amount * pay.period.days for pay in hourly), Decimal(0)) * hours
    return round_money((monthly * hourly_days + weighted * days_in_month) / (days_in_month * hourly_days))


def most_hours(pays: Iterable[Pay]) -> Decimal:
    """How many hours somebody can have worked on the days that are paid by the hour."""
    return Decimal(sum(pay.period.days for pay in pays if pay.per == Salary.Per.HOUR) * HOURS_OF_A_DAY)
