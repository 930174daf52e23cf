"""Shelves in the admin: what stands on them, and their order."""

import pytest

from inventory.models import Ingredient, Shelf, StockLevel
from inventory.services.shelves import add_shelf
from tests.inventory.admin_pages import page, signed_in, text_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def milk(bar: Shop) -> Ingredient:
    return bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")


@pytest.fixture
def tea(bar: Shop) -> Ingredient:
    return bar.ingredient("Tea", stock=500, unit_cost="0.40")


def test_a_manager_puts_up_a_shelf_and_says_what_stands_on_it(bar, milk, tea):
    client = signed_in("manager")
    client.post(page("shelf_add"), {"name": "Fridge", "ingredients": [milk.pk]})
    shelf = Shelf.objects.get()
    assert (shelf.location, StockLevel.objects.get(ingredient=milk).shelf) == (bar.location, shelf)

    client.post(page("shelf_change", shelf.pk), {"name": "Cold", "ingredients": [tea.pk]})

    shelf.refresh_from_db()
    assert shelf.name == "Cold"
    assert list(StockLevel.objects.filter(shelf=shelf).values_list("ingredient", flat=True)) == [tea.pk]
    other = add_shelf(location=bar.location, name="Upper", ingredient_ids=[milk.pk])
    assert "on Upper" in text_of(client.get(page("shelf_change", shelf.pk)))
    answer = client.post(page("shelf_change", shelf.pk), {"name": "Upper", "ingredients": [milk.pk]})
    assert answer.status_code == 200
    assert list(StockLevel.objects.filter(shelf=other).values_list("ingredient", flat=True)) == [milk.pk]
    client.post(page("shelf_delete", shelf.pk), {"post": "yes"})
    assert [one.name for one in Shelf.objects.all()] == ["Upper"]
    assert bar.quantity(tea) == 500


def test_the_order_of_shelves_is_typed_into_the_list(bar):
    first, second = (add_shelf(location=bar.location, name=name) for name in "AB")
    rows = {
        "form-TOTAL_FORMS": 2,
        "form-INITIAL_FORMS": 2,
        "form-0-id": first.pk,
        "form-0-position": 5,
        "form-1-id": second.pk,
        "form-1-position": 1,
        "_save": "1",
    }
    signed_in("manager").post(page("shelf_changelist"), rows)
    assert [one.name for one in Shelf.objects.all()] == ["B", "A"]


def test_a_barista_looks_at_shelves_only(bar, milk):
    shelf = add_shelf(location=bar.location, name="Fridge", ingredient_ids=[milk.pk])
    client = signed_in("barista")
    assert "Milk" in text_of(client.get(page("shelf_change", shelf.pk)))
    assert client.post(page("shelf_change", shelf.pk), {"name": "Mine"}).status_code == 403
    assert Shelf.objects.get().name == "Fridge"


def test_with_several_locations_a_shelf_says_where_it_is(bar, milk):
    harbour = Shop.open("Harbour")
    client = signed_in("manager")
    client.post(page("shelf_add"), {"name": "Fridge", "location": harbour.location.pk})
    assert Shelf.objects.get().location == harbour.location
    answer = client.post(page("shelf_add"), {"name": "Fridge", "location": harbour.location.pk})
    assert answer.status_code == 200
    assert Shelf.objects.count() == 1
