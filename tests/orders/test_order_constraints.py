"""What the database itself refuses of orders, whoever writes them."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from orders.models import Employee, Position
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    """A shop with an order of 3 × 50, one of which is cancelled."""
    shop = Shop.open()
    order = shop.sell(shop.product("Cup", "50"), 3)
    shop.cancel_part(order, 1)
    return shop


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE orders_order SET status = 'lost'", "order_status_known"),
        ("UPDATE orders_order SET status = 'completed'", "order_closed_when_over"),
        ("UPDATE orders_order SET closed_at = now()", "order_closed_when_over"),
        ("UPDATE orders_order SET total = total + 1", "order_totals_add_up"),
        ("UPDATE orders_order SET discount = 101, total = -1", "order_paid_within_total"),
        ("UPDATE orders_order SET subtotal = -1, discount = -1, total = 0", "order_totals_add_up"),
        (
            "INSERT INTO orders_order (number, location_id, channel, status, subtotal, discount, total, comment, "
            "placed_at, discounts, points_redeemed, paid, withheld) "
            "SELECT number, location_id, channel, status, 0, 0, 0, '', now(), '[]', 0, 0, 0 FROM orders_order",
            "orders_order_number",
        ),
        ("UPDATE orders_orderitem SET quantity = 0, cancelled_quantity = 0, total = 0", "item_quantity_positive"),
        ("UPDATE orders_orderitem SET cancelled_quantity = 4, total = -50", "item_cancelled_within_quantity"),
        ("UPDATE orders_orderitem SET total = 99.99", "item_total_adds_up"),
        ("UPDATE orders_orderitem SET unit_price = -1, total = -2", "item_"),
        ("UPDATE orders_orderitem SET discount = total + 1", "item_discount_within_total"),
        ("UPDATE orders_order SET paid = total + 1", "order_paid_within_total"),
        ("UPDATE orders_cancelleditem SET quantity = 0", "cancelled_quantity_positive"),
    ],
)
def test_the_database_refuses_what_an_order_can_not_be(shop, statement, constraint):
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert constraint in str(error.value)


def test_nobody_leaves_before_they_are_hired(shop):
    position = Position.objects.create(name="Barista")
    hired, left = dt.date(2026, 5, 2), dt.date(2026, 5, 1)
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        Employee.objects.create(name="Ann", position=position, location=shop.location, hired_on=hired, left_on=left)
    assert "employee_left_after_hired" in str(error.value)
