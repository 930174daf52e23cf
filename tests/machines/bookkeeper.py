"""Somebody who reads the ledger and keeps books of their own, with fractions and without the shop's statements.

After every step they take the lines that are new, statement by statement, and reckon what each level must be worth
and which lots it must have been taken from. What the shop has written must be just that.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from tests.machines import ledger_model
from tests.machines.ledger_model import Line, Lot

Level = tuple[int, int]
# What leaves is a difference of two sums that are each rounded to six decimals.
STEP = Fraction(1, 10**6)
HALF_STEP = STEP / 2
# Where the database rounds a quotient before it rounds it again.
HAIR = Fraction(1, 10**9)


@dataclass
class Page:
    """A level as the books have it."""

    quantity: Fraction = Fraction(0)
    value: Fraction = Fraction(0)
    average: Fraction = Fraction(0)
    # The most that one base unit can be worth, from what came in; and what rounding may have added to the value.
    dearest: Fraction = Fraction(0)
    rounding: Fraction = Fraction(0)


@dataclass
class Step:
    """What a step is expected to have brought.

    `values` is the money of what came in, line by line: {(document type, document, line): value}; what is not named
    came at the average. `names_lots`: somebody chose the lots, so that the first to expire need not have left first.
    """

    values: dict[tuple[str, str, str], Decimal | None] = field(default_factory=dict)
    names_lots: bool = False


@dataclass
class Bookkeeper:
    pages: dict[Level, Page] = field(default_factory=lambda: defaultdict(Page))
    lots: dict[int, Lot] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def newest(self) -> int:
        return self.lines[-1].id if self.lines else 0

    def read(self, step: Step, *, at: datetime) -> list[Line]:
        """Takes what is new in the ledger into the books, and returns it. Fails where the two do not agree."""
        new = ledger_model.lines_after(self.newest())
        lots_now = ledger_model.lots()
        for _statement, together in groupby(new, key=lambda line: line.statement):
            self.take(list(together), step, lots_now, at)
        if new:
            assert {pk: lot.quantity for pk, lot in self.lots.items()} == {
                pk: lot.quantity for pk, lot in lots_now.items()
            }
        # What was done to the lots without moving stock, such as another date, is taken as it is.
        self.lots = lots_now
        self.lines += new
        return new

    def take(self, statement: list[Line], step: Step, lots_now: dict[int, Lot], at: datetime) -> None:
        for level in {line.level for line in statement}:
            lines = [line for line in statement if line.level == level]
            self.take_level(self.pages[level], lines, step)
        self.take_lots(statement, step, lots_now, at)

    def take_level(self, page: Page, lines: list[Line], step: Step) -> None:
        """What comes in counts first, at its own cost or the average before; what leaves takes its share then."""
        coming = [line for line in lines if line.delta > 0]
        going = [line for line in lines if line.delta < 0]
        for line in coming:
            self.check_value_of_what_comes(page, line, step)
        for line in coming:
            page.quantity += Fraction(line.delta)
            page.value += Fraction(line.value)
            page.rounding += Fraction(line.delta) * STEP + STEP
        if coming:
            page.average = round_to_step(page.value / page.quantity)
        whole, there = page.value, page.quantity
        gone = Fraction(0)
        for line in going:
            gone -= Fraction(line.delta)
            page.value += Fraction(line.value)
            assert gone <= there, "more left than there was"
            share = whole - whole * gone / there
            assert abs(page.value - share) <= HALF_STEP + HAIR, "what left did not take its share of the value"
            page.rounding += STEP
        page.quantity = there - gone
        assert page.value >= 0
        if not page.quantity:
            assert page.value == 0, "nothing is left, but it is worth something"

    def check_value_of_what_comes(self, page: Page, line: Line, step: Step) -> None:
        value = Fraction(line.value)
        key = (line.document_type, line.document_id, line.line_id)
        known = step.values.get(key)
        if line.reason == "receipt" and known is not None:
            assert line.value == known, "a receipt is not worth what was paid"
            page.dearest = max(page.dearest, Fraction(known) / Fraction(line.delta))
        elif line.reason in ("receipt", "count", "correction"):
            average = round_to_step(page.average * Fraction(line.delta))
            assert value == average, "what nobody named a cost of did not come at the average"
        elif line.reason == "cancellation":
            assert value >= 0, "what comes back is a part of what left: see ledger_model.WRONG_RETURNS"
        else:
            # What is carried keeps its value; what is lost in making makes the rest dearer, and taking that back
            # makes what went in so. `ledger_model.created_from_nothing` looks at both sides.
            assert line.reason in ("transfer", "preparation")
            page.dearest = max(page.dearest, value / Fraction(line.delta))

    def take_lots(self, statement: list[Line], step: Step, lots_now: dict[int, Lot], at: datetime) -> None:
        """First expired, first out; and what is sold or cooked has not expired."""
        left = {lot_id: self.lots[lot_id].quantity if lot_id in self.lots else Decimal(0) for lot_id in lots_now}
        for line in statement:
            if line.lot_id is not None:
                left[line.lot_id] += line.delta
                lots_now[line.lot_id].check(line)
        for lot_id, quantity in left.items():
            assert quantity >= 0, "more left a lot than was in it"
            known = self.lots.get(lot_id, lots_now[lot_id])
            self.lots[lot_id] = known.with_quantity(quantity)
        if step.names_lots:
            return
        for line in statement:
            is_waste = line.reason == "write_off" and line.document_type == "order"
            if line.lot_id is None or line.delta > 0 or is_waste:
                continue
            used = lots_now[line.lot_id]
            must_be_fresh = line.reason in ("sale", "preparation")
            assert not (must_be_fresh and used.is_expired(at)), "what has expired was used"
            for lot in self.lots.values():
                if lot.level == used.level and lot.place < used.place and not (must_be_fresh and lot.is_expired(at)):
                    assert lot.quantity == 0, "a lot was used before one that expires earlier was empty"

    def agree(self, levels: Iterable[ledger_model.LevelRow]) -> None:
        """Fails unless the levels are what the books say, to the last digit."""
        for row in levels:
            page = self.pages[row.level]
            assert Fraction(row.quantity) == page.quantity
            assert Fraction(row.value) == page.value
            assert Fraction(row.average_cost) == page.average
            assert page.value <= page.dearest * page.quantity + page.rounding, "dearer than anything that came in"


def round_to_step(value: Fraction) -> Fraction:
    """Half up to six decimals, as money is rounded."""
    return Fraction((value / STEP + Fraction(1, 2)).__floor__()) * STEP
