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
    """What `POST_MOVEMENTS` says of a level: `usable` is what of its `quantity` may leave, and `expired` the rest;
    `in_reach` counts what comes back in the same call."""

    location_id: int
    ingredient_id: int
    quantity: Decimal
    delta: Decimal
    minimum: Decimal
    value: Decimal
    usable: Decimal
    in_reach: Decimal
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


# `locked` waits for the rows and sees what others have committed meanwhile; the UPDATE then re-reads the rows
# itself (READ COMMITTED), so that a waiting sale always counts from the newest quantity. FOR NO KEY UPDATE is
# what the UPDATE takes anyway and does not hold up foreign keys that point to a level. Lots change only under the
# lock of their level.
#
# What comes in counts first and moves the average cost. What leaves takes its share of the value that is there then:
# each line the difference of two rounded sums, so that the lines add up to what the level loses, and the last gram
# takes all that is left.
#
# Lines that name no lot are laid along the lots that may leave, both as intervals of one running sum: where two
# overlap, that much of the line comes from that lot.
POST_MOVEMENTS = """
WITH line AS MATERIALIZED (
    SELECT t.location_id, t.ingredient_id, t.delta, t.reason, t.document_id, t.line_id, t.unit_cost, t.value, t.place,
           ingredient.tracks_expiry AS has_lots, CASE WHEN ingredient.tracks_expiry THEN t.lot_id END AS lot_id
    FROM unnest(%(locations)s::bigint[], %(ingredients)s::bigint[], %(deltas)s::numeric[], %(reasons)s::text[],
                %(documents)s::text[], %(lines)s::text[], %(costs)s::numeric[], %(values)s::numeric[],
                %(lots)s::bigint[])
        WITH ORDINALITY
        AS t(location_id, ingredient_id, delta, reason, document_id, line_id, unit_cost, value, lot_id, place)
    JOIN inventory_ingredient AS ingredient ON ingredient.id = t.ingredient_id
), guard AS (
    SELECT t.location_id, t.ingredient_id, t.portion, ingredient.tracks_expiry AS has_lots
    FROM unnest(%(guard_locations)s::bigint[], %(guard_ingredients)s::bigint[], %(guard_portions)s::numeric[])
        AS t(location_id, ingredient_id, portion)
    JOIN inventory_ingredient AS ingredient ON ingredient.id = t.ingredient_id
), need AS MATERIALIZED (
    SELECT location_id, ingredient_id, sum(delta) AS delta, sum(greatest(delta, 0)) AS returned,
           max(portion) AS portion, bool_or(is_line) AS has_lines, bool_or(has_lots) AS has_lots,
           bool_or(has_lots AND lot_id IS NULL AND delta > 0) AS lacks_lot
    FROM (SELECT location_id, ingredient_id, delta, NULL::numeric AS portion, true AS is_line, has_lots, lot_id
          FROM line
          UNION ALL
          SELECT location_id, ingredient_id, 0, portion, false, has_lots, NULL FROM guard) AS both_kinds
    GROUP BY location_id, ingredient_id
), locked AS MATERIALIZED (
    SELECT level.location_id, level.ingredient_id, level.quantity, level.minimum, level.value, level.average_cost
    FROM inventory_stocklevel AS level
    WHERE (level.location_id, level.ingredient_id) IN (SELECT location_id, ingredient_id FROM need)
    ORDER BY level.ingredient_id, level.location_id
    FOR NO KEY UPDATE
), lot AS MATERIALIZED (
    SELECT stored.id, stored.location_id, stored.ingredient_id, stored.quantity, stored.expires_at
    FROM inventory_stocklot AS stored
    JOIN locked USING (location_id, ingredient_id)
    JOIN need USING (location_id, ingredient_id)
    WHERE need.has_lots AND (stored.quantity > 0 OR stored.id = ANY(%(lots)s::bigint[]))
    ORDER BY stored.id
    FOR NO KEY UPDATE OF stored
), shelf AS MATERIALIZED (
    SELECT lot.id, lot.location_id, lot.ingredient_id, lot.expires_at, lot.quantity,
           lot.quantity + coalesce(named.delta, 0) AS free,
           coalesce(lot.expires_at > %(fresh_at)s, true) AS may_leave
    FROM lot
    LEFT JOIN (SELECT lot_id, sum(delta) AS delta FROM line WHERE lot_id IS NOT NULL GROUP BY lot_id) AS named
        ON named.lot_id = lot.id
), offer AS (
    SELECT id, location_id, ingredient_id, free,
           sum(free) OVER (PARTITION BY location_id, ingredient_id ORDER BY expires_at NULLS FIRST, id) AS upto
    FROM shelf
    WHERE may_leave AND free > 0
), taking AS (
    SELECT place, location_id, ingredient_id, -delta AS quantity,
           sum(-delta) OVER (PARTITION BY location_id, ingredient_id ORDER BY place) AS upto
    FROM line
    WHERE has_lots AND lot_id IS NULL AND delta < 0
), part AS (
    SELECT taking.place, offer.id AS lot_id,
           least(taking.upto, offer.upto) - greatest(taking.upto - taking.quantity, offer.upto - offer.free)
               AS quantity
    FROM taking JOIN offer USING (location_id, ingredient_id)
    WHERE least(taking.upto, offer.upto) > greatest(taking.upto - taking.quantity, offer.upto - offer.free)
), by_lots AS (
    SELECT location_id, ingredient_id, sum(quantity) FILTER (WHERE may_leave) AS usable,
           sum(free) FILTER (WHERE may_leave) AS free, bool_or(free < 0) AS is_overdrawn
    FROM shelf GROUP BY location_id, ingredient_id
), by_taking AS (
    SELECT location_id, ingredient_id, sum(quantity) AS quantity FROM taking GROUP BY location_id, ingredient_id
), verdict AS MATERIALIZED (
    SELECT need.location_id, need.ingredient_id, need.delta, need.has_lots, need.lacks_lot,
           coalesce(locked.quantity, 0) AS quantity, coalesce(locked.minimum, 0) AS minimum,
           usable.quantity AS usable, usable.quantity + need.returned AS in_reach,
           coalesce(locked.quantity, 0) + need.delta < 0
               OR need.has_lots AND (coalesce(by_taking.quantity > coalesce(by_lots.free, 0), false)
                                     OR coalesce(by_lots.is_overdrawn, false)) AS is_short,
           need.portion IS NOT NULL AND usable.quantity + need.returned < greatest(locked.minimum, need.portion)
               AS is_guarded_off,
           need.has_lines AND locked.quantity IS NULL AS is_missing
    FROM need
    LEFT JOIN locked USING (location_id, ingredient_id)
    LEFT JOIN by_lots USING (location_id, ingredient_id)
    LEFT JOIN by_taking USING (location_id, ingredient_id)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN need.has_lots THEN coalesce(by_lots.usable, 0) ELSE coalesce(locked.quantity, 0) END
            AS quantity
    ) AS usable
), entry AS MATERIALIZED (
    SELECT place, location_id, ingredient_id, delta, lot_id FROM line
    WHERE NOT (has_lots AND lot_id IS NULL AND delta < 0)
    UNION ALL
    SELECT part.place, line.location_id, line.ingredient_id, -part.quantity, part.lot_id
    FROM part JOIN line USING (place)
), coming AS (
    SELECT line.place, line.location_id, line.ingredient_id, line.delta,
           coalesce(round(line.value, 6), round(line.delta * coalesce(line.unit_cost, locked.average_cost), 6)) AS value
    FROM line JOIN locked USING (location_id, ingredient_id)
    WHERE line.delta > 0
), cost AS MATERIALIZED (
    SELECT locked.location_id, locked.ingredient_id,
           locked.quantity + coalesce(inflow.quantity, 0) AS quantity,
           locked.value + coalesce(inflow.value, 0) AS value,
           CASE WHEN inflow.quantity > 0
               THEN round((locked.value + inflow.value) / (locked.quantity + inflow.quantity), 6)
               ELSE locked.average_cost END AS average
    FROM locked
    LEFT JOIN (SELECT location_id, ingredient_id, sum(delta) AS quantity, sum(value) AS value
               FROM coming GROUP BY location_id, ingredient_id) AS inflow USING (location_id, ingredient_id)
), going AS (
    SELECT taken.place, taken.lot_id,
           round(cost.value * (taken.upto - taken.quantity) / cost.quantity, 6)
               - round(cost.value * taken.upto / cost.quantity, 6) AS value
    FROM (SELECT place, lot_id, location_id, ingredient_id, -delta AS quantity,
                 sum(-delta) OVER (PARTITION BY location_id, ingredient_id ORDER BY place, lot_id) AS upto
          FROM entry WHERE delta < 0) AS taken
    JOIN cost USING (location_id, ingredient_id)
    WHERE cost.quantity >= taken.upto
), written AS (
    SELECT entry.place, entry.location_id, entry.ingredient_id, entry.delta, entry.lot_id,
           coalesce(coming.value, going.value) AS value
    FROM entry
    LEFT JOIN coming ON coming.place = entry.place
    LEFT JOIN going ON going.place = entry.place AND going.lot_id IS NOT DISTINCT FROM entry.lot_id
    WHERE NOT EXISTS (SELECT 1 FROM verdict WHERE is_short OR is_guarded_off OR is_missing OR lacks_lot)
), moved AS (
    SELECT location_id, ingredient_id, sum(delta) AS delta, sum(value) AS value
    FROM written GROUP BY location_id, ingredient_id
), levels_moved AS (
    UPDATE inventory_stocklevel AS level
    SET quantity = level.quantity + moved.delta, value = level.value + moved.value, average_cost = cost.average
    FROM moved JOIN cost USING (location_id, ingredient_id)
    WHERE level.location_id = moved.location_id AND level.ingredient_id = moved.ingredient_id
      AND (moved.delta <> 0 OR moved.value <> 0 OR cost.average <> level.average_cost)
), lots_moved AS (
    UPDATE inventory_stocklot AS stored
    SET quantity = stored.quantity + by_lot.delta
    FROM (SELECT lot_id, sum(delta) AS delta FROM written WHERE lot_id IS NOT NULL GROUP BY lot_id) AS by_lot
    WHERE stored.id = by_lot.lot_id AND by_lot.delta <> 0
), ledger AS (
    INSERT INTO inventory_stockmovement (location_id, ingredient_id, delta, reason, unit_cost, value, lot_id,
                                         document_type, document_id, line_id, comment, created_by_id, created_at)
    SELECT written.location_id, written.ingredient_id, written.delta, line.reason,
           coalesce(line.unit_cost, CASE WHEN line.value IS NOT NULL THEN round(line.value / line.delta, 6)
                                         WHEN line.delta > 0 THEN locked.average_cost
                                         ELSE cost.average END),
           written.value, written.lot_id,
           %(document_type)s, line.document_id, line.line_id, %(comment)s, %(created_by)s, %(at)s
    FROM written
    JOIN line USING (place)
    JOIN locked ON locked.location_id = written.location_id AND locked.ingredient_id = written.ingredient_id
    JOIN cost ON cost.location_id = written.location_id AND cost.ingredient_id = written.ingredient_id
    ORDER BY written.place, written.lot_id
)
SELECT verdict.location_id, verdict.ingredient_id, verdict.quantity, verdict.delta, verdict.minimum,
       coalesce(moved.value, 0), usable, in_reach, has_lots, is_short, is_guarded_off, is_missing, lacks_lot
FROM verdict LEFT JOIN moved USING (location_id, ingredient_id)
ORDER BY ingredient_id, location_id
"""


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
        "guard_locations": [guard.location_id for guard in guards],
        "guard_ingredients": [guard.ingredient_id for guard in guards],
        "guard_portions": [guard.portion for guard in guards],
        "document_type": document_type,
        "comment": comment,
        "created_by": created_by_id,
        "fresh_at": fresh_at or BEFORE_EVERYTHING,
        "at": at or timezone.now(),
    }
    verdicts = execute(lines, call)
    if any(one.lacks_lot for one in verdicts):
        undated = open_undated_lots(pairs=[(one.location_id, one.ingredient_id) for one in verdicts if one.lacks_lot])
        verdicts = execute([in_undated_lot(line, undated) for line in lines], call)
    elif any(one.has_lots and (one.is_short or one.is_guarded_off) for one in verdicts):
        # A lot that was opened while the statement waited for the level stood outside its view. Now that the level
        # is locked, a second look sees all of them.
        verdicts = execute(lines, call)
    refuse_if_short(verdicts)
    changes = [
        LevelChange(one.location_id, one.ingredient_id, one.quantity, one.delta, one.minimum, one.value)
        for one in verdicts
        if one.delta
    ]
    watch_minimums(changes)
    return changes


BEFORE_EVERYTHING = datetime.datetime(1, 1, 2, tzinfo=datetime.UTC)


def execute(lines: Sequence[Movement], call: dict[str, Any]) -> list[Verdict]:
    """Runs the statement; whatever its verdicts refuse, it has then not written."""
    with connection.cursor() as cursor:
        cursor.execute(
            POST_MOVEMENTS,
            {
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
            },
        )
        return [Verdict(*row) for row in cursor.fetchall()]


def in_undated_lot(line: Movement, undated: dict[tuple[int, int], int]) -> Movement:
    """The line with its lot, if it comes in and names none."""
    if line.delta < 0 or line.lot_id is not None:
        return line
    return replace(line, lot_id=undated.get((line.location_id, line.ingredient_id)))


def refuse_if_short(verdicts: Sequence[Verdict]) -> None:
    """Raises what the verdicts come to."""
    guarded_off = {one.ingredient_id: (one.in_reach, one.minimum) for one in verdicts if one.is_guarded_off}
    short = {one.ingredient_id: (-one.delta, one.usable) for one in verdicts if one.is_short}
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
