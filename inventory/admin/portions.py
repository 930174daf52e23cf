"""What one portion of a product takes and costs, for the product's page."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch

from foundation.admin.numbers import with_unit
from foundation.money import money
from inventory.admin.effects import effects_in_words
from inventory.models import Option, OptionEffect, Product, StockLevel


@dataclass(frozen=True, slots=True)
class PortionLine:
    """An ingredient of the recipe; `cost` is empty while nothing is known about its price."""

    ingredient_id: int
    name: str
    amount: str
    scales: bool
    cost: str


@dataclass(frozen=True, slots=True)
class AskedGroup:
    """An option group of the product, and what each option does: [(name, price change, effects)]."""

    group_id: int
    name: str
    options: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Portion:
    """One portion as the recipe is written. `cost` and `margin` are empty while no price is known."""

    lines: list[PortionLine]
    cost: str
    margin: str
    groups: list[AskedGroup]


def portion_of(product: Product) -> Portion:
    """What one portion takes by the recipe as written, what that costs at average cost, and what options change."""
    recipe = list(product.recipe_lines.select_related("ingredient"))
    costs = average_costs([line.ingredient_id for line in recipe])
    total = Decimal(0)
    lines = []
    for line in recipe:
        cost = line.quantity * costs.get(line.ingredient_id, Decimal(0))
        total += cost
        lines.append(
            PortionLine(
                line.ingredient_id,
                line.ingredient.name,
                with_unit(line.quantity, line.ingredient.get_unit_display()),
                line.scales,
                money(cost) if cost else "",
            )
        )
    margin = f"{round((product.price - total) / product.price * 100)} %" if total and product.price else ""
    return Portion(lines, money(total) if total else "", margin, asked_groups(product))


def average_costs(ingredient_ids: Collection[int]) -> dict[int, Decimal]:
    """What a base unit of these costs on average in the whole shop, weighted by what each location holds."""
    value: dict[int, Decimal] = {}
    weight: dict[int, Decimal] = {}
    for ingredient_id, quantity, cost in StockLevel.objects.filter(
        ingredient_id__in=ingredient_ids, average_cost__gt=0
    ).values_list("ingredient_id", "quantity", "average_cost"):
        # An empty level still knows what things cost, but hardly counts beside a full one.
        share = max(quantity, Decimal("0.001"))
        value[ingredient_id] = value.get(ingredient_id, Decimal(0)) + share * cost
        weight[ingredient_id] = weight.get(ingredient_id, Decimal(0)) + share
    return {pk: value[pk] / weight[pk] for pk in value}


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
