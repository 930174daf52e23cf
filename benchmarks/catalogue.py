"""The shop that is measured: 200 drinks with recipes of five ingredients and three groups of options."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from inventory.models import (
    Category,
    Ingredient,
    Location,
    Option,
    OptionEffect,
    OptionGroup,
    Product,
    ProductOptionGroup,
    RecipeLine,
)
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock
from orders.pricing import OrderLine

DRINKS = 200
# So much that no run sells it out.
PLENTY = Decimal(50_000_000)


@dataclass(frozen=True)
class Menu:
    """The ids of what can be ordered."""

    location: Location
    product_ids: list[int]
    size_ids: list[int]
    sweetness_ids: list[int]
    topping_ids: list[int]

    def lines(self, number: int, chance: random.Random) -> list[OrderLine]:
        """An order of so many different drinks: each with a size, a sweetness, and up to two toppings."""
        return [
            OrderLine(
                product_id,
                chance.randint(1, 3),
                (
                    chance.choice(self.size_ids),
                    chance.choice(self.sweetness_ids),
                    *chance.sample(self.topping_ids, chance.randint(0, 2)),
                ),
            )
            for product_id in chance.sample(self.product_ids, number)
        ]

    def orders(self, number: int, *, lines: int) -> list[list[OrderLine]]:
        """The same orders in every run."""
        chance = random.Random(lines)
        return [self.lines(lines, chance) for _ in range(number)]


def open_shop() -> Menu:
    """Fills the empty database."""
    location = Location.objects.create(name="Bench", time_zone="Asia/Bangkok")
    names = ["Milk", "Oat milk", "Syrup", "Cup", "Large cup", "Lid", "Straw", *(f"Tea {n}" for n in range(20))]
    toppings = ["Pearls", "Grass jelly", "Coconut jelly", "Aloe", "Pudding", "Red bean"]
    ingredients = {
        one.name: one
        for one in Ingredient.objects.bulk_create([Ingredient(name=name, unit="g") for name in names + toppings])
    }
    receive_stock(
        location=location,
        lines=[StockLine(one.pk, PLENTY, Decimal("0.02")) for one in ingredients.values()],
        created_by_id=None,
    )
    sizes = add_group("Size", ["Small", "Regular", "Large"], least=1)
    for option, factor in zip(sizes, ("0.8", "1", "1.4"), strict=True):
        OptionEffect.objects.create(option=option, kind="scale", factor=Decimal(factor))
    OptionEffect.objects.create(
        option=sizes[-1], kind="replace", ingredient=ingredients["Cup"], replacement=ingredients["Large cup"]
    )
    sweetness = add_group("Sweetness", ["0 %", "25 %", "50 %", "75 %", "100 %"], least=1)
    for option, factor in zip(sweetness, ("0", "0.25", "0.5", "0.75", "1"), strict=True):
        OptionEffect.objects.create(
            option=option, kind="scale", ingredient=ingredients["Syrup"], factor=Decimal(factor)
        )
    extras = add_group("Toppings", toppings, most=3)
    for option in extras:
        OptionEffect.objects.create(
            option=option, kind="add", ingredient=ingredients[option.name], quantity=Decimal("40.5")
        )
    products = add_drinks(ingredients)
    ProductOptionGroup.objects.bulk_create(
        [
            ProductOptionGroup(product=product, group_id=group_id, position=position)
            for product in products
            for position, group_id in enumerate((sizes[0].group_id, sweetness[0].group_id, extras[0].group_id))
        ]
    )
    return Menu(
        location,
        [one.pk for one in products],
        *([option.pk for option in options] for options in (sizes, sweetness, extras)),
    )


def add_group(name: str, names: Sequence[str], *, least: int = 0, most: int = 1) -> list[Option]:
    group = OptionGroup.objects.create(name=name, min_choices=least, max_choices=most)
    return Option.objects.bulk_create(
        [
            Option(group=group, name=one, price_delta=5 * position, position=position)
            for position, one in enumerate(names)
        ]
    )


def add_drinks(ingredients: dict[str, Ingredient]) -> list[Product]:
    category = Category.objects.create(name="Drinks")
    products = Product.objects.bulk_create(
        [Product(category=category, name=f"Drink {number}", price=50 + number) for number in range(DRINKS)]
    )
    RecipeLine.objects.bulk_create(
        [
            RecipeLine(product=product, ingredient=ingredients[name], quantity=Decimal(quantity), scales=scales)
            for number, product in enumerate(products)
            for name, quantity, scales in (
                (f"Tea {number % 20}", "7.5", True),
                ("Milk", "120", True),
                ("Syrup", "20", False),
                ("Cup", "1", False),
                ("Lid", "1", False),
            )
        ]
    )
    return products
