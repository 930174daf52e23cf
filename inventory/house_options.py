"""The questions that the house asks about a drink: size, sweetness, ice, milk, toppings, and what each answer does.

An import makes a group once, when the first drink that asks it comes; from then on it belongs to the manager.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from inventory.house_recipes import (
    ALOE_VERA,
    BROWN_SUGAR,
    COCONUT_JELLY,
    CUP_500,
    CUP_700,
    FRESH_MILK,
    FRUCTOSE,
    GRASS_JELLY,
    ICE,
    OAT_MILK,
    PEARLS,
    PUDDING,
    STRAW,
    WIDE_STRAW,
)
from inventory.models import OptionEffect

Kind = OptionEffect.Kind


@dataclass(frozen=True, slots=True)
class HouseEffect:
    """See `inventory.models.OptionEffect`; ingredients by their names."""

    kind: Kind
    ingredient: str | None = None
    replacement: str | None = None
    factor: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class HouseOption:
    name: str
    effects: tuple[HouseEffect, ...] = ()
    price: Decimal = Decimal("0.00")
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class HouseGroup:
    name: str
    least: int
    most: int
    options: tuple[HouseOption, ...]

    @property
    def ingredients(self) -> set[str]:
        """The names of all that its effects speak of."""
        effects = [effect for option in self.options for effect in option.effects]
        return {name for effect in effects for name in (effect.ingredient, effect.replacement) if name is not None}


def replace(ingredient: str, replacement: str) -> HouseEffect:
    return HouseEffect(Kind.REPLACE, ingredient=ingredient, replacement=replacement)


def scale(factor: str, ingredient: str | None = None) -> HouseEffect:
    return HouseEffect(Kind.SCALE, ingredient=ingredient, factor=Decimal(factor))


def add(ingredient: str, quantity: int) -> HouseEffect:
    return HouseEffect(Kind.ADD, ingredient=ingredient, quantity=Decimal(quantity))


def sweetness(label: str, factor: str) -> HouseOption:
    """Scales what a drink is sweetened with; a flavour (honey, plum, caramel) stays as it is."""
    return HouseOption(label, (scale(factor, FRUCTOSE), scale(factor, BROWN_SUGAR)))


def topping(name: str, ingredient: str, grams: int, price: str) -> HouseOption:
    """Something to chew: it needs the wide straw."""
    return HouseOption(name, (add(ingredient, grams), replace(STRAW, WIDE_STRAW)), price=Decimal(price))


SIZE = HouseGroup(
    "Size",
    least=1,
    most=1,
    options=(
        HouseOption("M", is_default=True),
        # 700 ml against 500 ml; the lid fits both.
        HouseOption("L", (replace(CUP_500, CUP_700), scale("1.4")), price=Decimal("15.00")),
    ),
)
SWEETNESS = HouseGroup(
    "Sweetness",
    least=1,
    most=1,
    options=(
        sweetness("0 %", "0"),
        sweetness("25 %", "0.25"),
        sweetness("50 %", "0.5"),
        sweetness("75 %", "0.75"),
        HouseOption("100 %", is_default=True),
    ),
)
ICE_GROUP = HouseGroup(
    "Ice",
    least=1,
    most=1,
    options=(
        HouseOption("No ice", (scale("0", ICE),)),
        HouseOption("Less ice", (scale("0.5", ICE),)),
        HouseOption("Normal ice", is_default=True),
    ),
)
MILK = HouseGroup(
    "Milk",
    least=1,
    most=1,
    options=(
        HouseOption("Fresh milk", is_default=True),
        HouseOption("Oat milk", (replace(FRESH_MILK, OAT_MILK),), price=Decimal("15.00")),
    ),
)
TOPPINGS = HouseGroup(
    "Toppings",
    least=0,
    most=3,
    options=(
        topping("Tapioca pearls", PEARLS, 50, "10.00"),
        topping("Grass jelly", GRASS_JELLY, 60, "10.00"),
        topping("Coconut jelly", COCONUT_JELLY, 60, "10.00"),
        topping("Aloe vera", ALOE_VERA, 60, "15.00"),
        topping("Egg pudding", PUDDING, 70, "15.00"),
    ),
)

# In the order in which a person at the counter asks.
GROUPS = (SIZE, SWEETNESS, ICE_GROUP, MILK, TOPPINGS)


def groups_of(takes: Collection[str], *, choose_sweetness: bool, choose_toppings: bool) -> list[HouseGroup]:
    """The questions to ask about a drink that is made of `takes` (names of ingredients)."""
    asked = {
        SIZE.name: CUP_500 in takes,
        SWEETNESS.name: choose_sweetness,
        ICE_GROUP.name: ICE in takes,
        MILK.name: FRESH_MILK in takes,
        TOPPINGS.name: choose_toppings,
    }
    return [group for group in GROUPS if asked[group.name]]
