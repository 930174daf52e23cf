"""Ozon's lists of orders and their cursors: what is read when. What is asked and answered is checked against Ozon's
descriptions."""

import datetime
from typing import Any

import pytest

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients.base import OrderPage
from marketplaces.clients.ozon_order_pages import FBO_LIST, FBS_LIST, OPEN_LIST
from marketplaces.clients.ozon_values import iso
from marketplaces.errors import BadAnswer
from tests.marketplaces.faulty_server import FaultyServer, Reply
from tests.marketplaces.ozon.reading import EMPTY_PAGE, NOW, no_other_lists, page, pages_of
from tests.marketplaces.ozon_answers import (
    FORBIDDEN,
    NUMBER,
    answer,
    asked,
    posting,
)

pytestmark = pytest.mark.django_db


def after(pages: list[OrderPage]) -> dict[str, Any]:
    """The cursors as they stand when all these pages are stored."""
    return {name: value for page in pages for name, value in page.cursors.items()}


def test_a_first_run_reads_a_year_and_the_next_only_what_changed(server: FaultyServer) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, page(posting("1-1-1"), cursor="next"), page(posting("2-2-2")))
    cursors = after(pages_of(server))
    first, second = asked(server, FBS_LIST)
    assert first["filter"] == {"since": iso(NOW - datetime.timedelta(days=364)), "to": iso(NOW)}
    assert (first["cursor"], second["cursor"]) == ("", "next")
    assert cursors["fbs"] == {"changed_from": iso(NOW)}

    pages_of(server, cursors)
    overlap = NOW - datetime.timedelta(minutes=10)
    assert asked(server, FBS_LIST)[-1]["filter"]["last_changed_status_date"] == {"from": iso(overlap), "to": iso(NOW)}


def test_a_run_that_was_killed_goes_on_in_the_middle_of_the_list(server: FaultyServer) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, page(posting("1-1-1"), cursor="page 2"), page(posting("2-2-2")))
    interrupted = iter(pages_of(server))
    cursors: dict[str, Any] = {}
    for found in interrupted:
        cursors |= found.cursors
        if found.orders:
            break
    server.received.clear()
    answer(server, FBS_LIST, page(posting("2-2-2")), page())
    cursors |= after(pages_of(server, cursors))
    going_on, anew = asked(server, FBS_LIST)
    assert going_on["cursor"] == "page 2"
    assert going_on["filter"]["to"] == iso(NOW)
    # And then what has changed since that list was begun.
    assert anew["filter"]["last_changed_status_date"]["from"] == iso(NOW - datetime.timedelta(minutes=10))
    assert cursors["fbs"] == {"changed_from": iso(NOW)}


def test_a_forgotten_cursor_begins_its_list_again(server: FaultyServer) -> None:
    no_other_lists(server)
    stored = {"changed_from": iso(NOW), "changed_to": iso(NOW), "placed_from": iso(NOW), "cursor": "long ago"}
    refusal = Reply(400, {"code": 3, "message": "cursor is not valid"})
    answer(server, FBS_LIST, refusal, page(posting()), page())
    found = pages_of(server, {"fbs": stored})
    assert [order.external_id for each in found for order in each.orders] == [NUMBER]
    assert [request["cursor"] for request in asked(server, FBS_LIST)] == ["long ago", "", ""]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (NOW - datetime.timedelta(days=30), NOW - datetime.timedelta(days=30)),
        # Later than the cursor: it must not jump over what lies between.
        (NOW - datetime.timedelta(minutes=1), NOW - datetime.timedelta(hours=2, minutes=10)),
    ],
)
def test_a_resync_reads_from_the_earlier_of_both(
    server: FaultyServer, since: datetime.datetime, expected: datetime.datetime
) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, EMPTY_PAGE)
    pages_of(server, {"fbs": {"changed_from": iso(NOW - datetime.timedelta(hours=2))}}, since=since)
    assert asked(server, FBS_LIST)[0]["filter"]["last_changed_status_date"]["from"] == iso(expected)


def test_a_first_run_since_a_moment_leaves_no_earlier_order_out(server: FaultyServer) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, EMPTY_PAGE)
    pages_of(server, {}, since=NOW - datetime.timedelta(hours=1))
    assert asked(server, FBS_LIST)[0]["filter"]["since"] == iso(NOW - datetime.timedelta(days=364))


def test_a_resync_of_two_years_is_asked_year_by_year(server: FaultyServer) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, EMPTY_PAGE)
    since = NOW - datetime.timedelta(days=700)
    cursors = after(pages_of(server, since=since))
    year_on = since + datetime.timedelta(days=364)
    asked_for = [request["filter"] for request in asked(server, FBS_LIST)]
    assert asked_for == [{"since": iso(since), "to": iso(year_on)}, {"since": iso(year_on), "to": iso(NOW)}]
    assert cursors["fbs"] == {"changed_from": iso(NOW)}


def test_what_waits_to_be_sent_comes_first_and_then_once_an_hour(server: FaultyServer) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, EMPTY_PAGE)
    cursors = after(pages_of(server))
    assert [request.path for request in server.received] == [OPEN_LIST, FBS_LIST, FBO_LIST]
    assert cursors["open"] == {"swept_at": iso(NOW)}
    server.received.clear()
    pages_of(server, cursors)
    assert asked(server, OPEN_LIST) == []
    pages_of(server, {**cursors, "open": {"swept_at": iso(NOW - datetime.timedelta(hours=1))}})
    assert len(asked(server, OPEN_LIST)) == 1


def test_orders_that_ozon_sends_come_new_each_time_and_two_months_of_them_once_a_day(server: FaultyServer) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, EMPTY_PAGE)
    answer(server, FBO_LIST, page(posting("7-7-7", delivery_schema="", status="delivered")))
    found = pages_of(server)
    assert [(order.scheme, order.state) for each in found for order in each.orders] == [
        (Scheme.FBO, OrderState.DELIVERED)
    ]
    cursors = after(found)
    pages_of(server, cursors)
    yesterday = {**cursors["fbo"], "swept_at": iso(NOW - datetime.timedelta(days=1))}
    pages_of(server, {**cursors, "fbo": yesterday})
    since = [request["filter"]["since"] for request in asked(server, FBO_LIST)]
    spans = [datetime.timedelta(days=364), datetime.timedelta(minutes=10), datetime.timedelta(days=60)]
    assert since == [iso(NOW - span) for span in spans]


def test_a_key_that_may_not_read_ozons_own_orders_reads_the_shops(server: FaultyServer) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, page(posting()))
    answer(server, FBO_LIST, FORBIDDEN)
    found = pages_of(server)
    cursors = after(found)
    assert [order.external_id for each in found for order in each.orders] == [NUMBER]
    assert [problem.item for each in found for problem in each.problems] == ["fbo"]
    # It is asked again tomorrow, not every minute.
    pages_of(server, cursors)
    assert len(asked(server, FBO_LIST)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"result": {"postings": []}},
        {"postings": {}, "has_next": False},
        {"postings": [], "has_next": True, "cursor": ""},
        [],
    ],
)
def test_an_answer_without_its_list_or_without_an_end_is_no_answer(server: FaultyServer, body: Any) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, Reply(body=body))
    with pytest.raises(BadAnswer):
        pages_of(server)
