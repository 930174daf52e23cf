"""What a drink costs and what is left of its price. Pure functions: the menu's values and average costs in.

Nothing is rounded here: an amount has as many decimals as it needs, and who shows it rounds it. The page of a
product reckons the same in the browser (static/samovar/costing.js); a test holds the two together.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from inventory.choices import free_options
from inventory.menu import MenuEffect, MenuGroup, MenuOption, MenuProduct
from inventory.models import OptionEffect
from inventory.recipes import of_kind, portion

# There is no permission of its own: what things cost is for those who answer for the stock.
PERMISSION = "inventory.change_stocklevel"

# {ingredient id: money per base unit}. What is not in it nobody has ever named a cost of.
Costs = Mapping[int, Decimal]

HUNDRED = Decimal(100)
PERCENT_STEP = Decimal("0.1")
# The largest quantity times the largest cost, and some hundred of them.
DIGITS = 60


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs, without the ingredients in `unknown`: with them it costs more than `amount`."""

    amount: Decimal
    unknown: frozenset[int] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether the cost of everything in it is known."""
        return not self.unknown


@dataclass(frozen=True, slots=True)
class Figures:
    """A price and what the portion sold for it costs."""

    price: Decimal
    cost: Cost

    @property
    def margin(self) -> Decimal:
        """What is left of the price; negative if it costs more."""
        return self.price - self.cost.amount

    @property
    def food_cost_percent(self) -> Decimal | None:
        """How much of the price the ingredients take, half up to a tenth; None of a price of 0."""
        if not self.price:
            return None
        with localcontext(prec=DIGITS):
            return (self.cost.amount * HUNDRED / self.price).quantize(PERCENT_STEP, rounding=ROUND_HALF_UP)

    @property
    def margin_percent(self) -> Decimal | None:
        """The rest: the two always make 100."""
        taken = self.food_cost_percent
        return None if taken is None else HUNDRED - taken


@dataclass(frozen=True, slots=True)
class OptionFigures:
    """What choosing an option, and no other, makes of a portion.

    `change` is the cost with it less the cost without; its `unknown` are the ingredients of which there is more or
    less then, and nobody knows what that costs. `figures` are those of the portion with it, for the price and the
    whole price change of the option.
    """

    group: MenuGroup
    option: MenuOption
    change: Cost
    figures: Figures


def cost_of(taken: Mapping[int, Decimal], costs: Costs) -> Cost:
    """What so much of these ingredients costs: {ingredient id: base units}, negative for what is spared."""
    with localcontext(prec=DIGITS):
        amount = sum((quantity * costs[pk] for pk, quantity in taken.items() if pk in costs), Decimal(0))
    return Cost(amount, frozenset(pk for pk in taken if pk not in costs))


def recipe_figures(product: MenuProduct, costs: Costs) -> Figures:
    """One portion by the recipe as it is written, for the product's own price."""
    return Figures(product.price, cost_of(portion(product), costs))


def usual_figures(product: MenuProduct, costs: Costs) -> Figures:
    """One portion as it is sold to who chooses nothing: with the default options, for the price with them."""
    chosen = usual_options(product)
    free = free_options(chosen)
    charged = sum((option.price_delta for _group, option in chosen if option.id not in free), product.price)
    taken = portion(product, [option for _group, option in chosen])
    return Figures(max(charged, Decimal(0)), cost_of(taken, costs))


def usual_options(product: MenuProduct) -> list[tuple[MenuGroup, MenuOption]]:
    """The default options that can be chosen now, in the menu's order."""
    return [
        (group, option)
        for group in product.groups
        for option in group.options.values()
        if option.is_default and option.is_available
    ]


def option_figures(product: MenuProduct, costs: Costs) -> Iterator[OptionFigures]:
    """What each option of the product changes, against the recipe as it is written."""
    plain = portion(product)
    for group in product.groups:
        for option in group.options.values():
            taken = portion(product, [option])
            yield OptionFigures(
                group,
                option,
                cost_of(difference(taken, plain), costs),
                Figures(max(product.price + option.price_delta, Decimal(0)), cost_of(taken, costs)),
            )


def difference(taken: Mapping[int, Decimal], before: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """How much more of each ingredient is in `taken` than in `before`, without those of which there is as much."""
    changes = {pk: taken.get(pk, Decimal(0)) - before.get(pk, Decimal(0)) for pk in {**before, **taken}}
    return {pk: change for pk, change in changes.items() if change}


def own_cost(effects: Iterable[MenuEffect], costs: Costs) -> Cost:
    """What an option adds to every portion, whatever the recipe: the cost of what its effects add."""
    added: dict[int, Decimal] = {}
    for effect in of_kind(effects, OptionEffect.Kind.ADD):
        if effect.ingredient_id is not None and effect.quantity is not None:
            added[effect.ingredient_id] = added.get(effect.ingredient_id, Decimal(0)) + effect.quantity
    return cost_of(added, costs)
