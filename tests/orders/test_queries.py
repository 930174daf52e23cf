"""How many queries the services take: as many for fifty lines as for one, as many for a thousand orders as for ten.

A query more for every line is how a shop becomes slow without anybody noticing.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Option, Product
from orders.models import Order
from orders.pricing import OrderLine
from orders.services.batch import cancel_orders, complete_orders
from orders.services.cancel import cancel_item, cancel_order
from orders.services.edit import edit_order
from orders.services.place import place_order
from orders.services.transitions import complete_order
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db

PLACE = 8  # promotions, menu 3, order, items, event, ledger
TRANSITION = 3  # lock, order, event


class Menu:
    """Fifty drinks, each with a recipe of its own and the same two groups of options."""

    def __init__(self) -> None:
        self.shop = Shop.open()
        milk, cup = self.shop.ingredient("Milk", stock=10**6), self.shop.ingredient("Cup", "pc", stock=10**6)
        size, toppings = self.shop.group("Size", least=1), self.shop.group("Toppings", most=3)
        self.large: Option = self.shop.scales(self.shop.option(size, "Large", "15"), "1.5")
        pearls = self.shop.ingredient("Pearls", stock=10**6)
        self.pearls: Option = self.shop.adds(self.shop.option(toppings, "Pearls", "10"), pearls, 40)
        self.drinks: list[Product] = []
        for number in range(50):
            tea = self.shop.ingredient(f"Tea {number:02}", stock=10**6)
            self.drinks.append(
                self.shop.product(
                    f"Drink {number:02}", "60", {tea: 5, milk: 200, cup: 1}, scales=[milk], groups=[size, toppings]
                )
            )

    def lines(self, number: int, quantity: int = 1) -> list[OrderLine]:
        return [OrderLine(drink.pk, quantity, (self.large.pk, self.pearls.pk)) for drink in self.drinks[:number]]

    def order(self, number: int = 1, quantity: int = 1) -> Order:
        return place_order(location=self.shop.location, lines=self.lines(number, quantity), actor=NOBODY)


@pytest.fixture
def menu() -> Menu:
    return Menu()


def queries(call: Callable[..., Any], **arguments: Any) -> int:
    """The number of statements of a service, the savepoint of the test's own transaction not counted."""
    with CaptureQueriesContext(connection) as captured:
        call(**arguments)
    return sum(not one["sql"].startswith(("SAVEPOINT", "RELEASE")) for one in captured)


@pytest.mark.parametrize("lines", [1, 2, 20, 50])
def test_placing_an_order_takes_eight_queries_for_one_line_and_for_fifty(menu, lines):
    assert queries(menu.order, number=lines) == PLACE <= 12


def test_placing_an_order_of_200_lines_takes_no_more(menu):
    lines = menu.lines(50) * 4
    assert queries(place_order, location=menu.shop.location, lines=lines, actor=NOBODY) == PLACE


@pytest.mark.parametrize("lines", [1, 50])
def test_levels_that_fall_below_their_minimum_cost_two_more_however_many_do(menu, lines):
    for number in range(50):
        menu.shop.ingredient(f"Tea {number:02}", minimum=10**6)
    assert queries(menu.order, number=lines) == PLACE + 2 <= 12


@pytest.mark.parametrize("lines", [1, 50])
def test_a_transition_takes_three_queries(menu, lines):
    order = menu.order(lines)
    assert queries(complete_order, order_id=order.pk, actor=NOBODY, allow_unpaid=True) == TRANSITION


@pytest.mark.parametrize("restock", [True, False])
@pytest.mark.parametrize("lines", [1, 50])
def test_a_cancellation_takes_eight_queries(menu, lines, restock):
    order = menu.order(lines)
    assert queries(cancel_order, order_id=order.pk, actor=NOBODY, restock=restock) == 8


@pytest.mark.parametrize("lines", [1, 50])
def test_a_cancellation_of_a_part_takes_eight_queries(menu, lines):
    order = menu.order(lines, quantity=2)
    item = order.items.all()[0]
    assert queries(cancel_item, order_id=order.pk, item_id=item.pk, quantity=1, actor=NOBODY) == 8


def test_an_edit_takes_the_same_number_for_one_line_and_for_fifty(menu):
    def more(number: int) -> int:
        order = menu.order(number, quantity=2)
        return queries(edit_order, order_id=order.pk, lines=menu.lines(number, quantity=3), actor=NOBODY)

    def other(number: int) -> int:
        """Half the lines go, as many new ones come, the rest shrinks."""
        order = menu.order(number, quantity=2)
        kept, new = menu.lines(number)[: number // 2], [OrderLine(d.pk, 1, (menu.large.pk,)) for d in menu.drinks]
        return queries(edit_order, order_id=order.pk, lines=kept + new[: number // 2], actor=NOBODY)

    assert more(1) == more(50) == 12
    assert other(2) == other(50) == 16


@pytest.mark.parametrize("number", [1, 100])
def test_a_batch_of_completions_takes_three_queries(menu, number):
    ids = [menu.order().pk for _ in range(number)]
    assert queries(complete_orders, order_ids=ids, actor=NOBODY, allow_unpaid=True) == 3


def test_a_batch_of_a_thousand_completions_takes_no_more(menu):
    order = menu.order()
    Order.objects.bulk_create([Order(location=menu.shop.location) for _ in range(999)])
    ids = list(Order.objects.order_by("pk").values_list("pk", flat=True))
    assert ids[0] == order.pk
    assert len(ids) == 1000
    assert queries(complete_orders, order_ids=ids, actor=NOBODY, allow_unpaid=True) == 3 <= 20
    assert Order.objects.filter(status="completed").count() == 1000


@pytest.mark.parametrize(("number", "lines"), [(1, 1), (10, 1), (100, 5)])
def test_a_batch_of_cancellations_takes_the_same_number_for_one_and_for_many(menu, number, lines):
    ids = [menu.order(lines).pk for _ in range(number)]
    assert queries(cancel_orders, order_ids=ids, actor=NOBODY) == 8
