"""Shifts: what should be in the till, what was counted, and that a shift can always be closed."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foundation.errors import InvalidInput
from inventory.errors import ClosedLocation
from monitoring.models import Alert
from orders.errors import ShiftClosed, ShiftOpen, TillOpen, UnknownShift, WrongAmount
from orders.models import CashMovement, Shift, ShiftCorrection
from orders.services.shifts import close_shift, correct_shift, move_cash, open_shift
from orders.shift_selectors import expected_cash, shift_report
from tests.orders.money import assert_money_adds_up, open_till, pay
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def shift(shop) -> Shift:
    return open_till(shop)


def close(shift, counted, **more):
    return close_shift(shift_id=shift.pk, counted=Decimal(counted), actor=NOBODY, **more)


def move(shift, amount, reason="change"):
    return move_cash(shift_id=shift.pk, amount=Decimal(amount), reason=reason, actor=NOBODY)


def correct(shift, counted, reason="counted again"):
    return correct_shift(shift_id=shift.pk, counted=Decimal(counted), reason=reason, actor=NOBODY)


def test_a_till_has_one_open_shift(shop, shift):
    with pytest.raises(TillOpen):
        open_till(shop, "  1 ")
    assert open_till(shop, "Bar").is_open
    assert open_till(Shop.open("Elsewhere")).is_open
    close(shift, 100)
    assert open_till(shop).is_open
    assert Shift.objects.filter(location=shop.location, till="1").count() == 2


@pytest.mark.parametrize("opening_float", ["-0.01", "100000000", "0.001"])
def test_a_senseless_float_opens_nothing(shop, opening_float):
    with pytest.raises(WrongAmount):
        open_till(shop, opening_float=opening_float)
    assert not Shift.objects.exists()


def test_a_closed_location_opens_no_till(shop):
    shop.location.is_active = False
    with pytest.raises(ClosedLocation):
        open_shift(location=shop.location, opening_float=Decimal(0), actor=NOBODY)


def test_expected_cash_is_the_float_with_all_that_came_and_went(shop, shift):
    order = shop.sell(shop.product("Cup", "60.00"), 3)
    pay(order, "100", "cash", tip="7", tendered="200")
    pay(order, "80", "card", tip="5")
    move(shift, "50", "coins from the bank")
    move(shift, "-20.50", "milk")

    assert expected_cash(shift) == Decimal("236.50")
    closed = close(shift, "236.50", comment="all there")
    assert (closed.expected, closed.counted, closed.difference) == (Decimal("236.50"), Decimal("236.50"), 0)
    assert not Alert.objects.exists()
    assert_money_adds_up()


def test_a_shift_is_closed_whatever_is_unpaid_or_being_made(shop, shift):
    shop.sell(shop.product("Cup", "60.00"), 3)
    assert not close(shift, 100).is_open


@pytest.mark.parametrize(("counted", "words"), [("90", "฿10 is missing"), ("100.50", "฿0.50 too much")])
def test_a_difference_is_told_and_the_shift_closed_all_the_same(shift, counted, words):
    closed = close(shift, counted)
    assert closed.difference == Decimal(counted) - 100
    alert = Alert.objects.get(event="orders.shift_difference")
    assert words in alert.message
    assert alert.resolved_at is None


def test_a_shift_is_closed_once(shift):
    close(shift, 100)
    with pytest.raises(ShiftClosed):
        close(shift, 50)
    shift.refresh_from_db()
    assert shift.counted == 100


def test_nothing_moves_in_a_closed_or_unknown_shift(shift):
    close(shift, 100)
    with pytest.raises(ShiftClosed):
        move(shift, 10)
    shift.pk += 1
    for verb in (move, close, correct):
        with pytest.raises(UnknownShift):
            verb(shift, 10)
    assert not CashMovement.objects.exists()


@pytest.mark.parametrize("amount", ["-100.01", "0", "0.001", "NaN"])
def test_no_more_is_taken_out_than_the_till_holds(shift, amount):
    with pytest.raises(WrongAmount):
        move(shift, amount)
    assert not CashMovement.objects.exists()
    assert move(shift, "-100").amount == -100


def test_no_more_is_put_in_than_a_till_holds_so_that_it_can_always_be_closed(shift):
    move(shift, "99999899.99")
    with pytest.raises(WrongAmount):
        move(shift, "0.01")
    move(shift, "-1")
    move(shift, "1")
    assert expected_cash(shift) == Decimal("99999999.99")
    assert close_shift(shift_id=shift.pk, counted=Decimal(0), actor=NOBODY).difference == Decimal("-99999999.99")


def test_cash_moves_for_a_reason(shift):
    for reason in ("  ", "x" * 301):
        with pytest.raises(InvalidInput):
            move(shift, 10, reason)
    assert not CashMovement.objects.exists()


def test_a_closed_shift_is_corrected_by_a_second_document_and_the_newest_holds(shift):
    with pytest.raises(ShiftOpen):
        correct(shift, 95)
    close(shift, 90)
    correct(shift, 95)
    assert Alert.objects.get().resolved_at is None
    assert correct(shift, 100).difference == 0

    shift.refresh_from_db()
    assert (shift.counted, shift.difference) == (90, -10)
    report = shift_report(shift)
    assert (report.counted, report.difference, len(report.corrections)) == (100, 0, 2)
    assert Alert.objects.get().resolved_at is not None


def test_the_report_says_what_passed_through_the_till(shop, shift, django_assert_num_queries):
    cup = shop.product("Cup", "60.00")
    first, second = shop.sell(cup, 2), shop.sell(cup)
    pay(first, "70", "cash", tip="5")
    pay(first, "50", "card")
    pay(second, "60", "cash")
    move(shift, "-30", "milk")

    with django_assert_num_queries(5):
        report = shift_report(shift)
    assert {one.method: (one.payments, one.amount, one.tips) for one in report.methods} == {
        "cash": (2, 130, 5),
        "card": (1, 50, 0),
    }
    assert (report.orders, report.paid, report.average, report.tips) == (2, 180, 90, 5)
    assert (report.cash_in, report.cash_out, report.expected) == (0, 30, 205)
    assert (report.counted, report.difference) == (None, None)
    assert report.expected == expected_cash(shift)


def test_the_report_of_an_empty_shift_has_no_average(shift):
    report = shift_report(shift)
    assert (report.methods, report.orders, report.average, report.expected) == ([], 0, 0, 100)


def test_what_should_be_in_the_till_is_one_query_however_much_passed(shop, shift):
    order = shop.sell(shop.product("Cup", "60.00"), 10)
    for _ in range(10):
        pay(order, "60", "cash")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert expected_cash(shift) == 700
    assert len(queries) == 1


def test_a_correction_counts_money(shift):
    close(shift, 90)
    with pytest.raises(WrongAmount):
        correct(shift, "-1")
    with pytest.raises(InvalidInput):
        correct(shift, "95", " ")
    assert not ShiftCorrection.objects.exists()
