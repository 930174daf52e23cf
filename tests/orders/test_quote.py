"""A quote says what an order would cost and what stands in its way, and agrees with placing it."""

from contextlib import nullcontext
from decimal import Decimal

import pytest

from inventory.errors import InsufficientStock, Unavailable
from orders.errors import WrongLines
from orders.models import Order
from orders.pricing import OrderLine
from orders.quote_selectors import Quote, quote_order
from tests.orders.snapshot import everything
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def quote(shop: Shop, *lines: OrderLine, **more) -> Quote:
    before = everything()
    result = quote_order(location=shop.location, lines=lines, **more)
    assert everything() == before
    return result


def test_a_quote_is_the_price_that_the_order_will_have(shop):
    group = shop.group("Size", most=2, free=1)
    large, oat = shop.option(group, "Large", "15"), shop.option(group, "Oat", "10")
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", "50", {tea: 10}, groups=[group])
    quoted = quote(shop, OrderLine(cup.pk, 2, (large.pk, oat.pk)))
    assert quoted.is_available
    assert (quoted.price.total, quoted.shortages, quoted.unavailable) == (Decimal("130.00"), [], [])
    assert shop.sell(cup, 2, [large, oat]).total == quoted.price.total


def test_a_quote_names_every_shortage(shop):
    tea, milk = shop.ingredient("Tea", stock=15), shop.ingredient("Milk", stock=15)
    cup, latte = shop.product("Cup", recipe={tea: 10}), shop.product("Latte", recipe={tea: 1, milk: 10})
    quoted = quote(shop, OrderLine(cup.pk, 1), OrderLine(latte.pk, 6))
    assert [(one.name, one.needed, one.available) for one in quoted.shortages] == [("Milk", 60, 15), ("Tea", 16, 15)]
    assert quoted.unavailable == []
    assert not quoted.is_available


def test_a_quote_names_what_is_unavailable(shop):
    group = shop.group("Size")
    large = shop.option(group, "Large", is_available=False)
    tea = shop.ingredient("Tea", stock=15, minimum=16)
    cup = shop.product("Cup", recipe={tea: 1}, groups=[group])
    gone = shop.product("Gone", is_listed=False)
    quoted = quote(shop, OrderLine(cup.pk, 1, (large.pk,)), OrderLine(gone.pk, 1))
    assert quoted.unavailable == [(cup.pk, "Cup"), (gone.pk, "Gone"), (large.pk, "Large")]
    assert quoted.shortages == []


def test_with_permission_a_minimum_stands_in_nobodys_way(shop):
    tea = shop.ingredient("Tea", stock=15, minimum=16)
    cup = shop.product("Cup", recipe={tea: 1})
    assert quote(shop, OrderLine(cup.pk, 15), allow_below_minimum=True).is_available
    assert not quote(shop, OrderLine(cup.pk, 16), allow_below_minimum=True).is_available


def test_nothing_is_available_at_a_closed_location(shop):
    water = shop.product("Water")
    shop.location.is_active = False
    assert quote(shop, OrderLine(water.pk, 1)).unavailable == [(water.pk, "Water")]


def test_wrong_lines_are_refused_as_when_placing(shop):
    with pytest.raises(WrongLines) as refused:
        quote(shop, OrderLine(10**18, 1))
    assert list(refused.value.errors) == ["items[0].product"]


@pytest.mark.parametrize("stock", ["0", "9.999", "10", "20", "29.999", "30"])
@pytest.mark.parametrize("minimum", ["0", "10", "25"])
@pytest.mark.parametrize("allowed", [True, False])
def test_a_quote_and_the_order_agree(shop, stock, minimum, allowed):
    tea = shop.ingredient("Tea", stock=stock, minimum=minimum)
    cup = shop.product("Cup", recipe={tea: 10})
    quoted = quote(shop, OrderLine(cup.pk, 3), allow_below_minimum=allowed)
    refusal = Unavailable if quoted.unavailable else InsufficientStock if quoted.shortages else None
    assert quoted.is_available == (refusal is None)
    with pytest.raises(refusal) if refusal else nullcontext():
        shop.sell(cup, 3, allow_below_minimum=allowed)
    assert Order.objects.exists() == quoted.is_available
