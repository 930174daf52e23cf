"""Two people take, pay back or count the same money at the same moment: it happens once, and the other is told.

Each counterproof takes a lock out and shows the fault that it keeps away.
"""

from decimal import Decimal
from threading import Barrier, Event

import pytest

from orders.models import Order, Payment, Refund, Shift
from orders.services import payments, refunds, tills
from orders.services.shifts import close_shift, move_cash
from orders.services.transitions import complete_order
from orders.shift_selectors import expected_cash
from tests.orders.money import assert_money_adds_up, now, open_till, pay, refund, total
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def order(shop):
    """Two cups at 60."""
    return shop.sell(shop.product("Cup", "60.00"), 2)


def after_everybody(number, call):
    """The same call, made only when so many are about to make it."""
    everybody = Barrier(number)

    def wait_and_call(*arguments, **named):
        everybody.wait(PATIENCE)
        return call(*arguments, **named)

    return wait_and_call


def test_eight_payments_of_one_debt_are_one(shop, order):
    open_till(shop)

    outcomes = at_once([lambda: pay(order, "120", "cash")] * 4 + [lambda: pay(order, "120", "card")] * 4)

    assert kinds(outcomes) == {"Payment": 1, "WrongAmount": 7}
    assert now(order).paid == 120
    assert_money_adds_up()


def test_without_the_lock_one_debt_is_paid_twice(shop, order, monkeypatch):
    monkeypatch.setattr(payments, "lock_order", lambda order_id: Order.objects.get(pk=order_id))
    monkeypatch.setattr(payments, "lock_till", after_everybody(2, payments.lock_till))

    outcomes = at_once([lambda: pay(order, "120", "card")] * 2)

    assert kinds(outcomes) == {"Payment": 2}
    assert (total(Payment.objects.all(), "amount"), now(order).paid) == (240, 120)


def test_of_a_payment_and_a_cancellation_one_happens(shop):
    cup = shop.product("Cup", "60.00")
    for _ in range(6):
        order = shop.sell(cup)

        outcomes = at_once([lambda order=order: pay(order, "60", "card"), lambda order=order: shop.cancel(order)])

        order = now(order)
        if order.status == "cancelled":
            assert kinds(outcomes) == {"Order": 1, "PaymentAfterCancellation": 1}
            assert not Payment.objects.filter(order=order.pk).exists()
        else:
            assert kinds(outcomes) == {"PaidAlready": 1, "Payment": 1}
            assert order.paid == 60
    assert_money_adds_up()


def test_two_people_open_a_till_once(shop):
    outcomes = at_once([lambda: open_till(shop)] * 4)
    assert kinds(outcomes) == {"Shift": 1, "TillOpen": 3}


def test_two_people_close_a_shift_once(shop):
    shift = open_till(shop)

    outcomes = at_once(
        [
            lambda counted=counted: close_shift(shift_id=shift.pk, counted=Decimal(counted), actor=NOBODY)
            for counted in (100, 100, 90, 110)
        ]
    )

    assert kinds(outcomes) == {"Shift": 1, "ShiftClosed": 3}
    assert Shift.objects.get().counted == next(one for one in outcomes if isinstance(one, Shift)).counted


def test_cash_that_comes_while_the_till_is_counted_is_in_it_or_refused(shop):
    cup = shop.product("Cup", "60.00")
    for _ in range(6):
        shift, order = open_till(shop), shop.sell(cup)

        paid, closed = at_once(
            [
                lambda order=order, shift=shift: pay(order, "60", "cash", shift_id=shift.pk),
                lambda shift=shift: close_shift(shift_id=shift.pk, counted=Decimal(100), actor=NOBODY),
            ]
        )

        assert kinds([closed]) == {"Shift": 1}
        assert kinds([paid]) in ({"Payment": 1}, {"ShiftClosed": 1})
        assert closed.expected == (160 if isinstance(paid, Payment) else 100)
    assert_money_adds_up()


def test_without_the_lock_cash_comes_into_a_till_that_is_counted(shop, order, monkeypatch):
    shift, has_read, is_closed = open_till(shop), Event(), Event()

    def read(shift_id):
        open_one = Shift.objects.get(pk=shift_id)
        has_read.set()
        is_closed.wait(PATIENCE)
        return open_one

    def close():
        has_read.wait(PATIENCE)
        closed = close_shift(shift_id=shift.pk, counted=Decimal(100), actor=NOBODY)
        is_closed.set()
        return closed

    monkeypatch.setattr(tills, "lock_shift", read)

    outcomes = at_once([lambda: pay(order, "60", "cash", shift_id=shift.pk), close])

    assert kinds(outcomes) == {"Payment": 1, "Shift": 1}
    assert (Shift.objects.get().expected, expected_cash(shift)) == (100, 160)


def test_two_people_never_take_out_more_than_the_till_holds(shop):
    shift = open_till(shop)

    outcomes = at_once([lambda: move_cash(shift_id=shift.pk, amount=Decimal(-60), reason="milk", actor=NOBODY)] * 4)

    assert kinds(outcomes) == {"CashMovement": 1, "WrongAmount": 3}
    assert expected_cash(shift) == 40


def test_of_four_refunds_of_one_order_one_pays_back(shop, order):
    pay(order, "120", "card")
    complete_order(order_id=order.pk, actor=NOBODY)

    outcomes = at_once([lambda: refund(order)] * 4)

    assert kinds(outcomes) == {"NothingToRefund": 3, "Refund": 1}
    assert now(order).paid == 0
    assert_money_adds_up()


def test_of_refunds_of_one_portion_no_more_happen_than_there_are_portions(shop, order):
    pay(order, "120", "card")
    item_id = order.items.get().pk

    outcomes = at_once([lambda: refund(order, items={item_id: 1})] * 4)

    assert kinds(outcomes) == {"Refund": 2, "WrongStatus": 2}
    assert total(Refund.objects.all(), "amount") == 120
    assert_money_adds_up()


def test_without_the_lock_one_order_is_paid_back_twice(shop, order, monkeypatch):
    pay(order, "120", "card")
    complete_order(order_id=order.pk, actor=NOBODY)
    monkeypatch.setattr(refunds, "lock_order", lambda order_id: Order.objects.get(pk=order_id))
    monkeypatch.setattr(refunds, "require_status", after_everybody(2, refunds.require_status))

    outcomes = at_once([lambda: refund(order, amount="50")] * 2)

    assert kinds(outcomes) == {"Refund": 2}
    assert (total(Refund.objects.all(), "amount"), now(order).paid) == (100, 70)
