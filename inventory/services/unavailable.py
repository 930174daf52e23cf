"""Saying that drinks can't be sold any more for want of an ingredient, once, and taking it back when they can."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import ngettext

from inventory.models import Location, Product, StockLevel
from inventory.selectors import lacks_of_products
from monitoring.services.alerts import AlertText
from monitoring.services.standing import tell_what_stands

UNAVAILABLE = "inventory.product_unavailable"
# So many names stand in a message; of the others, the number.
NAMES = 5


@transaction.atomic
def tell_unavailable() -> int:
    """Raises an alert of each ingredient for want of which listed products can't be sold at an open location, closes
    those of what is there again, and says how many there are now. Running it again says nothing new.

    A location that never held an ingredient does not sell what needs it: nothing has become unavailable there.
    """
    locations = list(Location.objects.filter(is_active=True).order_by("id"))
    names = dict(Product.objects.filter(is_listed=True).order_by("name").values_list("pk", "name"))
    lacks = lacks_of_products(product_ids=names, locations=locations)
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for location in locations:
        for product_id in sorted(lacks[location.pk], key=lambda pk: names[pk]):
            for lack in lacks[location.pk][product_id]:
                details = found.setdefault(
                    (location.pk, lack.ingredient_id),
                    {
                        "location": location.pk,
                        "place": location.name,
                        "ingredient": lack.ingredient_id,
                        "name": lack.name,
                        "products": [],
                        "number": 0,
                    },
                )
                details["number"] += 1
                details["products"] = [*details["products"], names[product_id]][:NAMES]
    held = set(
        StockLevel.objects.filter(ingredient_id__in={ingredient for _, ingredient in found})
        .order_by()
        .values_list("location_id", "ingredient_id")
    )
    told = {key: details for key, details in sorted(found.items()) if key in held}
    tell_what_stands(
        event=UNAVAILABLE,
        alerts=[
            AlertText(f"{location}:{ingredient}", unavailable_sentence(details), details)
            for (location, ingredient), details in told.items()
        ],
    )
    return len(told)


def unavailable_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    products = ", ".join(details["products"]) + (" …" if details["number"] > len(details["products"]) else "")
    return ngettext(
        "%(place)s: %(number)s product can't be sold for want of %(name)s: %(products)s",
        "%(place)s: %(number)s products can't be sold for want of %(name)s: %(products)s",
        details["number"],
    ) % {**details, "products": products}
