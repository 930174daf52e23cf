"""What the stock is worth, now and at any moment of the past, and where its worth went."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.models import Location

COST_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class ValuedIngredient:
    """So much of an ingredient, in its base unit, and what it is worth to the sixth decimal of the ledger."""

    ingredient_id: int
    name: str
    unit: str
    quantity: Decimal
    value: Decimal

    @property
    def average_cost(self) -> Decimal | None:
        """What a base unit is worth, half up to six decimals; None where there is nothing."""
        return (self.value / self.quantity).quantize(COST_STEP, rounding=ROUND_HALF_UP) if self.quantity else None


@dataclass(frozen=True, slots=True)
class Valuation:
    """The stock of a location, or of all of them, at a moment."""

    location: Location | None
    at: datetime.datetime
    rows: Sequence[ValuedIngredient]

    @property
    def total(self) -> Decimal:
        return sum((row.value for row in self.rows), Decimal(0))


# From the levels of now back to the moment: what has moved since then is taken back. The day before is read from a
# day's movements, whatever the ledger holds.
VALUATION = """
WITH later AS (
    SELECT location_id, ingredient_id, sum(delta) AS delta, sum(value) AS value
    FROM inventory_stockmovement
    WHERE created_at > %(at)s AND (%(location)s::bigint IS NULL OR location_id = %(location)s)
    GROUP BY location_id, ingredient_id
)
SELECT ingredient.id, ingredient.name, ingredient.unit,
       sum(level.quantity - coalesce(later.delta, 0)) AS quantity,
       sum(level.value - coalesce(later.value, 0)) AS value
FROM inventory_stocklevel AS level
JOIN inventory_ingredient AS ingredient ON ingredient.id = level.ingredient_id
LEFT JOIN later ON later.location_id = level.location_id AND later.ingredient_id = level.ingredient_id
WHERE %(location)s::bigint IS NULL OR level.location_id = %(location)s
GROUP BY ingredient.id
HAVING bool_or(level.quantity <> coalesce(later.delta, 0) OR level.value <> coalesce(later.value, 0))
ORDER BY ingredient.name, ingredient.id
"""


def stock_valuation(*, location: Location | None, at: datetime.datetime | None = None) -> Valuation:
    """What the location (None: all of them together) holds at the moment `at` (aware; None: now), by ingredient.

    A movement counts from its `created_at` on, also one that was written later than that. One statement, so that
    it sees one moment of a shop that goes on selling. Raises InvalidInput at "at" for a moment still to come.
    """
    now = timezone.now()
    if at is not None:
        refuse_future("at", at, now)
    with connection.cursor() as cursor:
        # Now is all that is written, by whatever clock.
        limit = datetime.datetime.max.replace(tzinfo=datetime.UTC) if at is None else at
        cursor.execute(VALUATION, {"at": limit, "location": location.pk if location else None})
        rows = [ValuedIngredient(*row) for row in cursor.fetchall()]
    return Valuation(location, at or now, rows)


def refuse_future(field: str, moment: datetime.datetime, now: datetime.datetime) -> None:
    """Raises InvalidInput at the field for a moment that has not been yet."""
    if moment > now:
        raise InvalidInput.at(field, _("This moment is still to come. Choose one that has passed."))


@dataclass(frozen=True, slots=True)
class ReasonFigures:
    """What moved for a reason: how many lines of the ledger, and the value that came (or, negative, went).

    `write_off_reason` says why something was written off by a document of its own, and `document_type` what else wrote
    it off, such as a drink that was cancelled and poured away; both are empty for every other reason.
    """

    reason: str
    write_off_reason: str
    document_type: str
    movements: int
    value: Decimal


BY_REASON = """
SELECT movement.reason, coalesce(document.reason, '') AS why,
       CASE WHEN movement.reason = 'write_off' AND document.id IS NULL THEN movement.document_type ELSE '' END
           AS origin,
       count(*), sum(movement.value)
FROM inventory_stockmovement AS movement
LEFT JOIN inventory_stockdocument AS document
    ON document.id = CASE WHEN movement.document_type = 'write_off' THEN movement.document_id::bigint END
WHERE movement.created_at > %(since)s AND movement.created_at <= %(until)s
  AND (%(location)s::bigint IS NULL OR movement.location_id = %(location)s)
GROUP BY movement.reason, why, origin
ORDER BY sum(movement.value), movement.reason, why, origin
"""


def value_by_reason(
    *, location: Location | None, since: datetime.datetime, until: datetime.datetime | None = None
) -> list[ReasonFigures]:
    """What used, wasted and brought value after `since` and up to `until` (aware; None: now), the costliest first.

    The sum of the values is what the valuation of the two moments differs by. Raises InvalidInput at "since" for a
    period that ends before it begins, and for one still to come.
    """
    now = timezone.now()
    refuse_future("since", since, now)
    if until is not None:
        refuse_future("at", until, now)
        if until < since:
            raise InvalidInput.at("since", _("The period begins after it ends. Choose an earlier beginning."))
    limit = until or datetime.datetime.max.replace(tzinfo=datetime.UTC)
    with connection.cursor() as cursor:
        parameters = {"since": since, "until": limit, "location": location.pk if location else None}
        cursor.execute(BY_REASON, parameters)
        return [ReasonFigures(*row) for row in cursor.fetchall()]
