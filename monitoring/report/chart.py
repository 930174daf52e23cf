"""The chart of a day as numbers: bars by hour, and behind them the hours of the day that it is compared with.

Positions and heights are shares of the chart's width and height in percent: for the SVG of the page, which fits a desk
and a phone, and for the picture of a message alike.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from foundation.scale import LINES, step_for
from monitoring.report.registry import Hours

# The shares of a slot that the day's bar and the one behind it fill.
FILL, FILL_BEFORE = 0.5, 0.84
# With more hours than this only every second one is named, so that they can be read on a phone.
MOST_LABELS = 13
LOWEST = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line behind the bars, and the amount that it stands for."""

    height: float
    amount: Decimal

    @property
    def top(self) -> float:
        """From above, as an SVG counts."""
        return 100 - self.height


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from `left`, so wide and so high."""

    amount: Decimal
    left: float
    width: float
    height: float

    @property
    def top(self) -> float:
        return round(100 - self.height, 2)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour's slot with its two bars."""

    label: str
    is_named: bool
    left: float
    middle: float
    bar: Bar
    before: Bar


@dataclass(frozen=True, slots=True)
class DayChart:
    """`slot` is the width of an hour."""

    day: datetime.date
    day_before: datetime.date
    hours: Sequence[Hour]
    lines: Sequence[Line]
    slot: float

    @property
    def compares(self) -> bool:
        """Whether anything was sold on the day before, so that there is something behind the bars."""
        return any(hour.before.amount for hour in self.hours)


def day_chart(hours: Hours) -> DayChart | None:
    """The chart from the first hour in which anything was sold on either day to the last; None if nothing was."""
    busy = [place for place, slot in enumerate(hours.slots) if slot.amount or slot.before]
    if not busy:
        return None
    shown = hours.slots[busy[0] : busy[-1] + 1]
    step = step_for(max(max(slot.amount, slot.before) for slot in shown))
    top, width = step * LINES, 100 / len(shown)
    every = 1 if len(shown) <= MOST_LABELS else 2

    def bar(place: int, amount: Decimal, fill: float) -> Bar:
        # What sold something shows at least a line.
        height = max(round(float(amount / top * 100), 2), LOWEST) if amount else 0.0
        return Bar(amount, round(width * (place + (1 - fill) / 2), 3), round(width * fill, 3), height)

    return DayChart(
        day=hours.day,
        day_before=hours.before,
        hours=[
            Hour(
                label=slot.label,
                is_named=place % every == 0,
                left=round(width * place, 3),
                middle=round(width * (place + 0.5), 3),
                bar=bar(place, slot.amount, FILL),
                before=bar(place, slot.before, FILL_BEFORE),
            )
            for place, slot in enumerate(shown)
        ],
        lines=[Line(round(number / LINES * 100, 2), step * number) for number in range(1, LINES + 1)],
        slot=round(width, 3),
    )
