"""What the house knows of bubble tea: what each drink is made of, in a cup of 500 ml.

Quantities are those usual in the trade: about 300 ml of liquid over ice, 60 g of pearls, 25 ml of fructose
syrup at full sweetness. They are where a manager begins: an import writes them once and never again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from inventory.models import Ingredient

Unit = Ingredient.Unit

BLACK_TEA = "Black tea, brewed"
GREEN_TEA = "Jasmine green tea, brewed"
OOLONG_TEA = "Oolong tea, brewed"
MATCHA = "Matcha powder"
COCOA = "Cacao Barry cocoa powder"
CHOCOLATE = "Chocolate powder, sweetened"
OVALTINE = "Ovaltine powder"

FRESH_MILK = "Fresh milk"
OAT_MILK = "Oat milk"
CREAMER = "Creamer"
MILK_FOAM = "Salted milk foam"

FRUCTOSE = "Fructose syrup"
BROWN_SUGAR = "Brown sugar syrup"
HONEY = "Honey"
PLUM = "Plum syrup"
PASSION_FRUIT = "Passion fruit purée"
HAZELNUT = "Hazelnut syrup"
CARAMEL = "Caramel syrup"

PEARLS = "Tapioca pearls"
GOLDEN_PEARLS = "Golden tapioca pearls"
GRASS_JELLY = "Grass jelly"
COFFEE_JELLY = "Coffee jelly"
COCONUT_JELLY = "Coconut jelly"
ALOE_VERA = "Aloe vera"
PUDDING = "Egg pudding"

ICE = "Ice"
CUP_500 = "Cup 500 ml"
CUP_700 = "Cup 700 ml"
LID = "Lid"
SIP_LID = "Sip lid"
STRAW = "Straw"
WIDE_STRAW = "Wide straw"

UNITS = {
    **dict.fromkeys((BLACK_TEA, GREEN_TEA, OOLONG_TEA, FRESH_MILK, OAT_MILK, CREAMER), Unit.MILLILITRE),
    **dict.fromkeys((FRUCTOSE, BROWN_SUGAR, PLUM, HAZELNUT, CARAMEL), Unit.MILLILITRE),
    **dict.fromkeys((MATCHA, COCOA, CHOCOLATE, OVALTINE, HONEY, PASSION_FRUIT, MILK_FOAM, ICE), Unit.GRAM),
    **dict.fromkeys((PEARLS, GOLDEN_PEARLS, GRASS_JELLY, COFFEE_JELLY, COCONUT_JELLY, ALOE_VERA, PUDDING), Unit.GRAM),
    **dict.fromkeys((CUP_500, CUP_700, LID, SIP_LID, STRAW, WIDE_STRAW), Unit.PIECE),
}

# Both cups have the same rim. Pearls and jelly don't pass through a thin straw; foam is sipped without one.
THIN_STRAW_CUP = {CUP_500: 1, LID: 1, STRAW: 1}
WIDE_STRAW_CUP = {CUP_500: 1, LID: 1, WIDE_STRAW: 1}
SIP_CUP = {CUP_500: 1, SIP_LID: 1}


@dataclass(frozen=True, slots=True)
class HouseDrink:
    """A drink as the house makes it: {ingredient's name: quantity in its unit}, and a sentence for the menu."""

    description: str
    takes: Mapping[str, Decimal]

    def scales(self, ingredient: str) -> bool:
        """Whether a larger cup takes more of it: of all that is poured or spooned, but not of the packaging."""
        return UNITS[ingredient] != Unit.PIECE


def drink(description: str, filling: Mapping[str, int], cup: Mapping[str, int]) -> HouseDrink:
    return HouseDrink(description, {name: Decimal(quantity) for name, quantity in {**filling, **cup}.items()})


def house_drink(name: str) -> HouseDrink | None:
    """The drink of this name, whatever the case of its letters; None if the house doesn't know it."""
    return DRINKS_BY_FOLDED_NAME.get(name.casefold())


FLAVORED_TEA = {
    "Assam Black Tea": drink(
        "Malty Assam black tea, shaken with ice.",
        {BLACK_TEA: 300, FRUCTOSE: 25, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Jasmine Green Tea": drink(
        "Green tea scented with jasmine, shaken with ice.",
        {GREEN_TEA: 300, FRUCTOSE: 25, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Plum Green Tea": drink(
        "Jasmine green tea with sweet and sour plum syrup.",
        {GREEN_TEA: 260, PLUM: 30, FRUCTOSE: 15, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Honey Green Tea": drink(
        "Jasmine green tea with honey and a little syrup.",
        {GREEN_TEA: 270, HONEY: 20, FRUCTOSE: 10, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Passion Fruit Green Tea": drink(
        "Jasmine green tea with passion fruit purée, seeds included.",
        {GREEN_TEA: 240, PASSION_FRUIT: 45, FRUCTOSE: 25, ICE: 150},
        THIN_STRAW_CUP,
    ),
}

CHEWY_TEA = {
    "Bubble Black Tea": drink(
        "Assam black tea over chewy tapioca pearls.",
        {BLACK_TEA: 260, PEARLS: 60, FRUCTOSE: 25, ICE: 130},
        WIDE_STRAW_CUP,
    ),
    "Bubble Green Tea": drink(
        "Jasmine green tea over chewy tapioca pearls.",
        {GREEN_TEA: 260, PEARLS: 60, FRUCTOSE: 25, ICE: 130},
        WIDE_STRAW_CUP,
    ),
    "Golden Bubble Milk Tea": drink(
        "Black milk tea over golden tapioca pearls.",
        {BLACK_TEA: 200, CREAMER: 45, GOLDEN_PEARLS: 60, FRUCTOSE: 25, ICE: 130},
        WIDE_STRAW_CUP,
    ),
    "Golden Bubble Green Milk Tea": drink(
        "Jasmine green milk tea over golden tapioca pearls.",
        {GREEN_TEA: 200, CREAMER: 45, GOLDEN_PEARLS: 60, FRUCTOSE: 25, ICE: 130},
        WIDE_STRAW_CUP,
    ),
    "Grass Jelly Milk Tea": drink(
        "Black milk tea with cubes of herbal grass jelly.",
        {BLACK_TEA: 200, CREAMER: 45, GRASS_JELLY: 90, FRUCTOSE: 25, ICE: 110},
        WIDE_STRAW_CUP,
    ),
    "Passion Fruit Aloe Vera": drink(
        "Passion fruit and jasmine green tea with pieces of aloe vera.",
        {GREEN_TEA: 200, PASSION_FRUIT: 45, ALOE_VERA: 80, FRUCTOSE: 25, ICE: 120},
        WIDE_STRAW_CUP,
    ),
}

MILK_TEA = {
    "Milk Tea": drink(
        "Assam black tea with creamer, the classic.",
        {BLACK_TEA: 230, CREAMER: 50, FRUCTOSE: 25, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Green Milk Tea": drink(
        "Jasmine green tea with creamer.",
        {GREEN_TEA: 230, CREAMER: 50, FRUCTOSE: 25, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Honey Milk Tea": drink(
        "Black milk tea with honey and a little syrup.",
        {BLACK_TEA: 220, CREAMER: 50, HONEY: 20, FRUCTOSE: 10, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Hazelnut Milk Tea": drink(
        "Black milk tea with hazelnut syrup.",
        {BLACK_TEA: 220, CREAMER: 50, HAZELNUT: 20, FRUCTOSE: 12, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Caramel Milk Tea": drink(
        "Black milk tea with caramel syrup.",
        {BLACK_TEA: 220, CREAMER: 50, CARAMEL: 20, FRUCTOSE: 12, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Ovaltine": drink(
        "Malted cocoa stirred into cold milk, no tea.",
        {OVALTINE: 35, FRESH_MILK: 200, FRUCTOSE: 15, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Chocolate Milk": drink(
        "Cold milk with chocolate powder that is sweet already, no tea.",
        {CHOCOLATE: 35, FRESH_MILK: 220, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Cacoa Barry": drink(
        "Dark Cacao Barry cocoa in cold milk, no tea.",
        {COCOA: 20, FRESH_MILK: 210, FRUCTOSE: 25, ICE: 150},
        THIN_STRAW_CUP,
    ),
}

TEA_LATTE = {
    "Black Tea Latte": drink(
        "Strong Assam black tea with fresh milk.",
        {BLACK_TEA: 150, FRESH_MILK: 130, FRUCTOSE: 20, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Green Tea Latte": drink(
        "Jasmine green tea with fresh milk.",
        {GREEN_TEA: 150, FRESH_MILK: 130, FRUCTOSE: 20, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Matcha Latte": drink(
        "Stone-ground matcha whisked into fresh milk.",
        {MATCHA: 6, FRESH_MILK: 230, FRUCTOSE: 20, ICE: 150},
        THIN_STRAW_CUP,
    ),
    "Oolong Tea Latte": drink(
        "Roasted oolong tea with fresh milk.",
        {OOLONG_TEA: 150, FRESH_MILK: 130, FRUCTOSE: 20, ICE: 150},
        THIN_STRAW_CUP,
    ),
}

MACCHIATO = {
    "Black Tea Macchiato": drink(
        "Assam black tea under a salted milk foam. Sip it through the lid, without a straw.",
        {BLACK_TEA: 250, MILK_FOAM: 60, FRUCTOSE: 20, ICE: 120},
        SIP_CUP,
    ),
    "Green Tea Macchiato": drink(
        "Jasmine green tea under a salted milk foam. Sip it through the lid, without a straw.",
        {GREEN_TEA: 250, MILK_FOAM: 60, FRUCTOSE: 20, ICE: 120},
        SIP_CUP,
    ),
    "Matcha Macchiato": drink(
        "Matcha with milk under a salted milk foam. Sip it through the lid, without a straw.",
        {MATCHA: 6, FRESH_MILK: 190, MILK_FOAM: 60, FRUCTOSE: 20, ICE: 120},
        SIP_CUP,
    ),
    "Caramel Black Tea Macchiato": drink(
        "Black tea with caramel syrup under a salted milk foam. Sip it through the lid, without a straw.",
        {BLACK_TEA: 240, CARAMEL: 20, MILK_FOAM: 60, FRUCTOSE: 10, ICE: 120},
        SIP_CUP,
    ),
    "Ovaltine Macchiato": drink(
        "Malted cocoa with milk under a salted milk foam. Sip it through the lid, without a straw.",
        {OVALTINE: 30, FRESH_MILK: 180, MILK_FOAM: 60, FRUCTOSE: 12, ICE: 120},
        SIP_CUP,
    ),
    "Cacao Barry Macchiato": drink(
        "Dark Cacao Barry cocoa with milk under a salted milk foam. Sip it through the lid, without a straw.",
        {COCOA: 18, FRESH_MILK: 180, MILK_FOAM: 60, FRUCTOSE: 20, ICE: 120},
        SIP_CUP,
    ),
}

BROWN_SUGAR_SERIES = {
    "Brown Sugar Milk Tea": drink(
        "Black milk tea over tapioca pearls in brown sugar syrup.",
        {BLACK_TEA: 190, CREAMER: 45, PEARLS: 60, BROWN_SUGAR: 35, ICE: 110},
        WIDE_STRAW_CUP,
    ),
    "Brown Sugar Fresh Milk": drink(
        "Fresh milk over tapioca pearls, with stripes of brown sugar syrup. No tea.",
        {FRESH_MILK: 230, PEARLS: 60, BROWN_SUGAR: 40, ICE: 110},
        WIDE_STRAW_CUP,
    ),
    "Brown Sugar Black Tea Latte": drink(
        "Black tea and fresh milk over tapioca pearls in brown sugar syrup.",
        {BLACK_TEA: 120, FRESH_MILK: 120, PEARLS: 60, BROWN_SUGAR: 35, ICE: 110},
        WIDE_STRAW_CUP,
    ),
}

FRESH_MILK_SERIES = {
    "Golden Bubble Fresh Milk": drink(
        "Fresh milk over golden tapioca pearls. No tea.",
        {FRESH_MILK: 230, GOLDEN_PEARLS: 60, FRUCTOSE: 15, ICE: 110},
        WIDE_STRAW_CUP,
    ),
    "Grass Jelly Fresh Milk": drink(
        "Fresh milk with cubes of herbal grass jelly. No tea.",
        {FRESH_MILK: 220, GRASS_JELLY: 90, FRUCTOSE: 15, ICE: 110},
        WIDE_STRAW_CUP,
    ),
    "Coffee Jelly Fresh Milk": drink(
        "Fresh milk with cubes of coffee jelly. No tea.",
        {FRESH_MILK: 220, COFFEE_JELLY: 90, FRUCTOSE: 15, ICE: 110},
        WIDE_STRAW_CUP,
    ),
}

DRINKS = {
    **FLAVORED_TEA,
    **CHEWY_TEA,
    **MILK_TEA,
    **TEA_LATTE,
    **MACCHIATO,
    **BROWN_SUGAR_SERIES,
    **FRESH_MILK_SERIES,
}
DRINKS_BY_FOLDED_NAME = {name.casefold(): made for name, made in DRINKS.items()}
