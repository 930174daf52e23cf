"""The scale of amounts that stands behind the bars of a chart."""

from decimal import Decimal

STEPS = tuple(Decimal(step) for step in ("1", "1.5", "2", "2.5", "3", "4", "5", "10"))
LINES = 3


def step_for(highest: Decimal) -> Decimal:
    """A round step, LINES of which reach the highest amount: one of STEPS times a power of ten."""
    if highest <= 0:
        return Decimal(1)
    least = highest / LINES
    power = Decimal(10) ** least.adjusted()
    return next(step * power for step in STEPS if step * power >= least)
