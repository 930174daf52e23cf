"""Receiving, writing off and carrying stock; and setting minimums."""

import datetime as dt
from decimal import Decimal

import pytest

from foundation.errors import InvalidInput, Missing, Refusal
from inventory.errors import ClosedLocation, InsufficientStock, UnknownIngredient, UnknownLevel
from inventory.models import Ingredient, StockDocument, StockLevel, StockMovement
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, set_minimum, transfer_stock, write_off_stock
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def harbour() -> Shop:
    return Shop.open("Harbour")


def lines(quantities: dict[Ingredient, str]) -> list[StockLine]:
    return [StockLine(one.pk, Decimal(quantity)) for one, quantity in quantities.items()]


def everything() -> tuple[list, list, list]:
    """All that a stock service may write."""
    return (
        list(StockLevel.objects.order_by("id").values_list()),
        list(StockMovement.objects.order_by("id").values_list()),
        list(StockDocument.objects.order_by("id").values_list()),
    )


# --- receive ------------------------------------------------------------------------------------------


def test_a_receipt_is_a_document_whose_lines_are_movements(shop):
    tea, milk, user = shop.ingredient("Tea"), shop.ingredient("Milk", "ml"), user_of("barista")
    at = dt.datetime(2026, 5, 1, 8, tzinfo=dt.UTC)

    document = receive_stock(
        location=shop.location,
        lines=[StockLine(tea.pk, Decimal("1000.5"), Decimal("0.25")), StockLine(milk.pk, Decimal(12))],
        comment="Monday's van",
        created_by_id=user.pk,
        at=at,
    )

    assert (document.kind, document.location, document.destination_id) == ("receipt", shop.location, None)
    assert (document.comment, document.created_by_id, document.created_at) == ("Monday's van", user.pk, at)
    movements = StockMovement.objects.filter(document_type="receipt", document_id=str(document.pk)).order_by("id")
    assert list(
        movements.values_list("ingredient_id", "delta", "reason", "unit_cost", "line_id", "comment", "created_by_id")
    ) == [
        (tea.pk, Decimal("1000.500"), "receipt", Decimal("0.250000"), "1", "Monday's van", user.pk),
        (milk.pk, Decimal("12.000"), "receipt", Decimal("0.000000"), "2", "Monday's van", user.pk),
    ]
    assert set(movements.values_list("created_at", flat=True)) == {at}
    assert (shop.quantity(tea), shop.quantity(milk)) == (Decimal("1000.500"), 12)


def test_a_second_receipt_adds_to_the_first(shop):
    tea = shop.ingredient("Tea", stock=10)
    shop.receive({tea: "0.001"})
    assert shop.quantity(tea) == Decimal("10.001")
    assert StockLevel.objects.count() == 1


@pytest.mark.parametrize("quantity", ["0", "-1", "0.0001", "100000000", "NaN", "Infinity", "-Infinity", "1E+40"])
def test_a_senseless_quantity_is_refused_at_its_line(shop, harbour, quantity):
    tea, milk = shop.ingredient("Tea", stock=10), shop.ingredient("Milk")
    before = everything()
    for service, more in (
        (receive_stock, {"location": shop.location}),
        (write_off_stock, {"location": shop.location, "reason": "spoilage"}),
        (transfer_stock, {"source": shop.location, "destination": harbour.location}),
    ):
        with pytest.raises(InvalidInput) as refused:
            service(lines=lines({milk: "1", tea: quantity}), created_by_id=None, **more)
        assert list(refused.value.errors) == ["lines[1].quantity"]
    assert everything() == before


@pytest.mark.parametrize("unit_cost", ["-0.01", "1000000", "NaN", "Infinity"])
def test_a_senseless_cost_is_refused_at_its_line(shop, unit_cost):
    tea = shop.ingredient("Tea")
    with pytest.raises(InvalidInput) as refused:
        receive_stock(
            location=shop.location, lines=[StockLine(tea.pk, Decimal(1), Decimal(unit_cost))], created_by_id=None
        )
    assert list(refused.value.errors) == ["lines[0].unit_cost"]
    assert everything() == ([], [], [])


def test_every_wrong_line_is_named_at_once(shop):
    tea = shop.ingredient("Tea")
    with pytest.raises(UnknownIngredient) as refused:
        receive_stock(
            location=shop.location,
            lines=[
                StockLine(tea.pk, Decimal(1)),
                StockLine(10**18, Decimal(1)),
                StockLine(tea.pk, Decimal(0)),
                StockLine(10**30, Decimal(1)),
            ],
            created_by_id=None,
        )
    assert list(refused.value.errors) == [
        "lines[1].ingredient",
        "lines[3].ingredient",
        "lines[2].ingredient",
        "lines[2].quantity",
    ]
    assert everything() == ([], [], [])


def test_an_empty_and_an_overlong_list_are_refused(shop):
    tea = shop.ingredient("Tea")
    for wrong in ([], [StockLine(tea.pk, Decimal(1))] * 1001):
        with pytest.raises(InvalidInput) as refused:
            receive_stock(location=shop.location, lines=wrong, created_by_id=None)
        assert list(refused.value.errors) == ["lines"]
    assert everything() == ([], [], [])


def test_a_closed_location_takes_no_stock(shop, harbour):
    tea = shop.ingredient("Tea", stock=10)
    harbour.location.is_active = False
    harbour.location.save()
    before = everything()
    some = lines({tea: "1"})
    for attempt in (
        lambda: receive_stock(location=harbour.location, lines=some, created_by_id=None),
        lambda: write_off_stock(location=harbour.location, lines=some, reason="spoilage", created_by_id=None),
        lambda: transfer_stock(source=shop.location, destination=harbour.location, lines=some, created_by_id=None),
        lambda: transfer_stock(source=harbour.location, destination=shop.location, lines=some, created_by_id=None),
    ):
        with pytest.raises(ClosedLocation):
            attempt()
    assert everything() == before


# --- write off ----------------------------------------------------------------------------------------


def test_a_write_off_says_why(shop):
    tea = shop.ingredient("Tea", stock=10, unit_cost="0.5")
    document = write_off_stock(
        location=shop.location, lines=lines({tea: "2.5"}), reason="breakage", comment="Dropped", created_by_id=None
    )
    assert (document.kind, document.reason, document.comment) == ("write_off", "breakage", "Dropped")
    movement = StockMovement.objects.get(document_type="write_off", document_id=str(document.pk))
    assert (movement.delta, movement.reason, movement.unit_cost) == (Decimal("-2.500"), "write_off", Decimal("0.5"))
    assert shop.quantity(tea) == Decimal("7.500")


def test_a_write_off_without_one_of_the_reasons_is_refused(shop):
    tea = shop.ingredient("Tea", stock=10)
    before = everything()
    for reason in ("", "theft"):
        with pytest.raises(InvalidInput) as refused:
            write_off_stock(location=shop.location, lines=lines({tea: "1"}), reason=reason, created_by_id=None)
        assert refused.value.errors == {"reason": ["Say why: spoilage, mistake, breakage, tasting."]}
    assert everything() == before


def test_more_than_there_is_can_not_be_written_off_and_nothing_of_it_is(shop):
    tea, milk = shop.ingredient("Tea", stock=10), shop.ingredient("Milk", stock=10)
    before = everything()
    with pytest.raises(InsufficientStock) as refused:
        write_off_stock(
            location=shop.location, lines=lines({milk: "10", tea: "10.001"}), reason="spoilage", created_by_id=None
        )
    assert [shortage.name for shortage in refused.value.shortages] == ["Tea"]
    assert everything() == before


# --- transfer -----------------------------------------------------------------------------------------


def test_a_transfer_carries_quantity_and_cost(shop, harbour):
    tea = shop.ingredient("Tea", stock=100, unit_cost="2")
    harbour.receive({tea: 100}, unit_cost="5")

    document = transfer_stock(
        source=shop.location, destination=harbour.location, lines=lines({tea: "50"}), created_by_id=None
    )

    assert (shop.quantity(tea), harbour.quantity(tea)) == (50, 150)
    assert StockLevel.objects.get(location=shop.location).average_cost == Decimal("2.000000")
    assert StockLevel.objects.get(location=harbour.location).average_cost == Decimal("4.000000")
    movements = StockMovement.objects.filter(document_type="transfer", document_id=str(document.pk)).order_by("id")
    assert list(movements.values_list("location_id", "delta", "reason", "unit_cost", "line_id")) == [
        (shop.location.pk, -50, "transfer", 2, "1"),
        (harbour.location.pk, 50, "transfer", 2, "1"),
    ]
    assert (document.location, document.destination) == (shop.location, harbour.location)


def test_a_transfer_opens_levels_at_the_destination(shop, harbour):
    tea, milk = shop.ingredient("Tea", stock=10, unit_cost="3"), shop.ingredient("Milk", stock=10)
    transfer_stock(
        source=shop.location, destination=harbour.location, lines=lines({milk: "10", tea: "0.5"}), created_by_id=None
    )
    assert (harbour.quantity(tea), harbour.quantity(milk), shop.quantity(milk)) == (Decimal("0.5"), 10, 0)
    assert StockLevel.objects.get(location=harbour.location, ingredient=tea).average_cost == 3


def test_a_transfer_of_more_than_there_is_leaves_nothing_behind(shop, harbour):
    tea, milk = shop.ingredient("Tea", stock=10), shop.ingredient("Milk", stock=10)
    before = everything()
    with pytest.raises(InsufficientStock) as refused:
        transfer_stock(
            source=shop.location,
            destination=harbour.location,
            lines=lines({tea: "5", milk: "11"}),
            created_by_id=None,
        )
    assert [(one.name, one.needed, one.available) for one in refused.value.shortages] == [("Milk", 11, 10)]
    assert everything() == before


def test_a_transfer_to_the_same_location_is_refused(shop):
    tea = shop.ingredient("Tea", stock=10)
    before = everything()
    with pytest.raises(InvalidInput) as refused:
        transfer_stock(source=shop.location, destination=shop.location, lines=lines({tea: "1"}), created_by_id=None)
    assert list(refused.value.errors) == ["destination"]
    assert everything() == before


def test_the_ledger_agrees_after_all_of_them(shop, harbour):
    tea = shop.ingredient("Tea", stock="33.333")
    transfer_stock(source=shop.location, destination=harbour.location, lines=lines({tea: "11.111"}), created_by_id=None)
    write_off_stock(location=harbour.location, lines=lines({tea: "11.111"}), reason="tasting", created_by_id=None)
    assert (shop.quantity(tea), harbour.quantity(tea)) == (Decimal("22.222"), 0)
    assert_levels_are_what_the_ledger_sums_to()


# --- minimum ------------------------------------------------------------------------------------------


def test_a_minimum_is_set_and_the_quantity_stays(shop):
    tea = shop.ingredient("Tea", stock=10)
    level = StockLevel.objects.get(ingredient=tea)
    assert set_minimum(level_id=level.pk, minimum=Decimal("2.5")).minimum == Decimal("2.5")
    level.refresh_from_db()
    assert (level.quantity, level.minimum) == (10, Decimal("2.500"))
    set_minimum(level_id=level.pk, minimum=Decimal(0))
    level.refresh_from_db()
    assert level.minimum == 0


@pytest.mark.parametrize("minimum", ["-0.001", "NaN", "Infinity", "0.0001", "1E+20"])
def test_a_senseless_minimum_is_refused(shop, minimum):
    shop.ingredient("Tea", stock=10, minimum=3)
    with pytest.raises(InvalidInput) as refused:
        set_minimum(level_id=StockLevel.objects.get().pk, minimum=Decimal(minimum))
    assert list(refused.value.errors) == ["minimum"]
    assert StockLevel.objects.get().minimum == 3


def test_the_minimum_of_an_unknown_level_is_refused():
    with pytest.raises(UnknownLevel) as refused:
        set_minimum(level_id=10**12, minimum=Decimal(1))
    assert isinstance(refused.value, Missing)
    assert isinstance(refused.value, Refusal)
