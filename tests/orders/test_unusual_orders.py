"""Orders that wait too long and unusually many cancellations are told once, and taken back when they are over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.models import Product
from monitoring.models import Alert
from orders.models import Order
from orders.services.cancel import cancel_order
from orders.services.transitions import complete_order, prepare_order, ready_order
from orders.services.unusual import tell_unusual
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


def told(event: str) -> list[tuple[str, int]]:
    """The open alerts: what they say, and how often it was said."""
    alerts = Alert.objects.filter(event=event, resolved_at=None).order_by("id")
    return [(alert.text, alert.count) for alert in alerts]


def placed(shop: Shop, number: int, **ago: int) -> list[Order]:
    """Orders of a coffee that were placed so long ago."""
    coffee = Product.objects.filter(name="Coffee").first() or shop.product("Coffee")
    orders = [shop.sell(coffee) for _ in range(number)]
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(placed_at=timezone.now() - timedelta(**ago))
    return orders


def cancel(orders: list[Order]) -> None:
    for order in orders:
        cancel_order(order_id=order.pk, reason="A mistake", actor=NOBODY)


def test_orders_that_wait_for_half_an_hour_are_told_once(shop):
    placed(shop, 2, minutes=31)
    placed(shop, 1, minutes=29)
    now = timezone.now()
    tell_unusual(now=now)
    tell_unusual(now=now)
    ((sentence, count),) = told("orders.waiting_long")
    assert sentence.startswith("Main Street: 2 orders have been waiting for over half an hour, the first since ")
    assert count == 1
    tell_unusual(now=now + timedelta(minutes=2))
    ((sentence, count),) = told("orders.waiting_long")
    assert sentence.startswith("Main Street: 3 orders")
    assert count == 1


def test_an_order_that_stands_ready_waits_for_nobody(shop):
    (order,) = placed(shop, 1, hours=1)
    tell_unusual(now=timezone.now())
    assert len(told("orders.waiting_long")) == 1
    prepare_order(order_id=order.pk, actor=NOBODY)
    ready_order(order_id=order.pk, actor=NOBODY)
    tell_unusual(now=timezone.now())
    assert told("orders.waiting_long") == []


def test_the_moment_is_told_by_the_clock_of_the_place(shop):
    (order,) = placed(shop, 1, hours=1)
    Order.objects.filter(pk=order.pk).update(placed_at="2026-03-01T20:15:00Z")
    tell_unusual(now=timezone.now())
    ((sentence, _count),) = told("orders.waiting_long")
    assert "2 Mar" in sentence
    assert sentence.endswith("03:15.")


def test_five_cancellations_of_twenty_in_an_hour_are_many(shop):
    orders = placed(shop, 20, minutes=10)
    cancel(orders[:4])
    tell_unusual(now=timezone.now())
    assert told("orders.many_cancelled") == []
    cancel(orders[4:5])
    tell_unusual(now=timezone.now())
    assert told("orders.many_cancelled") == [("Main Street: 5 orders were cancelled within an hour, of 20.", 1)]


def test_five_cancellations_of_twenty_five_are_not(shop):
    cancel(placed(shop, 25, minutes=10)[:5])
    tell_unusual(now=timezone.now())
    assert told("orders.many_cancelled") == []


def test_an_hour_later_the_cancellations_are_forgotten(shop):
    cancel(placed(shop, 6, minutes=10))
    tell_unusual(now=timezone.now())
    assert len(told("orders.many_cancelled")) == 1
    tell_unusual(now=timezone.now() + timedelta(minutes=61))
    assert told("orders.many_cancelled") == []
    assert Alert.objects.filter(event="orders.many_cancelled", resolved_at__isnull=False).count() == 1


def test_tidying_up_orders_of_last_week_is_not_unusual(shop):
    cancel(placed(shop, 10, days=7))
    tell_unusual(now=timezone.now())
    assert told("orders.many_cancelled") == []


def test_completed_orders_wait_no_more(shop):
    (order,) = placed(shop, 1, hours=2)
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    tell_unusual(now=timezone.now())
    assert told("orders.waiting_long") == []
