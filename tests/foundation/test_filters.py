"""Filters refuse what they do not understand."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from monitoring.models import Alert
from monitoring.severity import Severity

pytestmark = [pytest.mark.urls("tests.foundation.small_api"), pytest.mark.django_db]

LIST = "/api/v1/alerts/"


@pytest.fixture
def alerts() -> dict[str, int]:
    def make(subject: str, severity: Severity, message: str, **fields: object) -> int:
        return Alert.objects.create(event="test", subject=subject, severity=severity, message=message, **fields).pk

    return {
        "milk": make("milk", Severity.WARNING, "Milk is low", created_at=datetime(2026, 5, 1, tzinfo=UTC)),
        "tea": make(
            "tea",
            Severity.INFO,
            "Tea is low",
            created_at=datetime(2026, 5, 3, tzinfo=UTC),
            resolved_at=datetime(2026, 5, 4, tzinfo=UTC),
        ),
    }


def subjects(api: APIClient, query: str) -> list[str]:
    response = api.get(f"{LIST}?{query}")
    assert response.status_code == 200, response.json()
    return [row["subject"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["tea", "milk"]),
        ("severity=warning", ["milk"]),
        ("severity=", ["tea", "milk"]),
        ("created_after=2026-05-02T00:00:00Z", ["tea"]),
        ("created_before=2026-05-02", ["milk"]),
        ("resolved=true", ["tea"]),
        ("resolved=false", ["milk"]),
        ("search=milk", ["milk"]),
        ("times=1", ["tea", "milk"]),
        ("times=0", []),
        ("location=5", ["tea", "milk"]),
        ("format=json&page_size=10", ["tea", "milk"]),
    ],
)
def test_what_is_known_filters(api: APIClient, alerts: dict[str, int], query: str, expected: list[str]) -> None:
    assert subjects(api, query) == expected


def test_an_unknown_parameter_is_refused_with_those_that_exist(api: APIClient) -> None:
    response = api.get(f"{LIST}?severty=warning")

    sentence = (
        "This list has no such parameter. Known are: alert, created_after, created_before, cursor, event, format, "
        "location, page_size, resolved, search, severity, times."
    )
    assert response.status_code == 400
    assert response.json() == {"type": "invalid", "detail": sentence, "errors": {"severty": [sentence]}}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("severity=terrible", "severity"),
        ("created_after=yesterday&created_before=2026-05-02", "created_after"),
        ("resolved=maybe", "resolved"),
        ("times=many", "times"),
        ("times=NaN", "times"),
        ("alert=5", "alert"),
        (f"alert={'9' * 30}", "alert"),
        ("alert=x", "alert"),
        ("search=a%00b", "search"),
        ("location=%00", "location"),
        ("event=a%00b", "event"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_at_its_parameter(api: APIClient, query: str, parameter: str) -> None:
    response = api.get(f"{LIST}?{query}")

    assert response.status_code == 400
    assert response.json()["type"] == "invalid"
    assert list(response.json()["errors"]) == [parameter]


@pytest.mark.parametrize("number", ["9" * 30, "1e40", "-" + "9" * 30, "1e1000000"])
def test_a_number_beyond_every_column_is_an_answer(api: APIClient, number: str) -> None:
    response = api.get(LIST, {"times": number})

    assert response.status_code in {200, 400}
    assert response.json().get("results", []) == []


def test_a_single_thing_takes_no_unknown_parameter_either(api: APIClient, alerts: dict[str, int]) -> None:
    assert api.get(f"{LIST}{alerts['milk']}/").status_code == 200
    assert api.get(f"{LIST}{alerts['milk']}/?nonsense=1").status_code == 400
