"""Several people receive, cancel or draft at the same moment: one effect, and the others are told.

The counterproofs take the lock out and show the fault.
"""

from decimal import Decimal
from threading import Barrier, Event

import pytest

from inventory.models import PurchaseOrder, PurchaseOrderLine, StockDocument, Supplier, SupplierPack
from inventory.services import receiving, reordering, suppliers
from inventory.services.purchasing import cancel_purchase_order
from inventory.services.reordering import draft_suggested
from inventory.services.suppliers import PackEntry, change_supplier
from tests.inventory.deliveries import Deliveries, line_of, status_of
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 8


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def dairy(shop: Shop) -> Deliveries:
    return Deliveries(shop)


def test_of_eight_receipts_of_one_order_one_is_posted(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 12000, "600"), 2))

    outcomes = at_once([lambda: dairy.receive(order, {milk: 2})] * CROWD)

    assert kinds(outcomes) == {"StockDocument": 1, "WrongStatus": CROWD - 1}
    assert shop.quantity(milk) == 24000
    assert StockDocument.objects.count() == 1
    assert_levels_are_what_the_ledger_sums_to()


def test_without_the_lock_the_delivery_is_received_eight_times(shop, dairy, monkeypatch):
    """Counterproof: the order is only read, not locked, and everybody has seen that it is expected."""
    milk = shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 12000, "600"), 2))
    everybody_has_read = Barrier(CROWD)

    def read(order_id: int) -> PurchaseOrder:
        found = PurchaseOrder.objects.select_related("supplier", "location").get(pk=order_id)
        everybody_has_read.wait(PATIENCE)
        return found

    monkeypatch.setattr(receiving, "lock_purchase_order", read)

    outcomes = at_once([lambda: dairy.receive(order, {milk: 2})] * CROWD)

    assert kinds(outcomes) == {"StockDocument": CROWD}
    assert shop.quantity(milk) == CROWD * 24000


def test_two_who_saw_the_same_form_do_not_both_receive_their_half(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 12000, "600"), 2))

    outcomes = at_once([lambda: dairy.receive(order, {milk: 1}, expected_receipts=0)] * 2)

    assert kinds(outcomes) == {"ChangedMeanwhile": 1, "StockDocument": 1}
    assert shop.quantity(milk) == 12000
    assert status_of(order) == "partly_received"


def test_one_delivery_note_is_received_once_however_many_send_it(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 12000, "600"), 20))

    outcomes = at_once([lambda: dairy.receive(order, {milk: 1}, delivery_note="DN-1")] * CROWD)

    assert kinds(outcomes) == {"AlreadyReceived": CROWD - 1, "StockDocument": 1}
    assert shop.quantity(milk) == 12000


def test_eight_parts_at_once_are_all_counted(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 1000, "50"), CROWD))

    outcomes = at_once([lambda: dairy.receive(order, {milk: 1})] * CROWD)

    assert kinds(outcomes) == {"StockDocument": CROWD}
    assert line_of(order, milk).received_quantity == CROWD * 1000
    assert (status_of(order), shop.quantity(milk)) == ("received", CROWD * 1000)


def test_of_receiving_and_cancelling_at_once_one_happens(shop, dairy):
    milk = shop.ingredient("Milk", "ml")
    case = dairy.pack(milk, 1000, "50")
    for _ in range(10):
        before, order = shop.quantity(milk), dairy.ordered((case, 2))

        received, cancelled = at_once(
            [
                lambda order=order: dairy.receive(order, {milk: 1}),
                lambda order=order: cancel_purchase_order(order_id=order.pk),
            ]
        )

        came = isinstance(received, StockDocument)
        assert kinds([received, cancelled]) == (
            {"StockDocument": 1, "WrongStatus": 1} if came else {"PurchaseOrder": 1, "WrongStatus": 1}
        )
        assert status_of(order) == ("partly_received" if came else "cancelled")
        assert shop.quantity(milk) == before + (1000 if came else 0)
    assert_levels_are_what_the_ledger_sums_to()


def test_two_orders_of_the_same_ingredients_in_opposite_order_do_not_wait_for_each_other(shop, dairy):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")
    case, bag = dairy.pack(milk, 1000, "50"), dairy.pack(tea, 500, "40")
    for turn in range(5):
        one, two = dairy.ordered((case, 1), (bag, 1)), dairy.ordered((bag, 1), (case, 1))

        outcomes = at_once(
            [
                lambda one=one, turn=turn: dairy.receive(one, {milk: 1, tea: 1}, price=60 + turn),
                lambda two=two, turn=turn: dairy.receive(two, {tea: 1, milk: 1}, price=70 + turn),
            ]
        )

        assert kinds(outcomes) == {"StockDocument": 2}
    assert (shop.quantity(milk), shop.quantity(tea)) == (10_000, 5_000)
    assert_levels_are_what_the_ledger_sums_to()


def test_what_is_low_is_drafted_once_however_many_ask(shop, dairy):
    milk = shop.ingredient("Milk", "ml", minimum=1000)
    dairy.pack(milk, 500, "50")

    outcomes = at_once([lambda: draft_suggested(location=shop.location, created_by_id=None)] * CROWD)

    assert sorted(len(orders) for orders in outcomes) == [0] * (CROWD - 1) + [1]
    assert PurchaseOrder.objects.count() == 1


def test_without_the_lock_everybody_drafts_the_same(shop, dairy, monkeypatch):
    """Counterproof: nobody waits for who drafts already."""
    milk = shop.ingredient("Milk", "ml", minimum=1000)
    dairy.pack(milk, 500, "50")
    everybody_has_looked = Barrier(CROWD)
    look = reordering.suggest_purchase_orders

    def suggest(**what):
        suggestions = look(**what)
        everybody_has_looked.wait(PATIENCE)
        return suggestions

    monkeypatch.setattr(reordering, "lock_location", lambda location_id: None)
    monkeypatch.setattr(reordering, "suggest_purchase_orders", suggest)

    at_once([lambda: draft_suggested(location=shop.location, created_by_id=None)] * CROWD)

    assert PurchaseOrder.objects.count() == CROWD


def test_two_suppliers_whose_packs_become_preferred_at_once_leave_one_mark(shop):
    milk = shop.ingredient("Milk", "ml")
    suppliers = [Deliveries(shop, name).supplier for name in ("Dairy", "Farm")]

    def prefer(supplier: Supplier) -> Supplier:
        pack = PackEntry(ingredient_id=milk.pk, name="case", quantity=Decimal(1000), is_preferred=True)
        return change_supplier(supplier_id=supplier.pk, fields={}, packs=[pack])

    for _ in range(5):
        outcomes = at_once([lambda supplier=supplier: prefer(supplier) for supplier in suppliers])

        assert kinds(outcomes) == {"Supplier": 2}
        assert SupplierPack.objects.filter(is_preferred=True).count() == 1
        assert SupplierPack.objects.count() == 2


def test_who_receives_at_new_prices_and_who_takes_the_packs_out_of_the_list_do_not_wait_for_each_other(
    shop, dairy, monkeypatch
):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")
    order = dairy.ordered((dairy.pack(milk, 1000, "50"), 1), (dairy.pack(tea, 500, "40"), 1))
    levels_have_moved, packs_are_locked = Event(), Event()
    post, check = receiving.post_receipt, suppliers.check_packs

    def post_and_wait(**what):
        post(**what)
        levels_have_moved.set()
        packs_are_locked.wait(PATIENCE)

    def wait_and_check(*what):
        packs_are_locked.set()
        return check(*what)

    monkeypatch.setattr(receiving, "post_receipt", post_and_wait)
    monkeypatch.setattr(suppliers, "check_packs", wait_and_check)

    def empty_the_list() -> Supplier:
        levels_have_moved.wait(PATIENCE)
        return change_supplier(supplier_id=dairy.supplier.pk, fields={}, packs=[])

    outcomes = at_once([lambda: dairy.receive(order, {milk: 1, tea: 1}, price=60), empty_the_list])

    assert kinds(outcomes) == {"StockDocument": 1, "Supplier": 1}
    assert (shop.quantity(milk), shop.quantity(tea)) == (1000, 500)
    assert status_of(order) == "received"
    assert SupplierPack.objects.count() == 0
    assert list(PurchaseOrderLine.objects.values_list("pack", flat=True)) == [None, None]
