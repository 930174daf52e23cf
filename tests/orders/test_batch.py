"""Completing and cancelling many orders at once."""

from decimal import Decimal

import pytest

from orders.errors import UnknownOrder, WrongBatch, WrongStatus
from orders.models import CancelledItem, Order, OrderEvent
from orders.services.batch import BatchResult, cancel_orders, complete_orders, start_batch
from orders.services.cancel import cancel_item
from orders.services.transitions import complete_order, prepare_order
from tests.orders.snapshot import everything
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def statuses() -> list[str]:
    return list(Order.objects.order_by("id").values_list("status", flat=True))


def test_each_order_is_answered_in_the_order_of_asking(shop):
    cup = shop.product("Cup")
    orders = [shop.sell(cup) for _ in range(4)]
    complete_order(order_id=orders[1].pk, actor=NOBODY, allow_unpaid=True)
    shop.cancel(orders[2])
    prepare_order(order_id=orders[3].pk, actor=NOBODY)

    results = complete_orders(
        order_ids=[orders[3].pk, 10**15, orders[2].pk, orders[1].pk, orders[0].pk, orders[0].pk],
        actor=NOBODY,
        allow_unpaid=True,
    )

    assert [result.order_id for result in results] == [
        orders[3].pk,
        10**15,
        orders[2].pk,
        orders[1].pk,
        orders[0].pk,
    ]
    assert [type(result.refusal) for result in results] == [
        type(None),
        UnknownOrder,
        WrongStatus,
        WrongStatus,
        type(None),
    ]
    assert statuses() == ["completed", "completed", "cancelled", "completed"]
    assert [result.as_json() for result in results[:3]] == [
        {"id": orders[3].pk, "ok": True},
        {"id": 10**15, "ok": False, "error": {"type": "not_found", "detail": f"There is no order {10**15}."}},
        {
            "id": orders[2].pk,
            "ok": False,
            "error": {
                "type": "wrong_status",
                "detail": f"Order #{orders[2].number} is cancelled. "
                "This is possible only while it is pending, preparing, ready.",
            },
        },
    ]


def test_completed_orders_keep_totals_and_get_an_event_each(shop):
    orders = [shop.sell(shop.product(f"Cup {n}", "50"), n) for n in (1, 2)]
    prepare_order(order_id=orders[1].pk, actor=NOBODY)
    complete_orders(order_ids=[order.pk for order in orders], actor=NOBODY, allow_unpaid=True)
    assert list(Order.objects.order_by("id").values_list("total", flat=True)) == [50, 100]
    assert not Order.objects.filter(closed_at=None).exists()
    events = OrderEvent.objects.filter(kind="complete").order_by("order_id")
    assert list(events.values_list("order_id", "from_status", "to_status", "door")) == [
        (orders[0].pk, "pending", "completed", "command"),
        (orders[1].pk, "preparing", "completed", "command"),
    ]


def test_cancelled_orders_give_everything_back_also_what_was_cancelled_in_part(shop):
    harbour = Shop.open("Harbour")
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock=100)
    harbour.receive({tea: 50})
    cup = shop.product("Cup", "50", {tea: "3.333"})
    latte = shop.product("Latte", "70", {tea: 1, milk: 5})
    orders = [shop.sell(cup, 3), shop.sell(latte, 2), harbour.sell(cup, 4)]
    cancel_item(order_id=orders[0].pk, item_id=orders[0].items.get().pk, quantity=1, actor=NOBODY)

    results = cancel_orders(order_ids=[order.pk for order in orders], actor=NOBODY, reason="Closing")

    assert results == [BatchResult(order.pk) for order in orders]
    assert (shop.quantity(tea), shop.quantity(milk), harbour.quantity(tea)) == (100, 100, 50)
    assert statuses() == ["cancelled"] * 3
    assert set(Order.objects.values_list("subtotal", "total")) == {(0, 0)}
    assert list(CancelledItem.objects.order_by("id").values_list("item__order_id", "quantity", "reason")) == [
        (orders[0].pk, 1, ""),
        (orders[0].pk, 2, "Closing"),
        (orders[1].pk, 2, "Closing"),
        (orders[2].pk, 4, "Closing"),
    ]
    assert set(OrderEvent.objects.filter(kind="cancel").values_list("reason", flat=True)) == {"Closing"}
    assert_levels_are_what_the_ledger_sums_to()


def test_wasted_orders_leave_the_levels_and_write_both_rows(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", recipe={tea: 10})
    orders = [shop.sell(cup), shop.sell(cup, 2)]
    cancel_orders(order_ids=[order.pk for order in orders], actor=NOBODY, restock=False)
    assert shop.quantity(tea) == 70
    assert shop.ledger(tea)[3:] == [
        ("cancellation", 10),
        ("write_off", -10),
        ("cancellation", 20),
        ("write_off", -20),
    ]
    assert not CancelledItem.objects.filter(is_restocked=True).exists()


def test_a_batch_in_which_nothing_can_be_done_changes_nothing(shop):
    order = shop.sell(shop.product("Cup"))
    shop.cancel(order)
    before = everything()
    for verb in (complete_orders, cancel_orders):
        assert [result.refusal.code for result in verb(order_ids=[order.pk, 7], actor=NOBODY)] == [
            "wrong_status",
            "not_found",
        ]
    assert everything() == before


def test_an_empty_and_an_overlong_batch_are_refused(shop):
    order = shop.sell(shop.product("Cup"))
    before = everything()
    for verb in (complete_orders, cancel_orders):
        for ids in ([], [order.pk] * 1001):
            with pytest.raises(WrongBatch) as refused:
                verb(order_ids=ids, actor=NOBODY)
            assert list(refused.value.errors) == ["ids"]
    assert everything() == before


def test_a_batch_run_of_an_unknown_verb_is_not_written(shop):
    order = shop.sell(shop.product("Cup"))
    before = everything()
    with pytest.raises(ValueError, match="burn"):
        start_batch(verb="burn", order_ids=[order.pk], actor=NOBODY)
    assert everything() == before


def test_thirds_are_exact_in_a_batch_too(shop):
    tea = shop.ingredient("Tea", stock="99.999")
    order = shop.sell(shop.product("Cup", recipe={tea: "33.333"}), 3)
    cancel_item(order_id=order.pk, item_id=order.items.get().pk, quantity=1, actor=NOBODY)
    cancel_orders(order_ids=[order.pk], actor=NOBODY)
    assert shop.quantity(tea) == Decimal("99.999")
