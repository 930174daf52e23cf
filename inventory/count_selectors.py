"""Questions about stock counts: how far one is, and what its differences come to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from inventory.models import Ingredient, StockCount, StockCountLine, StockLevel, StockMovement

DOCUMENT_TYPE = "count"
# Who counts does not see what the ledger expects; who may post a count does.
POST_PERMISSION = "inventory.post_stockcount"
ZERO = Decimal(0)
PERCENT_STEP = Decimal("0.1")

# {ingredient id: {reason: what it added to the level}}
MovedSince = dict[int, dict[str, Decimal]]

MOVED_SINCE = """
SELECT line.ingredient_id, movement.reason, sum(movement.delta)
FROM inventory_stockcountline AS line
JOIN inventory_stockmovement AS movement
  ON movement.ingredient_id = line.ingredient_id AND movement.location_id = %(location)s
 AND movement.id > line.last_movement_id
WHERE line.count_id = %(count)s
GROUP BY line.ingredient_id, movement.reason
ORDER BY line.ingredient_id, min(movement.id)
"""


@dataclass(frozen=True, slots=True)
class ReviewedLine:
    """A line of a count beside what the ledger says, in the ingredient's base unit.

    `worth` is the difference in money: while the count is open at the average cost of now, afterwards as it stands
    in the ledger. `moved` is what has changed the level since the line was counted, by reason.
    """

    line: StockCountLine
    worth: Decimal | None
    moved: dict[str, Decimal] = field(default_factory=dict)
    # What the level holds now; None where that no longer matters.
    level: Decimal | None = None

    @property
    def ingredient(self) -> Ingredient:
        return self.line.ingredient

    @property
    def is_counted(self) -> bool:
        return self.line.counted_quantity is not None

    @property
    def difference(self) -> Decimal | None:
        """Positive for what was found, negative for what is missing; None if it was not counted."""
        return difference_of(self.line)

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of what was expected, half up to a tenth; None where nothing was."""
        difference, expected = self.difference, self.line.expected_quantity
        if difference is None or not expected:
            return None
        return (difference * 100 / expected).quantize(PERCENT_STEP, rounding=ROUND_HALF_UP)

    @property
    def was_corrected(self) -> bool:
        """Whether another count or a correction has settled the level since: this one would settle it twice."""
        return bool(self.moved.keys() & CORRECTIONS)

    @property
    def is_short(self) -> bool:
        """Whether more is missing by the count than the level still has."""
        return self.level is not None and self.difference is not None and self.level + self.difference < 0

    @property
    def is_outdated(self) -> bool:
        """Whether the count can't be posted because of this line: it has to be counted again."""
        return self.was_corrected or self.is_short


# What already takes into account what somebody found on the shelf.
CORRECTIONS = frozenset({StockMovement.Reason.COUNT.value, StockMovement.Reason.CORRECTION.value})


@dataclass(frozen=True, slots=True)
class CountSummary:
    """What a count comes to: the money of what was found, of what is missing (negative), and numbers of lines."""

    gains: Decimal
    losses: Decimal
    lines: int
    counted: int
    differing: int

    @property
    def net(self) -> Decimal:
        return self.gains + self.losses

    @property
    def left(self) -> int:
        """How many lines are not counted."""
        return self.lines - self.counted


def difference_of(line: StockCountLine) -> Decimal | None:
    """What posting the line writes; None if it was not counted."""
    if line.counted_quantity is None or line.expected_quantity is None:
        return None
    return line.counted_quantity - line.expected_quantity


def with_progress(counts: QuerySet[StockCount]) -> QuerySet[StockCount]:
    """Adds `line_number` and `counted_number`."""
    return counts.annotate(
        line_number=Count("lines"), counted_number=Count("lines", filter=Q(lines__counted_quantity__isnull=False))
    )


def lines_of_count(count: StockCount) -> list[StockCountLine]:
    """The lines with their ingredients, in the order in which they are counted."""
    return list(count.lines.select_related("ingredient", "counted_by").order_by("position", "id"))


def moved_since(count: StockCount) -> MovedSince:
    """What has changed the levels of the counted lines since each of them was counted; one query."""
    with connection.cursor() as cursor:
        cursor.execute(MOVED_SINCE, {"location": count.location_id, "count": count.pk})
        rows = cursor.fetchall()
    moved: MovedSince = {}
    for ingredient_id, reason, delta in rows:
        moved.setdefault(ingredient_id, {})[reason] = delta
    return moved


def review(count: StockCount) -> list[ReviewedLine]:
    """The lines of a count with their differences, in the order of counting. Three queries, whatever its size."""
    lines = lines_of_count(count)
    if count.status == StockCount.Status.POSTED:
        values = posted_values(count)
        return [
            ReviewedLine(line, values.get(line.ingredient_id, ZERO) if is_counted(line) else None) for line in lines
        ]
    levels = {
        ingredient_id: (quantity, cost)
        for ingredient_id, quantity, cost in StockLevel.objects.filter(
            location_id=count.location_id, ingredient_id__in=[line.ingredient_id for line in lines]
        )
        .order_by()
        .values_list("ingredient_id", "quantity", "average_cost")
    }
    moved = moved_since(count) if count.status in StockCount.OPEN else {}
    reviewed = []
    for line in lines:
        quantity, cost = levels.get(line.ingredient_id, (ZERO, ZERO))
        difference = difference_of(line)
        reviewed.append(
            ReviewedLine(
                line,
                worth=None if difference is None else difference * cost,
                moved=moved.get(line.ingredient_id, {}),
                level=quantity if count.status in StockCount.OPEN else None,
            )
        )
    return reviewed


def is_counted(line: StockCountLine) -> bool:
    return line.counted_quantity is not None


def posted_values(count: StockCount) -> dict[int, Decimal]:
    """{ingredient id: money} of what a posted count wrote to the ledger."""
    return dict(
        StockMovement.objects.filter(document_type=DOCUMENT_TYPE, document_id=str(count.pk))
        .order_by()
        .values("ingredient_id")
        .annotate(money=Sum("value"))
        .values_list("ingredient_id", "money")
    )


def values_of_counts(count_ids: Collection[int]) -> dict[int, Decimal]:
    """{count id: money} of what these posted counts wrote to the ledger, in one query; 0 for one without a
    difference."""
    values = dict.fromkeys(count_ids, ZERO)
    for document_id, money in (
        StockMovement.objects.filter(document_type=DOCUMENT_TYPE, document_id__in=[str(pk) for pk in count_ids])
        .order_by()
        .values("document_id")
        .annotate(money=Sum("value"))
        .values_list("document_id", "money")
    ):
        values[int(document_id)] = money
    return values


def summary_of(lines: Sequence[ReviewedLine]) -> CountSummary:
    """What the lines come to in all."""
    worths = [line.worth for line in lines if line.worth is not None]
    return CountSummary(
        gains=sum((worth for worth in worths if worth > 0), ZERO),
        losses=sum((worth for worth in worths if worth < 0), ZERO),
        lines=len(lines),
        counted=sum(line.is_counted for line in lines),
        differing=sum(bool(line.difference) for line in lines),
    )
