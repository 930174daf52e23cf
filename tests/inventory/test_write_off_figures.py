"""What was thrown away in a period: by reason and ingredient, with the money."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from inventory.services.lines import StockLine
from inventory.services.stock import write_off_stock
from inventory.write_off_selectors import write_offs_by_reason
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def write_off(shop, reason, at, **quantities):
    write_off_stock(
        location=shop.location,
        lines=[StockLine(shop.ingredient(name).pk, Decimal(quantity)) for name, quantity in quantities.items()],
        reason=reason,
        created_by_id=None,
        at=at,
    )


def test_quantities_and_money_add_up_by_reason_and_ingredient(shop, django_assert_num_queries):
    now = timezone.now()
    milk = shop.ingredient("Milk", "ml", stock=10_000, unit_cost="0.04")
    shop.ingredient("Tea", stock=1000, unit_cost=2)
    write_off(shop, "spoilage", now, Milk=500, Tea=5)
    write_off(shop, "spoilage", now + timedelta(hours=1), Milk=250)
    write_off(shop, "tasting", now, Tea=1)
    # Outside the period, and elsewhere.
    write_off(shop, "spoilage", now - timedelta(seconds=1), Milk=100)
    write_off(shop, "spoilage", now + timedelta(hours=2), Milk=100)
    other = Shop.open("Riverside")
    other.ingredient("Milk", "ml", stock=1000, unit_cost=1)
    write_off(other, "spoilage", now, Milk=100)
    # An order that was made and thrown away.
    order = shop.sell(shop.product("Latte", recipe={milk: 200}))
    shop.cancel(order, restock=False)

    with django_assert_num_queries(1):
        found = write_offs_by_reason(location=shop.location, start=now, end=now + timedelta(hours=2))

    assert [(one.reason, one.name, one.unit, one.quantity, one.value) for one in found] == [
        ("order", "Milk", "ml", 200, 8),
        ("spoilage", "Milk", "ml", 750, 30),
        ("spoilage", "Tea", "g", 5, 10),
        ("tasting", "Tea", "g", 1, 2),
    ]


def test_a_period_without_write_offs_is_empty(shop):
    now = timezone.now()
    assert write_offs_by_reason(location=shop.location, start=now, end=now) == []
