"""Several people prepare, cancel and throw away at the same moment: what there is is used once."""

from threading import Barrier

import pytest

from inventory.models import Preparation, PreparationRecipe, StockMovement
from inventory.services import preparations
from inventory.services.expiry import change_lot, write_off_lot
from inventory.services.ingredients import change_ingredient
from inventory.services.preparations import cancel_preparation
from tests.inventory.kitchen import assert_in_order, cook, dated, in_hours, lot_of, makes, quantities, tracked
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 16


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def cancel(preparation: Preparation) -> Preparation:
    return cancel_preparation(preparation_id=preparation.pk, cancelled_by_id=None)


def test_of_many_cancellations_of_one_preparation_one_acts(shop):
    tea = shop.ingredient("Tea", stock=100)
    brewed = makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 20})
    made = cook(shop, brewed)
    cook(shop, brewed)

    outcomes = at_once([lambda: cancel(made)] * CROWD)

    assert kinds(outcomes) == {"AlreadyCancelled": CROWD - 1, "Preparation": 1}
    assert (shop.quantity(tea), shop.quantity(brewed)) == (80, 900)
    assert_in_order()


def test_without_the_lock_two_cancellations_take_the_batch_beside_it_along(shop, monkeypatch):
    """Counterproof: the preparation is only read, and both have read it before either writes."""
    tea = shop.ingredient("Tea", stock=100)
    brewed = makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 20})
    made = cook(shop, brewed)
    cook(shop, brewed)
    both_have_read = Barrier(2)

    def read_preparation(preparation_id: int) -> Preparation:
        preparation = Preparation.objects.select_related("ingredient", "location").get(pk=preparation_id)
        both_have_read.wait(PATIENCE)
        return preparation

    monkeypatch.setattr(preparations, "lock_preparation", read_preparation)

    assert kinds(at_once([lambda: cancel(made)] * 2)) == {"Preparation": 2}
    assert (shop.quantity(tea), shop.quantity(brewed)) == (100, 0)


def test_of_many_who_prepare_with_the_last_of_it_as_many_succeed_as_it_lasts_for(shop):
    tea, water = shop.ingredient("Tea", stock=50), shop.ingredient("Water", "ml", stock=100_000)
    brewed = tracked(makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 20, water: 1000}), shelf_life_hours=4)

    outcomes = at_once([lambda: cook(shop, brewed)] * CROWD)

    assert kinds(outcomes) == {"InsufficientStock": CROWD - 2, "Preparation": 2}
    assert (shop.quantity(tea), shop.quantity(water), shop.quantity(brewed)) == (10, 98_000, 1800)
    assert Preparation.objects.count() == 2
    assert_in_order()


def test_who_prepares_sells_and_cancels_crosswise_does_not_wait_in_a_circle(shop):
    """The yield has the smaller id here and the larger one there: locks are taken by id, not as the recipe says."""
    first, middle, last = (
        tracked(shop.ingredient(name, stock=10_000), shelf_life_hours=4) for name in ("First", "Middle", "Last")
    )
    makes(shop, first, 10, {middle: 10})
    makes(shop, last, 10, {middle: 10})
    mixed = shop.product("Mixed", recipe={last: 5, first: 5, middle: 5})
    made = [cook(shop, one) for one in (first, last) for _ in range(4)]

    outcomes = at_once(
        [
            *[lambda one=one: cook(shop, one) for one in (first, last) for _ in range(4)],
            *[lambda one=one: cancel(one) for one in made],
            *[lambda: shop.sell(mixed) for _ in range(8)],
        ]
    )

    assert kinds(outcomes) == {"Order": 8, "Preparation": 16}
    assert_in_order()


def test_of_two_recipes_that_need_each_other_one_is_written(shop):
    for number in range(5):
        first, second = shop.ingredient(f"First {number}"), shop.ingredient(f"Second {number}")
        outcomes = at_once(
            [
                lambda first=first, second=second: makes(shop, first, 1, {second: 1}),
                lambda first=first, second=second: makes(shop, second, 1, {first: 1}),
            ]
        )
        assert kinds(outcomes) == {"Ingredient": 1, "InvalidInput": 1}
    assert PreparationRecipe.objects.count() == 5


def test_of_many_who_throw_a_lot_away_one_does(shop):
    milk = dated(shop, "Milk", "ml", {-1: 300, 24: 1000})
    lot = milk.stock_lots.get(quantity=300)
    outcomes = at_once([lambda: write_off_lot(lot_id=lot.pk, created_by_id=None)] * CROWD)
    assert kinds(outcomes) == {"EmptyLot": CROWD - 1, "StockDocument": 1}
    assert quantities(shop, milk) == [1000]
    assert_in_order()


def test_a_lot_whose_date_is_changed_while_it_is_sold_from_loses_nothing(shop):
    milk = dated(shop, "Milk", "ml", {2: 500, 24: 500})
    latte = shop.product("Latte", recipe={milk: 10})
    lots = list(milk.stock_lots.filter(quantity__gt=0))
    outcomes = at_once(
        [
            *[lambda: shop.sell(latte) for _ in range(12)],
            *[
                lambda lot=lot, hours=hours: change_lot(lot_id=lot.pk, changes={"expires_at": in_hours(hours)})
                for lot in lots
                for hours in (30, 50)
            ],
        ]
    )
    assert kinds(outcomes) == {"Order": 12, "StockLot": 4}
    assert shop.quantity(milk) == 880
    assert_in_order()


def test_dates_switched_on_and_off_while_people_sell_leave_lots_and_levels_in_agreement(shop):
    milk = shop.ingredient("Milk", "ml", stock=1000)
    latte = shop.product("Latte", recipe={milk: 10})
    for switch in (True, False, True):
        outcomes = at_once(
            [
                *[lambda: shop.sell(latte) for _ in range(8)],
                lambda switch=switch: change_ingredient(ingredient_id=milk.pk, changes={"tracks_expiry": switch}),
            ]
        )
        assert kinds(outcomes) == {"Ingredient": 1, "Order": 8}
        assert_in_order()
    assert shop.quantity(milk) == 760
    assert lot_of(shop, milk).quantity == 760
    assert StockMovement.objects.filter(reason="sale").count() == 24
