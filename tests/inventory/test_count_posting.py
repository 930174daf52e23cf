"""Posting a count: the differences that go to the ledger, once, what stands in the way, and the review before."""

import datetime
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from inventory.count_selectors import review, summary_of
from inventory.errors import (
    ClosedLocation,
    CountAgain,
    WrongStatus,
)
from inventory.models import Ingredient, Location, StockCount, StockLot, StockMovement
from inventory.services.counts import (
    post_count,
    reopen_count,
    submit_count,
)
from inventory.services.ledger import Movement, post_movements
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, transfer_stock
from tests.inventory.counting import everything, note, posted, reviewed, start
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def milk(shop: Shop) -> Ingredient:
    return shop.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")


@pytest.fixture
def tea(shop: Shop) -> Ingredient:
    return shop.ingredient("Tea", "g", stock=500, unit_cost="0.40")


# --- posting ------------------------------------------------------------------------------------------


def test_posting_writes_the_differences_and_nothing_else(shop, milk, tea):
    manager = user_of("manager")
    sugar = shop.ingredient("Sugar", stock=10)
    count = start(shop, milk, tea, sugar, comment="Sunday")
    note(count, {milk: 990, tea: "500.5", sugar: 10})
    submit_count(count_id=count.pk)

    post_count(count_id=count.pk, posted_by_id=manager.pk)

    written = StockMovement.objects.filter(document_type="count").order_by("id")
    assert [(one.ingredient, one.delta, one.reason, one.line_id, one.comment) for one in written] == [
        (milk, -10, "count", "1", "Sunday"),
        (tea, Decimal("0.5"), "count", "2", "Sunday"),
    ]
    assert {(one.document_id, one.created_by) for one in written} == {(str(count.pk), manager)}
    assert [one.value for one in written] == [Decimal("-0.5"), Decimal("0.2")]
    assert (shop.quantity(milk), shop.quantity(tea), shop.quantity(sugar)) == (990, Decimal("500.5"), 10)
    count = StockCount.objects.get(pk=count.pk)
    assert (count.status, count.posted_by) == ("posted", manager)
    assert count.closed_at
    assert_levels_are_what_the_ledger_sums_to()


def test_a_count_without_a_difference_is_posted_without_a_movement(shop, milk):
    count = posted(shop, {milk: 1000})
    assert StockCount.objects.get(pk=count.pk).status == "posted"
    assert shop.ledger(milk) == [("receipt", 1000)]


def test_what_was_found_and_never_received_gets_a_level(shop):
    rum = shop.ingredient("Rum", "ml")
    posted(shop, {rum: 700})
    assert shop.quantity(rum) == 700
    assert_levels_are_what_the_ledger_sums_to()


def test_what_is_sold_and_received_after_the_count_stays_sold_and_received(shop, milk):
    count = start(shop, milk)
    note(count, {milk: 950})
    latte = shop.product("Latte", recipe={milk: 200})
    shop.sell(latte)
    submit_count(count_id=count.pk)
    shop.receive({milk: 500})
    shop.cancel(shop.sell(latte))

    post_count(count_id=count.pk, posted_by_id=None)

    assert shop.quantity(milk) == 950 - 200 + 500
    assert shop.ledger(milk)[-1] == ("count", -50)


def test_a_count_is_posted_once_by_whom_ever(shop, milk):
    count = posted(shop, {milk: 900})
    before = everything()
    for who in (None, user_of("manager").pk):
        with pytest.raises(WrongStatus) as refusal:
            post_count(count_id=count.pk, posted_by_id=who)
        assert refusal.value.extra == {"status": "posted"}
    assert everything() == before


def test_a_count_is_not_posted_before_it_is_reviewed(shop, milk):
    count = start(shop, milk)
    note(count, {milk: 5})
    before = everything()
    with pytest.raises(WrongStatus):
        post_count(count_id=count.pk, posted_by_id=None)
    assert everything() == before


def test_a_count_of_a_location_that_was_closed_is_not_posted(shop, milk):
    count = reviewed(shop, {milk: 900})
    Location.objects.update(is_active=False)
    before = everything()
    with pytest.raises(ClosedLocation):
        post_count(count_id=count.pk, posted_by_id=None)
    assert everything() == before


@pytest.mark.parametrize("reason", ["count", "correction"])
def test_a_level_that_was_settled_meanwhile_is_counted_again(shop, milk, tea, reason):
    count = reviewed(shop, {milk: 900, tea: 400})
    settle(shop, milk, -100, reason)
    before = everything()

    with pytest.raises(CountAgain) as refusal:
        post_count(count_id=count.pk, posted_by_id=None)

    assert refusal.value.extra == {"ingredients": [{"ingredient": milk.pk, "name": "Milk", "why": "corrected"}]}
    assert "Milk" in refusal.value.detail
    assert everything() == before
    reopen_count(count_id=count.pk, ingredient_ids=[milk.pk])
    note(count, {milk: 900})
    submit_count(count_id=count.pk)
    post_count(count_id=count.pk, posted_by_id=None)
    assert (shop.quantity(milk), shop.quantity(tea)) == (900, 400)


def settle(shop: Shop, ingredient: Ingredient, delta: int, reason: str) -> None:
    """A correction by somebody else, of another document."""
    with transaction.atomic():
        post_movements(
            movements=[Movement(shop.location.pk, ingredient.pk, Decimal(delta), reason, "77")],
            document_type="elsewhere",
            created_by_id=None,
        )


def test_a_correction_before_the_line_was_counted_does_not_matter(shop, milk):
    count = start(shop, milk)
    settle(shop, milk, -100, "correction")
    note(count, {milk: 890})
    submit_count(count_id=count.pk)
    post_count(count_id=count.pk, posted_by_id=None)
    assert shop.quantity(milk) == 890


def test_a_correction_at_another_location_does_not_matter(shop, milk):
    harbour = Shop.open("Harbour")
    harbour.receive({milk: 500})
    count = reviewed(shop, {milk: 900})
    settle(harbour, milk, -100, "correction")
    post_count(count_id=count.pk, posted_by_id=None)
    assert (shop.quantity(milk), harbour.quantity(milk)) == (900, 400)


def test_what_is_missing_can_no_longer_be_taken_from_a_level_that_has_less(shop, milk, tea):
    """100 are missing by the count; then 950 are carried away, and 50 are left."""
    harbour = Shop.open("Harbour")
    count = reviewed(shop, {milk: 900, tea: 400})
    transfer_stock(
        source=shop.location,
        destination=harbour.location,
        lines=[StockLine(milk.pk, Decimal(950))],
        created_by_id=None,
    )
    before = everything()

    with pytest.raises(CountAgain) as refusal:
        post_count(count_id=count.pk, posted_by_id=None)

    assert refusal.value.extra == {"ingredients": [{"ingredient": milk.pk, "name": "Milk", "why": "short"}]}
    assert everything() == before


def test_an_ingredient_with_lots_is_counted_as_a_whole(shop):
    """What is missing is taken from the lot that expires first; what is found has no known date."""
    cream = shop.ingredient("Cream", "ml")
    Ingredient.objects.filter(pk=cream.pk).update(tracks_expiry=True)
    location, today = shop.location, timezone.now().date()
    receive_stock(
        location=location,
        lines=[
            StockLine(cream.pk, Decimal(100), expires_on=today + datetime.timedelta(days=3)),
            StockLine(cream.pk, Decimal(200), expires_on=today + datetime.timedelta(days=9)),
        ],
        created_by_id=None,
    )

    posted(shop, {cream: 170})
    assert list(StockLot.objects.order_by("expires_at").values_list("quantity", flat=True)) == [0, 170]

    posted(shop, {cream: 180})
    assert StockLot.objects.get(expires_at=None).quantity == 10
    assert shop.quantity(cream) == 180
    assert_levels_are_what_the_ledger_sums_to()


# --- the review ---------------------------------------------------------------------------------------


def test_the_review_says_what_is_missing_in_quantity_percent_and_money(shop, milk, tea):
    sugar = shop.ingredient("Sugar", stock=10)
    count = start(shop, milk, tea, sugar)
    note(count, {milk: 950, tea: 510})

    lines = review(count)

    assert [(one.ingredient.name, one.difference, one.percent, one.worth) for one in lines] == [
        ("Milk", -50, -5, Decimal("-2.5")),
        ("Tea", 10, 2, 4),
        ("Sugar", None, None, None),
    ]
    summary = summary_of(lines)
    assert (summary.gains, summary.losses, summary.net) == (4, Decimal("-2.5"), Decimal("1.5"))
    assert (summary.lines, summary.counted, summary.left, summary.differing) == (3, 2, 1, 2)


def test_the_review_marks_what_moved_since_it_was_counted(shop, milk, tea):
    count = reviewed(shop, {milk: 950, tea: 500})
    shop.sell(shop.product("Latte", recipe={milk: 200}))
    shop.receive({milk: 30})
    settle(shop, tea, -495, "correction")

    first, second = review(StockCount.objects.get(pk=count.pk))

    assert first.moved == {"sale": -200, "receipt": 30}
    assert (first.was_corrected, first.is_short) == (False, False)
    assert second.moved == {"correction": -495}
    assert second.was_corrected


def test_a_posted_count_keeps_the_money_that_it_wrote(shop, milk, tea):
    count = posted(shop, {milk: 950, tea: 500})
    shop.receive({milk: 1000}, unit_cost=9)

    first, second = review(StockCount.objects.get(pk=count.pk))

    assert (first.worth, second.worth) == (Decimal("-2.5"), 0)
    assert first.moved == {}


def test_a_difference_of_nothing_expected_has_no_percent(shop):
    rum = shop.ingredient("Rum", "ml")
    count = start(shop, rum)
    note(count, {rum: 5})
    assert review(count)[0].percent is None
