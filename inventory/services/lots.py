"""Opening the lots that stock comes into. Whoever does it holds the locks of the levels: no two do it at once."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class LotKey:
    """What tells a lot from others: where, what, from when on it may not be sold (None if unknown), and its code."""

    location_id: int
    ingredient_id: int
    expires_at: datetime.datetime | None
    code: str = ""


OPEN_LOTS = """
WITH wanted AS (
    SELECT t.location_id, t.ingredient_id, t.expires_at, t.code
    FROM unnest(%(locations)s::bigint[], %(ingredients)s::bigint[], %(moments)s::timestamptz[], %(codes)s::text[])
        AS t(location_id, ingredient_id, expires_at, code)
    JOIN inventory_ingredient AS ingredient ON ingredient.id = t.ingredient_id AND ingredient.tracks_expiry
), opened AS (
    INSERT INTO inventory_stocklot (location_id, ingredient_id, expires_at, code, quantity)
    SELECT location_id, ingredient_id, expires_at, code, 0 FROM wanted
    ORDER BY expires_at NULLS FIRST, ingredient_id, location_id, code
    ON CONFLICT (location_id, ingredient_id, expires_at, code) DO NOTHING
    RETURNING id, location_id, ingredient_id, expires_at, code
)
SELECT id, location_id, ingredient_id, expires_at, code FROM opened
UNION ALL
SELECT lot.id, lot.location_id, lot.ingredient_id, lot.expires_at, lot.code
FROM inventory_stocklot AS lot JOIN wanted
    ON lot.location_id = wanted.location_id AND lot.ingredient_id = wanted.ingredient_id AND lot.code = wanted.code
    AND lot.expires_at IS NOT DISTINCT FROM wanted.expires_at
"""


def open_lots(*, wanted: Iterable[LotKey]) -> dict[LotKey, int]:
    """The ids of these lots; those that are missing are made, with nothing in them, in the order in which they expire:
    the ledger lists the lots of a line by their ids. One query.

    Ingredients without an expiry date have no lots and are left out of the answer. The caller has locked the levels
    (`inventory.locks.lock_levels`): only so nobody else makes the same lot at the same moment.
    """
    keys = list(dict.fromkeys(wanted))
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            OPEN_LOTS,
            {
                "locations": [key.location_id for key in keys],
                "ingredients": [key.ingredient_id for key in keys],
                "moments": [key.expires_at for key in keys],
                "codes": [key.code for key in keys],
            },
        )
        return {LotKey(*key): lot_id for lot_id, *key in cursor.fetchall()}


def open_undated_lots(*, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """{(location id, ingredient id): the lot without a date}; see `open_lots`."""
    lots = open_lots(wanted=[LotKey(location_id, ingredient_id, None) for location_id, ingredient_id in pairs])
    return {(key.location_id, key.ingredient_id): lot_id for key, lot_id in lots.items()}
