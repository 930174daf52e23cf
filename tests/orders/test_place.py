"""Placing an order: everything is written and every gram leaves, or nothing does."""

import datetime as dt
from decimal import Decimal

import pytest

from foundation.errors import Refusal
from inventory.errors import ClosedLocation, InsufficientStock, Unavailable
from inventory.models import Option, Product, StockMovement
from orders.errors import WrongLines
from orders.models import CancelledItem, Customer, Order, OrderEvent, OrderItem
from orders.pricing import OrderLine
from orders.services.actor import Actor
from orders.services.place import place_order
from tests.orders.snapshot import everything
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def refused(error: type[Refusal], place) -> Refusal:
    """The refusal with which `place` ends, after which everything is as it was before."""
    before = everything()
    with pytest.raises(error) as caught:
        place()
    assert everything() == before
    return caught.value


def test_an_order_is_written_whole(shop):
    tea, milk = shop.ingredient("Tea", stock=1000), shop.ingredient("Milk", "ml", stock=1000)
    size = shop.group("Size", least=1)
    large = shop.scales(shop.option(size, "Large", "15.00"), "1.5")
    latte = shop.product("Latte", "70.00", {tea: 10, milk: 200}, scales=[milk], groups=[size])
    water = shop.product("Water", "20.50")
    user = user_of("barista")
    customer = Customer.objects.create(name="Ann")
    at = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)

    order = place_order(
        location=shop.location,
        lines=[OrderLine(latte.pk, 2, (large.pk,)), OrderLine(water.pk, 1)],
        actor=Actor(user.pk, OrderEvent.Door.API),
        channel=Order.Channel.WEB,
        customer_id=customer.pk,
        comment="No straw",
        at=at,
    )

    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.channel, order.location, order.customer) == ("pending", "web", shop.location, customer)
    assert (order.subtotal, order.discount, order.total) == (Decimal("190.50"), 0, Decimal("190.50"))
    assert (order.comment, order.placed_at, order.closed_at, order.created_by) == ("No straw", at, None, user)
    first, second = order.items.all()
    assert (first.product, first.name, first.unit_price, first.quantity, first.total) == (
        latte,
        "Latte",
        Decimal("85.00"),
        2,
        Decimal("170.00"),
    )
    assert first.options == [{"id": large.pk, "group": "Size", "name": "Large", "price_delta": "15.00"}]
    assert (second.position, second.name, second.options, second.total) == (2, "Water", [], Decimal("20.50"))
    event = order.events.get()
    assert (event.kind, event.from_status, event.to_status, event.door, event.created_by, event.created_at) == (
        "placed",
        "",
        "pending",
        "api",
        user,
        at,
    )
    movements = StockMovement.objects.filter(document_type="order", document_id=str(order.pk)).order_by("id")
    assert list(
        movements.values_list("ingredient_id", "delta", "reason", "line_id", "created_by_id", "created_at")
    ) == [
        (tea.pk, Decimal("-20.000"), "sale", str(first.pk), user.pk, at),
        (milk.pk, Decimal("-600.000"), "sale", str(first.pk), user.pk, at),
    ]
    assert (shop.quantity(tea), shop.quantity(milk)) == (980, 400)


def test_numbers_are_unique_and_rise(shop):
    water = shop.product("Water")
    numbers = [shop.sell(water).number for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_lines_that_share_an_ingredient_are_deducted_together_and_written_apart(shop):
    tea = shop.ingredient("Tea", stock=30)
    cup = shop.product("Cup", recipe={tea: 10})
    order = place_order(location=shop.location, lines=[OrderLine(cup.pk, 1), OrderLine(cup.pk, 2)], actor=shop.actor)
    assert shop.quantity(tea) == 0
    assert shop.ledger(tea) == [("receipt", 30), ("sale", -10), ("sale", -20)]
    assert order.items.count() == 2


def test_what_was_sold_stays_as_it_was_sold(shop):
    group = shop.group("Size")
    large = shop.option(group, "Large", "10.00")
    tea = shop.product("Tea", "50.00", groups=[group])
    order = shop.sell(tea, 1, [large])
    Product.objects.update(name="Coffee", price=1)
    large.delete()
    item = order.items.get()
    assert (item.name, item.unit_price, item.options[0]["name"]) == ("Tea", Decimal("60.00"), "Large")


def test_an_untracked_product_moves_nothing(shop):
    shop.sell(shop.product("Gift card", "100"), 3)
    assert not StockMovement.objects.exists()


# --- refusals -----------------------------------------------------------------------------------------


def test_two_missing_ingredients_are_both_named(shop):
    tea, milk, sugar = (shop.ingredient(name, stock=100) for name in ("Tea", "Milk", "Sugar"))
    latte = shop.product("Latte", recipe={tea: 10, milk: 20, sugar: 1})
    refusal = refused(InsufficientStock, lambda: shop.sell(latte, 11))
    assert refusal.extra["shortages"] == [
        {
            "ingredient": milk.pk,
            "name": "Milk",
            "needed": "220.000",
            "available": "100.000",
            "unit": "g",
            "expired": "0.000",
        },
        {
            "ingredient": tea.pk,
            "name": "Tea",
            "needed": "110.000",
            "available": "100.000",
            "unit": "g",
            "expired": "0.000",
        },
    ]


def test_what_an_option_adds_can_be_short_too(shop):
    tea, pearls = shop.ingredient("Tea", stock=100), shop.ingredient("Pearls", stock=39)
    toppings = shop.group("Toppings")
    more = shop.adds(shop.option(toppings, "Pearls"), pearls, 40)
    cup = shop.product("Tea", recipe={tea: 10}, groups=[toppings])
    refusal = refused(InsufficientStock, lambda: shop.sell(cup, 1, [more]))
    assert [one.name for one in refusal.shortages] == ["Pearls"]


def test_an_ingredient_below_its_minimum_makes_the_product_unavailable(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=100)
    cup, pot = shop.product("Cup", recipe={tea: 1}), shop.product("Pot", recipe={tea: 1})
    shop.sell(cup)
    refusal = refused(Unavailable, lambda: shop.sell(pot))
    assert refusal.code == "unavailable"
    assert refusal.extra == {
        "products": [{"id": pot.pk, "name": "Pot"}],
        "options": [],
        "shortages": [
            {
                "ingredient": tea.pk,
                "name": "Tea",
                "needed": "100.000",
                "available": "99.000",
                "unit": "g",
                "expired": "0.000",
            }
        ],
    }


def test_who_may_sell_below_the_minimum_does_but_never_below_zero(shop):
    tea = shop.ingredient("Tea", stock=3, minimum=100)
    cup = shop.product("Cup", recipe={tea: 1})
    shop.sell(cup, 2, allow_below_minimum=True)
    assert shop.quantity(tea) == 1
    refused(InsufficientStock, lambda: shop.sell(cup, 2, allow_below_minimum=True))


def test_less_than_one_portion_makes_it_unavailable_even_if_options_would_take_less(shop):
    tea = shop.ingredient("Tea", stock=5)
    sweetness = shop.group("Strength")
    weak = shop.scales(shop.option(sweetness, "Weak"), "0.5", tea)
    cup = shop.product("Cup", recipe={tea: 10}, groups=[sweetness])
    refused(Unavailable, lambda: shop.sell(cup, 1, [weak]))
    shop.sell(cup, 1, [weak], allow_below_minimum=True)
    assert shop.quantity(tea) == 0


def test_a_delisted_product_and_an_option_switched_off_are_both_named(shop):
    group = shop.group("Size")
    large = shop.option(group, "Large", is_available=False)
    tea = shop.product("Tea", groups=[group], is_listed=False)
    refusal = refused(Unavailable, lambda: shop.sell(tea, 1, [large], allow_below_minimum=True))
    assert refusal.extra["products"] == [{"id": tea.pk, "name": "Tea"}]
    assert refusal.extra["options"] == [{"id": large.pk, "name": "Large"}]
    assert refusal.detail == "Not available now: Tea, Large. Choose something else, or receive stock first."


def test_what_is_unavailable_and_what_is_short_are_named_together(shop):
    tea, milk = shop.ingredient("Tea"), shop.ingredient("Milk", stock=10)
    latte = shop.product("Latte", recipe={tea: 1, milk: 6})
    refusal = refused(Unavailable, lambda: shop.sell(latte, 2))
    assert [(one["name"], one["needed"], one["available"]) for one in refusal.extra["shortages"]] == [
        ("Milk", "12.000", "10.000"),
        ("Tea", "2.000", "0"),
    ]


def test_a_closed_location_takes_no_orders(shop):
    water = shop.product("Water")
    shop.location.is_active = False
    refusal = refused(ClosedLocation, lambda: shop.sell(water))
    assert refusal.detail == "Main Street is closed. Choose an open location."


def test_wrong_lines_write_nothing(shop):
    group = shop.group("Size", least=1)
    other = shop.option(shop.group("Other"), "Other")
    tea = shop.product("Tea", groups=[group])
    for options in ([], [other]):
        refused(WrongLines, lambda options=options: shop.sell(tea, 1, options))
    refused(WrongLines, lambda: place_order(location=shop.location, lines=[OrderLine(10**18, 1)], actor=shop.actor))
    refused(WrongLines, lambda: place_order(location=shop.location, lines=[], actor=shop.actor))


def test_a_shortage_in_the_last_line_takes_back_the_first(shop):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock=1)
    cup, latte = shop.product("Cup", recipe={tea: 1}), shop.product("Latte", recipe={milk: 1})
    refused(
        InsufficientStock,
        lambda: place_order(
            location=shop.location, lines=[OrderLine(cup.pk, 5), OrderLine(latte.pk, 2)], actor=shop.actor
        ),
    )
    assert not OrderItem.objects.exists()
    assert not CancelledItem.objects.exists()
    assert_levels_are_what_the_ledger_sums_to()


def test_options_that_are_switched_off_later_do_not_hinder_what_is_there(shop):
    group = shop.group("Size")
    large = shop.option(group, "Large")
    tea = shop.product("Tea", groups=[group])
    Option.objects.filter(pk=large.pk).update(is_available=False)
    shop.sell(tea)
    assert Order.objects.count() == 1
