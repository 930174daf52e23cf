"""The menu is read whole, in three queries."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.menu import MenuEffect, MenuRecipeLine, load_menu
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def test_a_product_is_read_with_its_recipe_groups_options_and_effects(shop):
    tea, pearls = shop.ingredient("Tea"), shop.ingredient("Pearls")
    size = shop.group("Size", least=1)
    regular, large = shop.option(size, "Regular", is_default=True), shop.option(size, "Large", "15.00")
    shop.scales(large, "1.5")
    toppings = shop.group("Toppings", most=3, free=1)
    more = shop.adds(shop.option(toppings, "Pearls", "10.00", is_available=False), pearls, "40.5")
    product = shop.product("Tea", "55.50", {tea: "200.5"}, scales=[tea], groups=[size, toppings])

    read = load_menu([product.pk])[product.pk]

    assert (read.name, read.price, read.is_listed) == ("Tea", Decimal("55.50"), True)
    assert read.recipe == (MenuRecipeLine(tea.pk, Decimal("200.500"), True),)
    first, second = read.groups
    assert (first.name, first.min_choices, first.max_choices, first.free_choices) == ("Size", 1, 1, 0)
    assert list(first.options) == [regular.pk, large.pk]
    assert first.options[regular.pk].is_default
    assert first.options[large.pk].effects == [MenuEffect("scale", None, None, Decimal("1.5000"), None)]
    assert (second.name, second.max_choices, second.free_choices) == ("Toppings", 3, 1)
    assert second.options[more.pk].effects == [MenuEffect("add", pearls.pk, None, None, Decimal("40.500"))]
    assert not second.options[more.pk].is_available


def test_each_product_asks_its_groups_in_its_own_order(shop):
    size, ice = shop.group("Size"), shop.group("Ice")
    tea, coffee = shop.product("Tea", groups=[size, ice]), shop.product("Coffee", groups=[ice, size])
    menu = load_menu([tea.pk, coffee.pk])
    assert [group.name for group in menu[tea.pk].groups] == ["Size", "Ice"]
    assert [group.name for group in menu[coffee.pk].groups] == ["Ice", "Size"]


def test_an_effect_of_a_group_that_several_products_share_is_there_once_in_each(shop):
    pearls, size = shop.ingredient("Pearls"), shop.group("Toppings")
    topping = shop.adds(shop.option(size, "Pearls"), pearls, 40)
    products = [shop.product(name, groups=[size]) for name in ("Tea", "Coffee")]
    menu = load_menu([product.pk for product in products])
    assert [len(menu[product.pk].groups[0].options[topping.pk].effects) for product in products] == [1, 1]


def test_a_group_without_options_is_read_empty(shop):
    product = shop.product("Tea", groups=[shop.group("Size")])
    assert load_menu([product.pk])[product.pk].groups[0].options == {}


def test_unknown_products_are_left_out(shop):
    assert load_menu([0, 10**18, 10**30]) == {}


def test_many_products_take_as_many_queries_as_one(shop):
    size = shop.group("Size")
    shop.scales(shop.option(size, "Large"), 2)
    tea = shop.ingredient("Tea")
    ids = [shop.product(f"Tea {number}", recipe={tea: 1}, groups=[size]).pk for number in range(20)]
    for some in (ids[:1], ids):
        with CaptureQueriesContext(connection) as queries:
            assert len(load_menu(some)) == len(some)
        assert len(queries) == 3
