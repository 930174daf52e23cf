"""Selling the cup that is in the barista's hand: the sale and the correction are one step."""

import datetime
from decimal import Decimal
from threading import Barrier

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from inventory.errors import ClosedLocation, InsufficientStock, Unavailable
from inventory.models import Ingredient, StockLevel, StockLot
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock
from orders.models import Order, OrderEvent
from orders.pricing import OrderLine
from orders.quote_selectors import quote_order
from tests.races.threads import at_once
from tests.rest import Rest
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def test_what_is_missing_is_corrected_and_sold_in_one_step(shop):
    milk = shop.ingredient("Milk", "ml", stock=150, unit_cost="0.05")
    tea = shop.ingredient("Tea", stock=100)
    latte = shop.product("Latte", recipe={milk: 200, tea: 10})

    order = shop.sell(latte, 2, sell_anyway=True)

    assert shop.ledger(milk) == [("receipt", 150), ("correction", 250), ("sale", -400)]
    assert shop.ledger(tea) == [("receipt", 100), ("sale", -20)]
    assert (shop.quantity(milk), shop.quantity(tea)) == (0, 80)
    assert order.events.get(kind=OrderEvent.Kind.PLACED).details == {"sold_anyway": True}
    assert_levels_are_what_the_ledger_sums_to()


def test_an_ingredient_that_was_never_there_is_corrected_too(shop):
    milk = shop.ingredient("Milk", "ml")
    shop.sell(shop.product("Latte", recipe={milk: 200}), sell_anyway=True)
    assert shop.ledger(milk) == [("correction", 200), ("sale", -200)]
    assert StockLevel.objects.get().value == 0


def test_where_nothing_is_missing_nothing_is_corrected_whatever_the_minimum(shop):
    milk = shop.ingredient("Milk", "ml", stock=300, minimum=1000)
    latte = shop.product("Latte", recipe={milk: 200})
    with pytest.raises(Unavailable):
        shop.sell(latte)
    shop.sell(latte, sell_anyway=True)
    assert shop.ledger(milk) == [("receipt", 300), ("sale", -200)]


def test_beside_an_expired_lot_only_what_is_missing_is_corrected(shop):
    milk = Ingredient.objects.create(name="Milk", unit="ml", tracks_expiry=True)
    today = shop.location.today()
    long_ago = timezone.now() - datetime.timedelta(days=3)
    line = StockLine(milk.pk, Decimal(1000), expires_on=today - datetime.timedelta(days=2))
    receive_stock(location=shop.location, lines=[line], created_by_id=None, at=long_ago)
    latte = shop.product("Latte", recipe={milk: 200})
    with pytest.raises(InsufficientStock):
        shop.sell(latte, allow_below_minimum=True)
    shop.sell(latte, sell_anyway=True)
    assert shop.ledger(milk) == [("receipt", 1000), ("correction", 200), ("sale", -200)]
    assert StockLot.objects.get(quantity__gt=0).quantity == 1000


def test_what_is_cancelled_comes_back_and_the_correction_stays(shop):
    milk = shop.ingredient("Milk", "ml", stock=150)
    order = shop.sell(shop.product("Latte", recipe={milk: 200}), sell_anyway=True)
    shop.cancel(order)
    assert shop.quantity(milk) == 200


def test_an_edited_order_may_be_sold_anyway(shop):
    milk = shop.ingredient("Milk", "ml", stock=200)
    latte = shop.product("Latte", recipe={milk: 200})
    order = shop.sell(latte, allow_below_minimum=True)
    with pytest.raises((InsufficientStock, Unavailable)):
        shop.edit(order, OrderLine(latte.pk, 3))
    shop.edit(order, OrderLine(latte.pk, 3), sell_anyway=True)
    assert shop.ledger(milk) == [("receipt", 200), ("sale", -200), ("correction", 400), ("sale", -400)]


def test_what_is_off_the_menu_or_closed_is_not_sold_anyway(shop):
    milk = shop.ingredient("Milk", "ml", stock=200)
    unlisted = shop.product("Latte", recipe={milk: 200}, is_listed=False)
    with pytest.raises(Unavailable):
        shop.sell(unlisted, sell_anyway=True)
    latte = shop.product("Flat white", recipe={milk: 200})
    shop.location.is_active = False
    shop.location.save()
    with pytest.raises(ClosedLocation):
        shop.sell(latte, sell_anyway=True)
    assert shop.ledger(milk) == [("receipt", 200)]


def test_a_quote_says_what_would_be_corrected(shop):
    milk = shop.ingredient("Milk", "ml", stock=150)
    latte = shop.product("Latte", recipe={milk: 200})
    quote = quote_order(location=shop.location, lines=[OrderLine(latte.pk, 2)], sell_anyway=True)
    assert (quote.is_available, quote.shortages) == (True, [])
    assert [(one.needed, one.available) for one in quote.corrections] == [(400, 150)]


@pytest.mark.django_db(transaction=True)
def test_two_who_sell_the_last_portion_anyway_correct_one_portion(shop):
    """Without the level's lock both would find 200 ml there."""
    milk = shop.ingredient("Milk", "ml", stock=200)
    latte = shop.product("Latte", recipe={milk: 200})
    ready = Barrier(2)

    def sell() -> Order:
        ready.wait(10)
        return shop.sell(latte, sell_anyway=True)

    outcomes = at_once([sell, sell])
    assert all(isinstance(one, Order) for one in outcomes), outcomes
    assert sorted(shop.ledger(milk)) == [("correction", 200), ("receipt", 200), ("sale", -200), ("sale", -200)]
    assert shop.quantity(milk) == 0


def test_over_rest_it_takes_the_permission(shop):
    milk = shop.ingredient("Milk", "ml", stock=150)
    latte = shop.product("Latte", recipe={milk: 200})
    body = {"items": [{"product": latte.pk, "quantity": 1}], "sell_anyway": True}
    barista = Rest.of("barista")
    assert barista.post("orders/quote/", body, status=200)["corrections"][0]["needed"] == "200.000"
    assert barista.post("orders/", body)["status"] == "pending"
    assert shop.ledger(milk) == [("receipt", 150), ("correction", 50), ("sale", -200)]

    barista.user.groups.clear()
    barista.user.user_permissions.set(Permission.objects.filter(codename__in=["view_order", "add_order"]))
    barista.refused("post", "orders/", body, status=403, kind="permission_denied")
    assert Order.objects.count() == 1
