"""The one statement that moves stock: exact, as a whole or not at all, and with the right cost."""

from decimal import Decimal

import pytest
from django.db import transaction

from inventory.errors import InsufficientStock
from inventory.models import Ingredient, StockLevel, StockMovement
from inventory.services.ledger import (
    Guard,
    GuardFailed,
    LevelChange,
    MissingLevel,
    Movement,
    open_levels,
    post_movements,
)
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def move(shop: Shop, *lines: tuple[Ingredient, str], reason: str = "correction", **more) -> list[LevelChange]:
    return post_movements(
        movements=[
            Movement(shop.location.pk, ingredient.pk, Decimal(delta), reason, "1", line_id=str(place))
            for place, (ingredient, delta) in enumerate(lines, start=1)
        ],
        document_type="test",
        created_by_id=None,
        **more,
    )


def guard(shop: Shop, ingredient: Ingredient, portion: str) -> Guard:
    return Guard(shop.location.pk, ingredient.pk, Decimal(portion))


def test_lines_are_written_in_their_order_and_levels_follow_by_their_sum(shop):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock=50)

    changes = move(shop, (milk, "-10.5"), (tea, "-20"), (milk, "-0.001"))

    assert shop.quantity(milk) == Decimal("39.499")
    assert shop.quantity(tea) == Decimal("80.000")
    assert changes == [
        LevelChange(shop.location.pk, tea.pk, Decimal(100), Decimal(-20), Decimal(0), Decimal(0)),
        LevelChange(shop.location.pk, milk.pk, Decimal(50), Decimal("-10.501"), Decimal(0), Decimal(0)),
    ]
    written = StockMovement.objects.filter(document_type="test").order_by("id")
    assert list(written.values_list("ingredient_id", "delta", "line_id")) == [
        (milk.pk, Decimal("-10.500"), "1"),
        (tea.pk, Decimal("-20.000"), "2"),
        (milk.pk, Decimal("-0.001"), "3"),
    ]
    assert_levels_are_what_the_ledger_sums_to()


def test_the_last_gram_can_leave(shop):
    tea = shop.ingredient("Tea", stock="0.001")
    move(shop, (tea, "-0.001"))
    assert shop.quantity(tea) == 0


def test_one_thousandth_too_much_is_refused_and_names_everything_that_is_missing(shop):
    tea, milk, sugar = (
        shop.ingredient(name, unit, stock=10) for name, unit in (("Tea", "g"), ("Milk", "ml"), ("S", "g"))
    )
    pearls = shop.ingredient("Pearls")

    with pytest.raises(InsufficientStock) as refused:
        move(shop, (tea, "-10.001"), (sugar, "-10"), (milk, "-6"), (pearls, "-1"), (milk, "-5"))

    assert [shortage.as_json() for shortage in refused.value.shortages] == [
        {
            "ingredient": milk.pk,
            "name": "Milk",
            "needed": "11",
            "available": "10.000",
            "unit": "ml",
            "expired": "0.000",
        },
        {"ingredient": pearls.pk, "name": "Pearls", "needed": "1", "available": "0", "unit": "g", "expired": "0.000"},
        {
            "ingredient": tea.pk,
            "name": "Tea",
            "needed": "10.001",
            "available": "10.000",
            "unit": "g",
            "expired": "0.000",
        },
    ]
    assert refused.value.detail == (
        "Not enough in stock. Milk: 11 ml needed, 10 there; Pearls: 1 g needed, 0 there; "
        "Tea: 10.001 g needed, 10 there."
    )
    assert [shop.quantity(one) for one in (tea, milk, sugar)] == [10, 10, 10]
    assert not StockMovement.objects.filter(document_type="test").exists()


def test_what_comes_in_covers_what_goes_out_in_the_same_call(shop):
    tea = shop.ingredient("Tea", stock=1)
    move(shop, (tea, "-100"), (tea, "99.5"))
    assert shop.quantity(tea) == Decimal("0.500")


def test_lines_without_a_change_are_left_out(shop):
    tea = shop.ingredient("Tea", stock=1)
    assert move(shop, (tea, "0")) == []
    assert shop.ledger(tea) == [("receipt", 1)]


def test_nothing_comes_in_where_no_level_was_opened(shop):
    """It would be gone without a trace, so the caller is told that he forgot `open_levels`."""
    tea, milk = shop.ingredient("Tea"), shop.ingredient("Milk", stock=10)
    with pytest.raises(MissingLevel), transaction.atomic():
        move(shop, (milk, "-5"), (tea, "5"))
    assert shop.quantity(milk) == 10

    open_levels(pairs=[(shop.location.pk, tea.pk), (shop.location.pk, milk.pk)])
    move(shop, (tea, "5"))
    assert (shop.quantity(tea), shop.quantity(milk)) == (5, 10)


@pytest.mark.django_db(transaction=True)
def test_the_ledger_is_not_written_outside_a_transaction():
    shop = Shop.open()
    tea = shop.ingredient("Tea", stock=1)
    with pytest.raises(transaction.TransactionManagementError):
        move(shop, (tea, "-1"))
    assert shop.quantity(tea) == 1


def test_other_locations_are_left_alone(shop):
    other = Shop.open("Harbour")
    tea = shop.ingredient("Tea", stock=10)
    other.receive({tea: 7})
    move(shop, (tea, "-4"))
    assert (shop.quantity(tea), other.quantity(tea)) == (6, 7)


# --- guards -----------------------------------------------------------------------------------------


def test_a_guard_wants_the_minimum_and_one_portion(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=100)
    move(shop, (tea, "-1"), guards=[guard(shop, tea, "100")])
    with pytest.raises(GuardFailed) as refused:
        move(shop, (tea, "-1"), guards=[guard(shop, tea, "1")])
    assert refused.value.levels == {tea.pk: (Decimal("99.000"), Decimal("100.000"))}
    assert shop.quantity(tea) == 99


def test_a_guard_wants_the_largest_portion_that_is_asked(shop):
    tea = shop.ingredient("Tea", stock=10)
    with pytest.raises(GuardFailed):
        move(shop, guards=[guard(shop, tea, "5"), guard(shop, tea, "10.001"), guard(shop, tea, "1")])
    assert move(shop, guards=[guard(shop, tea, "5"), guard(shop, tea, "10")]) == []


def test_a_guard_refuses_where_there_is_no_level(shop):
    with pytest.raises(GuardFailed) as refused:
        move(shop, guards=[guard(shop, shop.ingredient("Tea"), "0.001")])
    assert list(refused.value.levels.values()) == [(0, 0)]


def test_a_failed_guard_stops_the_lines_of_other_ingredients_and_names_all_shortages(shop):
    tea, milk = shop.ingredient("Tea", stock=5), shop.ingredient("Milk", stock=5)
    with pytest.raises(GuardFailed) as refused:
        move(shop, (milk, "-6"), (tea, "-1"), guards=[guard(shop, tea, "6")])
    assert refused.value.levels == {tea.pk: (5, 0)}
    assert refused.value.short == {milk.pk: (6, 5)}
    assert (shop.quantity(tea), shop.quantity(milk)) == (5, 5)


# --- cost -------------------------------------------------------------------------------------------


def cost(shop: Shop, ingredient: Ingredient) -> Decimal:
    return StockLevel.objects.get(location=shop.location, ingredient=ingredient).average_cost


def come(shop: Shop, ingredient: Ingredient, delta: str, unit_cost: str | None) -> None:
    move_at = Movement(
        shop.location.pk, ingredient.pk, Decimal(delta), "correction", "1", unit_cost=unit_cost and Decimal(unit_cost)
    )
    post_movements(movements=[move_at], document_type="test", created_by_id=None)


def test_a_receipt_moves_the_average_by_weight(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost="2")
    assert cost(shop, tea) == Decimal("2.000000")
    shop.receive({tea: 300}, unit_cost="3")
    assert cost(shop, tea) == Decimal("2.750000")
    shop.receive({tea: 200}, unit_cost="0")
    assert cost(shop, tea) == Decimal("1.833333")


def test_a_receipt_of_unknown_cost_leaves_the_average_and_is_written_at_it(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost="2")
    shop.receive({tea: 50})
    assert cost(shop, tea) == 2
    assert StockMovement.objects.order_by("id").values_list("unit_cost", flat=True).last() == Decimal("2.000000")


def test_what_leaves_leaves_at_the_average_and_does_not_move_it(shop):
    tea = shop.ingredient("Tea", stock=3, unit_cost="1")
    shop.receive({tea: 7}, unit_cost="2")
    move(shop, (tea, "-4"))
    assert cost(shop, tea) == Decimal("1.700000")
    assert StockMovement.objects.get(delta=-4).unit_cost == Decimal("1.700000")


def test_an_emptied_level_takes_the_cost_of_what_comes_next(shop):
    tea = shop.ingredient("Tea", stock=10, unit_cost="2")
    move(shop, (tea, "-10"))
    assert cost(shop, tea) == 2
    come(shop, tea, "5", "7.5")
    assert cost(shop, tea) == Decimal("7.500000")


def test_what_leaves_together_with_what_comes_leaves_at_the_new_average(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost="1")
    post_movements(
        movements=[
            Movement(shop.location.pk, tea.pk, Decimal(-50), "sale", "1"),
            Movement(shop.location.pk, tea.pk, Decimal(100), "cancellation", "1", unit_cost=Decimal(3)),
        ],
        document_type="test",
        created_by_id=None,
    )
    assert cost(shop, tea) == Decimal("2.000000")
    assert StockMovement.objects.get(delta=-50).unit_cost == Decimal("2.000000")
    assert shop.quantity(tea) == 150


def test_two_costs_in_one_call_are_weighed_together(shop):
    tea = shop.ingredient("Tea", stock=1, unit_cost="1")
    post_movements(
        movements=[
            Movement(shop.location.pk, tea.pk, Decimal(delta), "correction", "1", unit_cost=Decimal(unit_cost))
            for delta, unit_cost in ((1, 2), (2, "4.5"))
        ],
        document_type="test",
        created_by_id=None,
    )
    assert cost(shop, tea) == Decimal("3.000000")
