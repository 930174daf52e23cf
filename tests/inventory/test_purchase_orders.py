"""Drafting, editing, sending and cancelling purchase orders."""

import datetime as dt
from decimal import Decimal

import pytest

from foundation.errors import InvalidInput, Missing, Refusal
from inventory.errors import ChangedMeanwhile, ClosedLocation, InactiveSupplier, UnknownPurchaseOrder, WrongStatus
from inventory.models import PurchaseOrder, Supplier, SupplierPack
from inventory.services.purchasing import (
    OrderedLine,
    cancel_purchase_order,
    draft_purchase_order,
    edit_purchase_order,
    order_purchase_order,
)
from tests.inventory.deliveries import Deliveries, everything, line_of, status_of
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def dairy(shop: Shop) -> Deliveries:
    return Deliveries(shop)


@pytest.fixture
def case(shop: Shop, dairy: Deliveries) -> SupplierPack:
    return dairy.pack(shop.ingredient("Milk", "ml"), 12000, "600.00", name="case of 12 × 1 l")


def drafted(dairy: Deliveries, *lines: OrderedLine, **more) -> PurchaseOrder:
    return draft_purchase_order(
        **{"supplier": dairy.supplier, "location": dairy.shop.location, "created_by_id": None, **more}, lines=lines
    )


def refused(call, kind: type[Refusal] = InvalidInput) -> Refusal:
    before = everything()
    with pytest.raises(kind) as refusal:
        call()
    assert everything() == before
    return refusal.value


def faults(call) -> dict[str, list[str]]:
    refusal = refused(call)
    assert isinstance(refusal, InvalidInput)
    return refusal.errors


# --- drafts -------------------------------------------------------------------------------------------


def test_a_draft_keeps_the_packs_as_they_are_now(shop, dairy, case):
    user, tomorrow = user_of("manager"), shop.location.today() + dt.timedelta(days=1)

    order = drafted(
        dairy,
        OrderedLine(case.pk, Decimal("2.5"), Decimal("590.00")),
        expected_on=tomorrow,
        comment="Ring twice",
        created_by_id=user.pk,
    )
    SupplierPack.objects.update(name="case of 6", quantity=6000, price="1.00")

    assert (order.status, order.expected_on, order.comment) == ("draft", tomorrow, "Ring twice")
    assert (order.created_by_id, str(order)) == (user.pk, f"PO-{order.pk}")
    line = order.lines.get()
    assert (line.pack_name, line.pack_quantity, line.packs) == ("case of 12 × 1 l", 12000, Decimal("2.5"))
    assert (line.price, line.quantity, line.pack_id) == (590, 30000, case.pk)


def test_without_a_price_a_line_takes_that_of_the_list(dairy, case):
    assert drafted(dairy, OrderedLine(case.pk, Decimal(1))).lines.get().price == 600


def test_nothing_is_drafted_for_a_supplier_who_no_longer_delivers_or_a_closed_location(shop, dairy, case):
    Supplier.objects.update(is_active=False)
    line = OrderedLine(case.pk, Decimal(1))
    assert refused(lambda: drafted(dairy, line), InactiveSupplier).code == "inactive_supplier"

    Supplier.objects.update(is_active=True)
    shop.location.is_active = False
    refused(lambda: drafted(dairy, line), ClosedLocation)


def test_nothing_is_drafted_for_a_supplier_who_is_gone(dairy, case):
    pk = case.pk
    Supplier.objects.all().delete()
    refused(lambda: drafted(dairy, OrderedLine(pk, Decimal(1)), supplier=Supplier(pk=999, name="Gone")), Missing)


def test_an_order_of_nothing_is_refused(dairy):
    assert faults(lambda: drafted(dairy)) == {"lines": ["Add at least one line."]}


@pytest.mark.parametrize("packs", ["0", "-1", "NaN", "Infinity", "1E+40", "0.0001", "99999999"])
def test_a_senseless_number_of_packs_is_refused(dairy, case, packs):
    assert set(faults(lambda: drafted(dairy, OrderedLine(case.pk, Decimal(packs))))) == {"lines[0].packs"}


@pytest.mark.parametrize("price", ["-1", "NaN", "0.001", "1E+40", "Infinity"])
def test_a_senseless_price_is_refused(dairy, case, price):
    line = OrderedLine(case.pk, Decimal(1), Decimal(price))
    assert set(faults(lambda: drafted(dairy, line))) == {"lines[0].price"}


def test_packs_that_are_unknown_foreign_or_named_twice_are_refused(shop, dairy, case):
    theirs = Deliveries(shop, "Farm").pack(case.ingredient, 1000, "50")
    one = Decimal(1)
    lines = [OrderedLine(pk, one) for pk in (0, theirs.pk, case.pk, case.pk)]
    assert faults(lambda: drafted(dairy, *lines)) == {
        "lines[0].pack": ["Dairy has no pack 0."],
        "lines[1].pack": [f"Dairy has no pack {theirs.pk}."],
        "lines[3].pack": ["This pack stands in the list already. Add the packs up."],
    }


def test_more_lines_than_a_document_takes_are_refused(dairy, case):
    lines = [OrderedLine(case.pk, Decimal(1))] * 1001
    assert faults(lambda: drafted(dairy, *lines)) == {"lines": ["A document takes up to 1000 lines. Split it."]}


def test_a_delivery_is_not_expected_yesterday(shop, dairy, case):
    yesterday = shop.location.today() - dt.timedelta(days=1)
    errors = faults(lambda: drafted(dairy, OrderedLine(case.pk, Decimal(1)), expected_on=yesterday))
    assert errors == {"expected_on": ["A delivery can't be expected before today."]}
    assert drafted(dairy, OrderedLine(case.pk, Decimal(1)), expected_on=shop.location.today()).pk


# --- edits --------------------------------------------------------------------------------------------


def test_an_edit_makes_the_draft_consist_of_its_lines(shop, dairy, case):
    bag = dairy.pack(shop.ingredient("Tea"), 1000, "90.00")
    order = dairy.draft((case, 2))
    harbour = Shop.open("Harbour").location

    edit_purchase_order(
        order_id=order.pk,
        lines=[OrderedLine(bag.pk, Decimal(3)), OrderedLine(case.pk, Decimal(1), Decimal("580"))],
        details={"comment": "By the back door", "location": harbour},
    )

    order = PurchaseOrder.objects.get()
    assert (order.comment, order.location) == ("By the back door", harbour)
    assert list(order.lines.values_list("pack_id", "packs", "price", "position")) == [
        (bag.pk, 3, 90, 0),
        (case.pk, 1, 580, 1),
    ]


def test_an_edit_leaves_what_it_does_not_name(dairy, case):
    order = dairy.draft((case, 2), comment="Ring twice")
    before = list(order.lines.values_list())

    edit_purchase_order(order_id=order.pk, details={"comment": "Ring once"})

    assert list(order.lines.values_list()) == before
    edit_purchase_order(order_id=order.pk, lines=[OrderedLine(case.pk, Decimal(1))])
    assert PurchaseOrder.objects.get().comment == "Ring once"


def test_what_somebody_else_has_changed_meanwhile_is_not_undone_unseen(dairy, case):
    order = dairy.draft((case, 2))
    seen = [line_of(order, case.ingredient).pk]
    line = OrderedLine(case.pk, Decimal(5))
    edit_purchase_order(order_id=order.pk, lines=[line], seen_line_ids=seen)

    refusal = refused(
        lambda: edit_purchase_order(order_id=order.pk, lines=[line], seen_line_ids=seen), ChangedMeanwhile
    )

    assert refusal.detail.startswith(f"PO-{order.pk} has been changed by somebody else.")


def test_a_date_that_has_gone_by_meanwhile_does_not_stop_other_changes(shop, dairy, case):
    order = dairy.draft((case, 2))
    yesterday = shop.location.today() - dt.timedelta(days=1)
    PurchaseOrder.objects.update(expected_on=yesterday)

    edit_purchase_order(order_id=order.pk, details={"comment": "Late", "expected_on": yesterday})

    assert PurchaseOrder.objects.get().comment == "Late"


def test_only_a_draft_is_edited(dairy, case):
    order = dairy.ordered((case, 2))
    refused(lambda: edit_purchase_order(order_id=order.pk, details={"comment": "Late"}), WrongStatus)
    refused(lambda: edit_purchase_order(order_id=order.pk, lines=[OrderedLine(case.pk, Decimal(1))]), WrongStatus)


def test_a_wrong_edit_leaves_the_draft_as_it_was(shop, dairy, case):
    order = dairy.draft((case, 2))
    closed = Shop.open("Harbour", is_active=False).location
    refused(lambda: edit_purchase_order(order_id=order.pk, lines=[]))
    refused(lambda: edit_purchase_order(order_id=order.pk, lines=[OrderedLine(case.pk, Decimal(0))]))
    refused(lambda: edit_purchase_order(order_id=order.pk, details={"comment": "x" * 501}))
    refused(lambda: edit_purchase_order(order_id=order.pk, details={"location": closed}), ClosedLocation)


# --- sending and cancelling ---------------------------------------------------------------------------


def test_ordering_says_when(dairy, case):
    order = order_purchase_order(order_id=dairy.draft((case, 2)).pk)
    assert (status_of(order), order.ordered_at is not None, order.closed_at) == ("ordered", True, None)


def test_nothing_is_sent_twice(dairy, case):
    order = dairy.ordered((case, 2))
    refusal = refused(lambda: order_purchase_order(order_id=order.pk), WrongStatus)
    assert refusal.detail == f"PO-{order.pk} is ordered. This is possible only while it is draft."


def test_nothing_is_sent_to_who_no_longer_delivers_to_a_closed_location_or_without_lines(shop, dairy, case):
    order = dairy.draft((case, 2))
    Supplier.objects.update(is_active=False)
    refused(lambda: order_purchase_order(order_id=order.pk), InactiveSupplier)
    Supplier.objects.update(is_active=True)
    shop.location.is_active = False
    shop.location.save()
    refused(lambda: order_purchase_order(order_id=order.pk), ClosedLocation)
    shop.location.is_active = True
    shop.location.save()
    order.lines.all().delete()
    assert faults(lambda: order_purchase_order(order_id=order.pk)) == {"lines": ["Add at least one line."]}


def test_a_draft_and_what_was_ordered_are_cancelled_once(dairy, case):
    for order in (dairy.draft((case, 2)), dairy.ordered((case, 2))):
        cancel_purchase_order(order_id=order.pk)
        kept = PurchaseOrder.objects.get(pk=order.pk)
        assert (kept.status, kept.closed_at is not None) == ("cancelled", True)
        refused(lambda order=order: cancel_purchase_order(order_id=order.pk), WrongStatus)


def test_an_unknown_order_is_missing(db):
    for verb in (order_purchase_order, cancel_purchase_order, edit_purchase_order):
        with pytest.raises(UnknownPurchaseOrder, match="There is no purchase order 7"):
            verb(order_id=7)


def test_an_order_is_drafted_and_sent_at_the_moments_that_are_named(shop, dairy, case):
    at = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    order = dairy.draft((case, 2), expected_on=dt.date(2026, 3, 2), at=at)
    order_purchase_order(order_id=order.pk, at=at + dt.timedelta(hours=1))
    sent = PurchaseOrder.objects.get(pk=order.pk)
    assert (sent.created_at, sent.ordered_at) == (at, at + dt.timedelta(hours=1))
    with pytest.raises(InvalidInput) as caught:
        dairy.draft((case, 2), expected_on=dt.date(2026, 2, 28), at=at)
    assert caught.value.errors == {"expected_on": ["A delivery can't be expected before today."]}
