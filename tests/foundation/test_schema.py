"""The OpenAPI description names what all views share."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.foundation import small_api


@pytest.fixture
def paths() -> dict[str, dict[str, dict[str, list[dict[str, str]]]]]:
    return SchemaGenerator(urlconf=small_api).get_schema(request=None, public=True)["paths"]


def names(operation: dict[str, list[dict[str, str]]], where: str) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == where}


def test_writes_take_an_idempotency_key_and_reads_do_not(paths: dict) -> None:
    assert names(paths["/api/v1/alerts/"]["post"], "header") == {"Idempotency-Key"}
    assert names(paths["/api/v1/alerts/{id}/"]["delete"], "header") == {"Idempotency-Key"}
    assert names(paths["/api/v1/alerts/"]["get"], "header") == set()
    assert names(paths["/api/v1/orders/"]["post"], "header") == set()


def test_a_list_names_its_cursor_its_search_and_its_filters(paths: dict) -> None:
    assert names(paths["/api/v1/alerts/"]["get"], "query") == {
        "alert", "created_after", "created_before", "cursor", "event", "page_size", "resolved", "search",
        "severity", "times",
    }  # fmt: skip
