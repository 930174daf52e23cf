"""How the demo shop buys: packs, their prices in baht, how many stand on the shelf, and what counts as low."""

from dataclasses import dataclass
from decimal import Decimal

from inventory import house_recipes as house


@dataclass(frozen=True, slots=True)
class Supply:
    """An ingredient as it is bought: packs of `pack` base units at `price` each. A delivery fills the shelf up
    to `packs` of them once it is half empty; below `minimum` base units it is low. Half a shelf less the minimum
    outlasts the busiest day that the guests' plan can make up."""

    pack: int
    price: int
    packs: int
    minimum: int

    @property
    def unit_cost(self) -> Decimal:
        """Money per base unit, to the six decimals that the ledger keeps."""
        return (Decimal(self.price) / self.pack).quantize(Decimal("0.000001"))


SUPPLIES = {
    # Tea is brewed in a kitchen for both shops and comes in barrels.
    house.BLACK_TEA: Supply(5000, 60, packs=7, minimum=3000),
    house.GREEN_TEA: Supply(5000, 65, packs=5, minimum=2000),
    house.OOLONG_TEA: Supply(2000, 36, packs=3, minimum=600),
    house.FRESH_MILK: Supply(2000, 92, packs=14, minimum=3000),
    house.OAT_MILK: Supply(1000, 75, packs=12, minimum=1000),
    house.CREAMER: Supply(1000, 58, packs=8, minimum=1000),
    house.MATCHA: Supply(500, 620, packs=2, minimum=100),
    house.COCOA: Supply(1000, 420, packs=2, minimum=150),
    house.CHOCOLATE: Supply(1000, 190, packs=2, minimum=200),
    house.OVALTINE: Supply(800, 215, packs=3, minimum=200),
    house.MILK_FOAM: Supply(1000, 160, packs=6, minimum=600),
    house.FRUCTOSE: Supply(5000, 230, packs=3, minimum=1000),
    house.BROWN_SUGAR: Supply(2500, 240, packs=3, minimum=500),
    house.HONEY: Supply(1000, 260, packs=2, minimum=150),
    house.PLUM: Supply(1000, 185, packs=2, minimum=200),
    house.PASSION_FRUIT: Supply(1000, 170, packs=4, minimum=300),
    house.HAZELNUT: Supply(1000, 340, packs=2, minimum=150),
    house.CARAMEL: Supply(1000, 320, packs=2, minimum=150),
    house.PEARLS: Supply(3000, 150, packs=4, minimum=1000),
    house.GOLDEN_PEARLS: Supply(3000, 170, packs=3, minimum=1000),
    house.GRASS_JELLY: Supply(2000, 90, packs=3, minimum=500),
    house.COFFEE_JELLY: Supply(2000, 120, packs=2, minimum=400),
    house.COCONUT_JELLY: Supply(2000, 110, packs=2, minimum=400),
    house.ALOE_VERA: Supply(2000, 130, packs=2, minimum=400),
    house.PUDDING: Supply(1000, 95, packs=4, minimum=350),
    house.ICE: Supply(10_000, 40, packs=4, minimum=5000),
    house.CUP_500: Supply(50, 95, packs=8, minimum=50),
    house.CUP_700: Supply(50, 120, packs=8, minimum=50),
    house.LID: Supply(100, 90, packs=8, minimum=100),
    house.SIP_LID: Supply(50, 75, packs=4, minimum=30),
    house.STRAW: Supply(200, 60, packs=4, minimum=100),
    house.WIDE_STRAW: Supply(200, 110, packs=4, minimum=100),
}
