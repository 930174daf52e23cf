"""A bar chart as numbers for an SVG that is written into the page: pure functions, no library.

Positions along the page are shares of its width in percent, so that the chart fits a desk and a phone; heights
are pixels.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from foundation.scale import LINES, step_for

HEIGHT = 150
# Above the bars, for the label of the top line; the days stand below them.
TOP = 14
# The share of its slot that a bar fills.
FILL = 0.62


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's bar. `x`, `width` and `middle` in percent; `y` and `height` in pixels."""

    day: datetime.date
    value: Decimal
    orders: int
    is_last: bool
    x: float
    width: float
    middle: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line behind the bars, and the amount that it stands for."""

    y: float
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    lines: list[Line]
    bottom: int = TOP + HEIGHT
    full_height: int = TOP + HEIGHT + 22


def chart_of(days: Sequence[tuple[datetime.date, Decimal, int]]) -> Chart:
    """The chart of (day, amount, number of orders), the last one standing out."""
    step = step_for(max((amount for _day, amount, _orders in days), default=Decimal(0)))
    top = step * LINES
    slot = 100 / max(len(days), 1)
    bars = []
    for place, (day, amount, orders) in enumerate(days):
        height = round(float(amount / top) * HEIGHT, 1)
        # A day that sold something shows at least a line.
        height = max(height, 2.0) if amount else 0.0
        bars.append(
            Bar(
                day=day,
                value=amount,
                orders=orders,
                is_last=place == len(days) - 1,
                x=round(slot * (place + (1 - FILL) / 2), 3),
                width=round(slot * FILL, 3),
                middle=round(slot * (place + 0.5), 3),
                y=round(TOP + HEIGHT - height, 1),
                height=height,
            )
        )
    lines = [Line(y=round(TOP + HEIGHT - HEIGHT * number / LINES, 1), amount=step * number) for number in (1, 2, 3)]
    return Chart(bars, lines)
