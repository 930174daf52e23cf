"""Taking money for an order: what is taken, what is refused, and that a refusal changes nothing."""

from decimal import Decimal

import pytest
from django.utils import timezone

from foundation.errors import InvalidInput
from orders.errors import (
    NoOpenShift,
    OrderArchived,
    OrderImported,
    PaymentAfterCancellation,
    ShiftClosed,
    UnknownOrder,
    UnknownShift,
    WhichTill,
    WrongAmount,
)
from orders.models import Order, OrderEvent, Payment
from orders.services.archive import archive_orders
from orders.services.payments import take_payment
from orders.services.shifts import close_shift
from tests.orders.money import assert_money_adds_up, complete_unpaid, now, open_till, pay
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def order(shop):
    """Two cups at 60."""
    return shop.sell(shop.product("Cup", "60.00"), 2)


def refused(error: type[Exception], order: Order, method: str = "card", amount: str = "120", **more: object) -> str:
    """Asserts that a payment is refused and nothing is written; answers with the sentence."""
    before = (Payment.objects.count(), Order.objects.filter(pk=order.pk).values_list("paid", flat=True).first())
    events = OrderEvent.objects.count()
    with pytest.raises(error) as caught:
        pay(order, amount, method, **more)
    assert (
        Payment.objects.count(),
        Order.objects.filter(pk=order.pk).values_list("paid", flat=True).first(),
    ) == before
    assert OrderEvent.objects.count() == events
    return str(caught.value)


def test_cash_goes_into_the_only_open_till_and_the_change_is_told(shop, order):
    shift = open_till(shop)

    payment = pay(order, "120", "cash", tendered="200", tip="30")

    assert (payment.amount, payment.tip, payment.tendered, payment.change) == (120, 30, 200, 50)
    assert payment.shift == shift
    order = now(order)
    assert (order.paid, order.due) == (120, 0)
    event = order.events.get(kind="pay")
    assert event.details == {"payment": payment.pk, "method": "cash", "amount": "120.00", "tip": "30.00"}
    assert_money_adds_up()


def test_cash_without_a_word_about_it_was_handed_over_exactly(shop, order):
    open_till(shop)
    payment = pay(order, "100", "cash", tip="5")
    assert (payment.tendered, payment.change) == (105, 0)


def test_an_order_is_paid_by_several_methods(shop, order):
    open_till(shop)
    pay(order, "50", "cash")
    pay(order, "40", "card", tip="10", reference="slip 17")
    pay(order, "30", "transfer")

    assert "Nothing is left" in refused(WrongAmount, order, "card", "0.01")
    order = now(order)
    assert order.due == 0
    assert_money_adds_up()


def test_more_than_is_due_is_refused_with_what_is_due(shop, order):
    pay(order, "100", "card")
    assert "Only ฿20 is still to be paid" in refused(WrongAmount, order, "card", "20.01")


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "100000000", "NaN", "Infinity"])
def test_an_amount_that_is_none_is_refused(order, amount):
    refused(WrongAmount, order, "card", amount)


def test_a_currency_without_cents_takes_none(settings, order):
    settings.CURRENCY = "JPY"
    assert "nearest one is ¥61" in refused(WrongAmount, order, "card", "60.50")


def test_too_little_cash_is_refused(shop, order):
    open_till(shop)
    refused(WrongAmount, order, "cash", "120", tip="10", tendered="129.99")


def test_only_cash_is_tendered(order):
    refused(WrongAmount, order, "card", "120", tendered="200")


def test_an_unknown_method_is_refused(order):
    refused(InvalidInput, order, "gold")


def test_a_cancelled_order_takes_no_payment(shop, order):
    shop.cancel(order)
    assert "is cancelled" in refused(PaymentAfterCancellation, order)
    assert PaymentAfterCancellation.code == "wrong_status"


def test_a_completed_order_that_is_unpaid_may_still_be_paid(shop, order):
    complete_unpaid(order)
    pay(order, "120", "card")
    order = now(order)
    assert (order.status, order.paid) == ("completed", 120)


def test_an_imported_sale_takes_no_payment(order):
    Order.objects.filter(pk=order.pk).update(channel="import")
    refused(OrderImported, order)


def test_an_archived_order_takes_no_payment(order):
    complete_unpaid(order)
    archive_orders(before=timezone.now())
    with pytest.raises(OrderArchived):
        pay(order, "120", "card")
    assert not Payment.objects.exists()


def test_an_unknown_order_takes_no_payment():
    with pytest.raises(UnknownOrder):
        take_payment(order_id=404, method="card", amount=Decimal(1), actor=NOBODY)


def test_cash_needs_an_open_till_at_the_orders_location(shop, order):
    open_till(Shop.open("Elsewhere"))
    assert "Main Street" in refused(NoOpenShift, order, "cash")
    pay(order, "120", "card")


def test_with_several_open_tills_cash_says_which(shop, order):
    first, second = open_till(shop, "1"), open_till(shop, "2")
    assert "1, 2" in refused(WhichTill, order, "cash")
    assert pay(order, "50", "cash", shift_id=second.pk).shift == second
    assert pay(order, "30", "card").shift is None
    assert pay(order, "40", "card", shift_id=first.pk).shift == first


def test_a_till_that_is_closed_or_elsewhere_takes_no_cash(shop, order):
    closed, elsewhere = open_till(shop, "2"), open_till(Shop.open("Elsewhere"))
    close_shift(shift_id=closed.pk, counted=Decimal(100), actor=NOBODY)
    open_till(shop, "1")

    refused(ShiftClosed, order, "cash", shift_id=closed.pk)
    assert "another location" in refused(InvalidInput, order, "cash", shift_id=elsewhere.pk)
    refused(UnknownShift, order, "cash", shift_id=elsewhere.pk + 1000)


def test_a_card_is_noted_at_the_only_open_till_and_what_is_online_at_none(shop, order):
    shift = open_till(shop)
    assert pay(order, "60", "card").shift == shift
    assert pay(order, "60", "online").shift is None
