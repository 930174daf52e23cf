"""The menu as it is sold from: plain values of products, their recipes and options, read in four queries.

Pricing and deduction work on these values and not on model objects: a tenth of the time, and pure functions.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from inventory.models import OptionEffect, Product, ProductOptionGroup, RecipeLine


@dataclass(frozen=True, slots=True)
class MenuRecipeLine:
    """So much of an ingredient in one portion, in its base unit."""

    ingredient_id: int
    quantity: Decimal
    scales: bool


@dataclass(frozen=True, slots=True)
class MenuEffect:
    """What an option does to the recipe; see `inventory.models.OptionEffect`."""

    kind: str
    ingredient_id: int | None
    replacement_id: int | None
    factor: Decimal | None
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class MenuOption:
    id: int
    name: str
    price_delta: Decimal
    is_default: bool
    is_available: bool
    effects: tuple[MenuEffect, ...]


@dataclass(frozen=True, slots=True)
class MenuGroup:
    id: int
    name: str
    min_choices: int
    max_choices: int
    free_choices: int
    options: dict[int, MenuOption]


@dataclass(frozen=True, slots=True)
class MenuProduct:
    id: int
    name: str
    price: Decimal
    is_listed: bool
    recipe: tuple[MenuRecipeLine, ...]
    groups: tuple[MenuGroup, ...]


OPTION_COLUMNS = (
    "product_id",
    "group_id",
    "group__name",
    "group__min_choices",
    "group__max_choices",
    "group__free_choices",
    "group__options__id",
    "group__options__name",
    "group__options__price_delta",
    "group__options__is_default",
    "group__options__is_available",
)


def load_menu(product_ids: Collection[int]) -> dict[int, MenuProduct]:
    """Reads these products whole, in four queries however many they are. Unknown ids are left out."""
    recipes: dict[int, list[MenuRecipeLine]] = {}
    for product_id, ingredient_id, quantity, scales in (
        RecipeLine.objects.filter(product_id__in=product_ids)
        .order_by("id")
        .values_list("product_id", "ingredient_id", "quantity", "scales")
    ):
        recipes.setdefault(product_id, []).append(MenuRecipeLine(ingredient_id, quantity, scales))
    groups = load_groups(product_ids)
    return {
        pk: MenuProduct(pk, name, price, is_listed, tuple(recipes.get(pk, ())), tuple(groups.get(pk, ())))
        for pk, name, price, is_listed in Product.objects.filter(pk__in=product_ids)
        .order_by()
        .values_list("id", "name", "price", "is_listed")
    }


def load_groups(product_ids: Collection[int]) -> dict[int, list[MenuGroup]]:
    """The option groups of these products, in the order in which each product asks about them."""
    rows = list(
        ProductOptionGroup.objects.filter(product_id__in=product_ids)
        .order_by("product_id", "position", "id", "group__options__position", "group__options__id")
        .values_list(*OPTION_COLUMNS)
    )
    effects: dict[int, list[MenuEffect]] = {}
    if rows:
        for option_id, kind, ingredient_id, replacement_id, factor, quantity, _pk in (
            OptionEffect.objects.filter(option__group__product_links__product_id__in=product_ids)
            .order_by("id")
            .distinct()
            .values_list("option_id", "kind", "ingredient_id", "replacement_id", "factor", "quantity", "id")
        ):
            effect = MenuEffect(kind, ingredient_id, replacement_id, factor, quantity)
            effects.setdefault(option_id, []).append(effect)
    groups: dict[int, dict[int, MenuGroup]] = {}
    for product_id, group_id, name, least, most, free, option_id, title, delta, is_default, is_on in rows:
        asked = groups.setdefault(product_id, {})
        group = asked.setdefault(group_id, MenuGroup(group_id, name, least, most, free, {}))
        if option_id is not None:
            group.options[option_id] = MenuOption(
                option_id, title, delta, is_default, is_on, tuple(effects.get(option_id, ()))
            )
    return {product_id: list(asked.values()) for product_id, asked in groups.items()}
