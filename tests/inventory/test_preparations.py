"""Making an ingredient from others: what goes in, what comes out, what it costs, and taking it back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from foundation.errors import InvalidInput
from inventory.errors import (
    AlreadyCancelled,
    ClosedLocation,
    InsufficientStock,
    UnknownIngredient,
    UnknownPreparation,
    YieldUsed,
)
from inventory.models import Preparation, StockMovement
from inventory.services.expiry import change_lot
from inventory.services.ingredients import change_ingredient
from inventory.services.preparations import cancel_preparation
from tests.inventory.kitchen import (
    assert_in_order,
    cook,
    dated,
    in_hours,
    lot_of,
    makes,
    quantities,
    state,
    tracked,
    value_of,
)
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def pearls(shop):
    """1,000 g of raw pearls at 0.05 and 500 g sugar at 0.02 make 1,500 g of cooked ones, which keep for 8 hours."""
    raw = shop.ingredient("Pearls", stock=5000, unit_cost="0.05")
    sugar = shop.ingredient("Sugar", stock=5000, unit_cost="0.02")
    cooked = tracked(shop.ingredient("Cooked pearls"), shelf_life_hours=8)
    return makes(shop, cooked, 1500, {raw: 1000, sugar: 500})


def named(shop, name):
    return shop.ingredient(name)


def cancel(preparation, **more):
    return cancel_preparation(preparation_id=preparation.pk, cancelled_by_id=None, **more)


def refused(call, kind=InvalidInput, *fields):
    before = state()
    with pytest.raises(kind) as refusal:
        call()
    assert state() == before
    if fields:
        assert set(refusal.value.errors) == set(fields)
    return refusal.value.detail


# --- preparing ------------------------------------------------------------------------------------


def test_ingredients_go_out_and_the_yield_comes_in_with_their_value(shop, pearls):
    made_at = timezone.now()
    made = cook(shop, pearls, at=made_at, comment="morning")

    assert (made.expected_quantity, made.quantity, made.waste) == (1500, 1500, 0)
    assert shop.quantity(named(shop, "Pearls")) == 4000
    assert shop.quantity(named(shop, "Sugar")) == 4500
    assert shop.quantity(pearls) == 1500
    # 1,000 × 0.05 + 500 × 0.02
    assert value_of(shop, pearls) == 60
    lines = StockMovement.objects.filter(document_type="preparation", document_id=str(made.pk)).order_by("id")
    assert [(one.ingredient.name, one.delta, one.value, one.reason, one.comment) for one in lines] == [
        ("Pearls", -1000, -50, "preparation", "morning"),
        ("Sugar", -500, -10, "preparation", "morning"),
        ("Cooked pearls", 1500, 60, "preparation", "morning"),
    ]
    assert lot_of(shop, pearls).expires_at == made.expires_at == made_at + timedelta(hours=8)
    assert_in_order()


def test_what_is_lost_in_making_makes_the_rest_dearer(shop, pearls):
    made = cook(shop, pearls, 2, quantity=Decimal("2400"))
    assert (made.expected_quantity, made.quantity, made.waste) == (3000, 2400, 600)
    assert value_of(shop, pearls) == 120
    assert shop.location.stock_levels.get(ingredient=pearls).average_cost == Decimal("0.05")
    assert_in_order()


def test_a_part_of_a_batch_is_made_to_the_thousandth_of_a_gram(shop, pearls):
    cook(shop, pearls, "0.333")
    assert shop.quantity(named(shop, "Pearls")) == Decimal("4667")
    assert shop.quantity(named(shop, "Sugar")) == Decimal("4833.5")
    assert shop.quantity(pearls) == Decimal("499.5")
    assert_in_order()


def test_the_first_to_expire_goes_in_first_and_what_has_expired_stays(shop):
    milk = dated(shop, "Milk", "ml", {-1: 500, 48: 1000, 2: 300}, unit_cost="0.04")
    cream = makes(shop, shop.ingredient("Cream", "ml"), 400, {milk: 700})

    cook(shop, cream)

    # 500 have expired; of the rest, 300 that expire in two hours and 400 of those that keep for two days.
    assert quantities(shop, milk) == [500, 600]
    assert value_of(shop, cream) == 28
    assert_in_order()


def test_a_date_of_ones_own_counts_instead_of_the_shelf_life(shop, pearls):
    until = in_hours(3)
    assert cook(shop, pearls, expires_at=until).expires_at == until
    assert lot_of(shop, pearls).expires_at == until


def test_what_has_no_expiry_date_has_no_lot(shop):
    tea, water = shop.ingredient("Tea", stock=10), shop.ingredient("Water", "ml", stock=1000)
    brewed = makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 5, water: 1000})
    assert cook(shop, brewed).expires_at is None
    assert brewed.stock_lots.count() == 0
    sentence = refused(lambda: cook(shop, brewed, expires_at=in_hours(1)), InvalidInput, "expires_at")
    assert sentence.startswith("Brewed tea has no expiry date.")


def test_what_nobody_knows_the_cost_of_makes_what_costs_nothing(shop):
    tea = shop.ingredient("Tea", stock=10)
    brewed = makes(shop, shop.ingredient("Brewed tea", "ml", stock=100, unit_cost="0.10"), 900, {tea: 5})
    cook(shop, brewed)
    assert (shop.quantity(brewed), value_of(shop, brewed)) == (1000, 10)
    assert_in_order()


def test_a_preparation_goes_into_the_next_one(shop, pearls):
    syrup = shop.ingredient("Syrup", "ml", stock=100, unit_cost="0.10")
    topping = makes(shop, shop.ingredient("Topping"), 200, {pearls: 150, syrup: 50})
    cook(shop, pearls)
    cook(shop, topping)
    # 150 of 1,500 g worth 60, and 50 ml at 0.10
    assert value_of(shop, topping) == 11
    assert_in_order()


def test_the_number_of_queries_does_not_depend_on_the_lines(shop):
    counts = []
    for number in (2, 40):
        inputs = {shop.ingredient(f"Input {number}-{place}", stock=100): 1 for place in range(number)}
        mix = tracked(makes(shop, shop.ingredient(f"Mix {number}"), 10, inputs), shelf_life_hours=1)
        with CaptureQueriesContext(connection) as preparing:
            made = cook(shop, mix)
        with CaptureQueriesContext(connection) as cancelling:
            cancel(made)
        counts.append((len(preparing), len(cancelling)))
    assert counts[0] == counts[1]
    assert counts[0] <= (15, 15), counts


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("batches", ["0", "-1", "NaN", "Infinity", "1001", "1E+20", "0.0001"])
def test_a_senseless_number_of_batches_is_refused(shop, pearls, batches):
    refused(lambda: cook(shop, pearls, batches), InvalidInput, "batches")


@pytest.mark.parametrize("quantity", ["0", "-5", "NaN", "1E+20", "0.0001"])
def test_a_yield_that_is_none_is_refused(shop, pearls, quantity):
    refused(lambda: cook(shop, pearls, quantity=Decimal(quantity)), InvalidInput, "quantity")


def test_so_small_a_batch_that_nothing_goes_in_is_refused(shop):
    salt = shop.ingredient("Salt", stock=1, unit_cost=1)
    brine = makes(shop, shop.ingredient("Brine", "ml"), 1000, {salt: "0.001"})
    refused(lambda: cook(shop, brine, "0.001"), InvalidInput, "batches")


def test_so_small_a_yield_that_no_ledger_could_hold_its_cost_is_refused(shop):
    gold = shop.ingredient("Gold", stock=1000, unit_cost="900000")
    dust = makes(shop, shop.ingredient("Dust"), 1000, {gold: 1000})
    refused(lambda: cook(shop, dust, quantity=Decimal("0.001")), InvalidInput, "quantity")


def test_too_little_of_an_ingredient_names_all_that_is_missing(shop, pearls):
    before = state()
    with pytest.raises(InsufficientStock) as refusal:
        cook(shop, pearls, 11)
    assert state() == before
    missing = [(one.name, one.needed, one.available) for one in refusal.value.shortages]
    assert missing == [("Pearls", 11000, 5000), ("Sugar", 5500, 5000)]


def test_an_expired_ingredient_is_not_prepared(shop):
    milk = dated(shop, "Milk", "ml", {-1: 500, 2: 100})
    cream = makes(shop, shop.ingredient("Cream", "ml"), 400, {milk: 200})
    sentence = refused(lambda: cook(shop, cream), InsufficientStock)
    assert sentence == "Not enough in stock. Milk: 200 ml needed, 100 there, 500 expired."


def test_a_date_that_is_over_or_far_away_is_refused(shop, pearls):
    refused(lambda: cook(shop, pearls, expires_at=in_hours(-1)), InvalidInput, "expires_at")
    refused(lambda: cook(shop, pearls, expires_at=in_hours(24 * 366 * 11)), InvalidInput, "expires_at")


def test_who_makes_what_has_a_date_says_which(shop):
    tea = shop.ingredient("Tea", stock=10)
    brewed = tracked(makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 5}))
    sentence = refused(lambda: cook(shop, brewed), InvalidInput, "expires_at")
    assert sentence.startswith("Say until when Brewed tea keeps")
    assert cook(shop, brewed, expires_at=in_hours(1)).expires_at == lot_of(shop, brewed).expires_at


def test_what_is_unknown_or_has_no_recipe_is_not_made(shop, pearls):
    before = state()
    with pytest.raises(UnknownIngredient):
        cook(shop, type("Nothing", (), {"pk": 4711})())
    assert state() == before
    sentence = refused(lambda: cook(shop, named(shop, "Sugar")), InvalidInput, "ingredient")
    assert sentence == "There is no recipe for Sugar. Write down what it is made from first."


def test_nothing_is_made_at_a_closed_location(shop, pearls):
    shop.location.is_active = False
    shop.location.save()
    refused(lambda: cook(shop, pearls), ClosedLocation)


# --- taking it back -------------------------------------------------------------------------------


def test_a_cancelled_preparation_leaves_everything_as_it_was(shop):
    milk = dated(shop, "Milk", "ml", {2: 300, 48: 1000}, unit_cost="0.0333")
    sugar = shop.ingredient("Sugar", stock=700, unit_cost="0.017")
    cream = tracked(makes(shop, shop.ingredient("Cream", "ml"), 400, {milk: 700, sugar: 33}), shelf_life_hours=4)
    levels, lots, *_rest = state()
    made = cook(shop, cream)

    cancelled = cancel(made)

    levels_after, lots_after, *_rest = state()
    of_inputs = [level for level in levels_after if level[0] in {row[0] for row in levels}]
    assert of_inputs == levels
    assert lots_after == lots
    assert (shop.quantity(cream), value_of(shop, cream)) == (0, 0)
    assert cancelled.cancelled_at is not None
    lines = StockMovement.objects.filter(document_type="preparation", document_id=str(made.pk)).order_by("id")
    assert [one.delta for one in lines] == [-300, -400, -33, 400, -400, 300, 400, 33]
    assert sum(one.value for one in lines) == 0
    assert_in_order()


def test_where_the_average_has_moved_no_cost_is_created_or_lost(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost=3)
    water = shop.ingredient("Water", "ml", stock=1000, unit_cost="0.1")
    brewed = makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 20, water: 300})
    made = cook(shop, brewed)
    shop.receive({brewed: 900}, unit_cost="0.3")
    worth = sum(value_of(shop, one) for one in (tea, water, brewed))

    cancel(made)

    # The yield was made for 90 and leaves with half of 90 + 270: both ingredients get twice what they gave.
    assert (value_of(shop, tea), value_of(shop, water), value_of(shop, brewed)) == (360, 130, 180)
    assert sum(value_of(shop, one) for one in (tea, water, brewed)) == worth
    assert (shop.quantity(tea), shop.quantity(water), shop.quantity(brewed)) == (100, 1000, 900)
    assert_in_order()


def test_what_went_in_for_nothing_comes_back_for_what_the_yield_takes_along(shop):
    tea = shop.ingredient("Tea", stock=100)
    brewed = makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 20})
    made = cook(shop, brewed)
    shop.receive({brewed: 900}, unit_cost="0.3")
    cancel(made)
    assert (value_of(shop, tea), value_of(shop, brewed)) == (135, 135)
    assert_in_order()


def test_a_yield_that_was_used_is_not_taken_back(shop, pearls):
    made = cook(shop, pearls)
    # A second batch stands beside it: that one is not touched.
    cook(shop, pearls)
    shop.sell(shop.product("Pearls", recipe={pearls: 50}))
    sentence = refused(lambda: cancel(made), YieldUsed)
    assert sentence == (
        "Of the 1500 g Cooked pearls that were made, only 1450 g are left. Write off what is spoiled instead."
    )


def test_without_lots_it_is_the_level_that_must_hold_the_yield(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost=3)
    brewed = makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 20})
    made = cook(shop, brewed)
    shop.sell(shop.product("Tea", recipe={brewed: 200}))
    assert "only 700 ml are left" in refused(lambda: cancel(made), YieldUsed)


def test_cancelling_twice_is_refused(shop, pearls):
    made = cook(shop, pearls)
    cancel(made)
    assert refused(lambda: cancel(made), AlreadyCancelled) == f"Preparation {made.pk} has been cancelled already."


def test_what_is_unknown_or_at_a_closed_location_is_not_cancelled(shop, pearls):
    made = cook(shop, pearls)
    refused(lambda: cancel_preparation(preparation_id=4711, cancelled_by_id=None), UnknownPreparation)
    shop.location.is_active = False
    shop.location.save()
    refused(lambda: cancel(made), ClosedLocation)
    assert Preparation.objects.get().cancelled_at is None


def test_it_is_taken_back_also_after_its_date_was_put_right(shop, pearls):
    made = cook(shop, pearls)
    change_lot(lot_id=lot_of(shop, pearls).pk, changes={"expires_at": in_hours(2)})
    cancel(made)
    assert shop.quantity(pearls) == 0
    assert_in_order()


@pytest.mark.parametrize("switch", [True, False])
def test_it_is_taken_back_also_after_the_dates_were_switched(shop, switch):
    tea = shop.ingredient("Tea", stock=100, unit_cost=3)
    brewed = makes(shop, shop.ingredient("Brewed tea", "ml"), 900, {tea: 20})
    for ingredient in (tea, brewed):
        change_ingredient(ingredient_id=ingredient.pk, changes={"tracks_expiry": not switch, "shelf_life_hours": 8})
    made = cook(shop, brewed)
    for ingredient in (tea, brewed):
        change_ingredient(ingredient_id=ingredient.pk, changes={"tracks_expiry": switch})
    cancel(made)
    assert (shop.quantity(tea), value_of(shop, tea), shop.quantity(brewed)) == (100, 300, 0)
    assert_in_order()
