"""Money back: for lines, for a whole order, out of goodwill; and what is refused leaves everything as it was."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foundation.errors import InvalidInput
from orders.errors import (
    NoOpenShift,
    NothingToRefund,
    OrderImported,
    PaidMore,
    ShiftClosed,
    UnknownItem,
    WhichTill,
    WrongAmount,
    WrongQuantity,
    WrongStatus,
)
from orders.models import Customer, LoyaltyProgram, LoyaltyTier, Order, Payment, Refund, RefundPart
from orders.pricing import OrderLine
from orders.quote_selectors import quote_edit
from orders.services.edit import edit_order
from orders.services.paybacks import Payback, pay_back
from orders.services.points import adjust_points
from orders.services.shifts import close_shift
from orders.services.transitions import complete_order
from orders.shift_selectors import expected_cash, shift_report
from tests.orders.money import assert_money_adds_up, complete_unpaid, now, open_till, pay, refund
from tests.orders.snapshot import everything
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def tea(shop):
    return shop.ingredient("Tea", stock=100)


@pytest.fixture
def order(shop, tea):
    """Three cups at 60 of ten grams each, completed and paid with a card."""
    order = shop.sell(shop.product("Cup", "60.00", recipe={tea: 10}), 3)
    pay(order, "180", "card")
    complete_order(order_id=order.pk, actor=NOBODY)
    return order


def first_item(order: Order) -> int:
    return order.items.order_by("pk")[0].pk


def refused(error: type[Exception], order: Order, **more: object) -> str:
    before = everything()
    with pytest.raises(error) as caught:
        refund(order, **more)
    assert everything() == before
    return str(caught.value)


def test_a_part_of_a_line_goes_back_with_its_money_and_its_ingredients(shop, tea, order):
    made = refund(order, items={first_item(order): 1})

    order = now(order)
    assert (order.status, order.total, order.paid, order.due) == ("completed", 120, 120, 0)
    assert (made.amount, made.withheld, made.is_restocked) == (60, 0, True)
    assert list(made.items.values_list("item_id", "quantity", "amount")) == [(first_item(order), 1, 60)]
    assert list(made.parts.values_list("amount", "shift")) == [(60, None)]
    assert shop.quantity(tea) == 80
    event = order.events.get(kind="refund")
    assert (event.reason, event.details["amount"], event.details["restock"]) == ("cold", "60.00", True)
    assert_money_adds_up()
    assert_levels_are_what_the_ledger_sums_to()


def test_what_is_wasted_does_not_come_back_to_the_shelf(shop, tea, order):
    assert refund(order, restock=False).is_restocked is False
    assert shop.quantity(tea) == 70
    assert [reason for reason, _delta in shop.ledger(tea)] == ["receipt", "sale", "cancellation", "write_off"]


def test_without_lines_all_that_is_left_goes_back(shop, tea, order):
    refund(order, items={first_item(order): 1})
    assert refund(order).amount == 120
    order = now(order)
    assert (order.status, order.total, order.paid) == ("completed", 0, 0)
    assert shop.quantity(tea) == 100
    assert "nothing to pay back" in refused(NothingToRefund, order)
    assert_money_adds_up()


def test_an_active_order_that_is_refunded_whole_is_cancelled_and_its_tip_goes_back(shop, tea):
    order = shop.sell(shop.product("Cup", "60.00", recipe={tea: 10}))
    shift = open_till(shop)
    pay(order, "60", "cash", tip="5")
    refund(order)
    assert now(order).status == "cancelled"
    assert expected_cash(shift) == 100
    assert_money_adds_up()


def test_the_newest_payment_goes_back_first_and_each_the_way_it_came(shop):
    shift = open_till(shop)
    order = shop.sell(shop.product("Cup", "60.00"), 3)
    cash, card = pay(order, "100", "cash"), pay(order, "80", "card")
    complete_order(order_id=order.pk, actor=NOBODY)

    refund(order, items={first_item(order): 2})

    parts = RefundPart.objects.order_by("pk").values_list("payment", "amount", "shift")
    assert list(parts) == [(card.pk, 80, shift.pk), (cash.pk, 40, shift.pk)]
    assert expected_cash(shift) == 160
    report = {one.method: (one.refunds, one.refunded) for one in shift_report(shift).methods}
    assert report == {"cash": (1, 40), "card": (1, 80)}
    assert_money_adds_up()


def test_goodwill_makes_the_order_cheaper_and_takes_nothing_back(shop, tea):
    cup, cake = shop.product("Cup", "60.00", recipe={tea: 10}), shop.product("Cake", "40.00")
    order = shop.place(OrderLine(cup.pk, 1), OrderLine(cake.pk, 1))
    pay(order, "100", "card")
    complete_order(order_id=order.pk, actor=NOBODY)

    made = refund(order, "long wait", amount="10")

    order = now(order)
    assert (order.subtotal, order.discount, order.total, order.paid) == (100, 10, 90, 90)
    assert list(order.items.values_list("discount", flat=True)) == [6, 4]
    assert order.discounts[-1]["kind"] == "goodwill"
    assert (made.amount, made.is_restocked, made.items.count()) == (10, None, 0)
    assert shop.quantity(tea) == 90
    # What is taken back later is worth what was left of it.
    assert refund(order, items={first_item(order): 1}).amount == 54
    assert refund(order).amount == 36
    assert_money_adds_up()


def test_what_was_given_out_of_goodwill_stays_when_the_order_is_edited(shop):
    cup, cake = shop.product("Cup", "60.00"), shop.product("Cake", "40.00")
    order = shop.place(OrderLine(cup.pk, 1), OrderLine(cake.pk, 1))
    pay(order, "100", "card")
    refund(order, "long wait", amount="10")

    lines = [OrderLine(cup.pk, 2), OrderLine(cake.pk, 1)]
    quoted = quote_edit(order=now(order), lines=lines).price.total
    edited = edit_order(order_id=order.pk, actor=NOBODY, lines=lines)

    assert (edited.subtotal, edited.discount, edited.total, edited.due) == (160, 10, 150, 60)
    assert quoted == 150
    assert list(edited.items.order_by("pk").values_list("discount", flat=True)) == [Decimal("7.50"), Decimal("2.50")]
    assert [(step["kind"], step["name"], step["amount"]) for step in edited.discounts] == [
        ("goodwill", "long wait", "10.00")
    ]
    refused_edit = [OrderLine(cake.pk, 1)]
    with pytest.raises(PaidMore):
        edit_order(order_id=order.pk, actor=NOBODY, lines=refused_edit)
    assert_money_adds_up()


def test_a_discount_goes_back_with_its_portion(shop, order):
    refund(order, amount="10")
    amounts = [refund(order, items={first_item(order): 1}).amount for _ in range(3)]
    assert sum(amounts) == 170
    assert now(order).total == 0
    assert_money_adds_up()


def test_what_was_not_paid_yet_is_not_owed_before_anything_goes_back(shop):
    order = shop.sell(shop.product("Cup", "60.00"), 3)
    pay(order, "100", "card")
    complete_unpaid(order)
    assert refund(order, items={first_item(order): 1}).amount == 0
    assert (now(order).total, now(order).due) == (120, 20)
    assert refund(order, items={first_item(order): 1}).amount == 40
    assert (now(order).paid, now(order).due) == (60, 0)
    assert_money_adds_up()


@pytest.mark.parametrize("amount", ["180.01", "0", "-5", "1.234"])
def test_more_than_was_paid_is_not_paid_back(order, amount):
    refused(WrongAmount, order, amount=amount)


def test_senseless_refunds_are_refused(order):
    item = first_item(order)
    refused(WrongQuantity, order, items={item: 4})
    refused(WrongQuantity, order, items={item: 0})
    refused(UnknownItem, order, items={item + 1000: 1})
    refused(InvalidInput, order, items={})
    refused(InvalidInput, order, items={item: 1}, amount="5")
    refused(InvalidInput, order, reason="  ")
    refund(order, items={item: 2})
    refused(WrongQuantity, order, items={item: 2})


def test_what_nobody_paid_for_is_not_refunded(shop):
    order = shop.sell(shop.product("Cup", "60.00"))
    refused(NothingToRefund, order)
    complete_unpaid(order)
    refused(NothingToRefund, order, amount="1")


def test_a_cancelled_or_imported_order_is_not_refunded(shop, order):
    Order.objects.filter(pk=order.pk).update(channel="import")
    refused(OrderImported, order)
    cancelled = shop.sell(shop.product("Cake", "60.00"))
    pay(cancelled, "60", "card")
    shop.cancel(cancelled, may_refund=True)
    refused(WrongStatus, cancelled)


def test_cash_comes_back_out_of_an_open_till(shop):
    till = open_till(shop)
    order = shop.sell(shop.product("Cup", "60.00"), 2)
    pay(order, "120", "cash")
    complete_order(order_id=order.pk, actor=NOBODY)
    close_shift(shift_id=till.pk, counted=Decimal(220), actor=NOBODY)

    refused(NoOpenShift, order)
    first, second = open_till(shop, "1"), open_till(shop, "2")
    assert "1, 2" in refused(WhichTill, order)
    refused(ShiftClosed, order, shift_id=till.pk)
    refused(InvalidInput, order, shift_id=open_till(Shop.open("Elsewhere")).pk)
    refund(order, items={first_item(order): 1}, shift_id=second.pk)
    assert (expected_cash(first), expected_cash(second)) == (100, 40)
    assert_money_adds_up()


def test_of_several_open_tills_cash_leaves_the_one_it_came_into(shop):
    _first, second = open_till(shop, "1"), open_till(shop, "2")
    order = shop.sell(shop.product("Cup", "60.00"))
    pay(order, "60", "cash", shift_id=second.pk)
    refund(order)
    assert expected_cash(second) == 100


def test_spent_points_reduce_what_goes_back(shop):
    LoyaltyProgram.objects.create(is_active=True, point_value=1)
    LoyaltyTier.objects.create(name="Everybody", spending_from=0, points_per_hundred=10)
    ann = Customer.objects.create(name="Ann")
    order = shop.sell(shop.product("Cup", "100.00"), 2, customer_id=ann.pk)
    pay(order, "200", "card")
    complete_order(order_id=order.pk, actor=NOBODY)
    adjust_points(customer_id=ann.pk, points=-15, reason="spent", actor=NOBODY)

    first = refund(order, items={first_item(order): 1})
    second = refund(order, items={first_item(order): 1})

    assert [(one.amount, one.withheld) for one in (first, second)] == [(95, 5), (90, 10)]
    order = now(order)
    assert (order.total, order.withheld, order.paid, order.due) == (0, 15, 15, 0)
    assert Customer.objects.get().points == 0
    refused(NothingToRefund, order)
    assert_money_adds_up()


def test_what_only_points_paid_for_gives_the_points_back(shop):
    LoyaltyProgram.objects.create(is_active=True, point_value=1)
    ann = Customer.objects.create(name="Ann")
    adjust_points(customer_id=ann.pk, points=200, reason="welcome", actor=NOBODY)
    milk = shop.ingredient("Milk", "ml", stock=1000)
    cup = shop.product("Cup", "100.00", {milk: 200})
    order = shop.sell(cup, 2, customer_id=ann.pk, redeem_points=200)
    complete_order(order_id=order.pk, actor=NOBODY)
    refused(NothingToRefund, order, amount="1")

    first = refund(order, items={first_item(order): 1})
    assert (first.amount, Customer.objects.get().points, now(order).points_redeemed) == (0, 100, 100)
    refund(order)

    assert (Customer.objects.get().points, now(order).points_redeemed, now(order).status) == (200, 0, "completed")
    refused(NothingToRefund, order)
    assert_money_adds_up()
    assert_levels_are_what_the_ledger_sums_to()


def test_a_thousandth_payback_takes_no_more_queries_than_the_first(shop):
    open_till(shop)
    cup = shop.product("Cup", "60.00")
    orders = [shop.sell(cup) for _ in range(6)]
    for order in orders:
        pay(order, "30", "cash")
        pay(order, "30", "card")

    def queries_for(some):
        with CaptureQueriesContext(connection) as queries:
            made = pay_back([Payback(order, Decimal(60)) for order in map(now, some)], actor=NOBODY)
        assert len(made) == len(some)
        return len(queries) - len(some)  # `now` reads each of them

    assert queries_for(orders[:1]) == queries_for(orders[1:]) <= 6
    assert Refund.objects.count() == 6
    assert not Payment.objects.filter(refunded=0).exists()


def test_a_refund_takes_a_constant_number_of_queries(shop, tea):
    products = [shop.product(f"Cup {number}", "10.00", recipe={tea: 1}) for number in range(6)]

    def queries_of(some):
        order = shop.place(*(OrderLine(one.pk, 1) for one in some))
        pay(order, order.total, "card")
        complete_order(order_id=order.pk, actor=NOBODY)
        with CaptureQueriesContext(connection) as queries:
            refund(order)
        return len(queries)

    assert queries_of(products[:1]) == queries_of(products) <= 30
