"""Editing a pending order: the stock moves by the difference, and history stays."""

from decimal import Decimal

import pytest

from foundation.errors import Refusal
from inventory.errors import ClosedLocation, InsufficientStock, Unavailable
from inventory.models import Product, RecipeLine, StockMovement
from orders.errors import ChangedMeanwhile, UnknownOrder, WrongLines, WrongStatus
from orders.models import Order, OrderItem
from orders.pricing import OrderLine
from orders.services.cancel import cancel_item, cancel_order
from orders.services.edit import edit_order
from orders.services.place import place_order
from orders.services.transitions import complete_order, prepare_order
from tests.orders.snapshot import everything
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def edit(shop: Shop, order: Order, *lines: OrderLine, **more) -> Order:
    edited = edit_order(order_id=order.pk, lines=lines, actor=shop.actor, **more)
    stored = Order.objects.get(pk=order.pk)
    assert (edited.subtotal, edited.total) == (stored.subtotal, stored.total)
    assert stored.subtotal == sum(item.total for item in stored.items.all())
    assert_levels_are_what_the_ledger_sums_to()
    return stored


def refused(error: type[Refusal], shop: Shop, order: Order, *lines: OrderLine, **more) -> Refusal:
    before = everything()
    with pytest.raises(error) as caught:
        edit_order(order_id=order.pk, lines=lines, actor=shop.actor, **more)
    assert everything() == before
    return caught.value


def items(order: Order) -> list[tuple[str, int, int, Decimal]]:
    return list(order.items.values_list("name", "quantity", "cancelled_quantity", "total"))


def test_more_of_a_line_takes_only_the_difference(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", "50", {tea: 10})
    order = shop.sell(cup, 2)
    item = order.items.get()

    edited = edit(shop, order, OrderLine(cup.pk, 5))

    assert edited.items.get().pk == item.pk
    assert items(edited) == [("Cup", 5, 0, 250)]
    assert shop.ledger(tea) == [("receipt", 100), ("sale", -20), ("sale", -30)]
    assert edited.total == 250


def test_less_of_a_line_returns_only_the_difference(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", "50", {tea: 10})
    order = shop.sell(cup, 5)
    edited = edit(shop, order, OrderLine(cup.pk, 2))
    assert items(edited) == [("Cup", 2, 0, 100)]
    assert shop.ledger(tea) == [("receipt", 100), ("sale", -50), ("cancellation", 30)]


def test_a_line_that_stays_keeps_its_price_and_a_new_one_has_todays(shop):
    group = shop.group("Size")
    large = shop.option(group, "Large", "10")
    cup = shop.product("Cup", "50", groups=[group])
    order = shop.sell(cup, 1)
    Product.objects.update(price=70)
    edited = edit(shop, order, OrderLine(cup.pk, 3), OrderLine(cup.pk, 1, (large.pk,)))
    assert [(item.unit_price, item.quantity, item.total) for item in edited.items.all()] == [(50, 3, 150), (80, 1, 80)]
    assert edited.total == 230


def test_another_option_is_another_line(shop):
    tea, pearls = shop.ingredient("Tea", stock=100), shop.ingredient("Pearls", stock=100)
    toppings = shop.group("Toppings")
    more = shop.adds(shop.option(toppings, "Pearls", "15"), pearls, 40)
    cup = shop.product("Cup", "50", {tea: 10}, groups=[toppings])
    order = shop.sell(cup, 1)
    edited = edit(shop, order, OrderLine(cup.pk, 1, (more.pk,)))
    assert [(item.unit_price, item.quantity) for item in edited.items.all()] == [(65, 1)]
    assert (shop.quantity(tea), shop.quantity(pearls)) == (90, 60)
    assert edited.events.last().details == {"items": {"before": ["1 × Cup"], "after": ["1 × Cup (Pearls)"]}}


def test_the_order_of_options_does_not_make_another_line(shop):
    toppings = shop.group("Toppings", most=2)
    first, second = shop.option(toppings, "Pearls"), shop.option(toppings, "Jelly")
    cup = shop.product("Cup", groups=[toppings])
    order = shop.sell(cup, 1, [first, second])
    item = order.items.get()
    edit(shop, order, OrderLine(cup.pk, 1, (second.pk, first.pk)))
    assert order.items.get().pk == item.pk


def test_swapping_two_drinks_takes_from_the_shelf_what_the_other_gives_back(shop):
    """There is no milk left but what the order itself holds."""
    milk = shop.ingredient("Milk", stock=100)
    latte, mocha = shop.product("Latte", recipe={milk: 100}), shop.product("Mocha", recipe={milk: 100})
    order = shop.sell(latte)
    edited = edit(shop, order, OrderLine(mocha.pk, 1))
    assert items(edited) == [("Mocha", 1, 0, 60)]
    assert shop.quantity(milk) == 0
    assert not OrderItem.objects.filter(name="Latte").exists()
    assert shop.ledger(milk) == [("receipt", 100), ("sale", -100), ("cancellation", 100), ("sale", -100)]


def test_what_an_order_gives_back_counts_for_the_minimum_too(shop):
    milk = shop.ingredient("Milk", stock=150, minimum=100)
    small, large = shop.product("Small", recipe={milk: 100}), shop.product("Large", recipe={milk: 120})
    order = shop.sell(small)
    edit(shop, order, OrderLine(large.pk, 1))
    assert shop.quantity(milk) == 30
    refusal = refused(Unavailable, shop, order, OrderLine(small.pk, 1), OrderLine(small.pk, 1), OrderLine(large.pk, 1))
    assert [(one["needed"], one["available"]) for one in refusal.extra["shortages"]] == [("200.000", "30.000")]


def test_what_is_taken_back_is_what_was_taken_whatever_the_recipe_says_by_then(shop):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock=100)
    cup = shop.product("Cup", recipe={tea: "10.001"})
    order = shop.sell(cup, 3)
    RecipeLine.objects.filter(product=cup).delete()
    RecipeLine.objects.create(product=cup, ingredient=milk, quantity=7)

    edit(shop, order, OrderLine(cup.pk, 1))
    assert shop.quantity(tea) == Decimal("89.999")
    assert shop.quantity(milk) == 100

    edit(shop, order, OrderLine(cup.pk, 2))
    assert shop.quantity(milk) == 93

    cancel_order(order_id=order.pk, actor=shop.actor)
    assert (shop.quantity(tea), shop.quantity(milk)) == (100, 100)


def test_a_line_of_which_a_part_was_cancelled_keeps_that_on_record(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", "50", {tea: 10})
    order = shop.sell(cup, 3)
    item = order.items.get()
    cancel_item(order_id=order.pk, item_id=item.pk, quantity=2, actor=shop.actor)
    assert shop.quantity(tea) == 90

    edited = edit(shop, order, OrderLine(cup.pk, 2))
    assert items(edited) == [("Cup", 4, 2, 100)]
    assert shop.quantity(tea) == 80
    assert edited.events.last().details["items"] == {"before": ["1 × Cup"], "after": ["2 × Cup"]}

    water = shop.product("Water", "5")
    edited = edit(shop, order, OrderLine(water.pk, 1))
    assert items(edited) == [("Cup", 2, 2, 0), ("Water", 1, 0, 5)]
    assert item.cancellations.get().quantity == 2
    assert shop.quantity(tea) == 100


def test_the_same_drink_on_two_lines_is_matched_line_by_line(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", "50", {tea: 10})
    order = place_order(location=shop.location, lines=[OrderLine(cup.pk, 1), OrderLine(cup.pk, 2)], actor=shop.actor)
    edited = edit(shop, order, OrderLine(cup.pk, 2), OrderLine(cup.pk, 2), OrderLine(cup.pk, 1))
    assert items(edited) == [("Cup", 2, 0, 100), ("Cup", 2, 0, 100), ("Cup", 1, 0, 50)]
    assert shop.quantity(tea) == 50


def test_an_edit_that_changes_nothing_moves_nothing(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", "50", {tea: 10})
    order = shop.sell(cup, 2)
    edit(shop, order, OrderLine(cup.pk, 2))
    assert shop.ledger(tea) == [("receipt", 100), ("sale", -20)]


def test_only_the_comment_may_change(shop):
    order = shop.sell(shop.product("Water"), comment="Cold")
    edit_order(order_id=order.pk, comment="Warm", actor=shop.actor)
    order = Order.objects.get(pk=order.pk)
    assert (order.comment, order.total) == ("Warm", 60)
    event = order.events.last()
    assert (event.kind, event.from_status, event.to_status) == ("edited", "pending", "pending")
    assert event.details == {"comment": ["Cold", "Warm"]}


def test_an_edit_without_anything_in_it_writes_no_event(shop):
    order = shop.sell(shop.product("Water"), comment="Cold")
    edit_order(order_id=order.pk, comment="Cold", actor=shop.actor)
    assert order.events.count() == 1


# --- refusals -----------------------------------------------------------------------------------------


def test_only_a_pending_order_is_edited(shop):
    cup = shop.product("Cup")
    for move, status in ((prepare_order, "preparing"), (complete_order, "completed"), (cancel_order, "cancelled")):
        order = shop.sell(cup)
        if move is complete_order:
            shop.pay(order)
        move(order_id=order.pk, actor=shop.actor)
        refusal = refused(WrongStatus, shop, order, OrderLine(cup.pk, 2))
        assert refusal.extra == {"status": status}


def test_what_somebody_else_did_meanwhile_is_not_undone_unseen(shop):
    tea, cake = shop.product("Tea"), shop.product("Cake")
    order = shop.sell(tea)
    seen = order.events.latest("pk").pk
    edit(shop, order, OrderLine(tea.pk, 1), OrderLine(cake.pk, 1), seen_event_id=seen)

    error = refused(ChangedMeanwhile, shop, order, OrderLine(tea.pk, 2), seen_event_id=seen)

    assert error.code == "changed_meanwhile"
    assert str(error.detail).startswith(f"Order #{order.number} has been changed by somebody else.")
    edit(shop, order, OrderLine(tea.pk, 2), seen_event_id=order.events.latest("pk").pk)
    assert [item.quantity for item in order.items.all()] == [2]


def test_an_edit_of_a_completed_order_says_what_it_is(shop):
    cup = shop.product("Cup")
    order = shop.sell(cup)
    complete_order(order_id=order.pk, actor=shop.actor, allow_unpaid=True)
    refusal = refused(WrongStatus, shop, order, OrderLine(cup.pk, 2))
    assert refusal.detail == (f"Order #{order.number} is completed. This is possible only while it is pending.")


def test_a_shortage_refuses_the_whole_edit(shop):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock=10)
    cup, latte = shop.product("Cup", recipe={tea: 10}), shop.product("Latte", recipe={milk: 10})
    order = shop.sell(cup, 5)
    refusal = refused(InsufficientStock, shop, order, OrderLine(cup.pk, 2), OrderLine(latte.pk, 2), comment="New")
    assert [(one.name, one.needed, one.available) for one in refusal.shortages] == [("Milk", 20, 10)]


def test_a_delisted_drink_may_stay_and_shrink_but_not_grow(shop):
    cup = shop.product("Cup")
    order = shop.sell(cup, 2)
    Product.objects.update(is_listed=False)
    refused(Unavailable, shop, order, OrderLine(cup.pk, 3))
    assert items(edit(shop, order, OrderLine(cup.pk, 1))) == [("Cup", 1, 0, 60)]


def test_an_ingredient_below_its_minimum_hinders_only_what_grows(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=95)
    cup = shop.product("Cup", recipe={tea: 10})
    order = shop.sell(cup, 2)
    refused(Unavailable, shop, order, OrderLine(cup.pk, 3))
    edit(shop, order, OrderLine(cup.pk, 3), allow_below_minimum=True)
    edit(shop, order, OrderLine(cup.pk, 1))
    assert shop.quantity(tea) == 90


def test_a_closed_location_sells_nothing_more_but_takes_back(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", recipe={tea: 10})
    order = shop.sell(cup, 2)
    shop.location.is_active = False
    shop.location.save()
    refused(ClosedLocation, shop, order, OrderLine(cup.pk, 3))
    edit(shop, order, OrderLine(cup.pk, 1))
    assert shop.quantity(tea) == 90


def test_wrong_lines_change_nothing(shop):
    cup = shop.product("Cup", groups=[shop.group("Size")])
    order = shop.sell(cup)
    for lines in ([], [OrderLine(10**18, 1)], [OrderLine(cup.pk, 0)], [OrderLine(cup.pk, 1, (99,))]):
        refused(WrongLines, shop, order, *lines)


def test_an_unknown_order_is_missing(shop):
    for unknown in (0, 10**18, 10**30):
        with pytest.raises(UnknownOrder):
            edit_order(order_id=unknown, comment="?", actor=shop.actor)
    assert not StockMovement.objects.exists()


def test_less_of_a_line_of_which_a_part_was_cancelled_returns_its_share_of_what_is_left(shop):
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", recipe={tea: 10})
    order = shop.sell(cup, 4)
    shop.cancel_part(order, 1)
    edit(shop, order, OrderLine(cup.pk, 1))
    assert [delta for reason, delta in shop.ledger(tea) if reason == "cancellation"] == [10, 20]
    assert shop.quantity(tea) == 90
