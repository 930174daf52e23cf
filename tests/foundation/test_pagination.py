"""Cursor pages: nothing is shown twice or left out, and a cursor belongs to one list."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from foundation.api.pagination import total_ordering
from monitoring.models import Alert
from monitoring.severity import Severity

pytestmark = [pytest.mark.urls("tests.foundation.small_api"), pytest.mark.django_db]

LIST = "/api/v1/alerts/"
BY_EVENT = "/api/v1/alerts-by-event/"


def make_alerts(number: int, **fields: Any) -> list[int]:
    return [
        Alert.objects.create(
            event="test", severity=Severity.INFO, subject=str(index), message="m", count=index % 3, **fields
        ).pk
        for index in range(number)
    ]


def walk(api: APIClient, url: str, link: str = "next") -> list[list[int]]:
    """The ids of each page, following the links."""
    pages = []
    while url:
        body = api.get(url).json()
        pages.append([row["id"] for row in body["results"]])
        url = body[link]
    return pages


def cursor_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["cursor"][0]


def test_the_newest_come_first_and_every_row_once(api: APIClient) -> None:
    pks = make_alerts(7)

    assert walk(api, f"{LIST}?page_size=3") == [pks[6:3:-1], pks[3:0:-1], pks[0:1]]


def test_an_empty_list_is_a_page_without_links(api: APIClient) -> None:
    assert api.get(LIST).json() == {"next": None, "previous": None, "results": []}


def test_a_page_holds_fifty_rows_unless_asked(api: APIClient) -> None:
    make_alerts(51)

    body = api.get(LIST).json()

    assert len(body["results"]) == 50
    assert body["next"] is not None
    assert body["previous"] is None


def test_exactly_one_page_has_no_next(api: APIClient) -> None:
    make_alerts(3)

    assert api.get(f"{LIST}?page_size=3").json()["next"] is None


def test_the_way_back_shows_the_same_pages(api: APIClient) -> None:
    pks = make_alerts(7)
    last = api.get(f"{LIST}?page_size=3").json()
    while last["next"]:
        last = api.get(last["next"]).json()

    back = walk(api, last["previous"], link="previous")

    assert back == [pks[3:0:-1], pks[6:3:-1]]


def test_the_first_page_reached_by_the_way_back_has_a_next_and_no_previous(api: APIClient) -> None:
    pks = make_alerts(4)
    second = api.get(api.get(f"{LIST}?page_size=2").json()["next"]).json()

    first = api.get(second["previous"]).json()

    assert first["previous"] is None
    assert [row["id"] for row in api.get(first["next"]).json()["results"]] == [pks[1], pks[0]]


def test_rows_that_come_or_go_meanwhile_shift_nothing(api: APIClient) -> None:
    pks = make_alerts(6)
    first = api.get(f"{LIST}?page_size=2").json()
    Alert.objects.filter(pk=pks[4]).delete()
    Alert.objects.create(event="test", severity=Severity.INFO, subject="new", message="m")

    assert walk(api, first["next"]) == [[pks[3], pks[2]], [pks[1], pks[0]]]


def test_a_way_back_to_rows_that_are_gone_leads_to_the_start(api: APIClient) -> None:
    pks = make_alerts(3)
    second = api.get(api.get(f"{LIST}?page_size=2").json()["next"]).json()
    Alert.objects.filter(pk__in=pks[1:]).delete()

    gone = api.get(second["previous"]).json()

    assert (gone["results"], gone["previous"]) == ([], None)
    assert walk(api, gone["next"]) == [[pks[0]]]


def test_equal_values_are_told_apart_by_the_key_in_mixed_order(api: APIClient) -> None:
    pks = make_alerts(7)  # counts 0 1 2 0 1 2 0, ordered by event, then -count, then -id
    expected = [pks[5], pks[2], pks[4], pks[1], pks[6], pks[3], pks[0]]

    pages = walk(api, f"{BY_EVENT}?page_size=2")

    assert [pk for page in pages for pk in page] == expected
    assert [len(page) for page in pages] == [2, 2, 2, 1]


def test_times_keep_their_microseconds_in_a_cursor(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.foundation.small_api.ByEventViewSet.ordering", "-created_at")
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    pks = make_alerts(5)
    for index, pk in enumerate(pks):
        Alert.objects.filter(pk=pk).update(created_at=start + timedelta(microseconds=index))

    assert walk(api, f"{BY_EVENT}?page_size=2") == [[pks[4], pks[3]], [pks[2], pks[1]], [pks[0]]]


def test_a_computed_column_may_order_a_list(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    pks = make_alerts(5)  # counts 0 1 2 0 1
    view = "tests.foundation.small_api.ByEventViewSet"
    monkeypatch.setattr(f"{view}.ordering", "-weight")
    monkeypatch.setattr(f"{view}.queryset", Alert.objects.annotate(weight=F("count") * 2))

    assert walk(api, f"{BY_EVENT}?page_size=2") == [[pks[2], pks[4]], [pks[1], pks[3]], [pks[0]]]


def test_a_page_is_one_query_and_never_a_count(api: APIClient) -> None:
    make_alerts(5)
    url = api.get(f"{LIST}?page_size=2").json()["next"]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        api.get(url)

    (query,) = [query["sql"] for query in queries if "monitoring_alert" in query["sql"]]
    assert "COUNT(" not in query
    assert "OFFSET" not in query
    assert "LIMIT 3" in query


@pytest.mark.parametrize("cursor", ["", "garbled", "a:b", "WyJhZnRlciIsMV0:abc", "%00", "🧋", "a" * 10_000])
def test_a_garbled_cursor_is_refused(api: APIClient, cursor: str) -> None:
    make_alerts(3)

    response = api.get(LIST, {"cursor": cursor})

    assert response.status_code == 400
    assert response.json()["type"] == "invalid"
    assert list(response.json()["errors"]) == ["cursor"]


def test_a_cursor_of_another_list_is_refused(api: APIClient) -> None:
    make_alerts(3)
    cursor = cursor_of(api.get(f"{BY_EVENT}?page_size=1").json()["next"])

    response = api.get(LIST, {"cursor": cursor})

    assert response.status_code == 400
    assert response.json()["errors"] == {
        "cursor": ["This cursor does not belong to this list. Start again without one."]
    }


def test_a_cursor_of_the_same_list_with_other_filters_is_refused(api: APIClient) -> None:
    make_alerts(3)
    cursor = cursor_of(api.get(f"{LIST}?page_size=1&severity=info").json()["next"])

    assert api.get(LIST, {"cursor": cursor}).status_code == 400
    assert api.get(LIST, {"cursor": cursor, "severity": "warning"}).status_code == 400
    assert api.get(LIST, {"cursor": cursor, "severity": "info", "page_size": 2}).status_code == 200


def test_a_cursor_with_one_letter_changed_is_refused(api: APIClient) -> None:
    make_alerts(3)
    cursor = cursor_of(api.get(f"{LIST}?page_size=1").json()["next"])
    position, signature = cursor.rsplit(":", 1)
    changed = f"{position}:{'b' if signature[0] == 'a' else 'a'}{signature[1:]}"

    assert api.get(LIST, {"cursor": changed}).status_code == 400


@pytest.mark.parametrize("size", ["0", "201", "-1", "abc", "1.5", "9" * 30, "", "٣"])
def test_a_page_size_out_of_bounds_is_refused(api: APIClient, size: str) -> None:
    response = api.get(LIST, {"page_size": size})

    assert response.status_code == 400
    assert response.json()["errors"] == {"page_size": ["Ask for 1 to 200 rows a page."]}


def test_two_hundred_rows_may_be_asked_for(api: APIClient) -> None:
    assert api.get(LIST, {"page_size": 200}).status_code == 200


def test_a_column_that_may_be_null_can_not_order_a_list() -> None:
    with pytest.raises(ImproperlyConfigured, match="resolved_at"):
        total_ordering(Alert.objects.all(), "-resolved_at")


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        (None, ("-id",)),
        ("id", ("id",)),
        ("-pk", ("-id",)),
        ("event", ("event", "id")),
        (("event", "-count"), ("event", "-count", "-id")),
        (["-id", "event"], ("-id", "event")),
    ],
)
def test_the_primary_key_makes_an_order_total(asked: Any, total: tuple[str, ...]) -> None:
    assert total_ordering(Alert.objects.all(), asked) == total
