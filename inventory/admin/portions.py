"""What one portion of a product takes, for the product's page."""

from collections.abc import Mapping
from dataclasses import dataclass

from foundation.admin.numbers import with_unit
from foundation.money import money
from inventory.admin.effects import NamedEffect
from inventory.admin.ingredient_choice import IngredientChoice
from inventory.menu import MenuEffect, MenuOption, MenuProduct

# {ingredient id: ingredient}, all of them.
Ingredients = Mapping[int, IngredientChoice]


@dataclass(frozen=True, slots=True)
class PortionLine:
    """An ingredient of the recipe."""

    ingredient_id: int
    name: str
    amount: str
    scales: bool


@dataclass(frozen=True, slots=True)
class AskedGroup:
    """An option group of the product, and what each option does: [(name, price change, effects)]."""

    group_id: int
    name: str
    options: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Portion:
    """One portion as the recipe is written, and what the product asks about."""

    lines: list[PortionLine]
    groups: list[AskedGroup]


def portion_of(product: MenuProduct, ingredients: Ingredients) -> Portion:
    """What one portion takes by the recipe as it is written, and what options change."""
    lines = [
        PortionLine(
            line.ingredient_id,
            ingredients[line.ingredient_id].name,
            with_unit(line.quantity, ingredients[line.ingredient_id].unit),
            line.scales,
        )
        for line in product.recipe
    ]
    groups = [
        AskedGroup(
            group.id,
            group.name,
            [
                (
                    option.name,
                    money(option.price_delta) if option.price_delta else "",
                    effects_of_menu_option(option, ingredients),
                )
                for option in group.options.values()
            ],
        )
        for group in product.groups
    ]
    return Portion(lines, groups)


def effects_of_menu_option(option: MenuOption, ingredients: Ingredients) -> str:
    """What the option does, in words; "—" if it does nothing."""
    return "; ".join(filter(None, (named(effect, ingredients).in_words() for effect in option.effects))) or "—"


def named(effect: MenuEffect, ingredients: Ingredients) -> NamedEffect:
    ingredient = ingredients.get(effect.ingredient_id or 0)
    replacement = ingredients.get(effect.replacement_id or 0)
    return NamedEffect(
        kind=effect.kind,
        ingredient=ingredient.name if ingredient else None,
        unit=ingredient.unit if ingredient else "",
        replacement=replacement.name if replacement else None,
        factor=effect.factor,
        quantity=effect.quantity,
    )
