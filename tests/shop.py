"""A small shop for tests: what each test needs of it, in a line.

tea_bar = Shop.open()
milk = tea_bar.ingredient("Milk", "ml", stock=1000)
latte = tea_bar.product("Latte", "70.00", {milk: 200})
order = tea_bar.sell(latte, 2)
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group

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
    StockLevel,
    StockMovement,
)
from inventory.selectors import levels_that_differ_from_the_ledger
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock
from orders.models import Order, OrderEvent, Payment
from orders.pricing import OrderLine
from orders.services.actor import Actor
from orders.services.cancel import cancel_item, cancel_order
from orders.services.edit import edit_order
from orders.services.payments import take_payment
from orders.services.place import place_order
from users.models import User

NOBODY = Actor(None, OrderEvent.Door.COMMAND)


@dataclass
class Shop:
    """One location with a category; further ones are made with `Shop.open(name)`."""

    location: Location
    category: Category
    actor: Actor = field(default=NOBODY)

    @classmethod
    def open(cls, name: str = "Main Street", **fields: Any) -> "Shop":
        location = Location.objects.create(name=name, **fields)
        category, _ = Category.objects.get_or_create(name="Tea")
        return cls(location, category)

    def ingredient(
        self, name: str, unit: str = "g", *, stock: Any = 0, minimum: Any = 0, unit_cost: Any = None
    ) -> Ingredient:
        """An ingredient with its level at this location, received through the ledger."""
        ingredient, _ = Ingredient.objects.get_or_create(name=name, defaults={"unit": unit})
        if Decimal(stock):
            self.receive({ingredient: stock}, unit_cost=unit_cost)
        if Decimal(minimum):
            StockLevel.objects.update_or_create(
                location=self.location, ingredient=ingredient, defaults={"minimum": Decimal(minimum)}
            )
        return ingredient

    def receive(self, quantities: dict[Ingredient, Any], unit_cost: Any = None) -> None:
        receive_stock(
            location=self.location,
            lines=[
                StockLine(one.pk, Decimal(quantity), None if unit_cost is None else Decimal(unit_cost))
                for one, quantity in quantities.items()
            ],
            created_by_id=None,
        )

    def product(
        self,
        name: str,
        price: Any = "60.00",
        recipe: dict[Ingredient, Any] | None = None,
        *,
        scales: Iterable[Ingredient] = (),
        groups: Iterable[OptionGroup] = (),
        is_listed: bool = True,
    ) -> Product:
        """A product whose recipe is {ingredient: quantity of one portion}."""
        product = Product.objects.create(category=self.category, name=name, price=Decimal(price), is_listed=is_listed)
        scaled = set(scales)
        for ingredient, quantity in (recipe or {}).items():
            RecipeLine.objects.create(
                product=product, ingredient=ingredient, quantity=Decimal(quantity), scales=ingredient in scaled
            )
        for position, group in enumerate(groups):
            ProductOptionGroup.objects.create(product=product, group=group, position=position)
        return product

    def group(self, name: str, *, least: int = 0, most: int = 1, free: int = 0) -> OptionGroup:
        return OptionGroup.objects.create(name=name, min_choices=least, max_choices=most, free_choices=free)

    def option(self, group: OptionGroup, name: str, price_delta: Any = 0, **fields: Any) -> Option:
        return Option.objects.create(group=group, name=name, price_delta=Decimal(price_delta), **fields)

    def replaces(self, option: Option, ingredient: Ingredient, replacement: Ingredient) -> Option:
        OptionEffect.objects.create(
            option=option, kind=OptionEffect.Kind.REPLACE, ingredient=ingredient, replacement=replacement
        )
        return option

    def scales(self, option: Option, factor: Any, ingredient: Ingredient | None = None) -> Option:
        OptionEffect.objects.create(
            option=option, kind=OptionEffect.Kind.SCALE, ingredient=ingredient, factor=Decimal(factor)
        )
        return option

    def adds(self, option: Option, ingredient: Ingredient, quantity: Any) -> Option:
        OptionEffect.objects.create(
            option=option, kind=OptionEffect.Kind.ADD, ingredient=ingredient, quantity=Decimal(quantity)
        )
        return option

    def sell(self, product: Product, quantity: int = 1, options: Iterable[Option] = (), **more: Any) -> Order:
        """Places an order of one line."""
        line = OrderLine(product.pk, quantity, tuple(option.pk for option in options))
        return place_order(location=self.location, lines=[line], actor=self.actor, **more)

    def place(self, *lines: OrderLine, **more: Any) -> Order:
        return place_order(location=self.location, lines=lines, actor=self.actor, **more)

    def edit(self, order: Order, *lines: OrderLine, **more: Any) -> Order:
        return edit_order(order_id=order.pk, lines=lines, actor=self.actor, **more)

    def cancel(self, order: Order, **more: Any) -> Order:
        return cancel_order(order_id=order.pk, actor=self.actor, **more)

    def cancel_part(self, order: Order, quantity: int, **more: Any) -> Order:
        """Cancels so many of the order's first line."""
        item = order.items.order_by("pk")[0]
        return cancel_item(order_id=order.pk, item_id=item.pk, quantity=quantity, actor=self.actor, **more)

    def pay(self, order: Order, method: str = "card") -> Payment:
        """All that is due for the order."""
        return take_payment(
            order_id=order.pk, method=method, amount=Order.objects.get(pk=order.pk).due, actor=self.actor
        )

    def quantity(self, ingredient: Ingredient) -> Decimal:
        """What the level says, 0 if there is none."""
        level = StockLevel.objects.filter(location=self.location, ingredient=ingredient).first()
        return level.quantity if level else Decimal(0)

    def ledger(self, ingredient: Ingredient) -> list[tuple[str, Decimal]]:
        """The ingredient's movements at this location, oldest first: (reason, delta)."""
        return list(
            StockMovement.objects.filter(location=self.location, ingredient=ingredient)
            .order_by("id")
            .values_list("reason", "delta")
        )


def assert_levels_are_what_the_ledger_sums_to() -> None:
    assert levels_that_differ_from_the_ledger() == []


def user_of(role: str, email: str | None = None) -> User:
    """A user with a role, as the shop's roles stand after `migrate`."""
    user = User.objects.create_user(
        email or f"{role}@shop.example", "correct horse battery", is_staff=role != "customer"
    )
    user.groups.set([Group.objects.get(name=role)])
    return user
