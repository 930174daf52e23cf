"""Shelves: what stands where, and in which order they are counted."""

import pytest

from foundation.errors import InvalidInput, Missing
from inventory.errors import UnknownIngredient, UnknownShelf
from inventory.models import Ingredient, Shelf, StockCount, StockLevel
from inventory.services.counts import start_count
from inventory.services.shelves import add_shelf, change_shelf, delete_shelf, order_shelves
from tests.inventory.counting import everything
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def milk(shop: Shop) -> Ingredient:
    return shop.ingredient("Milk", "ml", stock=1000)


@pytest.fixture
def tea(shop: Shop) -> Ingredient:
    return shop.ingredient("Tea", stock=500)


def standing(shelf: Shelf) -> list[str]:
    return list(StockLevel.objects.filter(shelf=shelf).values_list("ingredient__name", flat=True))


def names(shop: Shop) -> list[str]:
    return list(Shelf.objects.filter(location=shop.location).values_list("name", flat=True))


def test_a_new_shelf_comes_after_the_others_with_what_stands_on_it(shop, milk, tea):
    add_shelf(location=shop.location, name="Upper")
    fridge = add_shelf(location=shop.location, name="Fridge", ingredient_ids=[tea.pk, milk.pk])

    assert names(shop) == ["Upper", "Fridge"]
    assert standing(fridge) == ["Milk", "Tea"]


def test_what_was_never_in_stock_can_have_its_place(shop):
    rum = shop.ingredient("Rum", "ml")
    add_shelf(location=shop.location, name="Bar", ingredient_ids=[rum.pk])
    assert (shop.quantity(rum), StockLevel.objects.get().shelf.name) == (0, "Bar")


def test_setting_what_stands_on_a_shelf_takes_the_rest_off_and_moves_from_others(shop, milk, tea):
    sugar = shop.ingredient("Sugar", stock=5)
    upper = add_shelf(location=shop.location, name="Upper", ingredient_ids=[milk.pk, sugar.pk])
    fridge = add_shelf(location=shop.location, name="Fridge", ingredient_ids=[tea.pk])

    change_shelf(shelf_id=fridge.pk, ingredient_ids=[milk.pk])

    assert (standing(upper), standing(fridge)) == (["Sugar"], ["Milk"])
    assert StockLevel.objects.get(ingredient=tea).shelf is None
    change_shelf(shelf_id=fridge.pk, name="Cold", ingredient_ids=None)
    assert (standing(fridge), names(shop)) == (["Milk"], ["Upper", "Cold"])


def test_a_shelf_of_one_location_leaves_the_stock_of_others_alone(shop, milk):
    harbour = Shop.open("Harbour")
    harbour.receive({milk: 5})
    add_shelf(location=shop.location, name="Fridge", ingredient_ids=[milk.pk])
    assert StockLevel.objects.get(location=harbour.location).shelf is None
    add_shelf(location=harbour.location, name="Fridge", ingredient_ids=[milk.pk])


@pytest.mark.parametrize("name", ["", "Fridge", "x" * 101])
def test_a_shelf_has_a_name_of_its_own(shop, milk, name):
    add_shelf(location=shop.location, name="Fridge")
    upper = add_shelf(location=shop.location, name="Upper")
    before = everything()
    with pytest.raises(InvalidInput):
        add_shelf(location=shop.location, name=name, ingredient_ids=[milk.pk])
    with pytest.raises(InvalidInput):
        change_shelf(shelf_id=upper.pk, name=name, ingredient_ids=[milk.pk])
    assert everything() == before


def test_unknown_ingredients_and_shelves_are_refused(shop, milk):
    fridge = add_shelf(location=shop.location, name="Fridge")
    before = everything()
    with pytest.raises(UnknownIngredient) as refusal:
        change_shelf(shelf_id=fridge.pk, name="Cold", ingredient_ids=[milk.pk, 999_999])
    assert set(refusal.value.errors) == {"ingredients[1]"}
    for call in (change_shelf, delete_shelf):
        with pytest.raises(Missing):
            call(shelf_id=999_999)
    assert everything() == before


def test_shelves_are_put_in_the_order_of_counting(shop):
    first, second, third = (add_shelf(location=shop.location, name=name) for name in ("A", "B", "C"))
    other = add_shelf(location=Shop.open("Harbour").location, name="A")

    order_shelves(location=shop.location, shelf_ids=[third.pk, first.pk, second.pk])

    assert names(shop) == ["C", "A", "B"]
    before = everything()
    for wrong in ([third.pk], [first.pk, second.pk, second.pk], [first.pk, second.pk, third.pk, other.pk], []):
        with pytest.raises(UnknownShelf):
            order_shelves(location=shop.location, shelf_ids=wrong)
    assert everything() == before


def test_a_shelf_that_is_taken_down_leaves_its_stock_and_its_counts(shop, milk):
    fridge = add_shelf(location=shop.location, name="Fridge", ingredient_ids=[milk.pk])
    start_count(location=shop.location, shelf_id=fridge.pk, created_by_id=None)

    delete_shelf(shelf_id=fridge.pk)

    assert not Shelf.objects.exists()
    assert StockLevel.objects.get().shelf is None
    assert StockCount.objects.get().shelf is None
    assert shop.quantity(milk) == 1000
