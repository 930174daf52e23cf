"""The one statement by which stock changes, in two forms: a short one, and one that also knows lots.

The database plans a statement each time that it is sent, and the longer one takes three times as long to plan as the
short one takes in all. Most ingredients have no lots; where one has, the short form writes nothing and says so.

`locked` waits for the rows and sees what others have committed meanwhile (READ COMMITTED), so that a waiting sale
always counts from the newest quantity. The UPDATEs take their quantities from there and not from the row that they
change: of that one they first see what it was before the wait, and the CHECK constraints are tried on what comes of it,
although the row is read again afterwards. FOR NO KEY UPDATE is what an UPDATE takes anyway and does not hold up foreign
keys that point to a level. Lots change only under the lock of their level.

What comes in counts first and moves the average cost. What leaves takes its share of the value that is there then: each
line the difference of two rounded sums, so that the lines add up to what the level loses, and the last gram takes all
that is left.

Lines that name no lot are laid along the lots that may leave, both as intervals of one running sum: where two overlap,
that much of the line comes from that lot. What comes back to a lot that has expired meanwhile covers nothing.
"""

SKELETON = """
WITH line AS MATERIALIZED (
    SELECT t.location_id, t.ingredient_id, t.delta, t.reason, t.document_id, t.line_id, t.unit_cost, t.value, t.place,
           ingredient.tracks_expiry AS has_lots, CASE WHEN ingredient.tracks_expiry THEN t.lot_id END AS lot_id
    FROM unnest(%(locations)s::bigint[], %(ingredients)s::bigint[], %(deltas)s::numeric[], %(reasons)s::text[],
                %(documents)s::text[], %(lines)s::text[], %(costs)s::numeric[], %(values)s::numeric[],
                %(lots)s::bigint[])
        WITH ORDINALITY
        AS t(location_id, ingredient_id, delta, reason, document_id, line_id, unit_cost, value, lot_id, place)
    JOIN inventory_ingredient AS ingredient ON ingredient.id = t.ingredient_id
), need AS MATERIALIZED (
    SELECT location_id, ingredient_id, sum(delta) AS delta, sum(greatest(delta, 0)) AS returned,
           max(portion) AS portion, bool_or(is_line) AS has_lines, bool_or(has_lots) AS has_lots,
           bool_or(has_lots AND lot_id IS NULL AND delta > 0) AS lacks_lot
    FROM (SELECT location_id, ingredient_id, delta, NULL::numeric AS portion, true AS is_line, has_lots, lot_id
          FROM line
          UNION ALL
          SELECT t.location_id, t.ingredient_id, 0, t.portion, false, ingredient.tracks_expiry, NULL
          FROM unnest(%(guard_locations)s::bigint[], %(guard_ingredients)s::bigint[], %(guard_portions)s::numeric[])
              AS t(location_id, ingredient_id, portion)
          JOIN inventory_ingredient AS ingredient ON ingredient.id = t.ingredient_id) AS lines_and_guards
    GROUP BY location_id, ingredient_id
), locked AS MATERIALIZED (
    SELECT level.location_id, level.ingredient_id, level.quantity, level.minimum, level.value, level.average_cost
    FROM inventory_stocklevel AS level
    WHERE (level.location_id, level.ingredient_id) IN (SELECT location_id, ingredient_id FROM need)
    ORDER BY level.ingredient_id, level.location_id
    FOR NO KEY UPDATE
), {lots}verdict AS MATERIALIZED (
    SELECT *, quantity + delta < 0 OR is_short_of_lots AS is_short,
           has_lines AND NOT is_open AS is_missing,
           portion IS NOT NULL AND usable + returned < greatest(minimum, portion) AS is_guarded_off
    FROM (
        SELECT need.location_id, need.ingredient_id, need.delta, {returned} AS returned, need.portion, need.has_lines,
               need.has_lots, need.lacks_lot, locked.quantity IS NOT NULL AS is_open,
               coalesce(locked.quantity, 0) AS quantity, coalesce(locked.minimum, 0) AS minimum,
               {usable} AS usable, {needed} AS needed, {short_of_lots} AS is_short_of_lots
        FROM need
        LEFT JOIN locked USING (location_id, ingredient_id)
        {lots_of_level}
    ) AS level
), entry AS (
    {entries}
), valued AS MATERIALIZED (
    SELECT place, location_id, ingredient_id, delta, lot_id, average_before, quantity, value,
           CASE WHEN has_inflow THEN round(value / quantity, 6) ELSE average_before END AS average,
           CASE WHEN delta > 0 THEN coming
                ELSE round(value * (upto + delta) / nullif(quantity, 0), 6)
                     - round(value * upto / nullif(quantity, 0), 6) END AS moved_value
    FROM (
        SELECT place, location_id, ingredient_id, delta, lot_id, coming, average_before,
               stood + sum(greatest(delta, 0)) OVER whole AS quantity,
               stood_value + coalesce(sum(coming) OVER whole, 0) AS value,
               bool_or(delta > 0) OVER whole AS has_inflow,
               sum(greatest(-delta, 0)) OVER (whole ORDER BY place, lot_id ROWS UNBOUNDED PRECEDING) AS upto
        FROM (
            SELECT entry.place, entry.location_id, entry.ingredient_id, entry.delta, entry.lot_id,
                   locked.quantity AS stood, locked.value AS stood_value, locked.average_cost AS average_before,
                   CASE WHEN entry.delta > 0
                       THEN coalesce(round(line.value, 6),
                                     round(line.delta * coalesce(line.unit_cost, locked.average_cost), 6))
                   END AS coming
            FROM entry
            JOIN line USING (place)
            JOIN locked ON locked.location_id = entry.location_id AND locked.ingredient_id = entry.ingredient_id
            WHERE NOT EXISTS (
                SELECT 1 FROM verdict
                WHERE is_short OR is_guarded_off OR is_missing OR lacks_lot OR has_lots AND NOT {knows_lots}
            )
        ) AS priced
        WINDOW whole AS (PARTITION BY location_id, ingredient_id)
    ) AS summed
), moved AS (
    SELECT location_id, ingredient_id, sum(delta) AS delta, sum(moved_value) AS value, max(average) AS average
    FROM valued GROUP BY location_id, ingredient_id
), levels_moved AS (
    UPDATE inventory_stocklevel AS level
    SET quantity = locked.quantity + moved.delta, value = locked.value + moved.value, average_cost = moved.average
    FROM moved JOIN locked USING (location_id, ingredient_id)
    WHERE level.location_id = moved.location_id AND level.ingredient_id = moved.ingredient_id
      AND (moved.delta <> 0 OR moved.value <> 0 OR moved.average <> locked.average_cost)
), {lots_moved}ledger AS (
    INSERT INTO inventory_stockmovement (location_id, ingredient_id, delta, reason, unit_cost, value, lot_id,
                                         document_type, document_id, line_id, comment, created_by_id, created_at)
    SELECT valued.location_id, valued.ingredient_id, valued.delta, line.reason,
           coalesce(line.unit_cost, CASE WHEN line.value IS NOT NULL THEN round(line.value / line.delta, 6)
                                         WHEN line.delta > 0 THEN valued.average_before
                                         ELSE valued.average END),
           valued.moved_value, valued.lot_id,
           %(document_type)s, line.document_id, line.line_id, %(comment)s, %(created_by)s, %(at)s
    FROM valued JOIN line USING (place)
    ORDER BY valued.place, valued.lot_id
)
SELECT verdict.location_id, verdict.ingredient_id, verdict.quantity, verdict.delta, verdict.minimum,
       coalesce(moved.value, 0), usable, usable + returned, needed,
       has_lots, is_short, is_guarded_off, is_missing, lacks_lot
FROM verdict LEFT JOIN moved USING (location_id, ingredient_id)
ORDER BY ingredient_id, location_id
"""

LOTS = """lot AS MATERIALIZED (
    SELECT stored.id, stored.location_id, stored.ingredient_id, stored.quantity, stored.expires_at
    FROM inventory_stocklot AS stored
    JOIN locked USING (location_id, ingredient_id)
    JOIN need USING (location_id, ingredient_id)
    WHERE need.has_lots AND (stored.quantity > 0 OR stored.id = ANY(%(lots)s::bigint[]))
    ORDER BY stored.id
    FOR NO KEY UPDATE OF stored
), stored_lot AS MATERIALIZED (
    SELECT lot.id, lot.location_id, lot.ingredient_id, lot.expires_at, lot.quantity,
           lot.quantity + coalesce(named.delta, 0) AS free, coalesce(named.returned, 0) AS returned,
           coalesce(lot.expires_at > %(fresh_at)s, true) AS may_leave
    FROM lot
    LEFT JOIN (SELECT lot_id, sum(delta) AS delta, sum(greatest(delta, 0)) AS returned
               FROM line WHERE lot_id IS NOT NULL GROUP BY lot_id) AS named
        ON named.lot_id = lot.id
), offer AS (
    SELECT id, location_id, ingredient_id, free,
           sum(free) OVER (PARTITION BY location_id, ingredient_id ORDER BY expires_at NULLS FIRST, id) AS upto
    FROM stored_lot
    WHERE may_leave AND free > 0
), taking AS (
    SELECT place, location_id, ingredient_id, -delta AS quantity,
           sum(-delta) OVER (PARTITION BY location_id, ingredient_id ORDER BY place) AS upto
    FROM line
    WHERE has_lots AND lot_id IS NULL AND delta < 0
), part AS (
    SELECT taking.place, taking.location_id, taking.ingredient_id, offer.id AS lot_id,
           least(taking.upto, offer.upto) - greatest(taking.upto - taking.quantity, offer.upto - offer.free)
               AS quantity
    FROM taking JOIN offer USING (location_id, ingredient_id)
    WHERE least(taking.upto, offer.upto) > greatest(taking.upto - taking.quantity, offer.upto - offer.free)
), by_lots AS (
    SELECT location_id, ingredient_id, sum(quantity) FILTER (WHERE may_leave) AS usable,
           sum(free) FILTER (WHERE may_leave AND free > 0) AS free, bool_or(free < 0) AS is_overdrawn,
           sum(returned) FILTER (WHERE NOT may_leave) AS returned_expired
    FROM stored_lot GROUP BY location_id, ingredient_id
), by_taking AS (
    SELECT location_id, ingredient_id, sum(quantity) AS quantity FROM taking GROUP BY location_id, ingredient_id
), """

LOTS_MOVED = """lots_moved AS (
    UPDATE inventory_stocklot AS stored
    SET quantity = lot.quantity + by_lot.delta
    FROM (SELECT lot_id, sum(delta) AS delta FROM valued WHERE lot_id IS NOT NULL GROUP BY lot_id) AS by_lot
    JOIN lot ON lot.id = by_lot.lot_id
    WHERE stored.id = by_lot.lot_id AND by_lot.delta <> 0
), """

WITHOUT_LOTS = SKELETON.format(
    lots="",
    returned="need.returned",
    usable="coalesce(locked.quantity, 0)",
    needed="-need.delta",
    short_of_lots="false",
    lots_of_level="",
    entries="SELECT place, location_id, ingredient_id, delta, NULL::bigint AS lot_id FROM line",
    knows_lots="false",
    lots_moved="",
)

WITH_LOTS = SKELETON.format(
    lots=LOTS,
    returned="need.returned - coalesce(by_lots.returned_expired, 0)",
    usable="CASE WHEN need.has_lots THEN coalesce(by_lots.usable, 0) ELSE coalesce(locked.quantity, 0) END",
    needed="""greatest(-need.delta,
                        coalesce(by_lots.usable, 0) + by_taking.quantity - coalesce(by_lots.free, 0))""",
    short_of_lots="""need.has_lots AND (coalesce(by_taking.quantity > coalesce(by_lots.free, 0), false)
                                     OR coalesce(by_lots.is_overdrawn, false))""",
    lots_of_level="""LEFT JOIN by_lots USING (location_id, ingredient_id)
        LEFT JOIN by_taking USING (location_id, ingredient_id)""",
    entries="""SELECT place, location_id, ingredient_id, delta, lot_id FROM line
    WHERE NOT (has_lots AND lot_id IS NULL AND delta < 0)
    UNION ALL
    SELECT place, location_id, ingredient_id, -quantity, lot_id FROM part""",
    knows_lots="true",
    lots_moved=LOTS_MOVED,
)
