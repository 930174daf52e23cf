"""What was thrown away, why, and what it had cost."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inventory.models import Location, StockDocument

# What was made and thrown away with an order stands in the ledger under the order, not under a write-off.
WASTED_WITH_AN_ORDER = "order"
REASONS: dict[str, str | Promise] = {
    **dict(StockDocument.WriteOffReason.choices),
    WASTED_WITH_AN_ORDER: _("cancelled orders"),
}


@dataclass(frozen=True, slots=True)
class WrittenOff:
    """So much of an ingredient, in its base unit, for one reason; `value` is the money that left the stock with it."""

    reason: str
    ingredient_id: int
    name: str
    unit: str
    quantity: Decimal
    value: Decimal


WRITE_OFFS = """
SELECT CASE WHEN movement.document_type = 'write_off' THEN document.reason ELSE movement.document_type END AS reason,
       ingredient.id, ingredient.name, ingredient.unit, -sum(movement.delta), -sum(movement.value) AS value
FROM inventory_stockmovement AS movement
JOIN inventory_ingredient AS ingredient ON ingredient.id = movement.ingredient_id
LEFT JOIN inventory_stockdocument AS document
    ON document.id = CASE WHEN movement.document_type = 'write_off' THEN movement.document_id::bigint END
WHERE movement.reason = 'write_off' AND movement.location_id = %(location)s
      AND movement.created_at >= %(start)s AND movement.created_at < %(end)s
GROUP BY 1, 2, 3, 4
ORDER BY 1, value DESC, 3
"""


def write_offs_by_reason(*, location: Location, start: datetime.datetime, end: datetime.datetime) -> list[WrittenOff]:
    """What was written off at the location from `start` until before `end`: a row for each reason and ingredient, the
    dearest first within a reason. One query."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE_OFFS, {"location": location.pk, "start": start, "end": end})
        return [WrittenOff(*row) for row in cursor.fetchall()]
