"""What is taken off an order. Pure functions: prices and offers in, the steps out.

In this order: the best automatic promotion of each line, then the promo code, then points. Every step is shared out
over the lines to the smallest coin, so that each portion carries its part of everything: whoever takes one back gets
what was paid for it. See docs/adr/0033-discounts-are-shared-out.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from math import prod
from typing import NamedTuple

from foundation.decimals import money_step, round_money

NOTHING = Decimal("0.00")
# Promotions "every second portion" are weighed against one another exactly, up to so many states of their counts times
# the promotions: what 200 lines of an order take half a second for.
MOST_MOVES = 3000


class StepKind(StrEnum):
    """What takes something off."""

    PROMOTION = "promotion"
    CODE = "code"
    POINTS = "points"
    GOODWILL = "goodwill"


@dataclass(frozen=True, slots=True)
class Discountable:
    """A line as far as discounts look at it."""

    product_id: int
    category_id: int
    unit_price: Decimal
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Scope:
    """Which products an offer covers: these, those of these categories, and all of them if neither is named."""

    product_ids: frozenset[int] = frozenset()
    category_ids: frozenset[int] = frozenset()

    def covers(self, line: Discountable) -> bool:
        if not self.product_ids and not self.category_ids:
            return True
        return line.product_id in self.product_ids or line.category_id in self.category_ids


@dataclass(frozen=True, slots=True)
class AutomaticOffer:
    """A promotion that holds now. With `every` above 1 it is for every so-manieth portion only, the cheapest of each
    so many."""

    id: int
    name: str
    is_percent: bool
    value: Decimal
    every: int = 1
    scope: Scope = Scope()

    def off_one(self, unit_price: Decimal) -> Decimal:
        """What it takes off one portion, never more than it costs."""
        off = round_money(unit_price * self.value / 100) if self.is_percent else self.value
        return min(off, unit_price)


@dataclass(frozen=True, slots=True)
class CodeOffer:
    """A promo code that may be used. `minimum_total` is what the lines it covers must come to after promotions."""

    code: str
    is_percent: bool
    value: Decimal
    minimum_total: Decimal = NOTHING
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True)
class PointsOffer:
    """So many points may be used, each of which pays for `value`."""

    points: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was taken off: `shares` says how much of each line, in the order of the lines."""

    kind: StepKind
    name: str
    shares: tuple[Decimal, ...]
    points: int = 0

    @property
    def amount(self) -> Decimal:
        return sum(self.shares, NOTHING)


@dataclass(frozen=True, slots=True)
class TakenOff:
    """All steps, and what the code covered, for whoever has to say that its minimum is not reached."""

    steps: tuple[Step, ...]
    code_base: Decimal = NOTHING

    @property
    def amount(self) -> Decimal:
        return sum((step.amount for step in self.steps), NOTHING)

    def of_kind(self, kind: StepKind) -> Decimal:
        """What the steps of one kind take off together."""
        return sum((step.amount for step in self.steps if step.kind == kind), NOTHING)

    def of_line(self, place: int) -> Decimal:
        """The share of all steps in one line."""
        return sum((step.shares[place] for step in self.steps), NOTHING)

    def points_of_line(self, place: int) -> Decimal:
        """What points pay of one line."""
        return sum((step.shares[place] for step in self.steps if step.kind == StepKind.POINTS), NOTHING)

    @property
    def points(self) -> int:
        """How many points are used, which may be fewer than were offered: never more than the order costs."""
        return sum(step.points for step in self.steps)


NOTHING_OFF = TakenOff(())


def take_off(
    lines: Sequence[Discountable],
    *,
    promotions: Sequence[AutomaticOffer] = (),
    code: CodeOffer | None = None,
    points: PointsOffer | None = None,
) -> TakenOff:
    """The steps that make the lines cheaper; none takes more than is left. A code whose minimum is not reached takes
    nothing; its `code_base` tells."""
    steps = list(promotion_steps(lines, promotions))
    left = [line.total for line in lines]
    for step in steps:
        left = [rest - share for rest, share in zip(left, step.shares, strict=True)]
    base = NOTHING
    if code is not None:
        covered = [rest if code.scope.covers(line) else NOTHING for line, rest in zip(lines, left, strict=True)]
        base = sum(covered, NOTHING)
        if base >= code.minimum_total:
            off = min(round_money(base * code.value / 100) if code.is_percent else code.value, base)
            if off:
                steps.append(Step(StepKind.CODE, code.code, share_out(off, covered)))
                left = [rest - share for rest, share in zip(left, steps[-1].shares, strict=True)]
    if points is not None and points.points > 0:
        rest = sum(left, NOTHING)
        used = min(points.points, int(rest / points.value))
        off = min(round_money(points.value * used), rest)
        if off:
            steps.append(Step(StepKind.POINTS, "", share_out(off, left), points=used))
    return TakenOff(tuple(steps), base)


def with_goodwill(off: TakenOff, totals: Sequence[Decimal], given: Iterable[tuple[str, Decimal]]) -> TakenOff:
    """The same steps and those that were given out of goodwill, (why, how much), each line in proportion to what it
    still costs and no more than all of them cost."""
    steps = list(off.steps)
    left = [total - off.of_line(place) for place, total in enumerate(totals)]
    for name, amount in given:
        shares = share_out(min(amount, sum(left, NOTHING)), left)
        if any(shares):
            steps.append(Step(StepKind.GOODWILL, name, shares))
            left = [rest - share for rest, share in zip(left, shares, strict=True)]
    return TakenOff(tuple(steps), off.code_base)


def share_out(amount: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Parts of `amount` in proportion to the weights, whole coins that add up to it exactly.

    What rounding down leaves goes, coin by coin, to who lost most of it (the method of largest remainders). No part
    is larger than its weight while `amount` is not larger than all of them together.
    """
    whole = sum(weights, NOTHING)
    if not amount or not whole:
        return tuple(NOTHING for _weight in weights)
    step = money_step()
    exact = [amount * weight / whole for weight in weights]
    parts = [(part / step).to_integral_value(rounding=ROUND_FLOOR) * step for part in exact]
    missing = amount - sum(parts, NOTHING)
    by_loss = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_loss:
        if missing <= 0:
            break
        coin = min(step, missing, weights[place] - parts[place])
        parts[place] += coin
        missing -= coin
    return tuple(part.quantize(NOTHING) for part in parts)


# --- the best automatic promotion of each line -----------------------------------------------------------------------


class _Path(NamedTuple):
    """How the lines that were looked at so far are best assigned, for one state of the counts: all that is saved, the
    last promotion that was chosen, the place of its line, what it takes off it, and the path before."""

    saved: Decimal = NOTHING
    offer: AutomaticOffer | None = None
    place: int = -1
    off: Decimal = NOTHING
    before: "_Path | None" = None


def promotion_steps(lines: Sequence[Discountable], promotions: Sequence[AutomaticOffer]) -> Iterator[Step]:
    """The promotions that apply, each with its share of every line."""
    chosen = best_promotions(lines, promotions)
    for offer in promotions:
        shares = tuple(off if one is offer else NOTHING for one, off in chosen)
        if any(shares):
            yield Step(StepKind.PROMOTION, offer.name, shares)


def best_promotions(
    lines: Sequence[Discountable], promotions: Sequence[AutomaticOffer]
) -> list[tuple[AutomaticOffer | None, Decimal]]:
    """At most one promotion for each line, so that all of them together take off the most; and how much.

    An exact optimum by dynamic programming: lines are looked at from the dearest to the cheapest, and the state is
    how many portions stand in the queue of each promotion "every n-th", modulo n.
    """
    covering = [offer for offer in promotions if any(offer.scope.covers(line) for line in lines)]
    simple = [offer for offer in covering if offer.every == 1]
    queues = few_enough([offer for offer in covering if offer.every > 1])
    paths: dict[tuple[int, ...], _Path] = {(0,) * len(queues): _Path()}
    for place in sorted(range(len(lines)), key=lambda one: (-lines[one].unit_price, one)):
        paths = better_paths(paths, place, lines[place], simple, queues)
    best: _Path | None = max(paths.values(), key=lambda path: path.saved)
    result: list[tuple[AutomaticOffer | None, Decimal]] = [(None, NOTHING)] * len(lines)
    while best is not None and best.offer is not None:
        result[best.place] = (best.offer, best.off)
        best = best.before
    return result


def better_paths(
    paths: dict[tuple[int, ...], _Path],
    place: int,
    line: Discountable,
    simple: Iterable[AutomaticOffer],
    queues: Sequence[AutomaticOffer],
) -> dict[tuple[int, ...], _Path]:
    """Each path continued by each choice for the line; of those that end in the same state, the best.

    There may be a thousand paths for each of 200 lines: what can be worked out once for the line is.
    """
    plain: tuple[AutomaticOffer, Decimal] | None = None
    for offer in simple:
        if offer.scope.covers(line):
            off = offer.off_one(line.unit_price) * line.quantity
            if plain is None or off > plain[1]:
                plain = (offer, off)
    found: dict[tuple[int, ...], _Path] = {}
    if plain is None:
        found |= paths
    else:
        found |= {state: _Path(path.saved + plain[1], plain[0], place, plain[1], path) for state, path in paths.items()}
    for number, offer in enumerate(queues):
        if not offer.scope.covers(line):
            continue
        moves = moves_of(offer, line)
        for state, path in paths.items():
            count, off = moves[state[number]]
            saved = path.saved + off
            after = (*state[:number], count, *state[number + 1 :])
            known = found.get(after)
            if known is None or saved > known.saved:
                found[after] = _Path(saved, offer, place, off, path)
    return found


def moves_of(offer: AutomaticOffer, line: Discountable) -> list[tuple[int, Decimal]]:
    """What the line does to the queue of a promotion, by how many portions stand in it: how many stand there then, and
    what it takes off the line."""
    off_one = offer.off_one(line.unit_price)
    ends = [divmod(before + line.quantity, offer.every) for before in range(offer.every)]
    return [(count, off_one * cheaper) for cheaper, count in ends]


def few_enough(queues: Sequence[AutomaticOffer]) -> list[AutomaticOffer]:
    """As many of the promotions as can be weighed against one another, the first ones."""
    kept: list[AutomaticOffer] = []
    for offer in queues:
        if prod(one.every for one in (*kept, offer)) * (len(kept) + 1) <= MOST_MOVES:
            kept.append(offer)
    return kept
