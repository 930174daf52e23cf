"""Taking back what a document deducted: exactly its ledger rows, whatever the recipe says by then."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

from django.db.models import Sum

from foundation.decimals import round_quantity
from inventory.models import StockMovement
from inventory.services.ledger import Movement

Reason = StockMovement.Reason
VALUE_STEP = Decimal("0.000001")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Deduction:
    """What a line still holds of an ingredient, from one lot: `quantity` in the base unit, which left with `value`."""

    location_id: int
    ingredient_id: int
    lot_id: int | None
    quantity: Decimal
    value: Decimal


# {(document id, line id): what the line still holds}
Deductions = dict[tuple[str, str], list[Deduction]]


def deductions_of(
    *,
    document_type: str,
    document_ids: Collection[int | str],
    reasons: Collection[str] = (Reason.SALE, Reason.CANCELLATION),
) -> Deductions:
    """What the lines of these documents hold: sold and not taken back, as movements of these reasons say. One query for
    all of them.

    What was wasted counts as taken back: a waste is a return and a write-off.
    """
    held: Deductions = {}
    rows = (
        StockMovement.objects.filter(
            document_type=document_type,
            document_id__in=[str(pk) for pk in document_ids],
            reason__in=reasons,
        )
        .order_by("document_id", "line_id", "location_id", "ingredient_id", "lot_id")
        .values("document_id", "line_id", "location_id", "ingredient_id", "lot_id")
        .annotate(quantity=-Sum("delta"), held_value=-Sum("value"))
        .values_list("document_id", "line_id", "location_id", "ingredient_id", "lot_id", "quantity", "held_value")
    )
    for (document_id, line_id, *_level), of_one_level in groupby(rows, key=lambda row: row[:4]):
        deductions = settled([Deduction(*row[2:]) for row in of_one_level])
        if deductions:
            held.setdefault((document_id, line_id), []).extend(deductions)
    return held


def settled(deductions: Sequence[Deduction]) -> list[Deduction]:
    """What a line holds of one ingredient, lot by lot, when what came back to other lots is set against it.

    Where expiry dates were switched on or off after the sale, a part that was taken back stands in another lot, or in
    none: without that, the line would give it back a second time. The sum of the quantities and of the values stays.
    """
    taken = [one for one in deductions if one.quantity > 0]
    if all(one.quantity >= 0 for one in deductions):
        return taken
    quantity = sum((one.quantity for one in deductions), ZERO)
    value = sum((one.value for one in deductions), ZERO)
    kept: list[Deduction] = []
    for one in taken:
        part = min(one.quantity, quantity)
        if part > 0:
            worth = value if part == quantity else (value * part / quantity).quantize(VALUE_STEP)
            kept.append(replace(one, quantity=part, value=worth))
            quantity, value = quantity - part, value - worth
    return kept


def movements_back(
    deductions: Deductions, *, document_id: int | str, line_id: int | str, part: int, whole: int, restock: bool
) -> list[Movement]:
    """The movements that take back `part` of the `whole` number of portions that a line still holds.

    The last part takes all that is left, so that rounding never loses a milligram. Without `restock` the
    ingredients come back and are written off at once: the level stays, the ledger says why.
    """
    movements: list[Movement] = []
    document_id, line_id = str(document_id), str(line_id)
    for held in deductions.get((document_id, line_id), ()):
        is_all = part == whole
        quantity = held.quantity if is_all else round_quantity(held.quantity * part / whole)
        if not quantity:
            continue
        value = held.value if is_all else (held.value * quantity / held.quantity).quantize(VALUE_STEP)
        movements.append(
            Movement(
                held.location_id,
                held.ingredient_id,
                quantity,
                Reason.CANCELLATION,
                document_id,
                line_id=line_id,
                value=value,
                lot_id=held.lot_id,
            )
        )
        if not restock:
            movements.append(
                Movement(
                    held.location_id,
                    held.ingredient_id,
                    -quantity,
                    Reason.WRITE_OFF,
                    document_id,
                    line_id=line_id,
                    lot_id=held.lot_id,
                )
            )
    return movements
