"""The menu as the new-order page has it: one JSON for the whole page, the same few queries for any menu."""

from typing import Any

from inventory.menu import MenuGroup, load_groups
from inventory.models import Category, Location, Product
from inventory.selectors import lacking_ingredients, options_in_stock, with_availability


def page_menu(location: Location) -> dict[str, Any]:
    """Categories, products and option groups, with what is available at the location now. Prices are strings.

    A product that is not available says why: what its recipe lacks, or that it is off the menu (`is_listed`).
    A category of which nothing is on the menu is left out, as the one that imported sales fill; its products are
    still found by name.
    An option says whether it can be chosen now.
    """
    products = list(with_availability(Product.objects.all(), location=location))
    groups = load_groups([product.pk for product in products])
    lacking = lacking_ingredients(location=location)
    in_stock = set(options_in_stock(location=location).values_list("pk", flat=True))
    shelves = {product.category_id for product in products if product.is_listed}
    return {
        "categories": [
            {"id": category.pk, "name": category.name} for category in Category.objects.all() if category.pk in shelves
        ],
        "groups": {group.id: group_as_json(group, in_stock) for asked in groups.values() for group in asked},
        "products": [
            {
                "id": product.pk,
                "category": product.category_id,
                "name": product.name,
                "price": str(product.price),
                "image": product.image.url if product.image else "",
                "is_listed": product.is_listed,
                "is_available": product.is_available,  # type: ignore[attr-defined]
                "lacking": lacking.get(product.pk, []),
                "groups": [group.id for group in groups.get(product.pk, [])],
            }
            for product in products
        ],
    }


def group_as_json(group: MenuGroup, in_stock: set[int]) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "min": group.min_choices,
        "max": group.max_choices,
        "free": group.free_choices,
        "options": [
            {
                "id": option.id,
                "name": option.name,
                "price_delta": str(option.price_delta),
                "is_default": option.is_default,
                # Off is off; what is short may still be enough with another size, so that only the quote knows.
                "is_available": option.is_available,
                "is_short": option.id not in in_stock,
            }
            for option in group.options.values()
        ],
    }
