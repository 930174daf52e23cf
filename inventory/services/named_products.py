"""Products for names that come from elsewhere: those of the menu, and unlisted ones for what it does not know."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Lower, Trim

from inventory.locks import lock_menu
from inventory.models import Category, Product

# Where products go that nobody has put on the menu.
IMPORTED_CATEGORY = "Imported"


@dataclass(frozen=True, slots=True)
class NamedProduct:
    """A product that a name means."""

    id: int
    name: str


def products_named(names: Collection[str]) -> dict[str, NamedProduct]:
    """{name: its product}, whatever the case of the letters and the blanks around; unknown names are left out.

    Of two products that differ in nothing else, the one that is written the same is meant, else the older one.
    """
    found = (
        Product.objects.annotate(folded=Lower(Trim("name")))
        .filter(Q(name__in=names) | Q(folded__in={name.strip().lower() for name in names}))
        .order_by("-id")
        .values_list("id", "name")
    )
    by_name = {name: NamedProduct(pk, name) for pk, name in found}
    by_folded = {name.strip().casefold(): product for name, product in by_name.items()}
    return {
        name: product
        for name in names
        if (product := by_name.get(name) or by_folded.get(name.strip().casefold())) is not None
    }


@transaction.atomic
def ensure_products(*, names: Collection[str]) -> dict[str, NamedProduct]:
    """{name: its product} for all the names. What is missing becomes an unlisted product that costs nothing, has no
    recipe and stands in the category "Imported". Two calls at once make each of them once."""
    known = products_named(names)
    if len(known) == len(set(names)):
        return known
    lock_menu()
    known = products_named(names)
    missing: dict[str, str] = {}
    for name in names:
        if name not in known:
            missing.setdefault(name.strip().casefold(), name.strip())
    category = Category.objects.filter(name__iexact=IMPORTED_CATEGORY).order_by("id").first()
    if category is None:
        last = Category.objects.aggregate(last=Max("position"))["last"]
        category = Category.objects.create(name=IMPORTED_CATEGORY, position=0 if last is None else last + 1)
    Product.objects.bulk_create(
        Product(category=category, name=name, price=0, is_listed=False, position=position)
        for position, name in enumerate(missing.values(), start=category.products.count())
    )
    return products_named(names)
