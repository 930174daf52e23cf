"""The one way in which stock changes: lines are written to the ledger and the levels follow, as a whole.

Every service that moves stock calls `post_movements` inside its own transaction. It is one statement: it
locks all levels in the order of (ingredient, location), checks them, changes them and writes the ledger, or
changes nothing and says what is missing.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from inventory.errors import InsufficientStock
from inventory.selectors import describe_shortages
from inventory.services.ledger_statement import WITH_LOTS, WITHOUT_LOTS
from inventory.services.lots import open_undated_lots
from inventory.services.low_stock import WatchedLevel, tell_low, tell_recovered


@dataclass(frozen=True, slots=True)
class Movement:
    """A line to be written: `delta` in the ingredient's base unit, negative for what leaves.

    What comes in costs `value` in all, else `unit_cost` each (money per base unit), else the average cost of its
    level; what leaves takes its share of the level's value. `lot_id` names the lot of an ingredient that has lots;
    without it, what comes in has no known date, and of what is there the first to expire leaves first.
    """

    location_id: int
    ingredient_id: int
    delta: Decimal
    reason: str
    document_id: str
    line_id: str = ""
    unit_cost: Decimal | None = None
    value: Decimal | None = None
    lot_id: int | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """The level must be at or above its minimum and cover `portion` before anything leaves it.

    What comes back to it in the same call counts: who swaps one drink for another gives back the first.
    """

    location_id: int
    ingredient_id: int
    portion: Decimal


@dataclass(frozen=True, slots=True)
class LevelChange:
    """What became of a level: its quantity before, the change, its minimum, in the base unit; and `value`, the money
    that came (positive) or went."""

    location_id: int
    ingredient_id: int
    before: Decimal
    delta: Decimal
    minimum: Decimal
    value: Decimal

    @property
    def after(self) -> Decimal:
        return self.before + self.delta

    def watched(self) -> WatchedLevel:
        return WatchedLevel(self.location_id, self.ingredient_id, self.after, self.minimum)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the statement says of a level: `usable` is what of its `quantity` may leave, and `expired` the rest;
    `in_reach` counts what comes back in the same call, unless it has expired. `needed` is so much as would have to be
    usable for the call to succeed."""

    location_id: int
    ingredient_id: int
    quantity: Decimal
    delta: Decimal
    minimum: Decimal
    value: Decimal
    usable: Decimal
    in_reach: Decimal
    needed: Decimal
    has_lots: bool
    is_short: bool
    is_guarded_off: bool
    is_missing: bool
    lacks_lot: bool

    @property
    def expired(self) -> Decimal:
        return self.quantity - self.usable


class GuardFailed(Exception):
    """Levels under guard do not suffice; the caller knows which products that concerns."""

    def __init__(
        self,
        levels: dict[int, tuple[Decimal, Decimal]],
        short: dict[int, tuple[Decimal, Decimal]],
        expired: dict[int, Decimal],
    ) -> None:
        """`levels`: {ingredient id: (quantity in reach, minimum)} of the levels that do not suffice; `short`:
        {ingredient id: (needed, usable)} of all levels, guarded or not, that do not cover what was to leave;
        `expired`: {ingredient id: quantity} of either that has expired."""
        super().__init__(f"below minimum or one portion: ingredients {sorted(levels)}")
        self.levels = levels
        self.short = short
        self.expired = expired


class MissingLevel(Exception):
    """Something was to come in where no level was opened for it: a fault of the caller, see `open_levels`."""


# Ingredients that were seen to have lots: which form of the statement to try first. Nothing more hangs on it.
_seen_with_lots: set[int] = set()


def post_movements(
    *,
    movements: Sequence[Movement],
    document_type: str,
    created_by_id: int | None,
    comment: str = "",
    guards: Sequence[Guard] = (),
    fresh_at: datetime.datetime | None = None,
    at: datetime.datetime | None = None,
) -> list[LevelChange]:
    """Writes lines to the ledger and changes the levels by their sum, all of it or nothing.

    Must be called inside a transaction; the levels stay locked until its end. Lines without a change are
    left out. A location without a level of an ingredient holds 0 of it; before something comes in, the level
    must be opened with `open_levels`, and its lot, if it has a date, with `open_lots`. A line that is taken from
    several lots is written once for each. With `fresh_at`, lots that have expired by that moment are left alone,
    unless a line names them. What falls below its minimum is written to the outbox.

    Raises InsufficientStock with every ingredient that is missing, GuardFailed, and MissingLevel.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("post_movements must be called inside a transaction.")
    lines = [line for line in movements if line.delta]
    if not lines and not guards:
        return []
    call = {
        "document_type": document_type,
        "comment": comment,
        "created_by": created_by_id,
        "fresh_at": fresh_at or BEFORE_EVERYTHING,
        "at": at or timezone.now(),
    }
    verdicts = execute(lines, guards, call)
    if any(one.lacks_lot for one in verdicts):
        undated = open_undated_lots(pairs=[(one.location_id, one.ingredient_id) for one in verdicts if one.lacks_lot])
        verdicts = execute([in_undated_lot(line, undated) for line in lines], guards, call)
    elif any(one.has_lots and (one.is_short or one.is_guarded_off) for one in verdicts):
        # A lot that was opened while the statement waited for the level stood outside its view. Now that the level
        # is locked, a second look sees all of them.
        verdicts = execute(lines, guards, call)
    refuse_if_short(verdicts)
    changes = [
        LevelChange(one.location_id, one.ingredient_id, one.quantity, one.delta, one.minimum, one.value)
        for one in verdicts
        if one.delta
    ]
    watch_minimums(changes)
    return changes


BEFORE_EVERYTHING = datetime.datetime(1, 1, 2, tzinfo=datetime.UTC)


def execute(lines: Sequence[Movement], guards: Sequence[Guard], call: dict[str, Any]) -> list[Verdict]:
    """Runs the statement; whatever its verdicts refuse, it has then not written."""
    parameters = {
        **call,
        "locations": [line.location_id for line in lines],
        "ingredients": [line.ingredient_id for line in lines],
        "deltas": [line.delta for line in lines],
        "reasons": [str(line.reason) for line in lines],
        "documents": [line.document_id for line in lines],
        "lines": [line.line_id for line in lines],
        "costs": [line.unit_cost for line in lines],
        "values": [line.value for line in lines],
        "lots": [line.lot_id for line in lines],
        "guard_locations": [guard.location_id for guard in guards],
        "guard_ingredients": [guard.ingredient_id for guard in guards],
        "guard_portions": [guard.portion for guard in guards],
    }
    with connection.cursor() as cursor:
        if _seen_with_lots.isdisjoint(parameters["ingredients"] + parameters["guard_ingredients"]):
            cursor.execute(WITHOUT_LOTS, parameters)
            verdicts = [Verdict(*row) for row in cursor.fetchall()]
            with_lots = {one.ingredient_id for one in verdicts if one.has_lots}
            if not with_lots:
                return verdicts
            _seen_with_lots.update(with_lots)
        cursor.execute(WITH_LOTS, parameters)
        return [Verdict(*row) for row in cursor.fetchall()]


def in_undated_lot(line: Movement, undated: dict[tuple[int, int], int]) -> Movement:
    """The line with its lot, if it comes in and names none."""
    if line.delta < 0 or line.lot_id is not None:
        return line
    return replace(line, lot_id=undated.get((line.location_id, line.ingredient_id)))


def refuse_if_short(verdicts: Sequence[Verdict]) -> None:
    """Raises what the verdicts come to."""
    guarded_off = {one.ingredient_id: (one.in_reach, one.minimum) for one in verdicts if one.is_guarded_off}
    short = {one.ingredient_id: (one.needed, one.usable) for one in verdicts if one.is_short}
    expired = {
        one.ingredient_id: one.expired for one in verdicts if one.expired and (one.is_short or one.is_guarded_off)
    }
    missing = [(one.location_id, one.ingredient_id) for one in verdicts if one.is_missing and not one.is_short]
    if guarded_off:
        raise GuardFailed(guarded_off, short, expired)
    if short:
        raise InsufficientStock(describe_shortages(short, expired=expired))
    if missing:
        raise MissingLevel(f"no level of (location, ingredient) {missing}")


def open_levels(*, pairs: Iterable[tuple[int, int]]) -> None:
    """Makes the levels of (location id, ingredient id) that are missing, at 0. Two who do it do not collide."""
    ordered = sorted(set(pairs), key=lambda pair: (pair[1], pair[0]))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_stocklevel (location_id, ingredient_id, quantity, minimum, value, average_cost) "
            "SELECT location_id, ingredient_id, 0, 0, 0, 0 FROM unnest(%s::bigint[], %s::bigint[]) "
            "WITH ORDINALITY AS t(location_id, ingredient_id, place) ORDER BY place ON CONFLICT DO NOTHING",
            [[location for location, _ in ordered], [ingredient for _, ingredient in ordered]],
        )


def watch_minimums(changes: Sequence[LevelChange]) -> None:
    """Says which ingredients fell below their minimum, and takes back what was said of those that recovered."""
    tell_low([change.watched() for change in changes if change.before >= change.minimum > change.after])
    tell_recovered([change.watched() for change in changes if change.before < change.minimum <= change.after])
