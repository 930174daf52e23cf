"""The store room as figures over time."""

from collections.abc import Iterable

from django.db.models import Count, F

from inventory.models import Location, Product, StockLevel
from inventory.selectors import lacks_of_products
from monitoring.registry import LabelValues, Metric, register_metric

Values = Iterable[tuple[LabelValues, float]]


def register() -> None:
    """Called once, when the apps are ready."""
    register_metric(
        Metric(
            name="samovar_stock_below_minimum",
            help="Ingredients below their minimum at an open location.",
            labels=("location",),
            collect=levels_below_minimum,
        )
    )
    register_metric(
        Metric(
            name="samovar_products_unavailable",
            help="Listed products that can't be sold at an open location for want of an ingredient.",
            labels=("location",),
            collect=unavailable_products,
            fresh_for=30.0,
        )
    )


def levels_below_minimum() -> Values:
    """The number of low levels of each open location that has any."""
    rows = (
        StockLevel.objects.filter(quantity__lt=F("minimum"), location__is_active=True)
        .order_by()
        .values_list("location__name")
        .annotate(number=Count("pk"))
    )
    for location, number in rows:
        yield {"location": location}, number


def unavailable_products() -> Values:
    """A location that never held an ingredient does not sell what needs it: as for the alerts."""
    locations = list(Location.objects.filter(is_active=True))
    listed = list(Product.objects.filter(is_listed=True).values_list("pk", flat=True))
    lacks = lacks_of_products(product_ids=listed, locations=locations)
    held = set(StockLevel.objects.filter(location__in=locations).order_by().values_list("location_id", "ingredient_id"))
    for location in locations:
        wanting = lacks[location.pk].values()
        number = sum(any((location.pk, lack.ingredient_id) in held for lack in of_product) for of_product in wanting)
        yield {"location": location.name}, number
