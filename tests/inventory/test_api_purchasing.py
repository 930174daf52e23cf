"""suppliers/ and purchase-orders/"""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Ingredient, PurchaseOrder, StockDocument, StockLot, Supplier, SupplierPack
from tests.inventory.deliveries import Deliveries, everything, line_of, status_of
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def dairy(shop: Shop) -> Deliveries:
    return Deliveries(shop)


@pytest.fixture
def milk(shop: Shop) -> Ingredient:
    return shop.ingredient("Milk", "ml")


@pytest.fixture
def case(dairy: Deliveries, milk: Ingredient) -> SupplierPack:
    return dairy.pack(milk, 12000, "600.00", name="case of 12 × 1 l", article="M-12")


@pytest.fixture
def manager(db: None) -> Rest:
    return Rest.of("manager")


@pytest.fixture
def barista(db: None) -> Rest:
    return Rest.of("barista")


# --- suppliers/ ---------------------------------------------------------------------------------------


def test_a_supplier_is_added_with_packs_in_any_unit(manager, milk):
    answer = manager.post(
        "suppliers/",
        {
            "name": "Dairy",
            "phone": "+66 2 000 0000",
            "packs": [{"ingredient": milk.pk, "name": "case", "quantity": "12", "unit": "l", "price": "600.00"}],
        },
    )

    assert answer == {
        "id": Supplier.objects.get().pk,
        "name": "Dairy",
        "contact": "",
        "phone": "+66 2 000 0000",
        "email": "",
        "address": "",
        "comment": "",
        "is_active": True,
        "packs": [
            {
                "id": SupplierPack.objects.get().pk,
                "ingredient": milk.pk,
                "ingredient_name": "Milk",
                "unit": "ml",
                "name": "case",
                "quantity": "12000.000",
                "price": "600.00",
                "article": "",
                "is_preferred": False,
            }
        ],
    }
    assert manager.get("suppliers/")["results"] == [answer]


def test_a_pack_that_is_changed_names_all_its_fields(manager, dairy, case, milk):
    path = f"suppliers/{dairy.supplier.pk}/"
    pack = {"id": case.pk, "ingredient": milk.pk, "name": "case", "quantity": "6000"}
    before = everything()
    manager.refused(
        "patch",
        path,
        {"packs": [pack]},
        status=400,
        kind="invalid",
        at=["packs[0].price", "packs[0].article", "packs[0].is_preferred"],
    )
    assert everything() == before

    answer = manager.patch(path, {"packs": [{**pack, "price": None, "article": "", "is_preferred": True}]})

    assert [(one["quantity"], one["price"], one["is_preferred"]) for one in answer["packs"]] == [
        ("6000.000", None, True)
    ]
    assert manager.patch(path, {"is_active": False})["packs"] == answer["packs"]


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"quantity": "0"}, "packs[0].quantity"),
        ({"quantity": "-1"}, "packs[0].quantity"),
        ({"quantity": "NaN"}, "packs[0].quantity"),
        ({"quantity": "1", "unit": "kg"}, "packs[0].quantity"),
        ({"quantity": "0.0000001", "unit": "l"}, "packs[0].quantity"),
        ({"quantity": "1e20"}, "packs[0].quantity"),
        ({"quantity": "1", "price": "1.005"}, "packs[0].price"),
        ({"quantity": "1", "price": "-1"}, "packs[0].price"),
        ({"quantity": "1", "name": ""}, "packs[0].name"),
        ({"quantity": "1", "ingredient": 999999}, "packs[0].ingredient"),
        ({"quantity": "1", "colour": "red"}, "packs[0].colour"),
    ],
)
def test_a_senseless_pack_is_refused_at_its_field(manager, milk, fields, at):
    pack = {"ingredient": milk.pk, "name": "case", **fields}
    manager.refused("post", "suppliers/", {"name": "Dairy", "packs": [pack]}, status=400, kind="invalid", at=at)
    assert not Supplier.objects.exists()


def test_suppliers_are_found_by_what_they_sell(manager, dairy, case, milk):
    Deliveries(dairy.shop, "Farm")
    assert [one["name"] for one in manager.get("suppliers/", ingredient=milk.pk)["results"]] == ["Dairy"]
    assert [one["name"] for one in manager.get("suppliers/", search="far")["results"]] == ["Farm"]
    assert manager.get("suppliers/", is_active="false")["results"] == []


def test_a_supplier_with_orders_is_not_deleted(manager, dairy, case):
    dairy.draft((case, 1))
    manager.refused("delete", f"suppliers/{dairy.supplier.pk}/", status=409, kind="in_use")
    PurchaseOrder.objects.all().delete()
    manager.delete(f"suppliers/{dairy.supplier.pk}/")
    assert not Supplier.objects.exists()


# --- purchase-orders/ ---------------------------------------------------------------------------------


def test_an_order_goes_from_draft_to_received(manager, shop, dairy, case, milk):
    tomorrow = (shop.location.today() + dt.timedelta(days=1)).isoformat()
    draft = manager.post(
        "purchase-orders/",
        {
            "supplier": dairy.supplier.pk,
            "lines": [{"pack": case.pk, "packs": "2"}],
            "expected_on": tomorrow,
            "comment": "Ring twice",
        },
    )
    pk = draft["id"]
    assert {name: draft[name] for name in ("number", "supplier_name", "location", "status", "total")} == {
        "number": f"PO-{pk}",
        "supplier_name": "Dairy",
        "location": shop.location.pk,
        "status": "draft",
        "total": "1200.00",
    }
    [line] = draft["lines"]
    assert (line["pack_name"], line["packs"], line["quantity"], line["price"]) == (
        "case of 12 × 1 l",
        "2.000",
        "24000.000",
        "600.00",
    )

    edited = manager.patch(f"purchase-orders/{pk}/", {"lines": [{"pack": case.pk, "packs": "3", "price": "590"}]})
    assert (edited["total"], edited["comment"], edited["expected_on"]) == ("1770.00", "Ring twice", tomorrow)

    assert manager.post(f"purchase-orders/{pk}/order/", status=200)["status"] == "ordered"

    [line] = edited["lines"]
    part = manager.post(
        f"purchase-orders/{pk}/receive/",
        {
            "lines": [{"line": line["id"], "quantity": "11.5", "unit": "l", "price": "580.00"}],
            "delivery_note": "DN-1",
            "expected_receipts": 0,
        },
        status=200,
    )
    assert (part["status"], part["lines"][0]["received_quantity"]) == ("partly_received", "11500.000")
    assert part["lines"][0]["outstanding"] == "24500.000"
    [receipt] = part["receipts"]
    assert receipt["delivery_note"] == "DN-1"
    shown = manager.get(f"stock-documents/{receipt['id']}/")
    assert (shown["purchase_order"], shown["delivery_note"]) == (pk, "DN-1")
    assert shown["movements"][0]["value"] == "555.833333"

    assert manager.post(f"purchase-orders/{pk}/close/", status=200)["status"] == "received"
    assert shop.quantity(milk) == 11500
    case.refresh_from_db()
    assert case.price == 580


def test_a_barista_receives_quantities_and_dates_and_sees_no_prices(barista, dairy, case, milk, shop):
    Ingredient.objects.update(tracks_expiry=True)
    order = dairy.ordered((case, 2))
    path, line = f"purchase-orders/{order.pk}/", line_of(order, milk).pk
    shown = barista.get(path)
    assert "total" not in shown
    assert "price" not in shown["lines"][0]
    assert "total" not in barista.get("purchase-orders/")["results"][0]

    priced = {"lines": [{"line": line, "packs": "1", "price": "1.00", "expires_on": shop.location.today().isoformat()}]}
    before = everything()
    barista.refused("post", f"{path}receive/", priced, status=403, kind="permission_denied")
    assert everything() == before

    del priced["lines"][0]["price"]
    answer = barista.post(f"{path}receive/", priced, status=200)
    assert answer["status"] == "partly_received"
    assert StockLot.objects.get().quantity == 12000
    assert StockDocument.objects.get().created_by == barista.user
    for verb in ("order", "cancel"):
        barista.refused("post", f"{path}{verb}/", {}, status=403, kind="permission_denied")


def test_what_was_not_ordered_is_received_by_its_pack(manager, shop, dairy, case, milk):
    bag = dairy.pack(shop.ingredient("Tea"), 1000, "90.00")
    order = dairy.ordered((case, 1))
    lines = [{"line": line_of(order, milk).pk, "packs": "1"}, {"pack": bag.pk, "packs": "1"}]
    assert manager.post(f"purchase-orders/{order.pk}/receive/", {"lines": lines}, status=200)["status"] == "received"
    assert shop.quantity(bag.ingredient) == 1000


def test_a_delivery_under_one_key_is_received_once(manager, dairy, case, milk, shop):
    order = dairy.ordered((case, 2))
    body = {"lines": [{"line": line_of(order, milk).pk, "packs": "1"}]}
    headers = {"Idempotency-Key": "van-1"}
    first = manager.post(f"purchase-orders/{order.pk}/receive/", body, status=200, **headers)
    assert manager.post(f"purchase-orders/{order.pk}/receive/", body, status=200, **headers) == first
    assert shop.quantity(milk) == 12000


def test_what_is_wrong_with_a_delivery_is_said_at_its_field(manager, dairy, case, milk):
    order = dairy.ordered((case, 2))
    path, line = f"purchase-orders/{order.pk}/receive/", line_of(order, milk).pk
    before = everything()
    for body, at in (
        ({}, "lines"),
        ({"lines": []}, "lines"),
        ({"lines": [{"line": 999999, "packs": "1"}]}, "lines[0].line"),
        ({"lines": [{"line": line, "packs": "0"}]}, "lines[0].packs"),
        ({"lines": [{"line": line, "packs": "NaN"}]}, "lines[0].packs"),
        ({"lines": [{"line": line, "packs": "1", "price": "0.001"}]}, "lines[0].price"),
        ({"lines": [{"line": line, "packs": "1", "expires_on": "14.03.2027"}]}, "lines[0].expires_on"),
        ({"lines": [{"line": line, "packs": "1", "expires_on": "9999-12-31"}]}, "lines[0].expires_on"),
        ({"lines": [{"line": line}]}, "lines[0].packs"),
        ({"lines": [{"packs": "1"}]}, "lines[0].line"),
        ({"lines": [{"line": line, "packs": "1"}], "expected_receipts": -1}, "expected_receipts"),
        ({"lines": [{"line": line, "packs": "1"}], "delivery_note": "x" * 61}, "delivery_note"),
    ):
        manager.refused("post", path, body, status=400, kind="invalid", at=at)
    assert everything() == before


def test_conflicts_say_what_they_are(manager, dairy, case, milk):
    order = dairy.ordered((case, 3))
    path = f"purchase-orders/{order.pk}/"
    body = {"lines": [{"line": line_of(order, milk).pk, "packs": "1"}], "delivery_note": "DN-1"}
    manager.post(f"{path}receive/", body, status=200)
    manager.refused("post", f"{path}receive/", body, status=409, kind="already_received")
    stale = {**body, "delivery_note": "", "expected_receipts": 0}
    manager.refused("post", f"{path}receive/", stale, status=409, kind="changed_meanwhile")
    manager.refused("post", f"{path}cancel/", {}, status=409, kind="wrong_status")
    manager.refused("patch", path, {"comment": "x"}, status=409, kind="wrong_status")
    manager.refused("get", "purchase-orders/999999/", status=404, kind="not_found")
    manager.refused("post", "purchase-orders/999999/order/", {}, status=404, kind="not_found")
    Supplier.objects.update(is_active=False)
    new = {"supplier": dairy.supplier.pk, "lines": [{"pack": case.pk, "packs": "1"}]}
    manager.refused("post", "purchase-orders/", new, status=409, kind="inactive_supplier")
    assert status_of(order) == "partly_received"


def test_the_list_is_narrowed_and_takes_the_same_queries_for_many(manager, dairy, case, shop):
    drafts = [dairy.draft((case, 1)) for _ in range(3)]
    ordered = dairy.ordered((case, 1))
    farm = Deliveries(Shop.open("Harbour"), "Farm")
    theirs = farm.draft((farm.pack(case.ingredient, 1000), 1))

    def listed(**asked) -> list[int]:
        return [one["id"] for one in manager.get("purchase-orders/", **asked)["results"]]

    assert listed() == [theirs.pk, ordered.pk, *(one.pk for one in reversed(drafts))]
    assert listed(status="ordered") == [ordered.pk]
    assert listed(supplier=farm.supplier.pk) == [theirs.pk]
    assert listed(location=shop.location.pk, status=["draft", "ordered"])[0] == ordered.pk
    assert manager.get("purchase-orders/", supplier=farm.supplier.pk)["results"][0]["total"] is None
    manager.refused("get", "purchase-orders/?status=lost", status=400, kind="invalid", at="status")

    def queries(**asked) -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(**asked)
        return len(captured)

    assert queries() == queries(status="ordered") <= 6


def test_a_whole_order_takes_the_same_queries_whatever_its_length(manager, dairy, shop):
    def queries(number: int) -> int:
        packs = [dairy.pack(shop.ingredient(f"Tea {number}-{place}"), 100, "1.00") for place in range(number)]
        order = dairy.draft(*((pack, 1) for pack in packs))
        with CaptureQueriesContext(connection) as captured:
            assert len(manager.get(f"purchase-orders/{order.pk}/")["lines"]) == number
        return len(captured)

    assert queries(1) == queries(40) <= 8


# --- suggestions --------------------------------------------------------------------------------------


def test_suggestions_are_shown_and_drafted_once(manager, shop, dairy, case, milk):
    shop.ingredient("Milk", minimum=10000)
    shop.ingredient("Cinnamon", minimum=5)

    shown = manager.get("purchase-orders/suggestions/")
    assert shown == {
        "orders": [
            {
                "supplier": dairy.supplier.pk,
                "supplier_name": "Dairy",
                "total": "1200.00",
                "lines": [
                    {
                        "ingredient": milk.pk,
                        "ingredient_name": "Milk",
                        "unit": "ml",
                        "there": "0.000",
                        "minimum": "10000.000",
                        "on_order": "0.000",
                        "used": "0.000",
                        "needed": "20000.000",
                        "pack": case.pk,
                        "pack_name": "case of 12 × 1 l",
                        "pack_quantity": "12000.000",
                        "packs": "2.000",
                        "price": "600.00",
                        "total": "1200.00",
                    }
                ],
            }
        ],
        "unsupplied": [
            {
                "ingredient": Ingredient.objects.get(name="Cinnamon").pk,
                "ingredient_name": "Cinnamon",
                "unit": "g",
                "there": "0.000",
                "minimum": "5.000",
                "on_order": "0.000",
                "used": "0.000",
                "needed": "10.000",
                "detail": "No supplier sells it. Add a pack to a supplier first.",
            }
        ],
    }
    assert not PurchaseOrder.objects.exists()

    [drafted] = manager.post("purchase-orders/suggestions/", {})["results"]
    assert (drafted["status"], drafted["lines"][0]["packs"]) == ("draft", "2.000")
    assert manager.post("purchase-orders/suggestions/", {"location": shop.location.pk}) == {"results": []}
    stale = {"lines": [{"pack": case.pk, "packs": "2"}]}
    manager.refused("post", "purchase-orders/suggestions/", stale, status=409, kind="changed_meanwhile")
    assert PurchaseOrder.objects.count() == 1


def test_a_part_of_the_suggestions_is_drafted(manager, shop, dairy, case, milk):
    shop.ingredient("Milk", minimum=10000)
    body = {"lines": [{"pack": case.pk, "packs": "1", "price": "595.00"}]}
    [drafted] = manager.post("purchase-orders/suggestions/", body)["results"]
    assert (drafted["total"], drafted["lines"][0]["packs"]) == ("595.00", "1.000")
    assert Decimal(drafted["lines"][0]["price"]) == 595


def test_suggestions_of_an_unknown_or_unnamed_location_are_refused(manager, shop):
    Shop.open("Harbour")
    for path in ("suggestions/", "suggestions/?location=999999", "suggestions/?location=x"):
        manager.refused("get", f"purchase-orders/{path}", status=400, kind="invalid", at="location")
    manager.refused("get", "purchase-orders/suggestions/?place=1", status=400, kind="invalid", at="place")
