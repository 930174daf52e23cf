"""The store room over REST: levels, receipts, write-offs, transfers, and the ledger that they leave."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import DefaultLocation, Ingredient, Location, StockDocument, StockLevel, StockMovement
from tests.rest import Rest
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def barista() -> Rest:
    return Rest.of("barista")


@pytest.fixture
def manager() -> Rest:
    return Rest.of("manager")


def test_what_is_received_lies_on_the_shelf_and_in_the_ledger(bar: Shop, manager: Rest) -> None:
    milk, tea = bar.ingredient("Milk", "ml"), bar.ingredient("Tea")
    body = {
        "location": bar.location.pk,
        "lines": [
            {"ingredient": milk.pk, "quantity": "1000", "unit_cost": "0.08"},
            {"ingredient": tea.pk, "quantity": 0.5},
        ],
        "comment": "Monday's van",
    }
    document = manager.post("stock/receive/", body)
    kept = StockDocument.objects.get()
    assert {name: document[name] for name in ("id", "kind", "location", "destination", "reason", "comment")} == {
        "id": kept.pk,
        "kind": "receipt",
        "location": bar.location.pk,
        "destination": None,
        "reason": "",
        "comment": "Monday's van",
    }
    assert document["created_by"] == manager.user.pk
    assert [(one["ingredient"], one["delta"], one["unit_cost"], one["line_id"]) for one in document["movements"]] == [
        (milk.pk, "1000.000", "0.080000", "1"),
        (tea.pk, "0.500", "0.000000", "2"),
    ]
    assert {(one["document_type"], one["document_id"]) for one in document["movements"]} == {("receipt", str(kept.pk))}
    levels = manager.get("stock/")["results"]
    assert levels[0] == {
        "id": StockLevel.objects.get(ingredient=milk).pk,
        "location": bar.location.pk,
        "ingredient": milk.pk,
        "ingredient_name": "Milk",
        "unit": "ml",
        "quantity": "1000.000",
        "minimum": "0.000",
        "is_low": False,
        "average_cost": "0.080000",
        "value": "80.000000",
    }
    assert manager.get(f"stock-documents/{kept.pk}/") == document
    listed = manager.get("stock-documents/", kind="receipt")["results"]
    assert [{**one, "movements": document["movements"]} for one in listed] == [document]
    assert_levels_are_what_the_ledger_sums_to()


def test_what_is_written_off_says_why(bar: Shop, barista: Rest) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000)
    body = {"lines": [{"ingredient": milk.pk, "quantity": "250.5"}], "reason": "spoilage", "comment": "left out"}
    document = barista.post("stock/write-off/", body)
    assert (document["kind"], document["reason"]) == ("write_off", "spoilage")
    assert [one["delta"] for one in document["movements"]] == ["-250.500"]
    assert bar.quantity(milk) == Decimal("749.5")
    short = {"lines": [{"ingredient": milk.pk, "quantity": "750"}], "reason": "tasting"}
    answer = barista.refused("post", "stock/write-off/", short, status=409, kind="insufficient_stock")
    assert answer["shortages"] == [
        {
            "ingredient": milk.pk,
            "name": "Milk",
            "needed": "750.000",
            "available": "749.500",
            "unit": "ml",
            "expired": "0.000",
        }
    ]
    assert bar.quantity(milk) == Decimal("749.5")


def test_what_is_carried_leaves_one_shelf_for_the_other(bar: Shop, barista: Rest) -> None:
    elsewhere = Shop.open("Elsewhere")
    milk, tea = bar.ingredient("Milk", "ml", stock=1000), bar.ingredient("Tea", stock=10)
    body = {
        "source": bar.location.pk,
        "destination": elsewhere.location.pk,
        "lines": [{"ingredient": milk.pk, "quantity": "400"}],
    }
    document = barista.post("stock/transfer/", body)
    assert (document["kind"], document["destination"]) == ("transfer", elsewhere.location.pk)
    assert [(one["location"], one["delta"]) for one in document["movements"]] == [
        (bar.location.pk, "-400.000"),
        (elsewhere.location.pk, "400.000"),
    ]
    both = [{"ingredient": milk.pk, "quantity": "601"}, {"ingredient": tea.pk, "quantity": "11"}]
    answer = barista.refused("post", "stock/transfer/", {**body, "lines": both}, status=409, kind="insufficient_stock")
    assert [one["name"] for one in answer["shortages"]] == ["Milk", "Tea"]
    assert (bar.quantity(milk), elsewhere.quantity(milk)) == (Decimal(600), Decimal(400))


def test_a_repeated_key_receives_once(bar: Shop, barista: Rest) -> None:
    milk = bar.ingredient("Milk", "ml")
    body = {"lines": [{"ingredient": milk.pk, "quantity": "1000"}]}
    first = barista.post("stock/receive/", body, **{"Idempotency-Key": "van"})
    assert barista.post("stock/receive/", body, **{"Idempotency-Key": "van"}) == first
    assert bar.quantity(milk) == 1000


def test_without_a_location_the_default_one_is_meant(bar: Shop, barista: Rest) -> None:
    milk = bar.ingredient("Milk", "ml")
    Shop.open("Elsewhere")
    body = {"lines": [{"ingredient": milk.pk, "quantity": "5"}]}
    barista.refused("post", "stock/receive/", body, status=400, kind="invalid", at="location")
    DefaultLocation.objects.create(user=barista.user, location=bar.location)
    assert barista.post("stock/receive/", body)["location"] == bar.location.pk


def test_only_the_minimum_of_a_level_is_set(bar: Shop, manager: Rest) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000)
    path = f"stock/{StockLevel.objects.get(ingredient=milk).pk}/"
    level = manager.patch(path, {"minimum": "1200.5"})
    assert (level["minimum"], level["is_low"], level["quantity"]) == ("1200.500", True, "1000.000")
    for body, at in (
        ({"quantity": "5000"}, ["quantity", "minimum"]),
        ({"minimum": "5", "quantity": "5000"}, "quantity"),
        ({"minimum": "-1"}, "minimum"),
        ({"minimum": "1e12"}, "minimum"),
        ({"minimum": "0.0001"}, "minimum"),
        ({"minimum": "lots"}, "minimum"),
        ({}, "minimum"),
    ):
        manager.refused("patch", path, body, status=400, kind="invalid", at=at)
    for pk in (999_999, 10**30, "9" * 5000):
        manager.refused("patch", f"stock/{pk}/", {"minimum": "1"}, status=404, kind="not_found")
    Rest.of("barista").refused("patch", path, {"minimum": "1"}, status=403, kind="permission_denied")
    for method in ("put", "delete"):
        manager.refused(method, path, {"minimum": "1"}, status=405, kind="method_not_allowed")
    assert StockLevel.objects.values_list("quantity", "minimum").get() == (Decimal(1000), Decimal("1200.5"))


def test_costs_are_for_who_answers_for_the_stock(bar: Shop, barista: Rest, manager: Rest) -> None:
    milk = bar.ingredient("Milk", "ml", stock=100, unit_cost="0.08")
    body = {"lines": [{"ingredient": milk.pk, "quantity": "100", "unit_cost": "0.10"}]}
    assert "unit_cost" not in barista.post("stock/receive/", body)["movements"][0]
    assert "average_cost" not in barista.get("stock/")["results"][0]
    assert "unit_cost" not in barista.get("stock-movements/")["results"][0]
    assert manager.get("stock/")["results"][0]["average_cost"] == "0.090000"
    assert manager.get("stock-movements/")["results"][0]["unit_cost"] == "0.100000"


def test_levels_are_sorted_and_filtered(bar: Shop, barista: Rest) -> None:
    elsewhere = Shop.open("Elsewhere")
    milk = bar.ingredient("Milk", "ml", stock=10, minimum=100)
    aloe = bar.ingredient("Aloe", stock=10)
    elsewhere.ingredient("Milk", stock=500, minimum=100)

    def found(**parameters: Any) -> list[tuple[int, str]]:
        page = barista.get("stock/", **parameters)
        return [(one["location"], one["ingredient_name"]) for one in page["results"]]

    here, there = bar.location.pk, elsewhere.location.pk
    assert found() == [(here, "Aloe"), (here, "Milk"), (there, "Milk")]
    assert found(location=there) == [(there, "Milk")]
    assert found(ingredient=aloe.pk) == [(here, "Aloe")]
    assert found(low="true") == [(here, "Milk")]
    assert found(low="false", ingredient=milk.pk) == [(there, "Milk")]
    assert found(search="alo") == [(here, "Aloe")]
    first = barista.get("stock/", page_size=1)
    second = barista.get(first["next"])
    assert [one["ingredient_name"] for one in second["results"]] == ["Milk"]
    assert [one["location"] for one in barista.get(second["next"])["results"]] == [there]


def test_the_ledger_is_filtered(bar: Shop, barista: Rest) -> None:
    elsewhere = Shop.open("Elsewhere")
    milk, tea = bar.ingredient("Milk", "ml", stock=1000), bar.ingredient("Tea", stock=1000)
    elsewhere.receive({milk: 5})
    order = bar.sell(bar.product("Latte", "70.00", {milk: 200}))

    def found(**parameters: Any) -> list[str]:
        page = barista.get("stock-movements/", **parameters)
        return [f"{one['ingredient_name']} {one['delta']}" for one in page["results"]]

    assert found() == ["Milk -200.000", "Milk 5.000", "Tea 1000.000", "Milk 1000.000"]
    assert found(ingredient=tea.pk) == ["Tea 1000.000"]
    assert found(location=elsewhere.location.pk) == ["Milk 5.000"]
    assert found(document_type="order") == ["Milk -200.000"]
    assert found(document_type="order", document_id=order.pk) == ["Milk -200.000"]
    assert found(document_type="order", document_id="1" * 30) == []
    assert found(reason="sale") == ["Milk -200.000"]
    assert found(reason=["sale", "receipt"], ingredient=tea.pk) == ["Tea 1000.000"]
    tomorrow = (timezone.now() + datetime.timedelta(days=1)).isoformat()
    assert found(created_after=tomorrow) == []
    assert len(found(created_before=tomorrow)) == 4
    (sale,) = barista.get("stock-movements/", reason="sale")["results"]
    assert set(sale) == {
        "id", "ingredient", "ingredient_name", "unit", "location", "delta", "reason", "lot", "document_type",
        "document_id", "line_id", "comment", "created_by", "created_at",
    }  # fmt: skip


def test_bad_input_changes_nothing(bar: Shop, manager: Rest) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000)
    closed = Location.objects.create(name="Old Street", is_active=False)
    line = {"ingredient": milk.pk, "quantity": "10"}
    here = bar.location.pk
    lines_at: list[tuple[Any, Any]] = [
        ([], "lines"),
        (None, "lines"),
        ("x", "lines"),
        (line, "lines"),
        ([7], "lines[0]"),
        ([line] * 5000, "lines"),
        ([line, line], "lines[1].ingredient"),
        ([{**line, "ingredient": 999_999}], "lines[0].ingredient"),
        ([{**line, "ingredient": 10**30}], "lines[0].ingredient"),
        ([{**line, "ingredient": str(milk.pk)}], "lines[0].ingredient"),
        ([{**line, "quantity": "0"}], "lines[0].quantity"),
        ([{**line, "quantity": "-1"}], "lines[0].quantity"),
        ([{**line, "quantity": "1e9"}], "lines[0].quantity"),
        ([{**line, "quantity": "1e30"}], "lines[0].quantity"),
        ([{**line, "quantity": "NaN"}], "lines[0].quantity"),
        ([{**line, "quantity": "Infinity"}], "lines[0].quantity"),
        ([{**line, "quantity": "0.0001"}], "lines[0].quantity"),
        ([{**line, "quantity": "ten"}], "lines[0].quantity"),
        ([{**line, "quantity": True}], "lines[0].quantity"),
        ([{**line, "quantity": None}], "lines[0].quantity"),
        ([{"ingredient": milk.pk}], "lines[0].quantity"),
        ([{**line, "quantiy": 1}], "lines[0].quantiy"),
    ]
    whole: dict[str, dict[str, Any]] = {
        "stock/receive/": {"location": here, "lines": [line]},
        "stock/write-off/": {"location": here, "lines": [line], "reason": "mistake"},
        "stock/transfer/": {
            "source": here,
            "destination": Location.objects.create(name="Elsewhere").pk,
            "lines": [line],
        },
    }
    for path, body in whole.items():
        for lines, at in lines_at:
            manager.refused("post", path, {**body, "lines": lines}, status=400, kind="invalid", at=at)
        manager.refused("post", path, {**body, "comment": "a" * 1_000_000}, status=400, kind="invalid", at="comment")
        manager.refused("post", path, {**body, "kind": "gift"}, status=400, kind="invalid", at="kind")
        for no_object in ([], 7, "x"):
            manager.refused("post", path, no_object, status=400, kind="invalid", at="non_field_errors")
        place = "source" if "source" in body else "location"
        manager.refused("post", path, {**body, place: closed.pk}, status=409, kind="closed_location")
        for unknown in (999_999, 10**30, "here", True, 0):
            manager.refused("post", path, {**body, place: unknown}, status=400, kind="invalid", at=place)
    costly = [{**line, "unit_cost": "-1"}]
    for cost in ("-1", "1e9", "0.0000001", "x"):
        costly = [{**line, "unit_cost": cost}]
        manager.refused(
            "post", "stock/receive/", {"location": here, "lines": costly}, status=400, kind="invalid",
            at="lines[0].unit_cost",
        )  # fmt: skip
    write_off = whole["stock/write-off/"]
    for reason in ("theft", "", None, 5):
        manager.refused("post", "stock/write-off/", {**write_off, "reason": reason}, status=400, kind="invalid",
                        at="reason")  # fmt: skip
    transfer = whole["stock/transfer/"]
    same = {**transfer, "destination": here}
    manager.refused("post", "stock/transfer/", same, status=400, kind="invalid", at="destination")
    for name, value in (("location", "here"), ("low", "perhaps"), ("ingredient", "1" * 30), ("limit", "5")):
        manager.refused("get", f"stock/?{name}={value}", status=400, kind="invalid", at=name)
    for name, value in (("reason", "theft"), ("created_after", "then"), ("location", "-1"), ("document", "1")):
        manager.refused("get", f"stock-movements/?{name}={value}", status=400, kind="invalid", at=name)
    assert StockDocument.objects.count() == StockMovement.objects.count() == 1
    assert bar.quantity(milk) == 1000


def test_a_list_takes_as_many_queries_for_thirty_rows_as_for_three(bar: Shop, manager: Rest) -> None:
    def fill(start: int, end: int) -> None:
        for number in range(start, end):
            bar.ingredient(f"Tea {number}", stock=100)

    def queries(call: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            call()
        return len(captured)

    expected = {"stock/": 4, "stock-movements/": 4, "stock-documents/": 4}
    fill(0, 3)
    few = {path: queries(lambda path=path: manager.get(path)) for path in expected}
    fill(3, 30)
    assert {path: queries(lambda path=path: manager.get(path)) for path in expected} == few == expected

    def lines(number: int) -> list[dict[str, Any]]:
        ids = Ingredient.objects.values_list("pk", flat=True)[:number]
        return [{"ingredient": pk, "quantity": "1"} for pk in ids]

    for path, more in (("stock/receive/", {}), ("stock/write-off/", {"reason": "mistake"})):
        one, many = ({"lines": lines(number), **more} for number in (1, 30))
        assert queries(lambda body=one, path=path: manager.post(path, body)) == queries(
            lambda body=many, path=path: manager.post(path, body)
        )
