"""Tills that sell, are paid and cancel at the same moment, with the same customer, code, drawer and milk."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Customer, LoyaltyProgram, LoyaltyTier, Order, Payment, PromoCode
from orders.pricing import OrderLine
from orders.services.cancel import cancel_order
from orders.services.counter_sale import Tender, sell_at_counter, settle_at_counter
from orders.services.points import adjust_points
from tests.orders.counter import Counter, card
from tests.orders.money import assert_money_adds_up, open_till
from tests.races.threads import at_once, kinds
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)

LOCKED = ("inventory_stocklevel", "orders_shift", "orders_order")


def test_sales_payments_and_cancellations_never_wait_for_each_other_in_a_ring():
    """Each takes the same locks; one that took them in another order would be thrown out by the database."""
    shop = Shop.open()
    LoyaltyProgram.objects.create(is_active=True)
    LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=10)
    code = PromoCode.objects.create(code="TEN", value=10)
    ann = Customer.objects.create(name="Ann")
    adjust_points(customer_id=ann.pk, points=1000, reason="welcome", actor=NOBODY)
    latte = shop.product("Latte", "100.00", {shop.ingredient("Milk", "ml", stock=100_000): 200})
    shift = open_till(shop)

    def sell(*tenders):
        return sell_at_counter(
            location=shop.location,
            lines=[OrderLine(latte.pk, 1)],
            actor=NOBODY,
            tenders=tenders,
            shift_id=shift.pk,
            customer_id=ann.pk,
            promo_code="ten",
            redeem_points=10,
            expected_total=Decimal(80),
        )

    cash = Tender(method="cash", amount=Decimal(80))
    for _round in range(3):
        paid, unpaid = [sell(cash).order for _ in range(3)], [sell().order for _ in range(3)]

        outcomes = at_once(
            [
                *[lambda: sell(cash)] * 3,
                *[lambda pk=order.pk: cancel_order(order_id=pk, actor=NOBODY, may_refund=True) for order in paid],
                *[
                    lambda pk=order.pk: settle_at_counter(
                        order_id=pk, tenders=[cash], shift_id=shift.pk, hands_over=True, actor=NOBODY
                    )
                    for order in unpaid
                ],
            ]
        )

        assert kinds(outcomes) == {"Order": 3, "Sale": 6}, outcomes
    code.refresh_from_db()
    assert code.used_count == Order.objects.exclude(status="cancelled").count() == 18
    ann.refresh_from_db()
    # Nine orders were completed, 8 points each; eighteen carry ten redeemed points.
    assert ann.points == 1000 - 18 * 10 + 9 * 8
    assert_money_adds_up()
    assert_levels_are_what_the_ledger_sums_to()


def test_a_sale_that_names_no_till_still_locks_it_before_the_shelf():
    """Whoever pays back locks the till first, then the shelf: the other way round they would wait in a ring."""
    shop = Shop.open()
    latte = shop.product("Latte", "100.00", {shop.ingredient("Milk", "ml", stock=1000): 200})
    shift = open_till(shop)

    with CaptureQueriesContext(connection) as queries:
        sale = sell_at_counter(
            location=shop.location,
            lines=[OrderLine(latte.pk, 1)],
            actor=NOBODY,
            tenders=[Tender(method="card", amount=Decimal(100))],
        )

    assert [payment.shift_id for payment in sale.payments] == [shift.pk]
    locks = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    tables = [next(table for table in LOCKED if table in lock) for lock in locks]
    assert tables.index("orders_shift") < tables.index("inventory_stocklevel")


def test_one_tap_sent_eight_times_at_once_sells_one_drink():
    shop = Shop.open()
    tea, counter = shop.product("Tea", "60.00"), Counter.of(shop)
    body = counter.sale(tea, tenders=[card("60.00")], total="60.00")
    session = counter.browser.cookies

    def send():
        browser = type(counter.browser)()
        browser.cookies = session
        return browser.post("/counter/sell/", {"once": "a tap", **body}, content_type="application/json").status_code

    answers = at_once([send] * 8)

    # The first one is told that it is done; the others get its answer, or are told that it is being done.
    assert set(answers) <= {200, 409}
    assert 200 in answers
    assert (Order.objects.count(), Payment.objects.count()) == (1, 1)
