"""A machine that does at random what people do in a shop, and looks after every step whether it is still right.

Every example is a shop of its own, in a savepoint that is rolled back. What is expected is kept beside it in a
few plain dictionaries. When a step breaks a rule, hypothesis finds the shortest story that does.
"""

import dataclasses
import os
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from foundation.errors import Refusal
from inventory.models import Location, Option, Product, RecipeLine, StockLevel
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, set_minimum, transfer_stock, write_off_stock
from orders.models import Order
from orders.pricing import OrderLine
from orders.selectors import quote_edit, quote_order
from orders.services.batch import cancel_orders, complete_orders
from orders.services.cancel import cancel_item, cancel_order
from orders.services.edit import edit_order
from orders.services.place import place_order
from orders.services.transitions import complete_order, prepare_order, ready_order
from tests.machines import ledger_model
from tests.shop import NOBODY, Shop

ACTIVE = ("pending", "preparing", "ready")
VERBS: dict[str, tuple[Callable[..., Order], tuple[str, ...], str]] = {
    "prepare": (prepare_order, ("pending",), "preparing"),
    "ready": (ready_order, ("preparing",), "ready"),
    "complete": (complete_order, ACTIVE, "completed"),
}
FIRST_STOCK = Decimal("250.5")
MOST_COST = 9

place_index = st.integers(0, 1)
ingredient_index = st.integers(0, 3)
product_index = st.integers(0, 3)
thousandths = st.integers(1, 30_000).map(lambda number: Decimal(number) / 1000)
mostly = st.sampled_from([True, True, True, False])
portions = st.sampled_from(["33.333", "0.001", "10", "7.5", "0.667"]).map(Decimal)
# (product, how many, size or none, with pearls): the first two products have options, the others have none.
cart = st.lists(
    st.tuples(product_index, st.integers(1, 4), st.sampled_from([None, 0, 1]), st.booleans()), min_size=1, max_size=3
)
some_stock = st.dictionaries(ingredient_index, thousandths, min_size=1, max_size=3)


class ShopMachine(RuleBasedStateMachine):
    """Two locations, four ingredients, four products, and whatever comes of them."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize(target=orders)
    def open(self) -> Any:
        self.shop = Shop.open()
        self.places = [self.shop.location, Shop.open("Harbour").location]
        self.ingredients = [self.shop.ingredient(name) for name in ("Tea", "Milk", "Pearls", "Oat milk")]
        tea, milk, pearls, oat_milk = self.ingredients
        size, toppings = self.shop.group("Size"), self.shop.group("Toppings", free=1)
        self.sizes = [
            self.shop.scales(self.shop.option(size, "Large", "15"), "1.5"),
            self.shop.replaces(self.shop.option(size, "Oat", "-70"), milk, oat_milk),
        ]
        self.topping = self.shop.adds(self.shop.option(toppings, "Pearls", "9.99"), pearls, "0.333")
        groups = [size, toppings]
        self.products = [
            self.shop.product("Milk tea", "60", {tea: "10", milk: "33.333"}, scales=[milk], groups=groups),
            self.shop.product("Tea", "45.50", {tea: "7.5"}, scales=[tea], groups=groups),
            self.shop.product("Pearls", "10", {pearls: "0.001", tea: "0.001"}),
            self.shop.product("Gift card", "100"),
        ]
        for place, cost in ((0, 2), (1, 5)):
            receive_stock(
                location=self.places[place],
                lines=self.stock_lines(dict.fromkeys(range(4), FIRST_STOCK), cost),
                created_by_id=None,
            )
        # What stock documents brought and took; the rest of a level is the orders' doing.
        self.brought = {
            (place.pk, ingredient.pk): FIRST_STOCK for place in self.places for ingredient in self.ingredients
        }
        self.status: dict[int, str] = {}
        self.left: dict[int, int] = {}
        return multiple(*(self.sell(place, [(0, 3, 0, True), (1, 2, None, False)], True) for place in (0, 1)))

    # --- asking -----------------------------------------------------------------------------------

    def lines(self, wanted: Sequence[tuple[int, int, int | None, bool]]) -> list[OrderLine]:
        lines = []
        for product, quantity, size, with_pearls in wanted:
            options = []
            if product < 2:
                options = [self.sizes[size].pk] if size is not None else []
                options += [self.topping.pk] if with_pearls else []
            lines.append(OrderLine(self.products[product].pk, quantity, tuple(options)))
        return lines

    def attempt(self, call: Callable[[], Any], *, succeeds: bool) -> Any:
        """Does something that is expected to succeed or to be refused; a refusal changes nothing."""
        before = ledger_model.fingerprint()
        if succeeds:
            return call()
        with pytest.raises(Refusal):
            call()
        assert ledger_model.fingerprint() == before, "a refusal changed something"
        return None

    def bring(self, place: int, quantities: dict[int, Decimal], sign: int) -> None:
        for ingredient, quantity in quantities.items():
            key = (self.places[place].pk, self.ingredients[ingredient].pk)
            self.brought[key] += sign * quantity

    def stock_lines(self, quantities: dict[int, Decimal], cost: int | None = None) -> list[StockLine]:
        return [
            StockLine(self.ingredients[one].pk, quantity, None if cost is None else Decimal(cost))
            for one, quantity in quantities.items()
        ]

    def has(self, place: int, quantities: dict[int, Decimal]) -> bool:
        there = dict(StockLevel.objects.filter(location=self.places[place]).values_list("ingredient_id", "quantity"))
        return all(there.get(self.ingredients[one].pk, 0) >= quantity for one, quantity in quantities.items())

    # --- selling ----------------------------------------------------------------------------------

    @rule(target=orders, place=place_index, wanted=cart, allowed=mostly)
    def place_an_order(self, place: int, wanted: list, allowed: bool) -> Any:
        return self.sell(place, wanted, allowed)

    def sell(self, place: int, wanted: list, allowed: bool) -> Any:
        location, lines = self.places[place], self.lines(wanted)
        quote = quote_order(location=location, lines=lines, allow_below_minimum=allowed)
        order = self.attempt(
            lambda: place_order(location=location, lines=lines, actor=NOBODY, allow_below_minimum=allowed),
            succeeds=quote.is_available,
        )
        if order is None:
            return multiple()
        assert order.total == quote.price.total
        self.status[order.pk] = "pending"
        self.left[order.pk] = sum(line.quantity for line in lines)
        return order.pk

    @rule(target=orders, place=place_index, product=product_index, quantity=st.integers(1, 3))
    def place_a_simple_order(self, place: int, product: int, quantity: int) -> Any:
        return self.sell(place, [(product, quantity, None, False)], True)

    @rule(order=orders, wanted=cart, allowed=mostly)
    def edit(self, order: int, wanted: list, allowed: bool) -> None:
        lines = self.lines(wanted)
        self.edit_to(order, lines, allowed)

    @rule(order=orders, line=st.integers(0, 2), quantity=st.integers(1, 4))
    def edit_a_quantity(self, order: int, line: int, quantity: int) -> None:
        """The same drinks, but more or fewer of one of them."""
        items = [item for item in Order.objects.get(pk=order).items.all() if item.remaining]
        lines = [
            OrderLine(item.product_id, item.remaining, tuple(option["id"] for option in item.options)) for item in items
        ]
        if lines:
            lines[line % len(lines)] = dataclasses.replace(lines[line % len(lines)], quantity=quantity)
            self.edit_to(order, lines, True)

    def edit_to(self, order: int, lines: list[OrderLine], allowed: bool) -> None:
        quote = quote_edit(order=Order.objects.get(pk=order), lines=lines, allow_below_minimum=allowed)
        edited = self.attempt(
            lambda: edit_order(order_id=order, lines=lines, actor=NOBODY, allow_below_minimum=allowed),
            succeeds=self.status[order] == "pending" and quote.is_available,
        )
        if edited is not None:
            assert edited.total == quote.price.total
            self.left[order] = sum(line.quantity for line in lines)

    @rule(order=orders, line=st.integers(0, 2), quantity=st.integers(0, 4), restock=st.booleans())
    def cancel_a_part(self, order: int, line: int, quantity: int, restock: bool) -> None:
        self.take_back(order, line, quantity, restock)

    @rule(order=orders, line=st.integers(0, 2), restock=st.booleans())
    def cancel_one(self, order: int, line: int, restock: bool) -> None:
        """Most parts that people cancel are one drink: this way several of one line come up."""
        self.take_back(order, line, 1, restock)

    def take_back(self, order: int, line: int, quantity: int, restock: bool) -> None:
        items = list(Order.objects.get(pk=order).items.all())
        item = items[line % len(items)]
        done = self.attempt(
            lambda: cancel_item(order_id=order, item_id=item.pk, quantity=quantity, actor=NOBODY, restock=restock),
            succeeds=self.status[order] in ACTIVE and 1 <= quantity <= item.remaining,
        )
        if done is not None:
            self.left[order] -= quantity
            if not self.left[order]:
                self.status[order] = "cancelled"

    @rule(order=orders, restock=st.booleans())
    def cancel(self, order: int, restock: bool) -> None:
        self.attempt(
            lambda: cancel_order(order_id=order, actor=NOBODY, restock=restock),
            succeeds=self.status[order] in ACTIVE,
        )
        self.is_cancelled(order)

    @rule(order=orders, verb=st.sampled_from(sorted(VERBS)))
    def advance(self, order: int, verb: str) -> None:
        service, sources, target = VERBS[verb]
        may = self.status[order] in sources
        self.attempt(lambda: service(order_id=order, actor=NOBODY), succeeds=may)
        if may:
            self.status[order] = target

    @rule(chosen=st.lists(orders, min_size=1, max_size=4), cancels=st.booleans(), restock=st.booleans())
    def batch(self, chosen: list[int], cancels: bool, restock: bool) -> None:
        if cancels:
            results = cancel_orders(order_ids=chosen, actor=NOBODY, restock=restock)
        else:
            results = complete_orders(order_ids=chosen, actor=NOBODY)
        assert {result.order_id: result.refusal is None for result in results} == {
            order: self.status[order] in ACTIVE for order in chosen
        }
        for order in chosen:
            if cancels:
                self.is_cancelled(order)
            elif self.status[order] in ACTIVE:
                self.status[order] = "completed"

    def is_cancelled(self, order: int) -> None:
        if self.status[order] in ACTIVE:
            self.status[order], self.left[order] = "cancelled", 0

    # --- the store room ---------------------------------------------------------------------------

    @rule(place=place_index, quantities=some_stock, cost=st.none() | st.integers(0, MOST_COST))
    def receive(self, place: int, quantities: dict[int, Decimal], cost: int | None) -> None:
        location, lines = self.places[place], self.stock_lines(quantities, cost)
        done = self.attempt(
            lambda: receive_stock(location=location, lines=lines, created_by_id=None), succeeds=location.is_active
        )
        if done:
            self.bring(place, quantities, 1)

    @rule(place=place_index, quantities=some_stock)
    def write_off(self, place: int, quantities: dict[int, Decimal]) -> None:
        location, lines = self.places[place], self.stock_lines(quantities)
        done = self.attempt(
            lambda: write_off_stock(location=location, lines=lines, reason="spoilage", created_by_id=None),
            succeeds=location.is_active and self.has(place, quantities),
        )
        if done:
            self.bring(place, quantities, -1)

    @rule(source=place_index, destination=place_index, quantities=some_stock)
    def transfer(self, source: int, destination: int, quantities: dict[int, Decimal]) -> None:
        both = [self.places[source], self.places[destination]]
        done = self.attempt(
            lambda: transfer_stock(
                source=both[0], destination=both[1], lines=self.stock_lines(quantities), created_by_id=None
            ),
            succeeds=source != destination and all(one.is_active for one in both) and self.has(source, quantities),
        )
        if done:
            self.bring(source, quantities, -1)
            self.bring(destination, quantities, 1)

    @rule(place=place_index, ingredient=ingredient_index, minimum=st.sampled_from(["0", "0.001", "10", "50"]))
    def change_a_minimum(self, place: int, ingredient: int, minimum: str) -> None:
        level = StockLevel.objects.filter(location=self.places[place], ingredient=self.ingredients[ingredient]).first()
        if level is not None:
            set_minimum(level_id=level.pk, minimum=Decimal(minimum))

    # --- the catalogue ----------------------------------------------------------------------------

    @rule(
        what=st.sampled_from(["recipe", "recipe", "price", "list", "pearls", "open"]),
        place=place_index,
        product=product_index,
        ingredient=ingredient_index,
        quantity=st.none() | portions,
        price=st.sampled_from(["0", "0.01", "59.90", "120"]),
        switch=mostly,
    )
    def change_the_catalogue(
        self,
        what: str,
        place: int,
        product: int,
        ingredient: int,
        quantity: Decimal | None,
        price: str,
        switch: bool,
    ) -> None:
        """One rule and not five, so that selling and taking back come up often enough."""
        changed = Product.objects.filter(pk=self.products[product].pk)
        line = {"product": self.products[product], "ingredient": self.ingredients[ingredient]}
        match what:
            case "recipe" if quantity is None:
                RecipeLine.objects.filter(**line).delete()
            case "recipe":
                RecipeLine.objects.update_or_create(**line, defaults={"quantity": quantity})
            case "price":
                changed.update(price=Decimal(price))
            case "list":
                changed.update(is_listed=switch)
            case "pearls":
                Option.objects.filter(pk=self.topping.pk).update(is_available=switch)
            case "open":
                self.places[place].is_active = switch
                Location.objects.filter(pk=self.places[place].pk).update(is_active=switch)

    # --- what must hold after every step ----------------------------------------------------------

    @invariant()
    def every_level_is_what_its_ledger_sums_to_and_not_below_zero(self) -> None:
        levels = ledger_model.levels()
        for key, (quantity, average_cost, ledger, moved_by_orders) in levels.items():
            assert quantity == ledger >= 0
            assert quantity == self.brought[key] + moved_by_orders
            assert 0 <= average_cost <= MOST_COST + Decimal("0.01")
        assert self.brought.keys() == levels.keys()

    @invariant()
    def every_order_adds_up(self) -> None:
        assert ledger_model.wrong_orders() == []
        assert dict(Order.objects.values_list("pk", "status")) == self.status

    @invariant()
    def a_cancelled_order_holds_nothing_any_more(self) -> None:
        assert ledger_model.still_held_by_cancelled_orders() == []

    @invariant()
    def what_is_low_is_told_and_what_is_not_is_not(self) -> None:
        assert ledger_model.subjects_of_open_alerts() == ledger_model.subjects_of_low_levels()

    @invariant()
    def every_key_points_to_something(self) -> None:
        """Foreign keys are checked at COMMIT, which an example never reaches."""
        connection.check_constraints()


@pytest.mark.django_db
def test_whatever_people_do_the_shop_adds_up():
    run_state_machine_as_test(
        ShopMachine,
        settings=settings(
            max_examples=int(os.environ.get("SHOP_MACHINE_EXAMPLES", "60")),
            stateful_step_count=40,
            deadline=None,
            print_blob=True,
            database=InMemoryExampleDatabase(),
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
