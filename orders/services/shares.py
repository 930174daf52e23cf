"""What is taken off an order, as the order keeps it: each step with its share of every line.

`Order.discounts` holds [{"kind", "name", "amount", "points"?, "lines": {position of the line: amount}}], amounts as
strings. `OrderItem.discount` is the sum of the line's shares, `Order.discount` that of all lines.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from foundation.decimals import round_money
from orders.discounts import NOTHING, Step, StepKind, TakenOff
from orders.models import Order, OrderItem

Kept = list[dict[str, Any]]


def as_kept(off: TakenOff, positions: Sequence[int]) -> Kept:
    """The steps as `Order.discounts` keeps them; `positions` are those of the lines that were priced."""
    return [kept_step(step, positions) for step in off.steps]


def kept_step(step: Step, positions: Sequence[int]) -> dict[str, Any]:
    kept: dict[str, Any] = {"kind": step.kind.value, "name": step.name, "amount": str(step.amount)}
    if step.points:
        kept["points"] = step.points
    lines = {str(position): str(share) for position, share in zip(positions, step.shares, strict=True) if share}
    return {**kept, "lines": lines}


def discount_items(items: Sequence[OrderItem], off: TakenOff) -> None:
    """Gives each line, which are in the order of the steps' shares, its part of everything that is taken off."""
    for place, item in enumerate(items):
        item.discount = off.of_line(place)
        item.points_discount = off.points_of_line(place)


def goodwill_of(order: Order) -> list[tuple[str, Decimal]]:
    """What is left of what the order was given out of goodwill: (why, how much)."""
    return [(step["name"], Decimal(step["amount"])) for step in order.discounts if step["kind"] == StepKind.GOODWILL]


def take_back_shares(order: Order, item: OrderItem, *, part: int, whole: int) -> None:
    """Takes `part` of the line's `whole` remaining portions out of every step, in memory.

    Each share falls in proportion, rounded as money is; whoever takes the last portion takes all that is left of it.
    """
    position = str(item.position)
    for step in order.discounts:
        share = Decimal(step["lines"].get(position, 0))
        if not share:
            continue
        taken = share if part == whole else min(round_money(share * part / whole), share)
        put_share(step, position, share - taken)
        item.discount -= taken
        if step["kind"] == StepKind.POINTS:
            item.points_discount -= taken
    order.discounts = [step for step in order.discounts if step["lines"]]


def put_share(step: dict[str, Any], position: str, share: Decimal) -> None:
    """Changes one share of a kept step, and its amount with it."""
    old = Decimal(step["lines"].get(position, 0))
    if share:
        step["lines"][position] = str(share)
    else:
        step["lines"].pop(position, None)
    step["amount"] = str(Decimal(step["amount"]) - old + share)


def points_left(order: Order, *, before: Decimal, after: Decimal) -> int:
    """How many of the redeemed points still pay for something, when what they pay for falls from `before` to
    `after`: rounded up, so that nobody gets points back that paid."""
    if not after or not before:
        return 0
    exact = order.points_redeemed * after / before
    return min(int(exact.to_integral_value(rounding=ROUND_CEILING)), order.points_redeemed)


def set_points(order: Order, points: int) -> None:
    """Changes how many points the order has redeemed, in memory."""
    order.points_redeemed = points
    for step in order.discounts:
        if step["kind"] == StepKind.POINTS:
            step["points"] = points


def set_totals(order: Order, items: Sequence[OrderItem]) -> None:
    """Sums the lines up into the order, in memory."""
    order.subtotal = sum((item.total for item in items), NOTHING)
    order.discount = sum((item.discount for item in items), NOTHING)
    order.total = order.subtotal - order.discount
