"""Gives the ledger's earlier lines and the levels their values: the ledger is told again from its beginning.

What came in has the value that it was received at. What left takes its share of what was there, to six decimals, and
the last gram all that is left, as `inventory.services.ledger` does it from now on. Lines of one document at one moment
were written by one statement, in which what came in counted first.
"""

from django.db import migrations

TELL_AGAIN = """
DO $$
DECLARE
    line record;
    place bigint := NULL;
    what bigint := NULL;
    quantity numeric := 0;
    worth numeric := 0;
    moved numeric;
BEGIN
    FOR line IN
        SELECT id, location_id, ingredient_id, delta, unit_cost
        FROM (
            SELECT id, location_id, ingredient_id, delta, unit_cost,
                   min(id) OVER (PARTITION BY location_id, ingredient_id, document_type, document_id, created_at)
                       AS statement
            FROM inventory_stockmovement
        ) AS told
        ORDER BY location_id, ingredient_id, statement, delta < 0, id
    LOOP
        IF place IS DISTINCT FROM line.location_id OR what IS DISTINCT FROM line.ingredient_id THEN
            place := line.location_id;
            what := line.ingredient_id;
            quantity := 0;
            worth := 0;
        END IF;
        moved := CASE
            WHEN line.delta > 0 THEN round(line.delta * line.unit_cost, 6)
            WHEN -line.delta >= quantity THEN -worth
            ELSE -round(worth * -line.delta / quantity, 6)
        END;
        quantity := quantity + line.delta;
        worth := worth + moved;
        UPDATE inventory_stockmovement SET value = moved WHERE id = line.id;
    END LOOP;
    UPDATE inventory_stocklevel AS level
    SET value = ledger.value,
        average_cost = CASE WHEN level.quantity > 0
            THEN round(ledger.value / level.quantity, 6) ELSE level.average_cost END
    FROM (
        SELECT location_id, ingredient_id, sum(value) AS value
        FROM inventory_stockmovement GROUP BY location_id, ingredient_id
    ) AS ledger
    WHERE ledger.location_id = level.location_id AND ledger.ingredient_id = level.ingredient_id;
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ("inventory", "0003_store_room"),
    ]

    operations = [
        # The ledger refuses UPDATE; this once its own keeper fills a column that was not there before.
        migrations.RunSQL(
            [
                "ALTER TABLE inventory_stockmovement DISABLE TRIGGER USER",
                TELL_AGAIN,
                "ALTER TABLE inventory_stockmovement ENABLE TRIGGER USER",
            ],
            migrations.RunSQL.noop,
        ),
    ]
