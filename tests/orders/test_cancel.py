"""Cancelling: exactly what was taken comes back, once."""

from decimal import Decimal

import pytest

from foundation.errors import Refusal
from inventory.models import Product, RecipeLine, StockLevel, StockMovement
from orders.errors import UnknownItem, UnknownOrder, WrongQuantity, WrongStatus
from orders.models import CancelledItem, Order
from orders.pricing import OrderLine
from orders.services.cancel import cancel_item, cancel_order
from orders.services.place import place_order
from orders.services.transitions import complete_order, prepare_order, ready_order
from tests.orders.snapshot import everything
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def refused(error: type[Refusal], call) -> Refusal:
    before = everything()
    with pytest.raises(error) as caught:
        call()
    assert everything() == before
    return caught.value


def part(shop: Shop, order: Order, quantity: int, **more) -> Order:
    """Cancels a part of the order's only line."""
    item = order.items.get()
    cancelled = cancel_item(order_id=order.pk, item_id=item.pk, quantity=quantity, actor=shop.actor, **more)
    assert_levels_are_what_the_ledger_sums_to()
    return cancelled


# --- a whole order ------------------------------------------------------------------------------------


def test_a_cancelled_order_gives_everything_back(shop):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock="500.5")
    cup, latte = shop.product("Cup", "50", {tea: 10}), shop.product("Latte", "70", {tea: 5, milk: "33.333"})
    order = place_order(location=shop.location, lines=[OrderLine(cup.pk, 2), OrderLine(latte.pk, 3)], actor=shop.actor)

    shop.cancel(order, reason="Changed their mind")

    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.subtotal, order.discount, order.total) == ("cancelled", 0, 0, 0)
    assert order.closed_at is not None
    assert list(order.items.values_list("quantity", "cancelled_quantity", "total")) == [(2, 2, 0), (3, 3, 0)]
    assert list(CancelledItem.objects.values_list("item__name", "quantity", "reason", "is_restocked")) == [
        ("Cup", 2, "Changed their mind", True),
        ("Latte", 3, "Changed their mind", True),
    ]
    assert (shop.quantity(tea), shop.quantity(milk)) == (100, Decimal("500.500"))
    assert shop.ledger(milk) == [
        ("receipt", Decimal("500.500")),
        ("sale", Decimal("-99.999")),
        ("cancellation", Decimal("99.999")),
    ]
    event = order.events.last()
    assert (event.kind, event.from_status, event.to_status, event.reason, event.details) == (
        "cancel",
        "pending",
        "cancelled",
        "Changed their mind",
        {"restock": True},
    )
    assert set(
        StockMovement.objects.filter(reason="cancellation").values_list("document_type", "document_id", "comment")
    ) == {("order", str(order.pk), "Changed their mind")}
    assert_levels_are_what_the_ledger_sums_to()


@pytest.mark.parametrize("moves", [[], [prepare_order], [prepare_order, ready_order]])
def test_every_active_order_can_be_cancelled(shop, moves):
    tea = shop.ingredient("Tea", stock=10)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}))
    for move in moves:
        move(order_id=order.pk, actor=shop.actor)
    before = Order.objects.get(pk=order.pk).status
    assert shop.cancel(order).status == "cancelled"
    assert order.events.last().from_status == before
    assert shop.quantity(tea) == 10


def test_what_comes_back_is_what_was_taken_whatever_the_recipe_says_by_then(shop):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock=100)
    cup = shop.product("Cup", recipe={tea: "10.5"})
    order = shop.sell(cup, 2)
    RecipeLine.objects.filter(product=cup).update(quantity=99)
    RecipeLine.objects.create(product=cup, ingredient=milk, quantity=5)
    Product.objects.update(is_listed=False, price=1)
    shop.cancel(order)
    assert (shop.quantity(tea), shop.quantity(milk)) == (100, 100)
    assert shop.ledger(milk) == [("receipt", 100)]


def test_waste_comes_back_and_is_written_off_at_once(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}), 3)
    item = order.items.get()
    shop.cancel(order, restock=False, reason="Dropped")
    assert shop.quantity(tea) == 70
    assert list(
        StockMovement.objects.filter(document_type="order").order_by("id").values_list("reason", "delta", "line_id")
    ) == [
        ("sale", -30, str(item.pk)),
        ("cancellation", 30, str(item.pk)),
        ("write_off", -30, str(item.pk)),
    ]
    assert not CancelledItem.objects.get().is_restocked
    assert order.events.last().details == {"restock": False}
    assert_levels_are_what_the_ledger_sums_to()


def test_waste_of_the_last_gram_needs_nothing_on_the_shelf(shop):
    tea = shop.ingredient("Tea", stock=10)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}))
    shop.cancel(order, restock=False)
    assert shop.quantity(tea) == 0


def test_what_comes_back_comes_back_at_the_cost_it_left_at(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost="2")
    order = shop.sell(shop.product("Cup", recipe={tea: 50}))
    shop.receive({tea: 50}, unit_cost="6")
    assert StockLevel.objects.get().average_cost == Decimal("4.000000")
    shop.cancel(order)
    assert StockMovement.objects.get(reason="cancellation").unit_cost == Decimal("2.000000")
    assert StockLevel.objects.get().average_cost == Decimal("3.333333")


def test_waste_comes_back_at_its_cost_and_leaves_at_the_average_so_that_no_value_is_lost(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost="2")
    order = shop.sell(shop.product("Cup", recipe={tea: 50}))
    shop.receive({tea: 50}, unit_cost="6")
    shop.cancel(order, restock=False)
    level = StockLevel.objects.get()
    assert (level.quantity, level.average_cost) == (100, Decimal("3.333333"))
    assert list(
        StockMovement.objects.filter(document_type="order").order_by("id").values_list("delta", "unit_cost")
    ) == [(-50, Decimal("2.000000")), (50, Decimal("2.000000")), (-50, Decimal("3.333333"))]


def test_an_order_is_cancelled_once(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}))
    shop.cancel(order)
    refusal = refused(WrongStatus, lambda: shop.cancel(order))
    assert refusal.extra == {"status": "cancelled"}
    assert refusal.detail == (
        f"Order #{order.number} is cancelled. This is possible only while it is pending, preparing, ready."
    )
    assert shop.quantity(tea) == 100


def test_two_stale_objects_of_one_order_cancel_it_once(shop):
    """Both were read while it was pending: the status that counts is the one under the lock."""
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}))
    first, second = Order.objects.get(pk=order.pk), Order.objects.get(pk=order.pk)
    shop.cancel(first)
    assert second.status == "pending"
    refused(WrongStatus, lambda: shop.cancel(second))
    assert shop.ledger(tea) == [("receipt", 100), ("sale", -10), ("cancellation", 10)]


def test_a_completed_order_is_not_cancelled(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}))
    complete_order(order_id=order.pk, actor=shop.actor, allow_unpaid=True)
    refused(WrongStatus, lambda: shop.cancel(order))
    refused(
        WrongStatus,
        lambda: cancel_item(order_id=order.pk, item_id=order.items.get().pk, quantity=1, actor=shop.actor),
    )


def test_unknown_orders_are_missing(shop):
    for unknown in (0, -1, 10**18, 10**30):
        with pytest.raises(UnknownOrder):
            cancel_order(order_id=unknown, actor=shop.actor)


def test_an_order_of_a_location_closed_since_can_be_cancelled(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}))
    shop.location.is_active = False
    shop.location.save()
    shop.cancel(order)
    assert shop.quantity(tea) == 100


# --- a part of a line ---------------------------------------------------------------------------------


def test_a_part_of_a_line_comes_back(shop):
    tea, user = shop.ingredient("Tea", stock=100), user_of("barista")
    cup = shop.product("Cup", "50", {tea: 10})
    order = shop.sell(cup, 5)
    shop.actor = type(shop.actor)(user.pk, "admin")

    cancelled = part(shop, order, 2, reason="Too many")

    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.subtotal, order.total, order.closed_at) == ("pending", 150, 150, None)
    assert (cancelled.subtotal, cancelled.total) == (150, 150)
    item = order.items.get()
    assert (item.quantity, item.cancelled_quantity, item.remaining, item.total) == (5, 2, 3, 150)
    record = item.cancellations.get()
    assert (record.quantity, record.reason, record.is_restocked, record.created_by) == (2, "Too many", True, user)
    event = order.events.last()
    assert (event.kind, event.from_status, event.to_status, event.door) == (
        "cancel_item",
        "pending",
        "pending",
        "admin",
    )
    assert event.details == {"item": item.pk, "name": "Cup", "quantity": 2, "restock": True}
    assert shop.ledger(tea) == [("receipt", 100), ("sale", -50), ("cancellation", 20)]


def test_the_last_part_cancels_the_order(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", "50", {tea: 10}), 2)
    part(shop, order, 1)
    assert part(shop, order, 1).status == "cancelled"
    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.total) == ("cancelled", 0)
    assert order.closed_at is not None
    assert [event.kind for event in order.events.all()] == ["placed", "cancel_item", "cancel"]
    assert shop.quantity(tea) == 100
    refused(WrongStatus, lambda: shop.cancel(order))


def test_the_last_line_of_several_cancels_the_order_and_not_an_earlier_one(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", "50", {tea: 10})
    order = place_order(location=shop.location, lines=[OrderLine(cup.pk, 1), OrderLine(cup.pk, 2)], actor=shop.actor)
    first, second = order.items.all()
    cancelled = cancel_item(order_id=order.pk, item_id=first.pk, quantity=1, actor=shop.actor)
    assert (cancelled.status, cancelled.total) == ("pending", 100)
    cancelled = cancel_item(order_id=order.pk, item_id=second.pk, quantity=2, actor=shop.actor)
    assert (cancelled.status, cancelled.total) == ("cancelled", 0)
    assert shop.quantity(tea) == 100


@pytest.mark.parametrize("restock", [True, False])
@pytest.mark.parametrize("need", ["33.333", "0.001", "0.002", "10", "33.334", "66.667"])
def test_three_thirds_are_exactly_the_whole(shop, need, restock):
    """1 of 3, 1 of 2, the last one: rounding never gains or loses a thousandth."""
    tea = shop.ingredient("Tea", stock=1000)
    order = shop.sell(shop.product("Cup", recipe={tea: need}), 3)
    for _ in range(3):
        part(shop, order, 1, restock=restock)
    sold_and_returned = [delta for reason, delta in shop.ledger(tea) if reason in ("sale", "cancellation")]
    assert sum(sold_and_returned) == 0
    assert shop.quantity(tea) == (1000 if restock else 1000 - 3 * Decimal(need))


def test_what_can_not_be_divided_is_rounded_and_the_last_part_takes_the_rest(shop):
    """An edit by another recipe leaves a line that holds 100 g for 3 portions."""
    tea = shop.ingredient("Tea", stock=1000)
    cup = shop.product("Cup", recipe={tea: "33.333"})
    order = shop.sell(cup, 2)
    RecipeLine.objects.update(quantity=Decimal("33.334"))
    shop.edit(order, OrderLine(cup.pk, 3))
    for _ in range(3):
        part(shop, order, 1)
    assert [delta for reason, delta in shop.ledger(tea) if reason == "cancellation"] == [
        Decimal("33.333"),
        Decimal("33.334"),
        Decimal("33.333"),
    ]
    assert shop.quantity(tea) == 1000


def test_part_wasted_and_the_rest_cancelled_with_return(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: "3.333"}), 3)
    part(shop, order, 1, restock=False)
    shop.cancel(order)
    assert shop.quantity(tea) == Decimal("96.667")
    assert list(CancelledItem.objects.values_list("quantity", "is_restocked")) == [(1, False), (2, True)]


@pytest.mark.parametrize("quantity", [0, -1, 4, 10**9])
def test_more_than_is_left_or_nothing_can_not_be_cancelled(shop, quantity):
    order = shop.sell(shop.product("Cup"), 5)
    part(shop, order, 2)
    item = order.items.get()
    refusal = refused(
        WrongQuantity,
        lambda: cancel_item(order_id=order.pk, item_id=item.pk, quantity=quantity, actor=shop.actor),
    )
    assert refusal.errors == {"quantity": [f"Of Cup, 3 can be cancelled, not {quantity}."]}


def test_a_line_of_another_order_is_missing(shop):
    cup = shop.product("Cup")
    order, other = shop.sell(cup), shop.sell(cup)
    for item_id in (other.items.get().pk, 0, 10**30):
        refused(
            UnknownItem,
            lambda item_id=item_id: cancel_item(order_id=order.pk, item_id=item_id, quantity=1, actor=shop.actor),
        )


def test_two_locations_each_get_back_their_own(shop):
    harbour = Shop.open("Harbour")
    tea = shop.ingredient("Tea", stock=100)
    harbour.receive({tea: 100})
    cup = shop.product("Cup", recipe={tea: 10})
    here, there = shop.sell(cup), harbour.sell(cup, 2)
    shop.cancel(there)
    assert (shop.quantity(tea), harbour.quantity(tea)) == (90, 100)
    shop.cancel(here)
    assert (shop.quantity(tea), harbour.quantity(tea)) == (100, 100)
