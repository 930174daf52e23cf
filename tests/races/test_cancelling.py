"""Several people deal with one order at the same moment: one effect, and the others are told.

The first test is the known fault of the system that this one replaces: two cancellations of one order brought
its ingredients back twice. Its counterproof takes the lock out and shows the fault.
"""

from decimal import Decimal
from threading import Barrier

import pytest

from inventory.services import returns
from orders.models import CancelledItem, Order, OrderEvent
from orders.pricing import OrderLine
from orders.services import cancel
from orders.services.batch import cancel_orders, complete_orders, run_batch_part, start_batch
from orders.services.cancel import cancel_item
from orders.services.transitions import complete_order
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 32


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def test_32_cancellations_of_one_order_have_one_effect(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}), 2)

    outcomes = at_once([lambda: shop.cancel(order)] * CROWD)

    assert kinds(outcomes) == {"Order": 1, "WrongStatus": CROWD - 1}
    assert shop.ledger(tea) == [("receipt", 100), ("sale", -20), ("cancellation", 20)]
    assert shop.quantity(tea) == 100
    assert CancelledItem.objects.count() == 1
    assert OrderEvent.objects.filter(kind="cancel").count() == 1


def test_without_the_lock_the_ingredients_come_back_32_times(shop, monkeypatch):
    """Counterproof: the order is only read, not locked. The barrier stands between what is checked and what is
    written, so that everybody has seen a pending order that still holds its ingredients: all of them cancel it."""
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}), 2)
    everybody_has_read = Barrier(CROWD)

    def read_deductions(**document: object) -> returns.Deductions:
        deductions = returns.deductions_of(**document)
        everybody_has_read.wait(PATIENCE)
        return deductions

    monkeypatch.setattr(cancel, "lock_order", lambda order_id: Order.objects.get(pk=order_id))
    monkeypatch.setattr(cancel, "deductions_of", read_deductions)

    outcomes = at_once([lambda: shop.cancel(order)] * CROWD)

    assert kinds(outcomes) == {"Order": CROWD}
    assert OrderEvent.objects.filter(kind="cancel").count() == CROWD > 1
    assert shop.quantity(tea) == 80 + CROWD * 20


def test_of_cancelling_and_completing_at_once_one_happens(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", recipe={tea: 10})
    for _ in range(10):
        before = shop.quantity(tea)
        order = shop.sell(cup)

        cancelled, completed = at_once(
            [
                lambda order=order: shop.cancel(order),
                lambda order=order: complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True),
            ]
        )

        assert kinds([cancelled, completed]) == {"Order": 1, "WrongStatus": 1}
        status = Order.objects.get(pk=order.pk).status
        assert status == ("cancelled" if isinstance(cancelled, Order) else "completed")
        assert shop.quantity(tea) == (before if status == "cancelled" else before - 10)
        assert order.events.count() == 2
        shop.receive({tea: 10})


def test_two_cancellations_of_a_part_never_take_more_than_the_line_has(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}), 3)

    outcomes = at_once([lambda: shop.cancel_part(order, 2)] * 2)

    assert kinds(outcomes) == {"Order": 1, "WrongQuantity": 1}
    assert order.items.get().cancelled_quantity == 2
    assert shop.quantity(tea) == 90


def test_a_line_of_five_is_taken_back_by_five_of_eight_people(shop):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: "3.333"}), 5)

    outcomes = at_once([lambda: shop.cancel_part(order, 1)] * 8)

    assert kinds(outcomes) == {"Order": 5, "WrongStatus": 3}
    assert Order.objects.get().status == "cancelled"
    assert shop.quantity(tea) == 100
    assert CancelledItem.objects.count() == 5


def test_parts_of_different_lines_at_once_leave_the_right_total(shop):
    tea = shop.ingredient("Tea", stock=1000)
    cups = [shop.product(f"Cup {number}", "50", {tea: 1}) for number in range(8)]
    order = shop.place(*(OrderLine(cup.pk, 2) for cup in cups))
    items = list(order.items.values_list("pk", flat=True))

    outcomes = at_once(
        [
            lambda item_id=item_id: cancel_item(order_id=order.pk, item_id=item_id, quantity=1, actor=NOBODY)
            for item_id in items
        ]
    )

    assert kinds(outcomes) == {"Order": 8}
    order = Order.objects.get()
    assert (order.status, order.total) == ("pending", 400)
    assert shop.quantity(tea) == 992


def test_an_edit_and_a_cancellation_at_once_leave_everything_on_the_shelf(shop):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock=100)
    cup, latte = shop.product("Cup", recipe={tea: 10}), shop.product("Latte", recipe={milk: 10})
    for _ in range(10):
        order = shop.sell(cup, 2)

        edited, cancelled = at_once(
            [
                lambda order=order: shop.edit(order, OrderLine(cup.pk, 1), OrderLine(latte.pk, 3)),
                lambda order=order: shop.cancel(order),
            ]
        )

        assert isinstance(cancelled, Order)
        assert type(edited).__name__ in ("Order", "WrongStatus")
        assert Order.objects.get(pk=order.pk).status == "cancelled"
        assert (shop.quantity(tea), shop.quantity(milk)) == (100, 100)
        assert_levels_are_what_the_ledger_sums_to()


def test_two_edits_at_once_end_in_one_of_them(shop):
    tea = shop.ingredient("Tea", stock=1000)
    cup = shop.product("Cup", "50", {tea: 10})
    order = shop.sell(cup)

    outcomes = at_once([lambda number=number: shop.edit(order, OrderLine(cup.pk, number)) for number in range(1, 9)])

    assert kinds(outcomes) == {"Order": 8}
    wanted = order.items.get().quantity
    assert Order.objects.get().total == 50 * wanted
    assert shop.quantity(tea) == 1000 - 10 * wanted
    assert_levels_are_what_the_ledger_sums_to()


# --- batches ------------------------------------------------------------------------------------------


def test_batches_that_overlap_in_opposite_order_do_not_lock_each_other_out(shop):
    tea, milk = shop.ingredient("Tea", stock=1000), shop.ingredient("Milk", stock=1000)
    drinks = [shop.product("Cup", recipe={tea: 1, milk: 2}), shop.product("Latte", recipe={milk: 3, tea: 1})]
    ids = [shop.sell(drinks[number % 2], 3).pk for number in range(40)]

    outcomes = at_once(
        [lambda chosen=chosen: cancel_orders(order_ids=chosen, actor=NOBODY) for chosen in (ids, ids[::-1]) * 4]
    )

    done = [result.order_id for results in outcomes for result in results if result.refusal is None]
    assert sorted(done) == ids
    assert OrderEvent.objects.filter(kind="cancel").count() == CancelledItem.objects.count() == 40
    assert (shop.quantity(tea), shop.quantity(milk)) == (1000, 1000)
    assert_levels_are_what_the_ledger_sums_to()


def test_batches_and_single_verbs_on_the_same_orders_each_move_an_order_once(shop):
    tea = shop.ingredient("Tea", stock=1000)
    cup = shop.product("Cup", recipe={tea: 10})
    ids = [shop.sell(cup).pk for _ in range(12)]
    orders = {order.pk: order for order in Order.objects.all()}

    at_once(
        [
            lambda: complete_orders(order_ids=ids, actor=NOBODY, allow_unpaid=True),
            lambda: cancel_orders(order_ids=ids[::-1], actor=NOBODY),
            *(lambda pk=pk: shop.cancel(orders[pk]) for pk in ids[::3]),
            *(lambda pk=pk: complete_order(order_id=pk, actor=NOBODY, allow_unpaid=True) for pk in ids[1::3]),
        ]
    )

    assert OrderEvent.objects.exclude(kind="placed").count() == 12
    completed = Order.objects.filter(status="completed").count()
    assert completed + Order.objects.filter(status="cancelled").count() == 12
    assert shop.quantity(tea) == 1000 - 10 * completed
    assert_levels_are_what_the_ledger_sums_to()


def test_four_workers_on_one_large_batch_do_each_order_once(shop, monkeypatch):
    monkeypatch.setattr("orders.services.batch.PART", 5)
    tea = shop.ingredient("Tea", stock=1000)
    cup = shop.product("Cup", recipe={tea: Decimal("3.333")})
    ids = [shop.sell(cup).pk for _ in range(23)]
    run = start_batch(verb="cancel", order_ids=ids, actor=NOBODY)

    def work() -> int:
        parts = 1
        while run_batch_part(run_id=run.pk):
            parts += 1
        return parts

    outcomes = at_once([work] * 4)

    run.refresh_from_db()
    assert kinds(outcomes) == {"int": 4}
    assert (run.done, run.failures) == (23, [])
    assert OrderEvent.objects.filter(kind="cancel").count() == 23
    assert shop.quantity(tea) == 1000
