"""Many people sell and receive at the same moment: nothing is sold twice and nothing is lost.

Each of the two main tests is followed by its counterproof: the same crowd with the guard taken out, made to
meet between the check and the write, oversells. So the test sees the fault that it is there to prevent.
"""

from collections.abc import Sequence
from decimal import Decimal
from threading import Barrier

import pytest
from django.db.models import F, Sum
from django.db.utils import IntegrityError

from foundation.errors import Refusal
from inventory.errors import InsufficientStock, Unavailable
from inventory.models import Ingredient, StockLevel, StockMovement
from inventory.services.ledger import Movement
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, transfer_stock
from orders.models import Order, OrderItem
from orders.services import deduction
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)

BUYERS, PORTIONS = 64, 20


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def sum_of_ledger(shop: Shop, ingredient: Ingredient) -> Decimal:
    movements = StockMovement.objects.filter(location=shop.location, ingredient=ingredient)
    return movements.aggregate(sum=Sum("delta"))["sum"]


def test_64_buyers_of_the_last_20_portions_get_exactly_20(shop):
    milk = shop.ingredient("Milk", "ml", stock=PORTIONS * 250)
    latte = shop.product("Latte", recipe={milk: 250})

    outcomes = at_once([lambda: shop.sell(latte)] * BUYERS)

    refusals = [one for one in outcomes if isinstance(one, Refusal)]
    assert len(refusals) == BUYERS - PORTIONS
    assert all(isinstance(one, InsufficientStock | Unavailable) for one in refusals)
    assert sum(isinstance(one, Order) for one in outcomes) == PORTIONS
    assert Order.objects.count() == OrderItem.objects.count() == PORTIONS
    assert shop.quantity(milk) == sum_of_ledger(shop, milk) == 0
    assert len([reason for reason, _delta in shop.ledger(milk) if reason == "sale"]) == PORTIONS


def naively(*, write: str, everybody_has_read: Barrier):
    """A `post_movements` as it is often written: read the levels, check them in Python, write them back.

    The barrier stands between the check and the write, so that all buyers have seen the same level.
    """

    def post_movements(*, movements: Sequence[Movement], document_type: str, **_more: object) -> None:
        quantities = dict(StockLevel.objects.values_list("ingredient_id", "quantity"))
        for line in movements:
            if quantities[line.ingredient_id] + line.delta < 0:
                raise InsufficientStock([])
        everybody_has_read.wait(PATIENCE)
        for line in movements:
            level = StockLevel.objects.filter(location_id=line.location_id, ingredient_id=line.ingredient_id)
            if write == "the sum that was computed":
                level.update(quantity=quantities[line.ingredient_id] + line.delta)
            else:
                level.update(quantity=F("quantity") + line.delta)
            StockMovement.objects.create(
                location_id=line.location_id,
                ingredient_id=line.ingredient_id,
                delta=line.delta,
                reason=line.reason,
                unit_cost=0,
                value=0,
                document_type=document_type,
                document_id=line.document_id,
            )

    return post_movements


def test_without_the_one_statement_the_same_buyers_get_64_portions(shop, monkeypatch):
    """Counterproof: reading, checking and writing back sells 20 portions 64 times, and the level, which each
    overwrites with its own sum, says that 19 are left."""
    milk = shop.ingredient("Milk", "ml", stock=PORTIONS * 250)
    latte = shop.product("Latte", recipe={milk: 250})
    naive = naively(write="the sum that was computed", everybody_has_read=Barrier(BUYERS))
    monkeypatch.setattr(deduction, "post_movements", naive)

    outcomes = at_once([lambda: shop.sell(latte)] * BUYERS)

    sold = sum(isinstance(one, Order) for one in outcomes)
    assert sold == BUYERS > PORTIONS
    assert shop.quantity(milk) == 19 * 250
    assert sum_of_ledger(shop, milk) == (PORTIONS - BUYERS) * 250


def test_even_then_the_database_itself_does_not_let_a_level_fall_below_zero(shop, monkeypatch):
    """Counterproof of the second guard: with relative writes the CHECK constraint stops the 44 too many, as a
    failure, not as a refusal."""
    milk = shop.ingredient("Milk", "ml", stock=PORTIONS * 250)
    latte = shop.product("Latte", recipe={milk: 250})
    naive = naively(write="the difference", everybody_has_read=Barrier(BUYERS))
    monkeypatch.setattr(deduction, "post_movements", naive)

    outcomes = at_once([lambda: shop.sell(latte)] * BUYERS)

    assert kinds(outcomes) == {"IntegrityError": BUYERS - PORTIONS, "Order": PORTIONS}
    assert all("stock_quantity_not_negative" in str(one) for one in outcomes if isinstance(one, IntegrityError))
    assert shop.quantity(milk) == 0


def test_the_minimum_holds_under_a_crowd(shop):
    """One portion takes the level below its minimum: the second buyer finds the drink unavailable."""
    milk = shop.ingredient("Milk", "ml", stock=1000, minimum=1000)
    latte = shop.product("Latte", recipe={milk: 1})
    assert kinds(at_once([lambda: shop.sell(latte)] * 16)) == {"Order": 1, "Unavailable": 15}
    assert shop.quantity(milk) == 999


def test_drinks_that_name_their_ingredients_in_opposite_order_do_not_lock_each_other_out(shop):
    ingredients = [shop.ingredient(f"Ingredient {number}", stock=1000) for number in range(6)]
    there = shop.product("There", recipe=dict.fromkeys(ingredients, 1))
    back = shop.product("Back", recipe=dict.fromkeys(reversed(ingredients), 1))

    outcomes = at_once([lambda: shop.sell(there), lambda: shop.sell(back)] * 16)

    assert kinds(outcomes) == {"Order": 32}
    assert [shop.quantity(one) for one in ingredients] == [968] * 6
    assert_levels_are_what_the_ledger_sums_to()


def test_transfers_both_ways_and_sales_at_once_lose_nothing(shop):
    harbour = Shop.open("Harbour")
    ingredients = [shop.ingredient(f"Ingredient {number}", stock=1000) for number in range(4)]
    harbour.receive(dict.fromkeys(ingredients, 1000))
    drink = shop.product("Drink", recipe=dict.fromkeys(ingredients, 3))

    def carry(source: Shop, destination: Shop, order: list[Ingredient]) -> None:
        transfer_stock(
            source=source.location,
            destination=destination.location,
            lines=[StockLine(one.pk, Decimal("7.5")) for one in order],
            created_by_id=None,
        )

    rounds = 8
    outcomes = at_once(
        [
            call
            for _ in range(rounds)
            for call in (
                lambda: carry(shop, harbour, ingredients),
                lambda: carry(harbour, shop, ingredients[::-1]),
                lambda: shop.sell(drink),
                lambda: harbour.sell(drink),
            )
        ]
    )

    assert kinds(outcomes) == {"NoneType": 2 * rounds, "Order": 2 * rounds}
    assert [(shop.quantity(one), harbour.quantity(one)) for one in ingredients] == [(976, 976)] * 4
    assert_levels_are_what_the_ledger_sums_to()


def test_transfers_into_levels_that_do_not_exist_yet_do_not_lock_each_other_out(shop):
    """Each location has what the other lacks, and both carry it over at the same moment."""
    harbour = Shop.open("Harbour")
    here = [shop.ingredient(f"Here {number}", stock=100) for number in range(3)]
    there = [harbour.ingredient(f"There {number}", stock=100) for number in range(3)]

    def carry(source: Shop, destination: Shop, what: list[Ingredient]) -> None:
        transfer_stock(
            source=source.location,
            destination=destination.location,
            lines=[StockLine(one.pk, Decimal(10)) for one in what],
            created_by_id=None,
        )

    outcomes = at_once([lambda: carry(shop, harbour, here), lambda: carry(harbour, shop, there[::-1])] * 4)

    assert kinds(outcomes) == {"NoneType": 8}
    assert [(shop.quantity(one), harbour.quantity(one)) for one in here] == [(60, 40)] * 3
    assert [(shop.quantity(one), harbour.quantity(one)) for one in there] == [(40, 60)] * 3
    assert_levels_are_what_the_ledger_sums_to()


def test_eight_receipts_into_a_level_that_does_not_exist_yet_add_up(shop):
    tea, milk = shop.ingredient("Tea"), shop.ingredient("Milk")
    assert not StockLevel.objects.exists()

    def receive(order: tuple[Ingredient, ...]) -> None:
        lines = [StockLine(one.pk, Decimal("5.001")) for one in order]
        receive_stock(location=shop.location, lines=lines, created_by_id=None)

    outcomes = at_once([lambda: receive((tea, milk)), lambda: receive((milk, tea))] * 4)

    assert kinds(outcomes) == {"NoneType": 8}
    assert StockLevel.objects.count() == 2
    assert (shop.quantity(tea), shop.quantity(milk)) == (Decimal("40.008"), Decimal("40.008"))
    assert_levels_are_what_the_ledger_sums_to()


def test_receipts_at_different_costs_move_the_average_as_if_one_came_after_the_other(shop):
    tea = shop.ingredient("Tea", stock=10, unit_cost=0)

    def receive(cost: int) -> None:
        receive_stock(location=shop.location, lines=[StockLine(tea.pk, Decimal(10), Decimal(cost))], created_by_id=None)

    at_once([lambda cost=cost: receive(cost) for cost in range(1, 16)])

    level = StockLevel.objects.get()
    assert level.quantity == 160
    assert abs(level.average_cost - Decimal("7.5")) < Decimal("0.0001")  # each step rounds to six decimals


def test_receipts_and_sales_at_once_end_in_what_they_sum_to(shop):
    milk = shop.ingredient("Milk", stock=16)
    latte = shop.product("Latte", recipe={milk: 1})
    at_once([lambda: shop.sell(latte), lambda: shop.receive({milk: 2})] * 16)
    assert shop.quantity(milk) == 16 - 16 + 32
    assert_levels_are_what_the_ledger_sums_to()
