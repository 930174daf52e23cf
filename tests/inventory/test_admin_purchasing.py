"""Purchasing in the admin: drafting, receiving on a phone, suggestions, paper."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Ingredient, PurchaseOrder, StockDocument, StockLot, StockMovement, SupplierPack
from inventory.services.purchasing import OrderedLine, edit_purchase_order
from tests.inventory.admin_pages import formset, page, queries_of, said, signed_in, text_of, token_in
from tests.inventory.deliveries import Deliveries, everything, line_of, status_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db

MOST_QUERIES = 25


@pytest.fixture
def shop() -> Shop:
    return Shop.open("Main Street", address="12 Sukhumvit Rd")


@pytest.fixture
def dairy(shop: Shop) -> Deliveries:
    return Deliveries(shop)


@pytest.fixture
def milk(shop: Shop) -> Ingredient:
    return shop.ingredient("Milk", "ml")


@pytest.fixture
def case(dairy: Deliveries, milk: Ingredient) -> SupplierPack:
    return dairy.pack(milk, 12000, "600.00", name="case of 12 × 1 l", article="BD-1201")


@pytest.fixture
def manager(db: None) -> Any:
    return signed_in("manager")


def ordered_lines(*rows: dict[str, Any], **form: Any) -> dict[str, Any]:
    return {"expected_on": "", "comment": "", **form, **formset("lines", rows)}


def delivery(*rows: dict[str, Any], receipts: int = 0, **form: Any) -> dict[str, Any]:
    """What the receive page sends."""
    filled = [{"unit": "packs", "price": "", "expires_on": "", "lot_code": "", **row} for row in rows]
    return {"delivery_note": "", "comment": "", "expected_receipts": receipts, **form, **formset("lines", filled)}


# --- drafts -------------------------------------------------------------------------------------------


def test_a_new_order_asks_for_the_supplier_first(manager, shop, dairy, case):
    Deliveries(shop, "Gone").supplier.__class__.objects.filter(name="Gone").update(is_active=False)

    asked = text_of(manager.get(page("purchaseorder_new")))

    assert "From whom?" in asked
    assert "Dairy" in asked
    assert "Gone" not in asked
    form = text_of(manager.get(f"{page('purchaseorder_new')}?supplier={dairy.supplier.pk}"))
    assert "Milk: case of 12 × 1 l (12 l), ฿600" in form
    assert manager.get(page("purchaseorder_add")).url == page("purchaseorder_new")


def test_a_draft_is_saved_and_sent_twice_it_is_one(manager, shop, dairy, case):
    address = f"{page('purchaseorder_new')}?supplier={dairy.supplier.pk}"
    tomorrow = (shop.location.today() + dt.timedelta(days=1)).isoformat()
    body = ordered_lines(
        {"pack": case.pk, "packs": "2", "price": ""},
        {"pack": "", "packs": "", "price": ""},
        expected_on=tomorrow,
        comment="Ring twice",
        once=token_in(manager.get(address)),
    )

    first, again = manager.post(address, body), manager.post(address, body)

    order = PurchaseOrder.objects.get()
    assert first.url == again.url == page("purchaseorder_change", order.pk)
    assert (order.status, str(order.expected_on), order.comment) == ("draft", tomorrow, "Ring twice")
    assert order.lines.get().price == 600
    assert order.created_by.email == "manager@shop.example"
    shown = text_of(manager.get(first.url))
    assert "฿1,200" in shown
    assert "2 = 24 l" in shown


def test_what_is_wrong_with_a_draft_stands_at_its_field(manager, shop, dairy, case):
    address = f"{page('purchaseorder_new')}?supplier={dairy.supplier.pk}"
    for row, field, sentence in (
        ({"pack": case.pk, "packs": "0"}, "packs", "The quantity must be more than 0."),
        ({"pack": case.pk, "packs": "NaN"}, "packs", "Enter a number."),
        ({"pack": case.pk, "packs": "1", "price": "1.005"}, "price", "A price has at most two decimals."),
        ({"pack": 999999, "packs": "1"}, "pack", "There is no such pack. Choose one from the list."),
    ):
        answer = manager.post(address, ordered_lines({"price": "", **row}))
        assert answer.context["formset"].forms[0].errors == {field: [sentence]}
    late = manager.post(address, ordered_lines({"pack": case.pk, "packs": "1", "price": ""}, expected_on="2020-01-01"))
    assert late.context["form"].errors == {"expected_on": ["A delivery can't be expected before today."]}
    empty = manager.post(address, ordered_lines())
    assert "Add at least one line." in text_of(empty)
    assert not PurchaseOrder.objects.exists()


def test_a_draft_is_changed_and_a_stale_form_is_refused(manager, dairy, case):
    order = dairy.draft((case, 2))
    address = page("purchaseorder_edit", order.pk)
    seen = str(order.lines.get().pk)
    shown = manager.get(address)
    assert f'name="seen" value="{seen}"' in shown.content.decode()
    assert [form["packs"].value() for form in shown.context["formset"].forms] == [2]

    body = ordered_lines({"pack": case.pk, "packs": "3", "price": "590"}, seen=seen, comment="Ring")
    assert manager.post(address, body).url == page("purchaseorder_change", order.pk)
    assert list(order.lines.values_list("packs", "price")) == [(3, 590)]

    before = everything()
    answer = manager.post(address, {**body, "comment": "Do not"})
    assert f"PO-{order.pk} has been changed by somebody else." in text_of(answer)
    assert everything() == before


def test_only_a_draft_has_a_form(manager, dairy, case):
    order = dairy.ordered((case, 2))
    assert manager.get(page("purchaseorder_edit", order.pk)).url == page("purchaseorder_change", order.pk)
    assert manager.get(page("purchaseorder_edit", 999999)).status_code == 404


def test_an_order_is_sent_cancelled_and_closed_by_its_buttons(manager, dairy, case, milk):
    draft, doomed = dairy.draft((case, 2)), dairy.draft((case, 1))

    manager.post(page("purchaseorder_verb", draft.pk, "order"))
    manager.post(page("purchaseorder_verb", doomed.pk, "cancel"))
    assert (status_of(draft), status_of(doomed)) == ("ordered", "cancelled")

    dairy.receive(draft, {milk: 1})
    refused = manager.post(page("purchaseorder_verb", draft.pk, "cancel"))
    assert "is partly received" in said(refused)[-1]
    manager.post(page("purchaseorder_verb", draft.pk, "close"))
    assert status_of(draft) == "received"


# --- receiving ----------------------------------------------------------------------------------------


def test_the_delivery_page_is_filled_in_with_what_is_expected(manager, shop, dairy, case, milk):
    oat = shop.ingredient("Oat milk", "ml")
    order = dairy.ordered((case, 3), (dairy.pack(oat, 700, "40"), 3))
    dairy.receive(order, {milk: 1})

    answer = manager.get(page("purchaseorder_receive", order.pk))

    rows = [(form["amount"].value(), form["unit"].value(), form["price"].value()) for form in answer.context["formset"]]
    assert rows == [(2, "packs", 600), (3, "packs", 40)]
    assert answer.context["form"]["expected_receipts"].value() == 1
    assert "24 l to come" in text_of(answer)


def test_a_delivery_is_received_as_it_came(manager, shop, dairy, case, milk):
    Ingredient.objects.update(tracks_expiry=True)
    order, until = dairy.ordered((case, 2)), shop.location.today() + dt.timedelta(days=4)
    what = f"line:{line_of(order, milk).pk}"
    address = page("purchaseorder_receive", order.pk)
    body = delivery(
        {"what": what, "amount": "1", "price": "610.50", "expires_on": until.isoformat(), "lot_code": "A"},
        {"what": what, "amount": "11,5", "unit": "l", "expires_on": until.isoformat(), "lot_code": "B"},
        delivery_note="DN-7",
        is_final="on",
        once=token_in(manager.get(address)),
    )

    first, again = manager.post(address, body), manager.post(address, body)

    assert first.url == again.url == page("purchaseorder_change", order.pk)
    document = StockDocument.objects.get()
    assert (document.purchase_order_id, document.delivery_note) == (order.pk, "DN-7")
    assert status_of(order) == "received"
    assert dict(StockLot.objects.values_list("code", "quantity")) == {"A": 12000, "B": 11500}
    case.refresh_from_db()
    assert case.price == Decimal("610.50")
    shown = text_of(manager.get(first.url))
    assert "DN-7" in shown
    assert f"PO-{order.pk}" in text_of(manager.get(page("stockdocument_change", document.pk)))


def test_what_did_not_come_is_left_empty_and_a_price_as_filled_in_changes_no_list(manager, shop, dairy, case, milk):
    tea = shop.ingredient("Tea")
    bag = dairy.pack(tea, 1000, "90.00")
    order = dairy.ordered((case, 2), (bag, 1))
    SupplierPack.objects.filter(pk=case.pk).update(price="620.00")

    manager.post(
        page("purchaseorder_receive", order.pk),
        delivery(
            {"what": f"line:{line_of(order, milk).pk}", "amount": "2", "price": "600"},
            {"what": f"line:{line_of(order, tea).pk}", "amount": "0", "price": "90"},
        ),
    )

    assert status_of(order) == "partly_received"
    assert (shop.quantity(milk), shop.quantity(tea)) == (24000, 0)
    case.refresh_from_db()
    assert case.price == 620


def test_something_else_that_came_is_received_too(manager, shop, dairy, case, milk):
    bag = dairy.pack(shop.ingredient("Tea"), 1000, "90.00")
    order = dairy.ordered((case, 1))
    rows = [{"what": f"line:{line_of(order, milk).pk}", "amount": "1"}, {"what": f"pack:{bag.pk}", "amount": "2"}]
    manager.post(page("purchaseorder_receive", order.pk), delivery(*rows))
    assert shop.quantity(bag.ingredient) == 2000


def test_what_is_wrong_with_a_delivery_stands_at_its_field(manager, dairy, case, milk, shop):
    order = dairy.ordered((case, 2))
    what, address = f"line:{line_of(order, milk).pk}", page("purchaseorder_receive", order.pk)
    before = everything()
    for row, field, sentence in (
        ({"amount": "-1"}, "amount", "The quantity must be more than 0."),
        ({"amount": "NaN"}, "amount", "Enter a number."),
        ({"amount": "1", "price": "0.001"}, "price", "A price has at most two decimals."),
        ({"amount": "1", "unit": "kg"}, "unit", "Select a valid choice. kg is not one of the available choices."),
        ({"amount": "0.0001", "unit": "ml"}, "amount", "This is finer than a thousandth of 1 ml."),
    ):
        answer = manager.post(address, delivery({"what": what, **row}))
        [form] = answer.context["formset"].forms
        assert set(form.errors) == {field}, form.errors
        assert form.errors[field][0].startswith(sentence)
    assert "Say what came: at least one line." in text_of(manager.post(address, delivery({"what": what, "amount": ""})))
    unknown = manager.post(address, delivery({"what": "line:999999", "amount": "1"}))
    assert set(unknown.context["formset"].forms[0].errors) == {"what"}
    assert everything() == before

    Ingredient.objects.update(tracks_expiry=True)
    gone = manager.post(address, delivery({"what": what, "amount": "1", "expires_on": "2020-01-01"}))
    assert gone.context["formset"].forms[0].errors == {
        "expires_on": ["Milk has expired already. Do not accept it, or correct the date."]
    }
    assert not StockDocument.objects.exists()


def test_a_stale_delivery_form_and_a_known_note_are_refused(manager, dairy, case, milk, shop):
    order = dairy.ordered((case, 4))
    dairy.receive(order, {milk: 1}, delivery_note="DN-1")
    row = {"what": f"line:{line_of(order, milk).pk}", "amount": "1"}
    address = page("purchaseorder_receive", order.pk)
    before = everything()
    assert "has been changed by somebody else" in text_of(manager.post(address, delivery(row)))
    known = manager.post(address, delivery(row, receipts=1, delivery_note="DN-1"))
    assert "“DN-1” has been received already" in text_of(known)
    assert everything() == before


def test_a_received_order_has_no_delivery_page_and_a_late_form_is_refused(manager, dairy, case, milk):
    order = dairy.ordered((case, 1))
    dairy.receive(order, {milk: 1})
    address = page("purchaseorder_receive", order.pk)
    assert manager.get(address).url == page("purchaseorder_change", order.pk)
    row = {"what": f"line:{line_of(order, milk).pk}", "amount": "1"}
    assert "is received. This is possible only while" in text_of(manager.post(address, delivery(row, receipts=1)))
    assert StockMovement.objects.count() == 1


def test_the_page_of_an_order_says_what_was_paid_for_each_receipt_to_who_sees_costs(manager, dairy, case, milk):
    order = dairy.ordered((case, 3))
    dairy.receive(order, {milk: 1}, price="612.34")
    dairy.receive(order, {milk: 2}, price="500.00")

    text = text_of(manager.get(page("purchaseorder_change", order.pk)))

    assert "Total ฿1,800" in text
    assert "Paid ฿1,612.34" in text
    assert "฿612.34" in text.partition("What has come")[2]
    assert "฿1,000" in text.partition("What has come")[2]
    for_barista = text_of(signed_in("barista").get(page("purchaseorder_change", order.pk)))
    assert "What has come" in for_barista
    assert "Paid" not in for_barista
    assert "฿" not in for_barista


def test_an_order_of_which_nothing_has_come_says_nothing_of_paying(manager, dairy, case):
    assert "Paid" not in text_of(manager.get(page("purchaseorder_change", dairy.ordered((case, 3)).pk)))


def test_a_barista_receives_without_seeing_prices(dairy, case, milk, shop):
    barista, order = signed_in("barista"), dairy.ordered((case, 2))
    address = page("purchaseorder_receive", order.pk)
    for shown in (
        barista.get(page("purchaseorder_changelist")),
        barista.get(page("purchaseorder_change", order.pk)),
        barista.get(page("purchaseorder_print", order.pk)),
        barista.get(address),
    ):
        assert shown.status_code == 200
        assert "600" not in text_of(shown)
        assert "฿" not in text_of(shown)

    row = {"what": f"line:{line_of(order, milk).pk}", "amount": "1", "price": "1.00"}
    barista.post(address, delivery(row))

    # A price that is slipped in is no field of the form.
    assert StockMovement.objects.get().value == 600
    case.refresh_from_db()
    assert case.price == 600
    for door in (
        page("purchaseorder_new"),
        page("purchaseorder_suggestions"),
        page("purchaseorder_edit", order.pk),
        page("supplier_changelist"),
    ):
        assert barista.get(door).status_code == 403


# --- suggestions and paper ----------------------------------------------------------------------------


def test_the_suggestions_are_changed_and_drafted(manager, shop, dairy, case, milk):
    shop.ingredient("Milk", minimum=10000)
    can = dairy.pack(milk, 5000, "240.00", name="can")
    shop.ingredient("Cinnamon", minimum=5)
    address = page("purchaseorder_suggestions")
    shown = manager.get(address)
    [form] = shown.context["formset"].forms
    assert (form["pack"].value(), form["packs"].value()) == (can.pk, 4)
    assert "No supplier sells it." in text_of(shown)

    body = formset("lines", [{"ingredient": milk.pk, "pack": case.pk, "packs": "2"}])
    answer = manager.post(address, body)

    order = PurchaseOrder.objects.get()
    assert answer.url == page("purchaseorder_change", order.pk)
    assert list(order.lines.values_list("pack_id", "packs")) == [(case.pk, 2)]
    before = everything()
    assert "What is missing at Main Street has been changed by somebody else." in text_of(manager.post(address, body))
    assert everything() == before


def test_the_suggestions_stand_below_their_suppliers(manager, shop, dairy, case, milk):
    bakery = Deliveries(shop, "Bakery")
    for number in range(2):
        bakery.pack(shop.ingredient(f"Cake {number}", "pc", minimum=10), 10)
    shop.ingredient("Milk", minimum=10000)
    shown = manager.get(page("purchaseorder_suggestions"))
    assert [str(row.get("supplier", "")) for row in shown.context["rows"]] == ["Bakery", "", "Dairy"]
    assert "These are the first" not in text_of(shown)


def test_more_suggestions_than_a_form_takes_are_announced(manager, shop, dairy):
    for number in range(122):
        dairy.pack(shop.ingredient(f"Syrup {number:03}", "ml", minimum=10), 10)
    address = page("purchaseorder_suggestions")
    shown = manager.get(address)
    assert "These are the first 120 lines of 122." in text_of(shown)
    names = ("ingredient", "pack", "packs")
    rows = [{name: form[name].value() for name in names} for form in shown.context["formset"].forms]
    manager.post(address, formset("lines", rows))
    assert PurchaseOrder.objects.get().lines.count() == 120
    rest = manager.get(address)
    assert [row["ingredient"].name for row in rest.context["rows"]] == ["Syrup 120", "Syrup 121"]
    assert "These are the first" not in text_of(rest)


def test_an_empty_number_leaves_a_suggestion_out(manager, shop, dairy, case, milk):
    shop.ingredient("Milk", minimum=10000)
    rows = [{"ingredient": milk.pk, "pack": case.pk, "packs": ""}]
    answer = manager.post(page("purchaseorder_suggestions"), formset("lines", rows))
    assert "Add at least one line." in text_of(answer)
    wrong = manager.post(page("purchaseorder_suggestions"), formset("lines", [{**rows[0], "packs": "-1"}]))
    assert wrong.context["formset"].forms[0].errors == {"packs": ["The quantity must be more than 0."]}
    assert not PurchaseOrder.objects.exists()


def test_the_low_stock_page_leads_to_what_to_order(manager, shop, milk):
    shop.ingredient("Milk", minimum=10)
    address = f"{page('purchaseorder_suggestions')}?location={shop.location.pk}"
    assert address in manager.get(page("stocklevel_low")).content.decode()
    assert address not in signed_in("barista").get(page("stocklevel_low")).content.decode()


def test_nothing_low_says_so_and_no_location_breaks_nothing(manager, shop):
    assert "Nothing has to be ordered." in text_of(manager.get(page("purchaseorder_suggestions")))
    shop.location.is_active = False
    shop.location.save()
    assert manager.get(page("purchaseorder_suggestions")).status_code == 200
    assert manager.post(page("purchaseorder_suggestions")).status_code == 302


def test_the_day_of_a_delivery_is_written_as_other_days_are(manager, shop, dairy, case):
    at = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    order = dairy.draft((case, 2), expected_on=dt.date(2026, 11, 22), at=at)
    for name in ("purchaseorder_change", "purchaseorder_print"):
        assert "22 Nov 2026" in text_of(manager.get(page(name, order.pk)))
    assert "22 Nov 2026" in text_of(manager.get(page("purchaseorder_changelist")))


def test_the_paper_names_everything_that_a_supplier_needs(manager, shop, dairy, case):
    order = dairy.ordered((case, 2), comment="Ring twice")
    paper = text_of(manager.get(page("purchaseorder_print", order.pk)))
    for words in (
        f"Purchase order PO-{order.pk}",
        "Dairy",
        "Main Street",
        "12 Sukhumvit Rd",
        "BD-1201",
        "Milk",
        "case of 12 × 1 l (12 l)",
        "฿1,200",
        "Ring twice",
    ):
        assert words in paper
    assert "DRAFT" in text_of(manager.get(page("purchaseorder_print", dairy.draft((case, 1)).pk)))


# --- suppliers ----------------------------------------------------------------------------------------


def supplier_form(*packs: dict[str, Any], initial: int = 0, **fields: Any) -> dict[str, Any]:
    rows = [{"price": "", "article": "", **pack} for pack in packs]
    return {"name": "Dairy", "is_active": "on", **fields, **formset("packs", rows, initial)}


def test_a_supplier_is_added_with_packs_as_they_are_written_on_the_box(manager, milk, shop):
    tea = shop.ingredient("Tea")
    answer = manager.post(
        page("supplier_add"),
        supplier_form(
            {"ingredient": milk.pk, "name": "case", "content": "12 × 1 l", "price": "600", "is_preferred": "on"},
            {"ingredient": tea.pk, "name": "bag", "content": "2,5 кг"},
        ),
    )
    assert answer.status_code == 302, answer.context["errors"]
    assert list(SupplierPack.objects.order_by("id").values_list("quantity", "price", "is_preferred")) == [
        (12000, 600, True),
        (2500, None, False),
    ]
    supplier = SupplierPack.objects.first().supplier
    shown = manager.get(page("supplier_change", supplier.pk))
    assert 'value="12 l"' in shown.content.decode()
    assert "฿50 / l" in text_of(shown)


def test_a_pack_of_nothing_or_in_another_unit_is_refused_at_its_field(manager, milk):
    for content, sentence in (
        ("0", "The quantity must be more than 0."),
        ("-1 l", "The quantity can't be below 0."),
        ("12 kg", "“kg” is not a unit for this ingredient. Use one of: ml, l, cl."),
        ("a lot", "Write a quantity such as 250 ml or 1.5 l."),
    ):
        row = {"ingredient": milk.pk, "name": "case", "content": content}
        answer = manager.post(page("supplier_add"), supplier_form(row))
        [inline] = answer.context["inline_admin_formsets"]
        assert inline.formset.forms[0].errors == {"content": [sentence]}
    assert not SupplierPack.objects.exists()


def test_marking_another_pack_moves_the_mark(manager, dairy, milk, shop):
    farm = Deliveries(shop, "Farm")
    theirs = farm.pack(milk, 5000, is_preferred=True)
    case = dairy.pack(milk, 12000, "600.00")
    row = {"id": case.pk, "supplier": dairy.supplier.pk, "ingredient": milk.pk, "name": "case", "content": "12 l"}

    answer = manager.post(
        page("supplier_change", dairy.supplier.pk),
        supplier_form({**row, "price": "600", "is_preferred": "on"}, initial=1),
    )

    assert answer.status_code == 302, answer.context["errors"]
    theirs.refresh_from_db()
    case.refresh_from_db()
    assert (theirs.is_preferred, case.is_preferred) == (False, True)


def test_a_pack_on_a_draft_is_not_taken_out_and_others_stay(manager, dairy, milk, shop):
    case, bottle = dairy.pack(milk, 12000, "600.00"), dairy.pack(milk, 1000, "55.00", name="bottle")
    dairy.draft((case, 1))
    rows = [
        {"id": pack.pk, "supplier": dairy.supplier.pk, "ingredient": milk.pk, "name": pack.name, "content": "1 l"}
        for pack in (bottle, case)
    ]
    before = everything()
    answer = manager.post(
        page("supplier_change", dairy.supplier.pk), supplier_form(rows[0], {**rows[1], "DELETE": "on"}, initial=2)
    )
    assert "stands on the draft" in text_of(answer)
    assert everything() == before


def test_a_pack_that_somebody_added_meanwhile_stays(manager, dairy, milk):
    case = dairy.pack(milk, 12000, "600.00")
    dairy.pack(milk, 1000, "55.00", name="bottle")
    row = {"id": case.pk, "supplier": dairy.supplier.pk, "ingredient": milk.pk, "name": "box", "content": "12 l"}
    manager.post(page("supplier_change", dairy.supplier.pk), supplier_form(row, initial=1))
    assert sorted(SupplierPack.objects.values_list("name", flat=True)) == ["bottle", "box"]


# --- how many queries ---------------------------------------------------------------------------------


def test_no_page_of_purchasing_takes_more_than_25_queries(manager, shop, dairy, milk):
    Shop.open("Riverside")
    ingredients = Ingredient.objects.bulk_create(Ingredient(name=f"Tea {place}", unit="g") for place in range(500))
    packs = SupplierPack.objects.bulk_create(
        SupplierPack(supplier=dairy.supplier, ingredient=one, name="bag", quantity=700, price="10.00")
        for one in ingredients
    )
    long = dairy.ordered(*((pack, 3) for pack in packs))
    short = dairy.draft(*((pack, 3) for pack in packs[:50]))
    for one in ingredients[:60]:
        shop.ingredient(one.name, minimum=1_000_000)
    for _ in range(30):
        dairy.draft((packs[0], 1))
    for address in (
        page("purchaseorder_changelist"),
        page("purchaseorder_change", long.pk),
        page("purchaseorder_edit", short.pk),
        page("purchaseorder_receive", long.pk),
        page("purchaseorder_print", long.pk),
        page("purchaseorder_new"),
        f"{page('purchaseorder_new')}?supplier={dairy.supplier.pk}",
        f"{page('purchaseorder_suggestions')}?location={shop.location.pk}",
        page("supplier_changelist"),
        page("supplier_change", dairy.supplier.pk),
    ):
        assert queries_of(manager, address) <= MOST_QUERIES, address


def test_the_packs_of_a_long_list_are_changed_page_by_page(manager, shop, dairy):
    packs = [dairy.pack(shop.ingredient(f"Tea {place:03}"), 100, "1.00") for place in range(60)]
    address = f"{page('supplier_change', dairy.supplier.pk)}?packs-page=2"
    [inline] = manager.get(address).context["inline_admin_formsets"]
    shown = [form.instance for form in inline.formset.initial_forms]
    assert shown == packs[50:]
    rows = [
        {"id": one.pk, "supplier": dairy.supplier.pk, "ingredient": one.ingredient_id, "name": "bag", "content": "2 kg"}
        for one in shown
    ]

    answer = manager.post(address, supplier_form(*rows, initial=10))

    assert answer.status_code == 302, answer.context["errors"]
    kept = list(SupplierPack.objects.order_by("pk").values_list("pk", "name", "quantity"))
    assert kept == [
        *((one.pk, "case", 100) for one in packs[:50]),
        *((one.pk, "bag", 2000) for one in packs[50:]),
    ]


def test_a_pack_keeps_its_ingredient(manager, shop, dairy, milk):
    case, tea = dairy.pack(milk, 12000, "600.00"), shop.ingredient("Tea")
    row = {"id": case.pk, "supplier": dairy.supplier.pk, "ingredient": tea.pk, "name": "case", "content": "12 l"}
    answer = manager.post(page("supplier_change", dairy.supplier.pk), supplier_form(row, initial=1))
    [inline] = answer.context["inline_admin_formsets"]
    assert set(inline.formset.forms[0].errors) == {"ingredient"}
    case.refresh_from_db()
    assert case.ingredient == milk


def test_the_page_of_a_supplier_takes_as_many_queries_for_40_packs_as_for_one(manager, shop, dairy):
    def queries() -> int:
        return queries_of(manager, page("supplier_change", dairy.supplier.pk))

    dairy.pack(shop.ingredient("Tea"), 100, "1.00")
    few = queries()
    for place in range(40):
        dairy.pack(shop.ingredient(f"Tea {place}"), 100, "1.00")
    assert queries() == few <= MOST_QUERIES


def test_a_form_takes_only_so_many_lines_and_says_how_many_wait(manager, shop, dairy):
    packs = [dairy.pack(shop.ingredient(f"Tea {place}"), 100, "1.00") for place in range(125)]
    order = dairy.ordered(*((pack, 1) for pack in packs))
    shown = manager.get(page("purchaseorder_receive", order.pk))
    assert len(shown.context["formset"].forms) == 120
    assert "5 more lines are expected: receive these first." in text_of(shown)
    rows = [{"what": form["what"].value(), "amount": "1", "price": "1"} for form in shown.context["formset"].forms]
    assert manager.post(page("purchaseorder_receive", order.pk), delivery(*rows)).status_code == 302
    assert status_of(order) == "partly_received"
    assert len(manager.get(page("purchaseorder_receive", order.pk)).context["formset"].forms) == 5


def test_a_draft_too_long_for_a_form_says_so(manager, shop, dairy):
    packs = [dairy.pack(shop.ingredient(f"Tea {place}"), 100, "1.00") for place in range(121)]
    order = dairy.draft(*((pack, 1) for pack in packs))
    assert "This order is too long for a form." in text_of(manager.get(page("purchaseorder_edit", order.pk)))
    edit_purchase_order(order_id=order.pk, lines=[OrderedLine(packs[0].pk, Decimal(1))])
    assert "too long" not in text_of(manager.get(page("purchaseorder_edit", order.pk)))
