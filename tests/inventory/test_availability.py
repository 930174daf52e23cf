"""What can be sold at a location now."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Option, Product, StockLevel
from inventory.selectors import available_products, options_in_stock, with_availability
from inventory.services.stock import set_minimum
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def offered(shop: Shop) -> list[str]:
    return list(available_products(location=shop.location).order_by("name").values_list("name", flat=True))


def test_a_product_is_available_while_one_portion_of_everything_is_there(shop):
    tea, milk = shop.ingredient("Tea", stock="5.000"), shop.ingredient("Milk", stock=200)
    shop.product("Exactly", recipe={tea: "5", milk: "200"})
    shop.product("A thousandth too much", recipe={tea: "5.001", milk: "200"})
    assert offered(shop) == ["Exactly"]


def test_one_missing_ingredient_of_two_is_enough_to_miss(shop):
    tea, milk = shop.ingredient("Tea", stock=5), shop.ingredient("Milk")
    shop.product("Milk tea", recipe={tea: 1, milk: 1})
    shop.product("Tea", recipe={tea: 1})
    assert offered(shop) == ["Tea"]


def test_a_level_that_was_never_opened_is_empty(shop):
    tea = shop.ingredient("Tea")
    assert not StockLevel.objects.exists()
    shop.product("Tea", recipe={tea: 1})
    assert offered(shop) == []


def test_an_ingredient_below_its_minimum_takes_its_products_off(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=100)
    shop.product("Tea", recipe={tea: 1})
    assert offered(shop) == ["Tea"]
    set_minimum(level_id=StockLevel.objects.get().pk, minimum=Decimal("100.001"))
    assert offered(shop) == []


def test_receiving_makes_it_available_again_by_itself(shop):
    tea = shop.ingredient("Tea", stock=10, minimum=5)
    cup = shop.product("Tea", recipe={tea: 6})
    shop.sell(cup)
    assert offered(shop) == []
    shop.receive({tea: 2})
    assert offered(shop) == ["Tea"]


def test_a_product_without_a_recipe_is_untracked_and_available(shop):
    shop.product("Gift card")
    assert offered(shop) == ["Gift card"]


def test_a_delisted_product_is_not_available(shop):
    shop.product("Tea", is_listed=False)
    assert offered(shop) == []


def test_nothing_is_available_at_a_closed_location(shop):
    shop.product("Gift card")
    shop.location.is_active = False
    assert offered(shop) == []


def test_each_location_has_its_own_stock(shop):
    harbour = Shop.open("Harbour")
    tea = shop.ingredient("Tea", stock=1)
    shop.product("Tea", recipe={tea: 1})
    assert (offered(shop), offered(harbour)) == (["Tea"], [])


def test_availability_stands_beside_the_products_in_one_query(shop):
    tea = shop.ingredient("Tea", stock=10)
    for number in range(20):
        shop.product(f"Tea {number:02}", recipe={tea: number + 1})
    with CaptureQueriesContext(connection) as queries:
        found = {one.name: one.is_available for one in with_availability(Product.objects.all(), location=shop.location)}
    assert len(queries) == 1
    assert [name for name, is_available in found.items() if is_available] == [f"Tea {n:02}" for n in range(10)]


# --- options ------------------------------------------------------------------------------------------


def chooseable(shop: Shop) -> list[str]:
    return list(options_in_stock(location=shop.location).order_by("name").values_list("name", flat=True))


def test_an_option_needs_what_it_adds(shop):
    pearls, jelly = shop.ingredient("Pearls", stock=40), shop.ingredient("Jelly", stock=39)
    toppings = shop.group("Toppings", most=2)
    shop.adds(shop.option(toppings, "Pearls"), pearls, 40)
    shop.adds(shop.option(toppings, "Jelly"), jelly, 40)
    assert chooseable(shop) == ["Pearls"]
    shop.receive({jelly: 1})
    assert chooseable(shop) == ["Jelly", "Pearls"]


def test_an_option_needs_all_of_what_it_adds(shop):
    pearls, jelly = shop.ingredient("Pearls", stock=40), shop.ingredient("Jelly")
    both = shop.option(shop.group("Toppings"), "Both")
    shop.adds(shop.adds(both, pearls, 40), jelly, 40)
    assert chooseable(shop) == []


def test_an_option_needs_some_of_what_it_puts_in_place(shop):
    milk, oat_milk = shop.ingredient("Milk", stock=100), shop.ingredient("Oat milk")
    shop.replaces(shop.option(shop.group("Milk"), "Oat"), milk, oat_milk)
    assert chooseable(shop) == []
    shop.receive({oat_milk: "0.001"})
    assert chooseable(shop) == ["Oat"]


def test_an_option_below_the_minimum_of_what_it_needs_is_out(shop):
    milk = shop.ingredient("Milk", stock=100)
    oat_milk = shop.ingredient("Oat milk", stock=100, minimum=101)
    pearls = shop.ingredient("Pearls", stock=100, minimum=101)
    group = shop.group("Extras", most=2)
    shop.replaces(shop.option(group, "Oat"), milk, oat_milk)
    shop.adds(shop.option(group, "Pearls"), pearls, 1)
    assert chooseable(shop) == []


def test_an_option_that_only_scales_or_does_nothing_needs_nothing(shop):
    tea = shop.ingredient("Tea")
    group = shop.group("Size", most=3)
    shop.scales(shop.option(group, "Large"), "1.5")
    shop.scales(shop.option(group, "Strong"), "2", tea)
    shop.option(group, "Hot")
    assert chooseable(shop) == ["Hot", "Large", "Strong"]


def test_an_option_that_is_switched_off_is_out(shop):
    option = shop.option(shop.group("Size"), "Large")
    Option.objects.filter(pk=option.pk).update(is_available=False)
    assert chooseable(shop) == []
