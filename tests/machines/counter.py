"""What people do at the counter: sell, sell anyway, change, take back, hand over."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, multiple, rule

from inventory.models import Location, Option, Product, RecipeLine
from orders.models import Order
from orders.pricing import OrderLine
from orders.quote_selectors import quote_edit, quote_order
from orders.services.batch import cancel_orders, complete_orders
from orders.services.cancel import cancel_item, cancel_order
from orders.services.edit import edit_order
from orders.services.place import place_order
from orders.services.transitions import complete_order, prepare_order, ready_order
from tests.machines import ledger_model
from tests.machines.stage import Stage, ingredient_index, mostly, orders, place_index
from tests.shop import NOBODY

ACTIVE = ("pending", "preparing", "ready")
VERBS: dict[str, tuple[Callable[..., Order], tuple[str, ...], str]] = {
    "prepare": (prepare_order, ("pending",), "preparing"),
    "ready": (ready_order, ("preparing",), "ready"),
    "complete": (functools.partial(complete_order, allow_unpaid=True), ACTIVE, "completed"),
}

product_index = st.integers(0, 3)
portions = st.sampled_from(["33.333", "0.001", "10", "7.5", "0.667"]).map(Decimal)
rarely = st.sampled_from([False, False, True])
# (product, how many, size or none, with pearls): the first two products have options, the others have none.
cart = st.lists(
    st.tuples(product_index, st.integers(1, 4), st.sampled_from([None, 0, 1]), st.booleans()), min_size=1, max_size=3
)


class Counter(Stage):
    """Four products and their orders."""

    def open_the_counter(self) -> list[int]:
        """The menu, and an order of each place to begin with."""
        tea, milk, pearls, oat_milk, _raw = self.ingredients
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
        self.status: dict[int, str] = {}
        self.left: dict[int, int] = {}
        first = [self.sell(place, [(0, 3, 0, True), (1, 2, None, False)], True) for place in (0, 1)]
        return [order for order in first if isinstance(order, int)]

    def order_lines(self, wanted: Sequence[tuple[int, int, int | None, bool]]) -> list[OrderLine]:
        lines = []
        for product, quantity, size, with_pearls in wanted:
            options = []
            if product < 2:
                options = [self.sizes[size].pk] if size is not None else []
                options += [self.topping.pk] if with_pearls else []
            lines.append(OrderLine(self.products[product].pk, quantity, tuple(options)))
        return lines

    @rule(target=orders, place=place_index, wanted=cart, allowed=mostly, anyway=rarely)
    def place_an_order(self, place: int, wanted: list, allowed: bool, anyway: bool) -> Any:
        return self.sell(place, wanted, allowed, anyway)

    @rule(target=orders, place=place_index, product=product_index, quantity=st.integers(1, 3))
    def place_a_simple_order(self, place: int, product: int, quantity: int) -> Any:
        return self.sell(place, [(product, quantity, None, False)], True)

    def sell(self, place: int, wanted: list, allowed: bool, anyway: bool = False) -> Any:
        location, lines = self.places[place], self.order_lines(wanted)
        quote = quote_order(location=location, lines=lines, allow_below_minimum=allowed, sell_anyway=anyway)
        order = self.attempt(
            lambda: place_order(
                location=location, lines=lines, actor=NOBODY, allow_below_minimum=allowed, sell_anyway=anyway
            ),
            succeeds=quote.is_available,
        )
        if order is None:
            return multiple()
        assert order.total == quote.price.total
        self.are_corrected(order, quote.corrections)
        self.status[order.pk] = "pending"
        self.left[order.pk] = sum(line.quantity for line in lines)
        return order.pk

    def are_corrected(self, order: Order, corrections: Sequence[Any]) -> None:
        """What the quote said would be corrected is what this step corrected, no more and no less."""
        written = {
            line.ingredient: line.delta
            for line in ledger_model.lines_after(self.books.newest())
            if line.reason == "correction" and line.document_id == str(order.pk)
        }
        assert written == {one.ingredient_id: one.needed - one.available for one in corrections}

    @rule(order=orders, wanted=cart, allowed=mostly, anyway=rarely)
    def edit(self, order: int, wanted: list, allowed: bool, anyway: bool) -> None:
        self.edit_to(order, self.order_lines(wanted), allowed, anyway)

    @rule(order=orders, line=st.integers(0, 2), quantity=st.integers(1, 4), anyway=rarely)
    def edit_a_quantity(self, order: int, line: int, quantity: int, anyway: bool) -> None:
        """The same drinks, but more or fewer of one of them."""
        items = [item for item in Order.objects.get(pk=order).items.all() if item.remaining]
        lines = [
            OrderLine(item.product_id, item.remaining, tuple(option["id"] for option in item.options)) for item in items
        ]
        if lines:
            lines[line % len(lines)] = dataclasses.replace(lines[line % len(lines)], quantity=quantity)
            self.edit_to(order, lines, True, anyway)

    def edit_to(self, order: int, lines: list[OrderLine], allowed: bool, anyway: bool) -> None:
        quote = quote_edit(
            order=Order.objects.get(pk=order), lines=lines, allow_below_minimum=allowed, sell_anyway=anyway
        )
        edited = self.attempt(
            lambda: edit_order(
                order_id=order, lines=lines, actor=NOBODY, allow_below_minimum=allowed, sell_anyway=anyway
            ),
            succeeds=self.status[order] == "pending" and quote.is_available,
        )
        if edited is not None:
            assert edited.total == quote.price.total
            self.are_corrected(edited, quote.corrections)
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
            results = complete_orders(order_ids=chosen, actor=NOBODY, allow_unpaid=True)
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
    def every_order_adds_up(self) -> None:
        assert ledger_model.rows(ledger_model.WRONG_ORDERS) == []
        self.statuses_are(Order.objects.values_list("pk", "status"), self.status.items())

    @invariant()
    def a_cancelled_order_holds_nothing_any_more(self) -> None:
        assert ledger_model.rows(ledger_model.STILL_HELD) == []
        assert ledger_model.rows(ledger_model.WRONG_RETURNS) == []
