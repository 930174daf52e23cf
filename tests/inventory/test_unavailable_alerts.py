"""That drinks became unavailable is told once, kept up to date, and taken back when they can be sold again."""

import pytest

from inventory.models import StockLevel
from inventory.tasks import tell_what_is_unavailable
from monitoring.models import Alert
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def told() -> list[tuple[str, int]]:
    """The open alerts: what they say, and how often it was said."""
    alerts = Alert.objects.filter(event="inventory.product_unavailable", resolved_at=None)
    return [(alert.text, alert.count) for alert in alerts.order_by("id")]


def test_a_drink_that_was_sold_out_is_told_once(shop):
    milk = shop.ingredient("Milk", "ml", stock=400)
    latte = shop.product("Latte", recipe={milk: 250})
    tell_what_is_unavailable()
    assert told() == []
    shop.sell(latte)
    tell_what_is_unavailable()
    tell_what_is_unavailable()
    assert told() == [("Main Street: 1 product can't be sold for want of Milk: Latte", 1)]


def test_six_drinks_for_want_of_one_thing_are_one_alert_with_five_names(shop):
    milk = shop.ingredient("Milk", "ml", stock=100, minimum=500)
    for name in ("Cocoa", "Flat white", "Latte", "Mocha", "Raf", "Tea"):
        shop.product(name, recipe={milk: 50})
    tell_what_is_unavailable()
    assert told() == [
        ("Main Street: 6 products can't be sold for want of Milk: Cocoa, Flat white, Latte, Mocha, Raf …", 1)
    ]


def test_a_further_drink_is_added_to_what_is_said_already(shop):
    milk = shop.ingredient("Milk", "ml", stock=400)
    latte = shop.product("Latte", recipe={milk: 200})
    shop.product("Mocha", recipe={milk: 300})
    shop.sell(latte)
    tell_what_is_unavailable()
    assert told() == [("Main Street: 1 product can't be sold for want of Milk: Mocha", 1)]
    shop.sell(latte)
    tell_what_is_unavailable()
    assert told() == [("Main Street: 2 products can't be sold for want of Milk: Latte, Mocha", 1)]


def test_it_is_taken_back_when_there_is_enough_again(shop):
    milk = shop.ingredient("Milk", "ml", stock=100)
    shop.product("Latte", recipe={milk: 250})
    tell_what_is_unavailable()
    assert len(told()) == 1
    shop.receive({milk: 1000})
    tell_what_is_unavailable()
    assert told() == []
    assert Alert.objects.get().resolved_at is not None


def test_what_a_location_never_held_has_not_become_unavailable_there(shop):
    milk = shop.ingredient("Milk", "ml", stock=1000)
    shop.product("Latte", recipe={milk: 250})
    Shop.open("Kiosk")
    tell_what_is_unavailable()
    assert told() == []


def test_neither_the_stop_list_nor_a_closed_location_is_told_of(shop):
    milk = shop.ingredient("Milk", "ml", stock=100)
    shop.product("Latte", recipe={milk: 250}, is_listed=False)
    kiosk = Shop.open("Kiosk", is_active=False)
    StockLevel.objects.create(location=kiosk.location, ingredient=milk)
    tell_what_is_unavailable()
    assert told() == []


def test_it_asks_so_many_questions_whatever_is_sold(shop, django_assert_num_queries):
    for number in range(4):
        milk = shop.ingredient(f"Milk {number}", "ml", stock=100)
        for drink in range(3):
            shop.product(f"Latte {number} {drink}", recipe={milk: 250})
    tell_what_is_unavailable()
    with django_assert_num_queries(8):
        tell_what_is_unavailable()
    assert len(told()) == 4
