import pytest

from inventory.watching import levels_below_minimum
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_low_levels_are_counted_for_each_open_location() -> None:
    shop, closed = Shop.open("Main Street"), Shop.open("Harbour", is_active=False)
    shop.ingredient("Milk", "ml", stock=100, minimum=200)
    shop.ingredient("Tea", "ml", stock=300, minimum=200)
    shop.ingredient("Sugar", "g", minimum=1)
    closed.ingredient("Milk", "ml", minimum=1)

    assert list(levels_below_minimum()) == [({"location": "Main Street"}, 2)]
