"""Taking back what a document deducted: exactly its ledger rows, whatever the recipe says by then."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Sum

from foundation.decimals import round_quantity
from inventory.models import StockMovement
from inventory.services.ledger import Movement

Reason = StockMovement.Reason
COST_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Deduction:
    """What a line still holds of an ingredient: `quantity` in the base unit, bought at `unit_cost` each."""

    location_id: int
    ingredient_id: int
    quantity: Decimal
    unit_cost: Decimal


# {(document id, line id): what the line still holds}
Deductions = dict[tuple[str, str], list[Deduction]]


def deductions_of(*, document_type: str, document_ids: Collection[int | str]) -> Deductions:
    """What the lines of these documents hold: sold and not taken back. One query for all of them.

    What was wasted counts as taken back: a waste is a return and a write-off.
    """
    held: Deductions = {}
    rows = (
        StockMovement.objects.filter(
            document_type=document_type,
            document_id__in=[str(pk) for pk in document_ids],
            reason__in=[Reason.SALE, Reason.CANCELLATION],
        )
        .order_by()
        .values("document_id", "line_id", "location_id", "ingredient_id")
        .annotate(quantity=-Sum("delta"), value=-Sum(F("delta") * F("unit_cost")))
        .values_list("document_id", "line_id", "location_id", "ingredient_id", "quantity", "value")
    )
    for document_id, line_id, location_id, ingredient_id, quantity, value in rows:
        if quantity > 0:
            unit_cost = max(value / quantity, Decimal(0)).quantize(COST_STEP)
            held.setdefault((document_id, line_id), []).append(
                Deduction(location_id, ingredient_id, quantity, unit_cost)
            )
    return held


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
        quantity = held.quantity if part == whole else round_quantity(held.quantity * part / whole)
        if not quantity:
            continue
        movements.append(
            Movement(
                held.location_id,
                held.ingredient_id,
                quantity,
                Reason.CANCELLATION,
                document_id,
                line_id=line_id,
                unit_cost=held.unit_cost,
            )
        )
        if not restock:
            movements.append(
                Movement(
                    held.location_id, held.ingredient_id, -quantity, Reason.WRITE_OFF, document_id, line_id=line_id
                )
            )
    return movements
