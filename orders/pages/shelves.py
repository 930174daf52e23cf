"""What the menu page shows: the listed products by category, with what is available where somebody wants to order.

The same few queries whatever the menu's size: a page holds so many products, and the next one goes on after the last.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, Q, QuerySet, Value

from inventory.models import Category, Location, Product, ProductOptionGroup
from inventory.search import Found, find_on_menu
from inventory.selectors import with_availability
from orders.pages.art import Art, art_of

# More than any café's menu has, few enough for a phone.
MOST_CARDS = 120
ORDER = ("category__position", "category__name", "position", "name")


@dataclass(frozen=True, slots=True)
class Card:
    """A product as the menu shows it. `art` is the drawing for one without a picture."""

    product: Any
    art: Art | None

    @classmethod
    def of(cls, product: Any) -> "Card":
        return cls(product, None if product.image else art_of(product.name, product.category.name))


@dataclass(slots=True)
class Shelf:
    """A category with its products; without a category the finds of a search, the best first."""

    category: Category | None
    cards: list[Card] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Menu:
    """What a page of the menu shows. `after` is the product that the next page goes on after, None on the last."""

    shelves: list[Shelf]
    categories: list[Category]
    after: int | None = None
    instead: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every category stands on this page, so that its link is a jump and not another page."""
        return len(self.shelves) >= len(self.categories) and self.after is None


def menu_at(location: Location | None, *, category_id: int | None = None, after: int | None = None) -> Menu:
    """A page of the menu, of one category or of all, that goes on after a product. Three queries; four with `after`.

    Without a location (no place is open) nothing is available.
    """
    products = listed_at(location)
    if category_id is not None:
        products = products.filter(category_id=category_id)
    if after is not None:
        products = following(products, after)
    cards = [Card.of(product) for product in products.order_by(*ORDER)[: MOST_CARDS + 1]]
    more = len(cards) > MOST_CARDS
    cards = cards[:MOST_CARDS]
    return Menu(shelved(cards), listed_categories(), after=cards[-1].product.pk if more else None)


def finds_at(location: Location | None, *, text: str) -> Menu:
    """What a search finds, the best first. Mistyped words are told in `instead`."""
    found: Found = find_on_menu(text)
    by_id = {product.pk: product for product in listed_at(location).filter(pk__in=found.product_ids)}
    cards = [Card.of(by_id[pk]) for pk in found.product_ids if pk in by_id]
    return Menu([Shelf(None, cards)] if cards else [], listed_categories(), instead=found.instead)


def listed_at(location: Location | None) -> QuerySet[Any]:
    """The listed products with `is_available` at the location, and `has_choices`: whether they ask anything."""
    products: QuerySet[Any] = Product.objects.filter(is_listed=True).select_related("category")
    products = products.annotate(has_choices=Exists(ProductOptionGroup.objects.filter(product_id=OuterRef("pk"))))
    if location is None:
        return products.annotate(is_available=Value(False, output_field=BooleanField()))
    return with_availability(products, location=location)


def listed_categories() -> list[Category]:
    """The categories with something on the menu, in its order."""
    listed = Product.objects.filter(category_id=OuterRef("pk"), is_listed=True)
    return list(Category.objects.filter(Exists(listed)).order_by("position", "name"))


def following(products: QuerySet[Any], product_id: int) -> QuerySet[Any]:
    """Those that stand behind this product; all of them if it is gone."""
    last = Product.objects.filter(pk=product_id).values(*ORDER).first()
    if last is None:
        return products
    behind, same = Q(), Q()
    for name in ORDER:
        behind |= same & Q(**{f"{name}__gt": last[name]})
        same &= Q(**{name: last[name]})
    return products.filter(behind)


def shelved(cards: Iterable[Card]) -> list[Shelf]:
    """The cards by category, in the order in which they come."""
    shelves: list[Shelf] = []
    for card in cards:
        if not shelves or shelves[-1].category != card.product.category:
            shelves.append(Shelf(card.product.category))
        shelves[-1].cards.append(card)
    return shelves
