"""Questions about what things cost at a location."""

from collections.abc import Collection
from decimal import Decimal

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from inventory.models import Location, Product, RecipeLine, StockLevel

# A quantity has three decimals and a cost six: their product is never rounded.
EXACT: models.DecimalField = models.DecimalField(max_digits=60, decimal_places=9)


def known_costs(*, location: Location, ingredient_ids: Collection[int] | None = None) -> dict[int, Decimal]:
    """{ingredient id: what a base unit costs on average at the location}, of these ingredients or of all.

    A level that is empty still knows what its last ingredients cost. One that never had a cost is left out.
    """
    levels = StockLevel.objects.filter(location=location, average_cost__gt=0).order_by()
    if ingredient_ids is not None:
        levels = levels.filter(ingredient_id__in=ingredient_ids)
    return dict(levels.values_list("ingredient_id", "average_cost"))


def with_costs(products: QuerySet[Product], *, location: Location | None) -> QuerySet[Product]:
    """Adds what one portion costs by the recipe as it is written, with the average costs of the location.

    - `cost`: exact, without the ingredients whose cost is not known; None without a recipe, or without a location
    - `unknown_costs`: the ids of those ingredients, in the order of the recipe

    The same as `inventory.costs.recipe_figures`, inside the query of the products.
    """
    if location is None:
        return products.annotate(
            cost=Value(None, output_field=EXACT),
            unknown_costs=Value([], output_field=ArrayField(models.BigIntegerField())),
        )
    lines = RecipeLine.objects.filter(product_id=OuterRef("pk")).order_by()
    level = StockLevel.objects.filter(location=location, ingredient_id=OuterRef("ingredient_id"))
    unit_cost = Coalesce(Subquery(level.values("average_cost")), Value(Decimal(0)))
    cost = (
        lines.annotate(line_cost=models.ExpressionWrapper(F("quantity") * unit_cost, output_field=EXACT))
        .values("product_id")
        .annotate(total=Sum("line_cost"))
        .values("total")
    )
    unknown = lines.exclude(Exists(level.filter(average_cost__gt=0))).order_by("id").values("ingredient_id")
    return products.annotate(cost=Subquery(cost, output_field=EXACT), unknown_costs=ArraySubquery(unknown))
