import pytest

from inventory.metrics import levels_below_minimum, unavailable_products
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_low_levels_are_counted_for_each_open_location() -> None:
    shop, closed = Shop.open("Main Street"), Shop.open("Harbour", is_active=False)
    shop.ingredient("Milk", "ml", stock=100, minimum=200)
    shop.ingredient("Tea", "ml", stock=300, minimum=200)
    shop.ingredient("Sugar", "g", minimum=1)
    closed.ingredient("Milk", "ml", minimum=1)

    assert list(levels_below_minimum()) == [({"location": "Main Street"}, 2)]


def test_products_that_cannot_be_sold_are_counted_where_they_are_sold() -> None:
    shop, store = Shop.open("Main Street"), Shop.open("Store")
    Shop.open("Closed", is_active=False)
    milk, tea = shop.ingredient("Milk", "ml", stock=100), shop.ingredient("Tea", "g", stock=100)
    shop.product("Latte", recipe={milk: 200})
    shop.product("Milk tea", recipe={milk: 200, tea: 5})
    shop.product("Tea", recipe={tea: 5})
    shop.product("Old latte", recipe={milk: 200}, is_listed=False)
    shop.product("Gift card")
    # What was never there is not sold there; the tea that is there suffices.
    store.receive({tea: 500})

    assert {labels["location"]: number for labels, number in unavailable_products()} == {"Main Street": 2, "Store": 0}
