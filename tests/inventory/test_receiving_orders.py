"""Receiving what was ordered: real quantities, real prices, and what is refused."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foundation.errors import InvalidInput, Refusal
from inventory.errors import AlreadyReceived, ChangedMeanwhile, ClosedLocation, UnknownPurchaseOrder, WrongStatus
from inventory.models import (
    Ingredient,
    Location,
    PurchaseOrder,
    PurchaseOrderLine,
    StockDocument,
    StockLevel,
    StockLot,
    StockMovement,
    SupplierPack,
)
from inventory.services.purchasing import cancel_purchase_order, close_purchase_order, order_purchase_order
from inventory.services.receiving import ReceivedLine, receive_purchase_order
from tests.inventory.deliveries import Deliveries, everything, line_of, status_of
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def dairy(shop: Shop) -> Deliveries:
    return Deliveries(shop)


def received(order, *lines: ReceivedLine, **more):
    return receive_purchase_order(order_id=order.pk, lines=lines, created_by_id=None, **more)


def level(ingredient: Ingredient) -> StockLevel:
    return StockLevel.objects.get(ingredient=ingredient)


# --- what comes ---------------------------------------------------------------------------------------


def test_a_delivery_as_ordered_is_a_receipt_that_names_the_order(shop, dairy):
    milk, user = shop.ingredient("Milk", "ml"), user_of("barista")
    order = dairy.ordered((dairy.pack(milk, 12000, "600.00"), 2))
    at = dt.datetime(2026, 5, 1, 8, tzinfo=dt.UTC)

    document = receive_purchase_order(
        order_id=order.pk,
        lines=[ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(2))],
        delivery_note=" DN-77 ",
        comment="Monday's van",
        created_by_id=user.pk,
        at=at,
    )

    assert (document.kind, document.purchase_order_id, document.delivery_note) == ("receipt", order.pk, "DN-77")
    assert (document.location, document.comment, document.created_by_id) == (shop.location, "Monday's van", user.pk)
    movement = StockMovement.objects.get()
    assert (movement.document_type, movement.document_id, movement.line_id) == ("receipt", str(document.pk), "1")
    assert (movement.delta, movement.value, movement.unit_cost) == (24000, 1200, Decimal("0.05"))
    assert (movement.created_by_id, movement.created_at, movement.reason) == (user.pk, at, "receipt")
    order = PurchaseOrder.objects.get()
    assert (order.status, order.closed_at is not None) == ("received", True)
    assert line_of(order, milk).received_quantity == 24000
    assert_levels_are_what_the_ledger_sums_to()


def test_half_of_it_leaves_the_order_partly_received_and_the_rest_closes_it(shop, dairy):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")
    order = dairy.ordered((dairy.pack(milk, 12000, "600"), 2), (dairy.pack(tea, 1000, "90"), 1))

    dairy.receive(order, {milk: 1})
    assert status_of(order) == "partly_received"
    assert line_of(order, milk).outstanding == 12000

    dairy.receive(order, {milk: 1})
    assert status_of(order) == "partly_received"

    dairy.receive(order, {tea: 1})
    assert status_of(order) == "received"
    assert (shop.quantity(milk), shop.quantity(tea)) == (24000, 1000)
    assert order.receipts.count() == 3


def test_less_than_ordered_closes_the_order_when_nothing_more_will_come(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 12000, "600"), 2))

    dairy.receive(order, {milk: 1}, is_final=True)

    assert status_of(order) == "received"
    assert shop.quantity(milk) == 12000
    assert line_of(order, milk).outstanding == 12000


def test_more_than_ordered_is_received_as_it_came(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 12000, "600"), 2))

    dairy.receive(order, {milk: 3})

    assert status_of(order) == "received"
    assert shop.quantity(milk) == 36000
    assert (line_of(order, milk).received_quantity, line_of(order, milk).outstanding) == (36000, 0)
    assert StockMovement.objects.get().value == 1800


def test_a_part_of_a_pack_is_received_by_quantity_and_costs_its_part(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 12000, "600"), 2))

    received(order, ReceivedLine(line_id=line_of(order, milk).pk, quantity=Decimal("11000.5")))

    assert shop.quantity(milk) == Decimal("11000.5")
    assert StockMovement.objects.get().value == Decimal("550.025")


def test_what_was_paid_is_worth_what_was_paid_however_badly_it_divides(shop, dairy):
    tea = shop.ingredient("Tea")
    order = dairy.ordered((dairy.pack(tea, 700, "10.00"), 3))

    dairy.receive(order, {tea: 3})

    # 2,100 times the rounded unit cost of 0.014286 would be 30.0006.
    assert StockMovement.objects.get().value == 30
    assert level(tea).value == 30


def test_the_average_cost_follows_what_was_paid_at_this_location_only(shop, dairy):
    milk = shop.ingredient("Milk", "ml", stock=12000, unit_cost="0.04")
    harbour = Shop.open("Harbour")
    harbour.receive({milk: 100}, unit_cost="0.04")
    order = dairy.ordered((dairy.pack(milk, 12000, "600.00"), 1))

    dairy.receive(order, {milk: 1}, price="720.00")

    here = StockLevel.objects.get(location=shop.location)
    assert (here.value, here.average_cost) == (1200, Decimal("0.05"))
    assert StockLevel.objects.get(location=harbour.location).average_cost == Decimal("0.04")


def test_the_price_that_was_paid_becomes_that_of_the_suppliers_list(shop, dairy):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")
    case, bag = dairy.pack(milk, 12000, "600.00"), dairy.pack(tea, 1000, "90.00")
    order = dairy.ordered((case, 1), (bag, 1))
    SupplierPack.objects.filter(pk=bag.pk).update(price="95.00")

    received(
        order,
        ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1), price=Decimal("610.50")),
        ReceivedLine(line_id=line_of(order, tea).pk, packs=Decimal(1)),
    )

    case.refresh_from_db()
    bag.refresh_from_db()
    assert case.price == Decimal("610.50")
    # Nobody said what the tea cost: it counts as ordered, and the list keeps what it says by now.
    assert bag.price == Decimal("95.00")
    assert level(tea).value == 90
    assert line_of(order, milk).price == Decimal("600.00")


def test_a_pack_that_holds_something_else_by_now_keeps_its_price(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    case = dairy.pack(milk, 12000, "600.00")
    order = dairy.ordered((case, 1))
    SupplierPack.objects.filter(pk=case.pk).update(quantity=6000, price="310.00")

    dairy.receive(order, {milk: 1}, price="620.00")

    case.refresh_from_db()
    assert case.price == 310
    assert (level(milk).quantity, level(milk).value) == (12000, 620)


def test_an_unknown_price_takes_the_average_cost(shop, dairy):
    milk = shop.ingredient("Milk", "ml", stock=1000, unit_cost="0.04")
    order = dairy.ordered((dairy.pack(milk, 1000), 1))

    dairy.receive(order, {milk: 1})

    assert (level(milk).value, level(milk).average_cost) == (80, Decimal("0.04"))


def test_what_was_not_ordered_comes_in_a_pack_of_the_suppliers_list(shop, dairy):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")
    bag = dairy.pack(tea, 1000, "90.00")
    order = dairy.ordered((dairy.pack(milk, 12000, "600.00"), 1))

    received(
        order,
        ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1)),
        ReceivedLine(pack_id=bag.pk, packs=Decimal(2), price=Decimal("80.00")),
    )

    assert status_of(order) == "received"
    assert (shop.quantity(tea), level(tea).value) == (2000, 160)
    assert order.lines.count() == 1
    bag.refresh_from_db()
    assert bag.price == 80


def test_only_what_was_not_ordered_leaves_the_order_open(shop, dairy):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")
    bag = dairy.pack(tea, 1000, "90.00")
    order = dairy.ordered((dairy.pack(milk, 12000, "600.00"), 1))

    received(order, ReceivedLine(pack_id=bag.pk, packs=Decimal(1)))

    assert status_of(order) == "partly_received"
    assert shop.quantity(tea) == 1000


def test_lots_come_in_with_their_dates_several_of_one_line(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    Ingredient.objects.update(tracks_expiry=True)
    order = dairy.ordered((dairy.pack(milk, 1000, "50"), 3))
    line, today = line_of(order, milk).pk, shop.location.today()

    received(
        order,
        ReceivedLine(line_id=line, packs=Decimal(1), expires_on=today, lot_code="A"),
        ReceivedLine(line_id=line, packs=Decimal(2), expires_on=today + dt.timedelta(days=3), lot_code="B"),
    )

    assert status_of(order) == "received"
    assert list(StockLot.objects.order_by("expires_at").values_list("code", "quantity", "expires_at")) == [
        ("A", 1000, shop.location.day_bounds(today)[1]),
        ("B", 2000, shop.location.day_bounds(today + dt.timedelta(days=3))[1]),
    ]


def test_without_a_date_the_shelf_life_counts_from_the_receipt(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    Ingredient.objects.update(tracks_expiry=True, shelf_life_hours=48)
    order = dairy.ordered((dairy.pack(milk, 1000, "50"), 1))

    document = dairy.receive(order, {milk: 1})

    assert StockLot.objects.get().expires_at == document.created_at + dt.timedelta(hours=48)


# --- what is refused ----------------------------------------------------------------------------------


def refused(order, *lines: ReceivedLine, kind: type[Refusal] = InvalidInput, **more) -> Refusal:
    """Asserts that the receipt is refused and has changed nothing."""
    before = everything()
    with pytest.raises(kind) as refusal:
        received(order, *lines, **more)
    assert everything() == before
    return refusal.value


def faults(*args, **more) -> dict[str, list[str]]:
    refusal = refused(*args, **more)
    assert isinstance(refusal, InvalidInput)
    return refusal.errors


@pytest.fixture
def milk(shop: Shop) -> Ingredient:
    return shop.ingredient("Milk", "ml", stock=10, unit_cost="0.05")


@pytest.fixture
def order(dairy: Deliveries, milk: Ingredient):
    return dairy.ordered((dairy.pack(milk, 12000, "600.00"), 2))


def test_a_receipt_of_no_lines_is_refused(order):
    assert faults(order) == {"lines": ["Say what came: at least one line."]}
    assert faults(order, is_final=True) == {"lines": ["Say what came: at least one line."]}


@pytest.mark.parametrize("number", ["0", "-1", "NaN", "Infinity", "1E+40", "0.0001", "100000000"])
def test_a_senseless_number_of_packs_or_quantity_is_refused(order, milk, number):
    line = line_of(order, milk).pk
    assert set(faults(order, ReceivedLine(line_id=line, packs=Decimal(number)))) == {"lines[0].packs"}
    assert set(faults(order, ReceivedLine(line_id=line, quantity=Decimal(number)))) == {"lines[0].quantity"}


def test_so_many_packs_that_no_shelf_holds_them_are_refused(order, milk):
    errors = faults(order, ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(90_000_000)))
    assert errors == {"lines[0].packs": ["The quantity can't be above 99999999."]}


def test_a_part_of_a_pack_finer_than_a_thousandth_is_refused_and_not_rounded(shop, dairy):
    tea = shop.ingredient("Tea")
    order = dairy.ordered((dairy.pack(tea, "0.5", "1.00"), 1))
    errors = faults(order, ReceivedLine(line_id=line_of(order, tea).pk, packs=Decimal("0.001")))
    assert errors == {
        "lines[0].packs": ["This is finer than a thousandth of 1 g. Write a quantity with fewer decimals."]
    }


def test_neither_packs_nor_quantity_and_both_are_refused(order, milk):
    line = line_of(order, milk).pk
    sentence = {"lines[0].packs": ["Say either how many packs came, or how much."]}
    assert faults(order, ReceivedLine(line_id=line)) == sentence
    assert faults(order, ReceivedLine(line_id=line, packs=Decimal(1), quantity=Decimal(12000))) == sentence


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        ("-0.01", "The price can't be below 0."),
        ("NaN", "The price can't be below 0."),
        ("Infinity", "The price can't be below 0."),
        ("0.005", "A price has at most two decimals."),
        ("1E+30", "The price can't be above 99999999.99."),
    ],
)
def test_a_senseless_price_is_refused(order, milk, price, sentence):
    line = ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1), price=Decimal(price))
    assert faults(order, line) == {"lines[0].price": [sentence]}


def test_a_price_that_no_gram_costs_is_refused(shop, dairy):
    tea = shop.ingredient("Tea")
    order = dairy.ordered((dairy.pack(tea, "0.001", "1.00"), 1))
    line = ReceivedLine(line_id=line_of(order, tea).pk, packs=Decimal(1), price=Decimal("9999999"))
    assert faults(order, line) == {
        "lines[0].price": ["That is too much for so little: look at the price and at the content of the pack."]
    }


def test_unknown_lines_and_those_of_another_order_are_refused(order, milk, dairy):
    other = dairy.ordered((dairy.pack(milk, 1000, "50", name="bottle"), 1))
    theirs = line_of(other, milk).pk
    errors = faults(order, ReceivedLine(line_id=0, packs=Decimal(1)), ReceivedLine(line_id=theirs, packs=Decimal(1)))
    assert errors == {
        "lines[0].line": [f"PO-{order.pk} has no line 0."],
        "lines[1].line": [f"PO-{order.pk} has no line {theirs}."],
    }


def test_a_pack_of_another_supplier_is_refused(order, milk, shop):
    theirs = Deliveries(shop, "Farm").pack(milk, 1000, "50")
    assert faults(order, ReceivedLine(pack_id=theirs.pk, packs=Decimal(1))) == {
        "lines[0].pack": [f"Dairy has no pack {theirs.pk}."]
    }


def test_a_line_that_names_both_or_nothing_is_refused(order, milk):
    sentence = {"lines[0].line": ["Name a line of the order, or a pack that was not ordered."]}
    line = line_of(order, milk)
    assert faults(order, ReceivedLine(packs=Decimal(1))) == sentence
    assert faults(order, ReceivedLine(line_id=line.pk, pack_id=line.pack_id, packs=Decimal(1))) == sentence


def test_the_same_line_twice_is_refused(order, milk):
    line = ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1))
    assert faults(order, line, line) == {
        "lines[1].line": ["This line stands in the list already. Add the quantities up, or give another date."]
    }


def test_more_lines_than_a_document_takes_are_refused(order, milk):
    lines = [ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1))] * 1001
    assert faults(order, *lines) == {"lines": ["A document takes up to 1000 lines. Split it."]}


def test_a_delivery_that_has_expired_already_is_refused(order, milk, shop):
    Ingredient.objects.update(tracks_expiry=True)
    yesterday = shop.location.today() - dt.timedelta(days=1)
    line = ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1), expires_on=yesterday)
    assert faults(order, line) == {
        "lines[0].expires_on": ["Milk has expired already. Do not accept it, or correct the date."]
    }


@pytest.mark.parametrize("day", [dt.date.max, dt.date.min, dt.date(3000, 1, 1)])
@pytest.mark.parametrize("time_zone", ["Asia/Bangkok", "America/New_York"])
def test_a_day_that_nobody_can_mean_is_refused(order, milk, shop, day, time_zone):
    Ingredient.objects.update(tracks_expiry=True)
    Location.objects.update(time_zone=time_zone)
    line = ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1), expires_on=day)
    assert faults(order, line) == {"lines[0].expires_on": [f"Look at the date again: {day} can't be meant."]}


def test_a_tracked_ingredient_without_a_date_is_refused(order, milk):
    Ingredient.objects.update(tracks_expiry=True)
    line = ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1))
    assert faults(order, line) == {"lines[0].expires_on": ["Say until when Milk keeps."]}


def test_a_date_for_what_has_none_is_refused(order, milk, shop):
    line = ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1), expires_on=shop.location.today())
    assert set(faults(order, line)) == {"lines[0].expires_on"}


def test_endless_texts_are_refused(order, milk):
    line = ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1))
    assert set(faults(order, line, delivery_note="x" * 61)) == {"delivery_note"}
    assert set(faults(order, line, comment="x" * 501)) == {"comment"}


def test_the_same_delivery_note_is_received_once(order, milk, dairy):
    document = dairy.receive(order, {milk: 1}, delivery_note="DN-1")

    refusal = refused(
        order,
        ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1)),
        kind=AlreadyReceived,
        delivery_note=" DN-1",
    )

    assert refusal.code == "already_received"
    assert refusal.detail == f"The delivery note “DN-1” has been received already: receipt {document.pk}."


def test_the_same_note_on_another_order_is_another_delivery(order, milk, dairy):
    other = dairy.ordered((dairy.pack(milk, 1000, "50", name="bottle"), 1))
    dairy.receive(order, {milk: 1}, delivery_note="DN-1")
    dairy.receive(other, {milk: 1}, delivery_note="DN-1")
    assert StockDocument.objects.filter(delivery_note="DN-1").count() == 2


def test_a_form_from_before_the_last_receipt_is_refused(order, milk, dairy):
    dairy.receive(order, {milk: 1}, expected_receipts=0)
    line = ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1))

    assert refused(order, line, kind=ChangedMeanwhile, expected_receipts=0).code == "changed_meanwhile"

    received(order, line, expected_receipts=1)
    assert status_of(order) == "received"


def test_only_what_is_expected_is_received(shop, dairy, milk):
    case = dairy.pack(milk, 1000, "50")
    draft, cancelled, done = dairy.draft((case, 1)), dairy.draft((case, 1)), dairy.ordered((case, 1))
    cancel_purchase_order(order_id=cancelled.pk)
    dairy.receive(done, {milk: 1})
    for one, status in ((draft, "draft"), (cancelled, "cancelled"), (done, "received")):
        line = ReceivedLine(line_id=line_of(one, milk).pk, packs=Decimal(1))
        refusal = refused(one, line, kind=WrongStatus)
        assert refusal.extra == {"status": status}
        assert "This is possible only while it is ordered, partly received." in refusal.detail


def test_nothing_is_received_at_a_closed_location(order, milk, shop):
    shop.location.is_active = False
    shop.location.save()
    refused(order, ReceivedLine(line_id=line_of(order, milk).pk, packs=Decimal(1)), kind=ClosedLocation)


def test_an_unknown_order_is_missing(db):
    with pytest.raises(UnknownPurchaseOrder):
        receive_purchase_order(order_id=1, lines=[], created_by_id=None)


# --- nothing more will come ---------------------------------------------------------------------------


def test_an_order_of_which_a_part_came_is_closed_without_another_receipt(order, milk, dairy):
    dairy.receive(order, {milk: 1})

    close_purchase_order(order_id=order.pk)

    order = PurchaseOrder.objects.get()
    assert (order.status, order.closed_at is not None) == ("received", True)
    assert order.receipts.count() == 1


def test_an_order_of_which_nothing_came_is_cancelled_and_not_closed(order):
    before = everything()
    with pytest.raises(WrongStatus):
        close_purchase_order(order_id=order.pk)
    assert everything() == before


def test_an_order_of_which_a_part_came_is_not_cancelled(order, milk, dairy):
    dairy.receive(order, {milk: 1})
    before = everything()
    with pytest.raises(WrongStatus, match="is partly received"):
        cancel_purchase_order(order_id=order.pk)
    assert everything() == before


# --- how many queries ---------------------------------------------------------------------------------


def order_of(shop: Shop, dairy: Deliveries, number: int):
    """An ordered purchase order of so many lines, every second of them with an expiry date."""
    ingredients = Ingredient.objects.bulk_create(
        Ingredient(name=f"{dairy.name} {place}", unit="g", tracks_expiry=place % 2 == 0, shelf_life_hours=24)
        for place in range(number)
    )
    packs = SupplierPack.objects.bulk_create(
        SupplierPack(supplier=dairy.supplier, ingredient=one, name="bag", quantity=700, price="10.00")
        for one in ingredients
    )
    return dairy.draft(*((pack, 3) for pack in packs))


def queries_to_receive(order) -> int:
    lines = [
        ReceivedLine(line_id=pk, packs=Decimal(3), price=Decimal("10.01"))
        for pk in PurchaseOrderLine.objects.filter(order=order).values_list("pk", flat=True)
    ]
    with CaptureQueriesContext(connection) as captured:
        receive_purchase_order(order_id=order.pk, lines=lines, created_by_id=None, delivery_note="DN")
    assert status_of(order) == "received"
    return len(captured)


def test_500_lines_take_as_many_queries_as_one(shop, dairy):
    one, many = order_of(shop, dairy, 2), order_of(shop, Deliveries(shop, "Wholesale"), 500)
    with CaptureQueriesContext(connection) as ordering_one:
        order_purchase_order(order_id=one.pk)
    with CaptureQueriesContext(connection) as ordering_many:
        order_purchase_order(order_id=many.pk)
    assert len(ordering_one) == len(ordering_many)

    few, lots = queries_to_receive(one), queries_to_receive(many)

    assert few == lots <= 20
    assert StockMovement.objects.count() == 502
    assert StockLot.objects.count() == 251
    assert set(StockLevel.objects.values_list("quantity", "value")) == {(Decimal(2100), Decimal("30.03"))}
    assert set(SupplierPack.objects.values_list("price", flat=True)) == {Decimal("10.01")}
    assert_levels_are_what_the_ledger_sums_to()


def test_a_quantity_in_another_unit_is_converted_exactly(order, milk, shop):
    line = line_of(order, milk).pk
    received(order, ReceivedLine(line_id=line, quantity=Decimal("11.5"), unit="l"))
    assert shop.quantity(milk) == 11510
    assert faults(order, ReceivedLine(line_id=line, quantity=Decimal(1), unit="kg")) == {
        "lines[0].quantity": ["“kg” is not a unit for this ingredient. Use one of: ml, l, cl."]
    }
