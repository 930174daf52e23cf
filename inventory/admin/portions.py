"""What one portion of a product takes, for the product's page."""

from dataclasses import dataclass

from django.db.models import Prefetch

from foundation.admin.numbers import with_unit
from foundation.money import money
from inventory.admin.effects import effects_in_words
from inventory.models import Option, OptionEffect, Product


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


def portion_of(product: Product) -> Portion:
    """What one portion takes by the recipe as it is written, and what options change."""
    recipe = product.recipe_lines.select_related("ingredient")
    lines = [
        PortionLine(
            line.ingredient_id,
            line.ingredient.name,
            with_unit(line.quantity, line.ingredient.get_unit_display()),
            line.scales,
        )
        for line in recipe
    ]
    return Portion(lines, asked_groups(product))


def asked_groups(product: Product) -> list[AskedGroup]:
    """The product's option groups in the order in which they are asked."""
    effects = OptionEffect.objects.select_related("ingredient", "replacement")
    options = Option.objects.prefetch_related(Prefetch("effects", effects))
    links = product.group_links.select_related("group").prefetch_related(Prefetch("group__options", options))
    return [
        AskedGroup(
            link.group_id,
            link.group.name,
            [
                (option.name, money(option.price_delta) if option.price_delta else "", effects_in_words(option))
                for option in link.group.options.all()
            ],
        )
        for link in links
    ]
