"""The one way in which stock changes: lines are written to the ledger and the levels follow, as a whole.

Every service that moves stock calls `post_movements` inside its own transaction. It is one statement: it
locks all levels in the order of (ingredient, location), checks them, changes them and writes the ledger, or
changes nothing and says what is missing.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from inventory.errors import InsufficientStock
from inventory.selectors import describe_shortages
from inventory.services.low_stock import WatchedLevel, tell_low, tell_recovered


@dataclass(frozen=True, slots=True)
class Movement:
    """A line to be written: `delta` in the ingredient's base unit, negative for what leaves.

    `unit_cost` is money per base unit of what comes in; None means the average cost of the level.
    """

    location_id: int
    ingredient_id: int
    delta: Decimal
    reason: str
    document_id: str
    line_id: str = ""
    unit_cost: Decimal | None = None


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
    """What became of a level: its quantity before, the change, and its minimum, in the base unit."""

    location_id: int
    ingredient_id: int
    before: Decimal
    delta: Decimal
    minimum: Decimal

    @property
    def after(self) -> Decimal:
        return self.before + self.delta

    def watched(self) -> WatchedLevel:
        return WatchedLevel(self.location_id, self.ingredient_id, self.after, self.minimum)


class GuardFailed(Exception):
    """Levels under guard do not suffice; the caller knows which products that concerns."""

    def __init__(self, levels: dict[int, tuple[Decimal, Decimal]], short: dict[int, tuple[Decimal, Decimal]]) -> None:
        """`levels`: {ingredient id: (quantity in reach, minimum)} of the levels that do not suffice; `short`:
        {ingredient id: (needed, quantity)} of all levels, guarded or not, that do not cover what was to leave."""
        super().__init__(f"below minimum or one portion: ingredients {sorted(levels)}")
        self.levels = levels
        self.short = short


class MissingLevel(Exception):
    """Something was to come in where no level was opened for it: a fault of the caller, see `open_levels`."""


# `locked` waits for the rows and sees what others have committed meanwhile; the UPDATE then re-reads the rows
# itself (READ COMMITTED), so that a waiting sale always counts from the newest quantity. FOR NO KEY UPDATE is
# what the UPDATE takes anyway and does not hold up foreign keys that point to a level. What comes in moves the
# average cost first; what goes out with it leaves at that average.
POST_MOVEMENTS = """
WITH line AS (
    SELECT * FROM unnest(%(locations)s::bigint[], %(ingredients)s::bigint[], %(deltas)s::numeric[],
                         %(reasons)s::text[], %(documents)s::text[], %(lines)s::text[], %(costs)s::numeric[])
        WITH ORDINALITY AS t(location_id, ingredient_id, delta, reason, document_id, line_id, unit_cost, place)
), guard AS (
    SELECT * FROM unnest(%(guard_locations)s::bigint[], %(guard_ingredients)s::bigint[], %(guard_portions)s::numeric[])
        AS t(location_id, ingredient_id, portion)
), need AS (
    SELECT location_id, ingredient_id, sum(delta) AS delta, sum(greatest(delta, 0)) AS returned,
           max(portion) AS portion, bool_or(is_line) AS has_lines
    FROM (SELECT location_id, ingredient_id, delta, NULL::numeric AS portion, true AS is_line FROM line
          UNION ALL SELECT location_id, ingredient_id, 0, portion, false FROM guard) AS both_kinds
    GROUP BY location_id, ingredient_id
), locked AS MATERIALIZED (
    SELECT level.location_id, level.ingredient_id, level.quantity, level.minimum, level.average_cost
    FROM inventory_stocklevel AS level
    WHERE (level.location_id, level.ingredient_id) IN (SELECT location_id, ingredient_id FROM need)
    ORDER BY level.ingredient_id, level.location_id
    FOR NO KEY UPDATE
), verdict AS MATERIALIZED (
    SELECT need.location_id, need.ingredient_id, need.delta,
           coalesce(locked.quantity, 0) AS quantity, coalesce(locked.minimum, 0) AS minimum,
           coalesce(locked.quantity, 0) + need.delta < 0 AS is_short,
           coalesce(locked.quantity, 0) + need.returned AS in_reach,
           need.portion IS NOT NULL
               AND coalesce(locked.quantity, 0) + need.returned < greatest(locked.minimum, need.portion)
               AS is_guarded_off,
           need.has_lines AND locked.quantity IS NULL AS is_missing
    FROM need LEFT JOIN locked USING (location_id, ingredient_id)
), inflow AS (
    SELECT location_id, ingredient_id, sum(line.delta) AS quantity,
           sum(line.delta * coalesce(line.unit_cost, locked.average_cost)) AS value
    FROM line JOIN locked USING (location_id, ingredient_id)
    WHERE line.delta > 0
    GROUP BY location_id, ingredient_id
), cost AS (
    SELECT locked.location_id, locked.ingredient_id, locked.average_cost AS before,
           CASE WHEN inflow.quantity > 0
               THEN round((locked.quantity * locked.average_cost + inflow.value)
                          / (locked.quantity + inflow.quantity), 6)
               ELSE locked.average_cost END AS after
    FROM locked LEFT JOIN inflow USING (location_id, ingredient_id)
), moved AS (
    UPDATE inventory_stocklevel AS level
    SET quantity = level.quantity + verdict.delta, average_cost = cost.after
    FROM verdict JOIN cost USING (location_id, ingredient_id)
    WHERE level.location_id = verdict.location_id AND level.ingredient_id = verdict.ingredient_id
      AND (verdict.delta <> 0 OR cost.after <> cost.before)
      AND NOT EXISTS (SELECT 1 FROM verdict WHERE is_short OR is_guarded_off)
), written AS (
    INSERT INTO inventory_stockmovement (location_id, ingredient_id, delta, reason, unit_cost, document_type,
                                         document_id, line_id, comment, created_by_id, created_at)
    SELECT line.location_id, line.ingredient_id, line.delta, line.reason,
           coalesce(line.unit_cost, CASE WHEN line.delta > 0 THEN cost.before ELSE cost.after END),
           %(document_type)s, line.document_id, line.line_id, %(comment)s, %(created_by)s, %(at)s
    FROM line JOIN cost USING (location_id, ingredient_id)
    WHERE NOT EXISTS (SELECT 1 FROM verdict WHERE is_short OR is_guarded_off)
    ORDER BY line.place
)
SELECT location_id, ingredient_id, quantity, delta, minimum, in_reach, is_short, is_guarded_off, is_missing
FROM verdict ORDER BY ingredient_id, location_id
"""


def post_movements(
    *,
    movements: Sequence[Movement],
    document_type: str,
    created_by_id: int | None,
    comment: str = "",
    guards: Sequence[Guard] = (),
    at: datetime.datetime | None = None,
) -> list[LevelChange]:
    """Writes lines to the ledger and changes the levels by their sum, all of it or nothing.

    Must be called inside a transaction; the levels stay locked until its end. Lines without a change are
    left out. A location without a level of an ingredient holds 0 of it; before something comes in, the level
    must be opened with `open_levels`. What falls below its minimum is written to the outbox.

    Raises InsufficientStock with every ingredient that is missing, GuardFailed, and MissingLevel.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("post_movements must be called inside a transaction.")
    lines = [line for line in movements if line.delta]
    if not lines and not guards:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            POST_MOVEMENTS,
            {
                "locations": [line.location_id for line in lines],
                "ingredients": [line.ingredient_id for line in lines],
                "deltas": [line.delta for line in lines],
                "reasons": [str(line.reason) for line in lines],
                "documents": [line.document_id for line in lines],
                "lines": [line.line_id for line in lines],
                "costs": [line.unit_cost for line in lines],
                "guard_locations": [guard.location_id for guard in guards],
                "guard_ingredients": [guard.ingredient_id for guard in guards],
                "guard_portions": [guard.portion for guard in guards],
                "document_type": document_type,
                "comment": comment,
                "created_by": created_by_id,
                "at": at or timezone.now(),
            },
        )
        rows = cursor.fetchall()
    refuse_if_short(rows)
    changes = [
        LevelChange(location, ingredient, before, delta, minimum)
        for location, ingredient, before, delta, minimum, *_verdict in rows
        if delta
    ]
    watch_minimums(changes)
    return changes


def refuse_if_short(rows: Sequence[Sequence[Any]]) -> None:
    """Raises what the verdict of `POST_MOVEMENTS` comes to; with a refusal in it, the statement wrote nothing."""
    guarded_off, short, missing = {}, {}, []
    for location, ingredient, quantity, delta, minimum, in_reach, is_short, is_guarded_off, is_missing in rows:
        if is_guarded_off:
            guarded_off[ingredient] = (in_reach, minimum)
        if is_short:
            short[ingredient] = (-delta, quantity)
        elif is_missing:
            missing.append((location, ingredient))
    if guarded_off:
        raise GuardFailed(guarded_off, short)
    if short:
        raise InsufficientStock(describe_shortages(short))
    if missing:
        raise MissingLevel(f"no level of (location, ingredient) {missing}")


def open_levels(*, pairs: Iterable[tuple[int, int]]) -> None:
    """Makes the levels of (location id, ingredient id) that are missing, at 0. Two who do it do not collide."""
    ordered = sorted(set(pairs), key=lambda pair: (pair[1], pair[0]))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_stocklevel (location_id, ingredient_id, quantity, minimum, average_cost) "
            "SELECT location_id, ingredient_id, 0, 0, 0 FROM unnest(%s::bigint[], %s::bigint[]) "
            "WITH ORDINALITY AS t(location_id, ingredient_id, place) ORDER BY place ON CONFLICT DO NOTHING",
            [[location for location, _ in ordered], [ingredient for _, ingredient in ordered]],
        )


def watch_minimums(changes: Sequence[LevelChange]) -> None:
    """Says which ingredients fell below their minimum, and takes back what was said of those that recovered."""
    tell_low([change.watched() for change in changes if change.before >= change.minimum > change.after])
    tell_recovered([change.watched() for change in changes if change.before < change.minimum <= change.after])
