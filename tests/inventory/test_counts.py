"""Counting the shelves: the list, what is noted, handing over, giving back and throwing away."""

import datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from foundation.errors import InvalidInput
from inventory.errors import (
    AlreadyBeingCounted,
    ClosedLocation,
    NotAllCounted,
    NothingCounted,
    NothingToCount,
    UnknownCount,
    UnknownIngredient,
    UnknownShelf,
    WrongStatus,
)
from inventory.models import Ingredient, Location, StockCount, StockLevel, StockMovement
from inventory.services.counts import (
    MOST_LINES,
    cancel_count,
    count_lines,
    post_count,
    reopen_count,
    start_count,
    submit_count,
)
from inventory.services.shelves import add_shelf
from tests.inventory.counting import everything, figures, line_of, note, reviewed, start
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def milk(shop: Shop) -> Ingredient:
    return shop.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")


@pytest.fixture
def tea(shop: Shop) -> Ingredient:
    return shop.ingredient("Tea", "g", stock=500, unit_cost="0.40")


# --- the list -----------------------------------------------------------------------------------------


def test_a_count_of_everything_lists_what_the_location_has_a_level_of(shop, milk, tea):
    empty = shop.ingredient("Sugar", minimum=100)
    elsewhere = Shop.open("Harbour").ingredient("Rum", stock=5)

    count = start(shop)

    assert [line.ingredient for line in count.lines.all()] == [milk, empty, tea]
    assert elsewhere not in [line.ingredient for line in count.lines.all()]
    assert (count.status, count.shelf, count.closed_at) == ("counting", None, None)


def test_a_count_of_everything_goes_shelf_by_shelf(shop, milk, tea):
    sugar, pearls = shop.ingredient("Sugar", stock=1), shop.ingredient("Pearls", stock=1)
    add_shelf(location=shop.location, name="Upper", ingredient_ids=[tea.pk])
    add_shelf(location=shop.location, name="Fridge", ingredient_ids=[sugar.pk, milk.pk])

    assert [line.ingredient for line in start(shop).lines.all()] == [tea, milk, sugar, pearls]


def test_a_shelf_is_counted_alone(shop, milk, tea):
    fridge = add_shelf(location=shop.location, name="Fridge", ingredient_ids=[milk.pk])

    count = start_count(location=shop.location, shelf_id=fridge.pk, created_by_id=None)

    assert [line.ingredient for line in count.lines.all()] == [milk]
    assert count.shelf == fridge


def test_the_list_is_fixed_when_the_count_begins(shop, milk):
    count = start(shop)
    shop.ingredient("Sugar", stock=5)

    assert [line.ingredient for line in count.lines.all()] == [milk]


def test_an_ingredient_that_is_named_twice_is_counted_once_and_in_the_order_of_the_list(shop, milk, tea):
    count = start_count(location=shop.location, ingredient_ids=[tea.pk, milk.pk, tea.pk], created_by_id=None)

    assert [line.ingredient for line in count.lines.all()] == [tea, milk]


def test_an_empty_count_is_not_begun(shop):
    shelf = add_shelf(location=shop.location, name="Fridge")
    before = everything()
    for asked, field in (({"ingredient_ids": []}, "ingredients"), ({"shelf_id": shelf.pk}, "shelf"), ({}, "location")):
        with pytest.raises(NothingToCount) as refusal:
            start_count(location=shop.location, created_by_id=None, **asked)
        assert set(refusal.value.errors) == {field}
    assert everything() == before


def test_a_count_names_things_that_exist(shop, milk):
    shelf = add_shelf(location=Shop.open("Harbour").location, name="Fridge")
    before = everything()
    with pytest.raises(UnknownIngredient) as refusal:
        start_count(location=shop.location, ingredient_ids=[milk.pk, 999_999], created_by_id=None)
    assert set(refusal.value.errors) == {"ingredients[1]"}
    with pytest.raises(UnknownShelf):
        start_count(location=shop.location, shelf_id=shelf.pk, created_by_id=None)
    with pytest.raises(InvalidInput):
        start_count(location=shop.location, shelf_id=shelf.pk, ingredient_ids=[milk.pk], created_by_id=None)
    assert everything() == before


def test_a_list_that_nobody_counts_in_one_go_is_refused(shop):
    ids = [one.pk for one in Ingredient.objects.bulk_create(Ingredient(name=f"I {n}", unit="g") for n in range(901))]
    with pytest.raises(InvalidInput) as refusal:
        start_count(location=shop.location, ingredient_ids=ids, created_by_id=None)
    assert str(MOST_LINES) in refusal.value.detail
    assert not StockCount.objects.exists()


def test_a_closed_location_is_not_counted(shop, milk):
    Location.objects.update(is_active=False)
    with pytest.raises(ClosedLocation):
        start(shop, milk)
    assert not StockCount.objects.exists()


def test_an_ingredient_stands_in_one_open_count_of_a_location_only(shop, milk, tea):
    first = start(shop, milk)
    before = everything()

    with pytest.raises(AlreadyBeingCounted) as refusal:
        start(shop, tea, milk)

    assert refusal.value.extra == {"counts": [first.pk], "ingredients": [{"ingredient": milk.pk, "name": "Milk"}]}
    assert everything() == before
    start(shop, tea)
    harbour = Shop.open("Harbour")
    start(harbour, milk)
    cancel_count(count_id=first.pk)
    start(shop, milk)


def test_a_count_in_review_is_still_open(shop, milk):
    count = reviewed(shop, {milk: 900})
    with pytest.raises(AlreadyBeingCounted):
        start(shop, milk)
    post_count(count_id=count.pk, posted_by_id=None)
    start(shop, milk)


# --- counting -----------------------------------------------------------------------------------------


def test_what_is_counted_stands_beside_what_the_level_says_at_that_moment(shop, milk, tea):
    anna = user_of("barista")
    count = start(shop, milk, tea)
    before = timezone.now()

    note(count, {milk: "987.5"}, counted_by_id=anna.pk)

    line = line_of(count, milk)
    assert (line.counted_quantity, line.expected_quantity) == (Decimal("987.5"), 1000)
    assert line.last_movement_id == StockMovement.objects.get(ingredient=milk).pk
    assert line.counted_by == anna
    assert before <= line.counted_at <= timezone.now()
    assert figures(count, tea) == (None, None)
    assert shop.quantity(milk) == 1000


def test_what_was_never_in_stock_is_expected_to_be_nothing(shop):
    rum = shop.ingredient("Rum", "ml")
    count = start(shop, rum)

    note(count, {rum: 0})

    assert figures(count, rum) == (0, 0)
    assert line_of(count, rum).last_movement_id == 0
    assert not StockLevel.objects.exists()


def test_who_counts_again_starts_from_what_the_level_says_now(shop, milk):
    count = start(shop, milk)
    note(count, {milk: 990})
    shop.sell(shop.product("Latte", recipe={milk: 200}))
    assert figures(count, milk) == (990, 1000)

    note(count, {milk: 790})

    assert figures(count, milk) == (790, 800)


def test_what_was_noted_can_be_taken_back(shop, milk):
    count = start(shop, milk)
    note(count, {milk: 990})

    note(count, {milk: None})

    line = line_of(count, milk)
    assert (line.counted_quantity, line.expected_quantity, line.last_movement_id, line.counted_at) == (None,) * 4


def test_what_waited_for_a_connection_is_compared_with_what_was_there_when_it_was_counted(shop, milk):
    """Counted, then two lattes sold, then the phone finds the network again."""
    count = start(shop, milk)
    counted_at = timezone.now()
    shop.sell(shop.product("Latte", recipe={milk: 200}), 2)

    note(count, {milk: 990}, at=counted_at)

    line = line_of(count, milk)
    assert (line.counted_quantity, line.expected_quantity) == (990, 1000)
    assert line.counted_at == counted_at
    submit_count(count_id=count.pk)
    post_count(count_id=count.pk, posted_by_id=None)
    assert shop.quantity(milk) == 990 - 400


def test_what_waited_does_not_replace_what_somebody_counted_after_it(shop, milk, tea):
    count = start(shop, milk, tea)
    waited_since = timezone.now()
    note(count, {milk: 980})

    note(count, {milk: 990, tea: 400}, at=waited_since)

    assert (figures(count, milk), figures(count, tea)) == ((980, 1000), (400, 500))


def test_a_moment_that_makes_no_sense_means_the_nearest_that_does(shop, milk):
    count = start(shop, milk)
    note(count, {milk: 1}, at=timezone.now() + datetime.timedelta(days=1))
    assert line_of(count, milk).counted_at <= timezone.now()
    assert figures(count, milk) == (1, 1000)
    note(count, {milk: None})
    note(count, {milk: 1}, at=timezone.now() - datetime.timedelta(days=1))
    assert line_of(count, milk).counted_at == count.created_at
    assert figures(count, milk) == (1, 1000)


@pytest.mark.parametrize("quantity", ["-1", "-0.001", "NaN", "sNaN", "Infinity", "100000000", "1E+30", "0.0001"])
def test_what_nobody_can_have_counted_is_refused_at_its_line(shop, milk, tea, quantity):
    count = start(shop, milk, tea)
    before = everything()

    with pytest.raises(InvalidInput) as refusal:
        note(count, {milk: 5, tea: quantity})

    assert set(refusal.value.errors) == {"lines[1].counted"}
    assert everything() == before


def test_only_what_stands_on_the_list_is_counted(shop, milk, tea):
    count = start(shop, milk)
    before = everything()
    with pytest.raises(UnknownIngredient) as refusal:
        note(count, {milk: 5, tea: 5})
    assert set(refusal.value.errors) == {"lines[1].ingredient"}
    with pytest.raises(InvalidInput):
        note(count, {})
    assert everything() == before


def test_nobody_counts_in_a_count_that_is_not_being_counted(shop, milk):
    count = reviewed(shop, {milk: 900})
    before = everything()
    with pytest.raises(WrongStatus) as refusal:
        note(count, {milk: 5})
    assert refusal.value.extra == {"status": "review"}
    assert everything() == before

    post_count(count_id=count.pk, posted_by_id=None)
    before = everything()
    with pytest.raises(WrongStatus):
        note(count, {milk: 5})
    with pytest.raises(UnknownCount):
        count_lines(count_id=999_999, counted={milk.pk: Decimal(5)}, counted_by_id=None)
    assert everything() == before


# --- handing over, giving back, throwing away -----------------------------------------------------------


def test_a_count_is_handed_over_when_everything_is_counted(shop, milk, tea):
    count = start(shop, milk, tea)
    with pytest.raises(NothingCounted):
        submit_count(count_id=count.pk, leave_out=[milk.pk, tea.pk])
    note(count, {milk: 990})
    before = everything()

    with pytest.raises(NotAllCounted) as refusal:
        submit_count(count_id=count.pk)

    assert refusal.value.extra == {"ingredients": [{"ingredient": tea.pk, "name": "Tea"}]}
    assert everything() == before
    note(count, {tea: 500})
    assert submit_count(count_id=count.pk).status == "review"


def test_what_is_left_out_by_name_stays_as_it_is(shop, milk, tea):
    count = start(shop, milk, tea)
    note(count, {milk: 990})

    submit_count(count_id=count.pk, leave_out=[tea.pk])
    post_count(count_id=count.pk, posted_by_id=None)

    assert (shop.quantity(milk), shop.quantity(tea)) == (990, 500)


def test_a_sentence_names_ten_and_how_many_more(shop):
    ingredients = [shop.ingredient(f"I {number:02}", stock=1) for number in range(13)]
    count = start(shop, *ingredients)
    note(count, {ingredients[0]: 1})
    with pytest.raises(NotAllCounted) as refusal:
        submit_count(count_id=count.pk)
    assert "I 10 and 2 more" in refusal.value.detail
    assert len(refusal.value.extra["ingredients"]) == 12


def test_a_reviewed_count_can_be_given_back_with_lines_to_count_again(shop, milk, tea):
    count = reviewed(shop, {milk: 990, tea: 400})

    with pytest.raises(UnknownIngredient):
        reopen_count(count_id=count.pk, ingredient_ids=[999_999])
    reopen_count(count_id=count.pk, ingredient_ids=[tea.pk])

    count = StockCount.objects.get(pk=count.pk)
    assert count.status == "counting"
    assert (figures(count, milk), figures(count, tea)) == ((990, 1000), (None, None))


def test_a_cancelled_count_moves_nothing_and_stays_cancelled(shop, milk):
    count = reviewed(shop, {milk: 900})
    levels = StockLevel.objects.values_list()
    cancel_count(count_id=count.pk)
    count = StockCount.objects.get(pk=count.pk)
    assert count.status == "cancelled"
    assert count.closed_at
    assert shop.ledger(milk) == [("receipt", 1000)]
    assert list(levels) == list(StockLevel.objects.values_list())
    for verb in (
        submit_count,
        reopen_count,
        cancel_count,
        lambda count_id: post_count(count_id=count_id, posted_by_id=None),
    ):
        with pytest.raises(WrongStatus):
            verb(count_id=count.pk)
