import datetime
from collections.abc import Iterable
from typing import Any

import pytest

from orders.metrics import (
    active_orders,
    cancelled_items_today,
    order_seconds,
    orders_today,
    refunds_today,
    revenue_today,
)
from orders.models import Order, Refund
from orders.services.cancel import cancel_order
from orders.services.transitions import complete_order, prepare_order
from tests.orders.money import pay, refund
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


def test_only_active_orders_are_counted_by_status_and_channel() -> None:
    shop = Shop.open()
    tea = shop.product("Tea")
    shop.sell(tea)
    shop.sell(tea, channel=Order.Channel.API)
    prepare_order(order_id=shop.sell(tea).pk, actor=NOBODY)
    complete_order(order_id=shop.sell(tea).pk, actor=NOBODY, allow_unpaid=True)
    cancel_order(order_id=shop.sell(tea).pk, actor=NOBODY)

    figures = {(labels["status"], labels["channel"]): number for labels, number in active_orders()}

    assert figures == {("pending", "counter"): 1, ("pending", "api"): 1, ("preparing", "counter"): 1}


def told(values: Iterable[tuple[Any, float]]) -> dict[tuple[str, ...], float]:
    """The figures by the values of their labels."""
    return {tuple(labels.values()): value for labels, value in values}


def test_orders_money_and_times_are_those_of_each_locations_own_day() -> None:
    cafe, kiosk = Shop.open("Café", time_zone="Asia/Bangkok"), Shop.open("Kiosk", time_zone="America/Lima")
    closed = Shop.open("Closed")
    closed.sell(closed.product("Cake"))
    closed.location.is_active = False
    closed.location.save()
    tea, coffee = cafe.product("Tea", price=60), kiosk.product("Coffee", price=45)
    paid = [cafe.sell(tea), cafe.sell(tea, channel=Order.Channel.API), kiosk.sell(coffee)]
    for order in paid:
        complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    cancel_order(order_id=cafe.sell(tea).pk, actor=NOBODY)
    yesterday = cafe.sell(tea)
    complete_order(order_id=yesterday.pk, actor=NOBODY, allow_unpaid=True)
    start, _end = cafe.location.day_bounds(cafe.location.today())
    Order.objects.filter(pk=yesterday.pk).update(placed_at=start - datetime.timedelta(seconds=1))
    for order, seconds in zip(paid, (30, 90, 50), strict=True):
        Order.objects.filter(pk=order.pk).update(closed_at=order.placed_at + datetime.timedelta(seconds=seconds))

    assert told(orders_today()) == {
        ("Café", "counter", "completed"): 1,
        ("Café", "api", "completed"): 1,
        ("Café", "counter", "cancelled"): 1,
        ("Kiosk", "counter", "completed"): 1,
    }
    assert told(revenue_today()) == {
        ("Café", "counter", "THB"): 60,
        ("Café", "api", "THB"): 60,
        ("Kiosk", "counter", "THB"): 45,
    }
    assert told(order_seconds()) == {("Café",): 60, ("Kiosk",): 50}


def test_what_was_taken_back_and_given_back_today_is_counted() -> None:
    cafe, kiosk = Shop.open("Café"), Shop.open("Kiosk")
    tea, coffee = cafe.product("Tea", price=60), kiosk.product("Coffee", price=45)
    cafe.cancel_part(cafe.sell(tea, 3), 2, restock=False)
    cafe.cancel_part(cafe.sell(tea, 3), 1)
    cafe.cancel(cafe.sell(tea, 5))
    for shop, product in ((cafe, tea), (cafe, tea), (kiosk, coffee)):
        order = shop.sell(product)
        pay(order, product.price)
        complete_order(order_id=order.pk, actor=NOBODY)
        refund(order, amount="7.50")
    last_weeks = Refund.objects.order_by("pk")[0]
    last_weeks.created_at -= datetime.timedelta(days=7)
    last_weeks.save()

    assert told(cancelled_items_today()) == {("Café", "no"): 2, ("Café", "yes"): 6}
    assert told(refunds_today()) == {("Café", "THB"): 7.5, ("Kiosk", "THB"): 7.5}
