import pytest

from orders.models import Order
from orders.services.cancel import cancel_order
from orders.services.transitions import complete_order, prepare_order
from orders.watching import active_orders
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
