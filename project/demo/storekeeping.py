"""What the demo shop's store room knows beside its stock: who delivers what in which pack, what stands on which shelf,
what keeps until when, how pearls are cooked, and what has been ordered for tomorrow."""

import datetime
from collections.abc import Mapping
from decimal import Decimal

from foundation.decimals import plain
from foundation.services.records import add_record
from inventory import house_recipes as house
from inventory.models import Ingredient, Location, Supplier, SupplierPack
from inventory.services.ingredients import change_ingredient
from inventory.services.lines import StockLine
from inventory.services.preparation_recipes import PreparationEntry, add_preparation_recipe
from inventory.services.purchasing import OrderedLine, draft_purchase_order, order_purchase_order
from inventory.services.shelves import add_shelf
from inventory.services.stock import receive_stock
from inventory.services.suppliers import PackEntry, add_supplier
from inventory.units import nicest
from project.demo.storeroom import SUPPLIES

TEA = (house.BLACK_TEA, house.GREEN_TEA, house.OOLONG_TEA, house.MATCHA)
DAIRY = (house.FRESH_MILK, house.OAT_MILK, house.CREAMER, house.MILK_FOAM, house.PUDDING)
SYRUPS = (
    house.FRUCTOSE,
    house.BROWN_SUGAR,
    house.HONEY,
    house.PLUM,
    house.PASSION_FRUIT,
    house.HAZELNUT,
    house.CARAMEL,
    house.COCOA,
    house.CHOCOLATE,
    house.OVALTINE,
)
TOPPINGS = (
    house.PEARLS,
    house.GOLDEN_PEARLS,
    house.GRASS_JELLY,
    house.COFFEE_JELLY,
    house.COCONUT_JELLY,
    house.ALOE_VERA,
)
PAPER = (house.CUP_500, house.CUP_700, house.LID, house.SIP_LID, house.STRAW, house.WIDE_STRAW)

# Names that nobody has; the numbers are of the kind that is never given out.
SUPPLIERS = {
    "Doi Tung Tea House": (TEA, "+66 2 000 0101"),
    "Chao Phraya Dairy": (DAIRY, "+66 2 000 0102"),
    "Sukhumvit Syrups": (SYRUPS, "+66 2 000 0103"),
    "Pearl & Jelly Kitchen": (TOPPINGS, "+66 2 000 0104"),
    "Bangrak Paper": (PAPER, "+66 2 000 0105"),
    "Polar Ice": ((house.ICE,), "+66 2 000 0106"),
}
SHELVES = {
    "Fridge": (*DAIRY, *TOPPINGS),
    "Tea station": TEA,
    "Syrup rack": SYRUPS,
    "Cups and lids": PAPER,
    "Ice chest": (house.ICE,),
}
MILK_KEEPS = datetime.timedelta(days=10)
DRY_PEARLS = "Tapioca pearls, dry"
COOKED_FROM_A_KILO = Decimal(2200)
# Nobody lifts a bottle of five litres.
SMALLEST_BARREL = 5000


def know_suppliers() -> dict[str, Supplier]:
    """Writes the suppliers with their packs, and that fresh milk keeps ten days; before anything is delivered."""
    known = {one.name: one for one in Ingredient.objects.all()}
    change_ingredient(
        ingredient_id=known[house.FRESH_MILK].pk,
        changes={"tracks_expiry": True, "shelf_life_hours": MILK_KEEPS // datetime.timedelta(hours=1)},
    )
    return {
        name: add_supplier(
            fields={"name": name, "phone": phone},
            packs=[
                PackEntry(
                    ingredient_id=known[ingredient].pk,
                    name=pack_name(SUPPLIES[ingredient].pack, known[ingredient].unit),
                    quantity=Decimal(SUPPLIES[ingredient].pack),
                    price=Decimal(SUPPLIES[ingredient].price),
                    is_preferred=True,
                )
                for ingredient in ingredients
                if ingredient in known
            ],
        )
        for name, (ingredients, phone) in SUPPLIERS.items()
    }


def pack_name(content: int, base_unit: str) -> str:
    """What a supplier calls a pack of so many base units: bag of 1 kg, bottle of 1 l, sleeve of 50."""
    if base_unit == Ingredient.Unit.PIECE:
        return f"sleeve of {content}"
    amount = nicest(Decimal(content), base_unit)
    container = "bag" if base_unit == Ingredient.Unit.GRAM else "bottle" if content < SMALLEST_BARREL else "barrel"
    return f"{container} of {plain(amount.quantity)} {amount.unit.code}"


def arrange_shelves(location: Location) -> None:
    """Puts every ingredient of the location on its shelf."""
    ids = dict(Ingredient.objects.values_list("name", "pk"))
    for name, ingredients in SHELVES.items():
        add_shelf(location=location, name=name, ingredient_ids=[ids[one] for one in ingredients if one in ids])


def look_ahead(location: Location, *, suppliers: Mapping[str, Supplier], user_id: int, now: datetime.datetime) -> None:
    """After the week: dry pearls to cook, an order that comes tomorrow, and one that is still a draft."""
    pearls = Ingredient.objects.get(name=house.PEARLS)
    dry = add_record(record=Ingredient(name=DRY_PEARLS, unit=Ingredient.Unit.GRAM))
    add_preparation_recipe(
        ingredient_id=pearls.pk,
        yield_quantity=COOKED_FROM_A_KILO,
        lines=[PreparationEntry(dry.pk, Decimal(1000))],
        instructions="Boil for 25 minutes, leave to rest for 25, rinse, and keep in brown sugar.",
    )
    receive_stock(
        location=location,
        lines=[StockLine(dry.pk, Decimal(6000), value=Decimal(540))],
        comment="To cook ourselves",
        created_by_id=user_id,
        at=now,
    )
    syrups, toppings = suppliers["Sukhumvit Syrups"], suppliers["Pearl & Jelly Kitchen"]
    tomorrow = location.today(now) + datetime.timedelta(days=1)
    order = draft_purchase_order(
        supplier=syrups,
        location=location,
        lines=[OrderedLine(pack_of(syrups, house.HAZELNUT).pk, Decimal(2))],
        expected_on=tomorrow,
        comment="Two bottles broke",
        created_by_id=user_id,
        at=now,
    )
    order_purchase_order(order_id=order.pk, at=now)
    draft_purchase_order(
        supplier=toppings,
        location=location,
        lines=[OrderedLine(pack_of(toppings, house.COCONUT_JELLY).pk, Decimal(1))],
        created_by_id=user_id,
        at=now,
    )


def pack_of(supplier: Supplier, ingredient: str) -> SupplierPack:
    return SupplierPack.objects.get(supplier=supplier, ingredient__name=ingredient)
