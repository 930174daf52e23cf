"""The API's description: whole, without warnings, and nothing in it or its page comes from elsewhere."""

import io
import json
import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from tests.rest import Rest
from tests.shop import user_of

CONTRACT = {
    "auth/token/": {"post"},
    "locations/": {"get", "post"},
    "locations/{id}/": {"get", "patch", "delete"},
    "categories/": {"get", "post"},
    "categories/{id}/": {"get", "patch", "delete"},
    "products/": {"get", "post"},
    "products/{id}/": {"get", "patch", "delete"},
    "products/{id}/image/": {"put", "post", "delete"},
    "option-groups/": {"get", "post"},
    "option-groups/{id}/": {"get", "patch", "delete"},
    "ingredients/": {"get", "post"},
    "ingredients/{id}/": {"get", "patch", "delete"},
    "stock/": {"get"},
    "stock/{id}/": {"get", "patch"},
    "stock/receive/": {"post"},
    "stock/write-off/": {"post"},
    "stock/transfer/": {"post"},
    "stock-movements/": {"get"},
    "stock-documents/": {"get"},
    "stock-documents/{id}/": {"get"},
    "stock-counts/": {"get", "post"},
    "stock-counts/{id}/": {"get", "patch"},
    "stock-counts/{id}/submit/": {"post"},
    "stock-counts/{id}/reopen/": {"post"},
    "stock-counts/{id}/post/": {"post"},
    "stock-counts/{id}/cancel/": {"post"},
    "shelves/": {"get", "post"},
    "shelves/{id}/": {"get", "patch", "delete"},
    "shelves/order/": {"post"},
    "stock-lots/": {"get"},
    "stock-lots/{id}/": {"get", "patch"},
    "stock-lots/{id}/write-off/": {"post"},
    "write-offs/": {"get"},
    "preparations/": {"get", "post"},
    "preparations/{id}/": {"get"},
    "preparations/{id}/cancel/": {"post"},
    "preparation-recipes/": {"get", "post"},
    "preparation-recipes/{id}/": {"get", "patch", "delete"},
    "stock/valuation/": {"get"},
    "suppliers/": {"get", "post"},
    "suppliers/{id}/": {"get", "patch", "delete"},
    "purchase-orders/": {"get", "post"},
    "purchase-orders/{id}/": {"get", "patch"},
    "purchase-orders/{id}/order/": {"post"},
    "purchase-orders/{id}/receive/": {"post"},
    "purchase-orders/{id}/close/": {"post"},
    "purchase-orders/{id}/cancel/": {"post"},
    "purchase-orders/suggestions/": {"get", "post"},
    "orders/": {"get", "post"},
    "orders/quote/": {"post"},
    "orders/{id}/": {"get", "patch"},
    "orders/{order_pk}/events/": {"get"},
    "orders/{id}/prepare/": {"post"},
    "orders/{id}/ready/": {"post"},
    "orders/{id}/complete/": {"post"},
    "orders/{id}/cancel/": {"post"},
    "orders/{id}/items/{item}/cancel/": {"post"},
    "orders/batch/complete/": {"post"},
    "orders/batch/cancel/": {"post"},
    "orders/batches/{id}/": {"get"},
    "customers/": {"get", "post"},
    "customers/{id}/": {"get", "patch"},
    "employees/": {"get", "post"},
    "employees/{id}/": {"get", "patch"},
    "positions/": {"get", "post"},
    "positions/{id}/": {"get", "patch", "delete"},
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """As `manage.py spectacular` writes it; a warning or a violation of OpenAPI fails here."""
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    described: dict[str, Any] = json.loads(out.getvalue())
    return described


def operations(schema: dict[str, Any], path: str) -> dict[str, Any]:
    described: dict[str, Any] = schema["paths"][f"/api/v1/{path}"]
    return described


def test_the_contract_is_described_without_warnings(schema: dict[str, Any]) -> None:
    for path, methods in CONTRACT.items():
        assert set(operations(schema, path)) == methods, path


def test_ids_in_paths_are_numbers(schema: dict[str, Any]) -> None:
    for path in CONTRACT:
        for operation in operations(schema, path).values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and "batches" not in path:
                    assert parameter["schema"]["type"] == "integer", path


def test_errors_are_described(schema: dict[str, Any]) -> None:
    for path in CONTRACT.keys() - {"auth/token/"}:
        for method, operation in operations(schema, path).items():
            responses = set(operation["responses"])
            expected = {"401", "403"}
            expected |= {"404"} if "{" in path else set()
            expected |= {"400", "409", "422"} if method != "get" else set()
            assert expected <= responses, (path, method)
    place = operations(schema, "orders/")["post"]["responses"]
    conflict = place["409"]["content"]["application/json"]["schema"]["$ref"]
    assert "shortages" in schema["components"]["schemas"][conflict.rsplit("/", 1)[1]]["properties"]


def test_what_the_answers_and_the_refusals_are_is_described(schema: dict[str, Any]) -> None:
    assert operations(schema, "products/{id}/")["get"]["responses"].keys() >= {"200", "400", "404"}
    clock = schema["components"]["schemas"]["Location"]["properties"]["day_starts_at"]
    assert "format" not in clock, "a time of RFC 3339 has an offset"
    assert re.search(clock["pattern"], "04:00:00")
    parameters = {one["name"]: one["schema"] for one in operations(schema, "orders/")["get"]["parameters"]}
    assert parameters["location"] == {"type": "integer", "minimum": 1}
    assert parameters["cursor"]["minLength"] == 1
    body = operations(schema, "orders/")["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body) == {"$ref"}, "a customer's order would match two of several"


def test_every_write_says_that_it_takes_an_idempotency_key(schema: dict[str, Any]) -> None:
    for path in CONTRACT.keys() - {"auth/token/"}:
        for method, operation in operations(schema, path).items():
            headers = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
            assert headers == ({"Idempotency-Key"} if method != "get" else set()), (path, method)


def test_the_schema_names_its_enumerations(schema: dict[str, Any]) -> None:
    names = {name for name, component in schema["components"]["schemas"].items() if "enum" in component}
    assert {"OrderStatus", "OrderChannel", "OrderEventKind", "MovementReason", "WriteOffReason"} <= names
    assert not [name for name in names if re.search(r"[0-9a-f]{3}Enum", name)]


@pytest.mark.django_db
def test_who_has_signed_in_reads_schema_and_docs_and_nobody_else() -> None:
    anonymous = Rest()
    anonymous.refused("get", "/api/schema/?format=json", status=401, kind="not_authenticated")
    page = anonymous.client.get("/api/docs/")
    assert (page.status_code, page["Location"]) == (302, "/accounts/login/?next=/api/docs/")
    customer = user_of("customer")
    by_session = Client()
    by_session.force_login(customer)
    for client in (Rest(customer).client, by_session):
        answer = client.get("/api/schema/?format=json", headers={"Accept": "application/json"})
        assert answer.status_code == 200
        assert "/api/v1/orders/" in answer.json()["paths"]
        assert client.get("/api/docs/").status_code == 200


@pytest.mark.django_db
def test_the_docs_page_loads_nothing_from_elsewhere() -> None:
    page = Rest.of("barista").client.get("/api/docs/").content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) >= 3
    for address in loaded:
        assert address.startswith("/static/"), address
        assert finders.find(address.removeprefix("/static/")), address
    assert re.findall(r"https?://[^\s\"'<]+", page) == []
    assert '"validatorUrl": null' in page
