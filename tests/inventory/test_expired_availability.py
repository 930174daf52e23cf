"""The menu, a quote and a sale agree about what has expired: it is there, and it is not sold."""

from decimal import Decimal

import pytest

from inventory.errors import InsufficientStock, Unavailable
from inventory.models import Product
from inventory.selectors import (
    lacking_ingredients,
    lacks_of_products,
    levels_of,
    options_in_stock,
    with_availability,
)
from orders.pricing import OrderLine
from orders.quote_selectors import quote_order
from tests.inventory.kitchen import dated, quantities, state
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def is_offered(shop, product):
    return with_availability(Product.objects.filter(pk=product.pk), location=shop.location).get().is_available


def is_quoted(shop, product, quantity=1):
    return quote_order(location=shop.location, lines=[OrderLine(product.pk, quantity)]).is_available


def is_sold(shop, product, quantity=1):
    try:
        shop.sell(product, quantity)
    except (InsufficientStock, Unavailable):
        return False
    return True


@pytest.mark.parametrize(
    ("lots", "minimum", "agreed"),
    [
        ({-1: 1000}, 0, False),
        ({-1: 1000, 24: 199}, 0, False),
        ({-1: 1000, 24: 200}, 0, True),
        ({-1: 1000, 24: 200}, 200, True),
        ({-1: 1000, 24: 299}, 300, False),
        ({-1: 1000, 24: 100, 48: 200}, 300, True),
        ({24: 200}, 0, True),
    ],
)
def test_menu_quote_and_sale_agree(shop, lots, minimum, agreed):
    milk = dated(shop, "Milk", "ml", lots)
    shop.ingredient("Milk", minimum=minimum)
    latte = shop.product("Latte", recipe={milk: 200})
    assert (is_offered(shop, latte), is_quoted(shop, latte), is_sold(shop, latte)) == (agreed, agreed, agreed)


def test_the_expired_lot_stays_when_the_fresh_one_beside_it_is_sold(shop):
    milk = dated(shop, "Milk", "ml", {-1: 1000, 24: 500})
    latte = shop.product("Latte", recipe={milk: 200})
    shop.sell(latte, 2)
    assert quantities(shop, milk) == [1000, 100]
    assert not is_offered(shop, latte)


def test_the_refusal_says_that_it_has_expired(shop):
    milk = dated(shop, "Milk", "ml", {-1: 1000, 24: 300})
    latte = shop.product("Latte", recipe={milk: 200})
    before = state()
    with pytest.raises(InsufficientStock) as refusal:
        shop.sell(latte, 2)
    assert state() == before
    sentence = "Milk: 400 ml needed, 300 there, 1000 expired"
    assert refusal.value.detail == f"Not enough in stock. {sentence}."
    quote = quote_order(location=shop.location, lines=[OrderLine(latte.pk, 2)])
    assert [str(one) for one in quote.shortages] == [sentence]


def test_what_is_shown_as_missing_counts_without_what_has_expired(shop):
    milk = dated(shop, "Milk", "ml", {-1: 1000, 24: 150})
    latte = shop.product("Latte", recipe={milk: 200})
    assert lacking_ingredients(location=shop.location) == {latte.pk: ["Milk"]}
    (lack,) = lacks_of_products(product_ids=[latte.pk], locations=[shop.location])[shop.location.pk][latte.pk]
    assert (lack.quantity, lack.needed) == (150, 200)
    assert levels_of(location=shop.location, ingredient_ids=[milk.pk]) == {milk.pk: (Decimal(150), 0)}


def test_an_option_whose_ingredient_has_expired_is_not_offered(shop):
    milk = shop.ingredient("Milk", "ml", stock=1000)
    oat, pearls = dated(shop, "Oat milk", "ml", {-1: 1000}), dated(shop, "Pearls", lots={-1: 1000, 24: 40})
    group = shop.group("Milk", most=3)
    shop.replaces(shop.option(group, "Oat"), milk, oat)
    shop.adds(shop.option(group, "Pearls"), pearls, 50)
    shop.adds(shop.option(group, "Few pearls"), pearls, 40)
    assert [one.name for one in options_in_stock(location=shop.location)] == ["Few pearls"]


def test_another_locations_expired_lots_do_not_count(shop):
    other = Shop.open("Riverside")
    milk = dated(shop, "Milk", "ml", {24: 300})
    dated(other, "Milk", "ml", {-1: 300})
    latte = shop.product("Latte", recipe={milk: 200})
    assert is_offered(shop, latte)
    assert not is_offered(other, latte)
