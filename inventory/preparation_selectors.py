"""Questions about what the shop makes itself."""

import datetime
from collections.abc import Collection, Sequence
from decimal import Decimal

from django.db.models import Min, QuerySet

from inventory.costs import Cost, Costs, cost_of
from inventory.lot_selectors import fresh_quantity
from inventory.models import Location, PreparationRecipe, StockLevel, StockLot

# {(location id, ingredient id): …}
ByPlace = tuple[int, int]


def preparation_recipes() -> QuerySet[PreparationRecipe]:
    """All recipes by what they make, with their lines; in two queries."""
    return (
        PreparationRecipe.objects.select_related("ingredient")
        .prefetch_related("lines__ingredient")
        .order_by("ingredient__name")
    )


def usable_quantities(
    *, locations: Sequence[Location], ingredient_ids: Collection[int], at: datetime.datetime
) -> dict[ByPlace, Decimal]:
    """{(location id, ingredient id): what has not expired at the moment `at`}; what has no level is left out."""
    levels = StockLevel.objects.filter(location__in=locations, ingredient_id__in=ingredient_ids).order_by()
    return {
        (location_id, ingredient_id): quantity
        for location_id, ingredient_id, quantity in levels.annotate(usable=fresh_quantity(at=at)).values_list(
            "location_id", "ingredient_id", "usable"
        )
    }


def next_expiries(
    *, locations: Sequence[Location], ingredient_ids: Collection[int], at: datetime.datetime
) -> dict[ByPlace, datetime.datetime]:
    """{(location id, ingredient id): when the first of it expires after the moment `at`}."""
    lots = StockLot.objects.filter(
        location__in=locations, ingredient_id__in=ingredient_ids, quantity__gt=0, expires_at__gt=at
    )
    rows = lots.order_by().values_list("location_id", "ingredient_id").annotate(first=Min("expires_at"))
    return {(location_id, ingredient_id): first for location_id, ingredient_id, first in rows}


def batch_cost(recipe: PreparationRecipe, costs: Costs) -> Cost:
    """What a batch takes, at these costs. What it yields costs that, divided by the yield."""
    return cost_of({line.ingredient_id: line.quantity for line in recipe.lines.all()}, costs)
