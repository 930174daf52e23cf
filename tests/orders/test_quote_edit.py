"""What an edit would come to, before it is saved: the same as what `edit_order` then does."""

from decimal import Decimal
from typing import Any

import pytest

from inventory.errors import InsufficientStock, Unavailable
from inventory.models import Ingredient, Product, StockLevel
from inventory.services.expiry import change_lot
from orders.models import Order
from orders.pricing import OrderLine
from orders.quote_selectors import quote_edit, quote_order
from orders.services.edit import edit_order
from tests.inventory.kitchen import assert_in_order, dated, in_hours, lot_of, quantities, state
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


def test_what_the_order_holds_already_is_no_shortage(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=600)
    latte = bar.product("Latte", "70.00", {milk: 200})
    order = bar.sell(latte, 3)

    same = quote_edit(order=order, lines=[OrderLine(latte.pk, 3)])
    more = quote_edit(order=order, lines=[OrderLine(latte.pk, 4)])

    assert same.is_available
    assert [(one.name, one.needed, one.available) for one in more.shortages] == [("Milk", Decimal(200), Decimal(0))]
    assert more.unavailable == [(latte.pk, "Latte")]
    with pytest.raises((Unavailable, InsufficientStock)):
        edit_order(order_id=order.pk, actor=NOBODY, lines=[OrderLine(latte.pk, 4)])


def test_what_stays_is_quoted_at_the_price_it_was_sold_for(bar: Shop) -> None:
    tea, cake = bar.product("Tea", "50.00"), bar.product("Cake", "40.00")
    order = bar.sell(tea, 2)
    tea.price = Decimal("80.00")
    tea.save()
    lines = [OrderLine(tea.pk, 3), OrderLine(cake.pk, 1)]

    quote = quote_edit(order=order, lines=lines)

    assert [line.unit_price for line in quote.price.lines] == [Decimal("50.00"), Decimal("40.00")]
    assert quote.price.total == Decimal("190.00")
    assert edit_order(order_id=order.pk, actor=NOBODY, lines=lines).total == Decimal("190.00")


def test_a_product_off_the_menu_stays_in_the_order_but_no_more_of_it_is_sold(bar: Shop) -> None:
    tea = bar.product("Tea", "50.00")
    order = bar.sell(tea, 2)
    tea.is_listed = False
    tea.save()

    assert quote_edit(order=order, lines=[OrderLine(tea.pk, 1)]).is_available
    assert quote_edit(order=order, lines=[OrderLine(tea.pk, 3)]).unavailable == [(tea.pk, "Tea")]


def test_who_may_sell_below_the_minimum_is_quoted_without_it(bar: Shop, django_assert_num_queries: Any) -> None:
    milk = bar.ingredient("Milk", "ml", stock=600)
    StockLevel.objects.update(minimum=1000)
    latte = bar.product("Latte", "70.00", {milk: 200})

    assert not quote_order(location=bar.location, lines=[OrderLine(latte.pk, 1)]).is_available
    assert quote_order(location=bar.location, lines=[OrderLine(latte.pk, 1)], allow_below_minimum=True).is_available
    assert quote_order(location=bar.location, lines=[OrderLine(latte.pk, 4)], allow_below_minimum=True).shortages


def an_order_whose_milk_has_expired_since(bar: Shop) -> tuple[Order, Product, Ingredient]:
    """Two lattes of 200 ml from a lot that nothing may be sold from any more; a mocha takes 150 ml."""
    milk = dated(bar, "Milk", "ml", {2: 1000}, unit_cost="0.05")
    order = bar.sell(bar.product("Latte", "70.00", {milk: 200}), 2)
    lot = lot_of(bar, milk)
    change_lot(lot_id=lot.pk, changes={"expires_at": in_hours(-1)})
    return order, bar.product("Mocha", "80.00", {milk: 150}), milk


def test_what_comes_back_expired_covers_nothing_of_what_is_wanted_instead(bar: Shop) -> None:
    order, mocha, _milk = an_order_whose_milk_has_expired_since(bar)
    before = state()

    quote = quote_edit(order=order, lines=[OrderLine(mocha.pk, 1)])
    with pytest.raises(Unavailable) as refused:
        edit_order(order_id=order.pk, actor=NOBODY, lines=[OrderLine(mocha.pk, 1)])
    with pytest.raises(InsufficientStock) as refused_below:
        edit_order(order_id=order.pk, actor=NOBODY, lines=[OrderLine(mocha.pk, 1)], allow_below_minimum=True)

    assert quote.unavailable == [(mocha.pk, "Mocha")]
    for shortages in (quote.shortages, refused_below.value.shortages):
        assert [(one.name, one.needed, one.available) for one in shortages] == [("Milk", Decimal(150), Decimal(0))]
    assert [(one["name"], one["needed"], one["available"]) for one in refused.value.extra["shortages"]] == [
        ("Milk", "150.000", "0")
    ]
    assert state() == before


def test_whoever_sells_it_anyway_corrects_what_is_missing(bar: Shop) -> None:
    """The 400 ml go back to the lot that has expired; the mocha's 150 are found, and sold."""
    order, mocha, milk = an_order_whose_milk_has_expired_since(bar)
    lines = [OrderLine(mocha.pk, 1)]

    quote = quote_edit(order=order, lines=lines, sell_anyway=True)
    edit_order(order_id=order.pk, actor=NOBODY, lines=lines, sell_anyway=True)

    assert [(one.needed, one.available) for one in quote.corrections] == [(Decimal(150), Decimal(0))]
    assert bar.ledger(milk)[1:] == [("sale", -400), ("correction", 150), ("cancellation", 400), ("sale", -150)]
    assert quantities(bar, milk) == [1000]
    assert_in_order()


def test_giving_back_what_has_expired_needs_nothing(bar: Shop) -> None:
    order, _mocha, milk = an_order_whose_milk_has_expired_since(bar)
    latte = order.items.get().product_id
    assert quote_edit(order=order, lines=[OrderLine(latte, 1)]).is_available
    edit_order(order_id=order.pk, actor=NOBODY, lines=[OrderLine(latte, 1)])
    assert quantities(bar, milk) == [800]
