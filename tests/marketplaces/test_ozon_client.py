"""What the client of Ozon asks, and what it makes of the answers. Both are checked against Ozon's descriptions."""

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients import ozon_order_pages
from marketplaces.clients.base import OrderPage, QuantityChange, RemoteOrder
from marketplaces.clients.gate import Gate
from marketplaces.clients.ozon import OzonClient
from marketplaces.clients.ozon_order_pages import FBO_LIST, FBS_LIST, OPEN_LIST
from marketplaces.clients.ozon_orders import FBO_GET, FBS_GET
from marketplaces.clients.ozon_values import iso
from marketplaces.errors import BadAnswer, MarketplaceError, NotAuthorised, NotFound, Refused
from tests.marketplaces.faulty_server import FaultyServer, Reply
from tests.marketplaces.ozon_answers import (
    FORBIDDEN,
    NUMBER,
    answer,
    asked,
    no_waiting,
    ozon_server,
    ozon_session,
    posting,
)

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)
SHIP, CANCEL = "/v4/posting/fbs/ship", "/v2/posting/fbs/cancel"
STOCKS, READ_BACK, WAREHOUSES = (
    "/v2/products/stocks",
    "/v2/product/info/stocks-by-warehouse/fbs",
    "/v2/warehouse/list",
)
EMPTY_PAGE = {"postings": [], "cursor": "", "has_next": False}
UNKNOWN_POSTING = Reply(404, {"code": 5, "message": "POSTING_NOT_FOUND", "details": []})


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with ozon_server() as running:
        yield running


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return no_waiting(monkeypatch)


def client_of(server: FaultyServer, *, warehouse_id: str = "17") -> OzonClient:
    stock_gate = Gate("ozon-stock:test", rate=500, burst=500)
    return OzonClient(ozon_session(server), stock_gate=stock_gate, warehouse_id=warehouse_id)


def page(*postings: Any, cursor: str = "") -> Reply:
    return Reply(body={"postings": list(postings), "cursor": cursor, "has_next": bool(cursor)})


def no_other_lists(server: FaultyServer) -> None:
    answer(server, OPEN_LIST, {**EMPTY_PAGE, "count": 0})
    answer(server, FBO_LIST, EMPTY_PAGE)


def pages_of(
    server: FaultyServer, cursors: Mapping[str, Any] | None = None, *, since: datetime.datetime | None = None
) -> list[OrderPage]:
    return list(ozon_order_pages.order_pages(ozon_session(server), cursors=cursors or {}, since=since, now=NOW))


def after(pages: list[OrderPage]) -> dict[str, Any]:
    """The cursors as they stand when all these pages are stored."""
    return {name: value for page in pages for name, value in page.cursors.items()}


def read(server: FaultyServer, number: str = NUMBER) -> RemoteOrder:
    order = client_of(server).orders([number])[number]
    assert order is not None
    return order


# --- orders ------------------------------------------------------------------------------------------


def test_an_order_is_read_with_its_lines_and_its_sum(server: FaultyServer) -> None:
    answer(server, FBS_LIST, page(posting()).body)
    order = read(server)
    assert (order.status, order.fulfilment_status, order.state) == (
        "awaiting_packaging",
        "posting_created",
        OrderState.READY,
    )
    assert (order.scheme, order.currency, order.total) == (Scheme.FBS, "RUB", Decimal("259.80"))
    assert [(line.sku, line.quantity, line.price) for line in order.lines] == [("OOLONG-100", 2, Decimal("129.90"))]
    assert order.payload == posting()
    assert order.placed_at == datetime.datetime(2026, 11, 20, 8, tzinfo=datetime.UTC)


def test_a_price_may_be_a_text_and_a_quantity_too(server: FaultyServer) -> None:
    product = {"offer_id": "A", "sku": 1, "quantity": "3", "price": "7.50", "currency_code": "BYN"}
    answer(server, FBS_LIST, page(posting(products=[product])))
    order = read(server)
    assert (order.lines[0].quantity, order.total, order.currency) == (3, Decimal("22.50"), "BYN")


def test_no_two_orders_share_the_name_of_a_line_and_one_sku_may_stand_in_an_order_twice(server: FaultyServer) -> None:
    product = posting()["products"][0]
    other = "0208245774-0029-2"
    answer(server, FBS_LIST, page(posting(products=[product, product]), posting(other)))
    orders = client_of(server).orders([NUMBER, other])
    names = [line.external_line_id for order in orders.values() if order for line in order.lines]
    assert names == [f"{NUMBER}:1904686181", f"{NUMBER}:1904686181:2", f"{other}:1904686181"]


@pytest.mark.parametrize(
    ("changes", "scheme", "is_ours"),
    [
        ({"tpl_integration_type": "non_integrated"}, Scheme.REALFBS, True),
        ({"tpl_integration_type": "", "integration_type_flow": "aggregator"}, Scheme.REALFBS, True),
        ({"delivery_schema": "fbp"}, Scheme.FBP, False),
    ],
)
def test_the_scheme_is_told_by_who_brings_it(
    server: FaultyServer, changes: dict[str, Any], scheme: Scheme, is_ours: bool
) -> None:
    answer(server, FBS_LIST, page(posting(**changes)))
    assert (read(server).scheme, scheme.is_ours) == (scheme, is_ours)


def test_an_unknown_status_is_kept_and_said(server: FaultyServer) -> None:
    no_other_lists(server)
    answer(server, FBS_LIST, page(posting(status="on_the_moon")))
    found = pages_of(server)
    assert [(order.status, order.state) for each in found for order in each.orders] == [
        ("on_the_moon", OrderState.UNKNOWN)
    ]
    assert [(problem.item, problem.reason) for each in found for problem in each.problems] == [
        (NUMBER, "Unknown status: on_the_moon.")
    ]


def test_one_unreadable_order_does_not_stop_the_others(server: FaultyServer) -> None:
    no_other_lists(server)
    half = posting("1-1-1", products=[{"offer_id": "A", "quantity": "two", "price": "1"}])
    nameless = posting()
    del nameless["posting_number"]
    answer(server, FBS_LIST, page(half, nameless, "rubbish", posting("4-4-4", products=[]), posting()))
    found = pages_of(server)
    assert [order.external_id for each in found for order in each.orders] == [NUMBER]
    assert [problem.item for each in found for problem in each.problems] == ["1-1-1", "?", "?", "4-4-4"]


# --- the lists and their cursors ---------------------------------------------------------------------


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


# --- certain orders ----------------------------------------------------------------------------------


def test_a_thousand_orders_are_read_in_ten_calls(server: FaultyServer) -> None:
    numbers = [f"{number}-0001-1" for number in range(1000)]
    chunks = [sorted(numbers)[start : start + 100] for start in range(0, 1000, 100)]
    answer(server, FBS_LIST, *(page(*(posting(number) for number in numbers)) for _chunk in chunks))
    found = client_of(server).orders(numbers)
    assert list(found) == numbers
    assert all(found.values())
    assert len(server.received) == 10
    assert sorted(name for request in asked(server, FBS_LIST) for name in request["filter"]["order_numbers"]) == sorted(
        number.rpartition("-")[0] for number in numbers
    )


def test_an_order_is_gone_only_if_ozon_says_so_of_itself(server: FaultyServer) -> None:
    answer(server, FBS_LIST, EMPTY_PAGE)
    answer(server, FBS_GET, UNKNOWN_POSTING)
    answer(server, FBO_GET, UNKNOWN_POSTING)
    assert client_of(server).orders([NUMBER]) == {NUMBER: None}


def test_an_operation_that_was_switched_off_does_not_look_as_if_all_orders_were_gone(server: FaultyServer) -> None:
    answer(server, FBS_LIST, EMPTY_PAGE)
    answer(server, FBS_GET, Reply(404, {"code": 5, "message": "This method is disabled"}))
    with pytest.raises(NotFound):
        client_of(server).orders([NUMBER])


def test_an_order_that_the_list_does_not_show_is_read_singly_wherever_it_is_sent_from(server: FaultyServer) -> None:
    answer(server, FBS_LIST, EMPTY_PAGE)
    answer(server, FBS_GET, UNKNOWN_POSTING)
    sent_by_ozon = posting(products=[{"offer_id": "A", "sku": 1, "quantity": 1, "price": "5.00"}], status="delivering")
    del sent_by_ozon["delivery_schema"], sent_by_ozon["tpl_integration_type"]
    answer(server, FBO_GET, {"result": sent_by_ozon})
    order = read(server)
    assert (order.scheme, order.state) == (Scheme.FBO, OrderState.SENT)


def test_an_order_that_cannot_be_read_is_neither_there_nor_gone(server: FaultyServer) -> None:
    answer(server, FBS_LIST, page(posting(products=[])))
    with pytest.raises(BadAnswer, match=NUMBER):
        client_of(server).orders([NUMBER])


# --- packing -----------------------------------------------------------------------------------------


def accepted(server: FaultyServer, order: RemoteOrder) -> MarketplaceError | None:
    return client_of(server).accept([order])[order.external_id]


def test_an_order_that_awaits_it_is_packed_as_one_parcel_and_read_back(server: FaultyServer) -> None:
    answer(server, FBS_LIST, page(posting()), page(posting(status="awaiting_deliver")))
    answer(server, SHIP, {"result": [NUMBER]})
    assert accepted(server, read(server)) is None
    packages = [{"products": [{"product_id": 1904686181, "quantity": 2}]}]
    assert asked(server, SHIP) == [{"posting_number": NUMBER, "packages": packages}]


def test_what_is_packed_already_is_not_written_again(server: FaultyServer) -> None:
    answer(server, FBS_LIST, page(posting(status="awaiting_deliver")))
    assert accepted(server, read(server)) is None
    assert asked(server, SHIP) == []


def test_that_ozon_answers_200_does_not_prove_that_it_is_packed(server: FaultyServer) -> None:
    answer(server, FBS_LIST, page(posting()), page(posting(substatus="ship_failed")))
    answer(server, SHIP, {"result": [NUMBER]})
    error = accepted(server, read(server))
    assert error is not None
    assert (error.code, error.is_final) == ("ship_failed", False)


def test_packing_that_takes_its_time_is_looked_up_again_and_not_sent_again(
    server: FaultyServer, pauses: list[float]
) -> None:
    answer(
        server, FBS_LIST, page(posting()), page(posting()), page(posting()), page(posting(status="awaiting_deliver"))
    )
    answer(server, SHIP, {"result": [NUMBER]})
    assert accepted(server, read(server)) is None
    assert len(asked(server, SHIP)) == 1
    assert pauses[-2:] == [1.0, 3.0]


def test_a_refusal_to_pack_counts_only_if_the_order_still_awaits_it(server: FaultyServer) -> None:
    refusal = Reply(409, {"code": 9, "message": "POSTING_ALREADY_SHIPPED"})
    answer(server, SHIP, refusal)
    answer(server, FBS_LIST, page(posting()), page(posting(status="awaiting_deliver")))
    assert accepted(server, read(server)) is None
    answer(server, FBS_LIST, page(posting()))
    assert isinstance(accepted(server, read(server)), Refused)
    answer(server, FBS_LIST, page(posting()), page(posting(status="cancelled")))
    error = accepted(server, read(server))
    assert error is not None
    assert (error.code, error.is_final) == ("cancelled", True)


def test_one_order_that_cannot_be_packed_does_not_stop_the_others(server: FaultyServer) -> None:
    other, waiting = "5-5-5", "6-6-6"
    nameless = posting(products=[{"offer_id": "A", "quantity": 1, "price": "1.00"}])
    answer(
        server,
        FBS_LIST,
        page(nameless, posting(other), posting(waiting, status="awaiting_approve")),
        page(nameless, posting(other, status="awaiting_deliver")),
    )
    answer(server, SHIP, {"result": [other]})
    orders = client_of(server).orders([NUMBER, other, waiting])
    ended = client_of(server).accept([order for order in orders.values() if order])
    assert {number: error and error.is_final for number, error in ended.items()} == {
        NUMBER: False,
        other: None,
        waiting: False,
    }
    assert len(asked(server, SHIP)) == 1


# --- cancelling --------------------------------------------------------------------------------------


def reasons(*ids: int) -> dict[str, Any]:
    rows = [{"id": id, "title": "…", "type_id": "seller"} for id in ids]
    return {"result": [{"posting_number": NUMBER, "reasons": rows}]}


@pytest.mark.parametrize(("allowed", "chosen"), [((352, 400, 402), 402), ((352, 400), 352), ((400,), 400)])
def test_an_order_is_cancelled_with_a_reason_that_ozon_allows(
    server: FaultyServer, allowed: tuple[int, ...], chosen: int
) -> None:
    answer(server, FBS_LIST, page(posting()))
    answer(server, "/v1/posting/fbs/cancel-reason", reasons(*allowed))
    answer(server, CANCEL, {"result": True})
    client_of(server).roll_back(read(server), reason="No milk today")
    assert asked(server, CANCEL) == [
        {"posting_number": NUMBER, "cancel_reason_id": chosen, "cancel_reason_message": "No milk today"}
    ]


def test_where_ozon_names_no_reasons_for_the_order_the_general_ones_are_used(server: FaultyServer) -> None:
    answer(server, FBS_LIST, page(posting()))
    answer(server, "/v1/posting/fbs/cancel-reason", {"result": []})
    general = [
        {"id": 401, "title": "…", "type_id": "seller", "is_available_for_cancellation": False},
        {"id": 352, "title": "…", "type_id": "seller", "is_available_for_cancellation": True},
        {"id": 501, "title": "…", "type_id": "buyer", "is_available_for_cancellation": True},
    ]
    answer(server, "/v2/posting/fbs/cancel-reason/list", {"result": general})
    answer(server, CANCEL, {"result": True})
    client_of(server).roll_back(read(server), reason="")
    assert asked(server, CANCEL)[0]["cancel_reason_id"] == 352
    assert asked(server, CANCEL)[0]["cancel_reason_message"]


def test_a_cancelled_order_need_not_be_cancelled(server: FaultyServer) -> None:
    answer(server, FBS_LIST, page(posting()), page(posting(status="cancelled")))
    order = read(server)
    answer(server, "/v1/posting/fbs/cancel-reason", reasons(402))
    answer(server, CANCEL, Reply(409, {"code": 9, "message": "HAS_INCORRECT_STATUS"}))
    # As it was read, it was not cancelled yet.
    client_of(server).roll_back(order, reason="late")
    server.received.clear()
    client_of(server).roll_back(read(server), reason="late")
    assert asked(server, CANCEL) == []


def test_what_ozon_does_not_let_go_is_refused_for_good(server: FaultyServer) -> None:
    answer(server, FBS_LIST, page(posting()), page(posting(status="delivering")))
    order = read(server)
    answer(server, "/v1/posting/fbs/cancel-reason", reasons(402))
    answer(server, CANCEL, Reply(409, {"code": 9, "message": "HAS_INCORRECT_STATUS"}))
    with pytest.raises(Refused, match="HAS_INCORRECT_STATUS"):
        client_of(server).roll_back(order, reason="late")


# --- quantities --------------------------------------------------------------------------------------


def pair(sku: str, warehouse: int = 17, **changes: Any) -> dict[str, Any]:
    return {"warehouse_id": warehouse, "product_id": 1, "offer_id": sku, "updated": True, "errors": [], **changes}


def test_quantities_are_written_a_hundred_pairs_at_a_time(server: FaultyServer) -> None:
    changes = [QuantityChange(sku=f"S{number}", quantity=number) for number in range(250)]
    answer(server, STOCKS, *({"result": [pair(change.sku) for change in changes]} for _call in range(3)))
    results = client_of(server).set_quantities(changes)
    assert [(result.sku, result.is_taken) for result in results] == [(change.sku, True) for change in changes]
    assert [len(request["stocks"]) for request in asked(server, STOCKS)] == [100, 100, 50]
    assert asked(server, STOCKS)[0]["stocks"][3] == {"offer_id": "S3", "stock": 3, "warehouse_id": 17}


def test_each_pair_says_what_became_of_it(server: FaultyServer) -> None:
    too_often = {"code": "TOO_MANY_REQUESTS", "message": "too many requests"}
    unknown = {"code": "offer_id_not_found", "message": ""}
    rows = [
        pair("A"),
        pair("B", updated=False, errors=[too_often]),
        pair("C", updated=False, errors=[unknown]),
        pair("D", updated=False),
    ]
    answer(server, STOCKS, {"result": rows})
    results = client_of(server).set_quantities([QuantityChange(sku=sku, quantity=1) for sku in "ABCDE"])
    assert [(result.is_taken, result.retry_after) for result in results] == [
        (True, None),
        (False, 30.0),
        (False, None),
        (False, None),
        (False, None),
    ]
    assert results[2].reason == "offer_id_not_found"
    assert all(result.reason for result in results[1:])


def test_a_write_that_fails_half_way_says_which_half(server: FaultyServer) -> None:
    changes = [QuantityChange(sku=f"S{number}", quantity=1) for number in range(150)]
    answer(server, STOCKS, {"result": [pair(change.sku) for change in changes]}, Reply(500, {"message": "oops"}))
    results = client_of(server).set_quantities(changes)
    assert [result.is_taken for result in results] == [True] * 100 + [False] * 50
    assert results[-1].retry_after == 30.0
    # It may have been taken: nothing is sent again before it has been read back.
    assert len(asked(server, STOCKS)) == 2


def test_without_a_chosen_warehouse_the_only_active_one_is_meant(server: FaultyServer) -> None:
    rows = [
        {"warehouse_id": 17, "name": "Shop", "is_rfbs": False, "status": "created"},
        {"warehouse_id": 18, "name": "Old shop", "is_rfbs": False, "status": "disabled"},
        {"warehouse_id": 19, "name": "Courier", "is_rfbs": True, "status": "created"},
    ]
    answer(server, WAREHOUSES, {"warehouses": rows, "cursor": "", "has_next": False})
    answer(server, STOCKS, {"result": [pair("A")]})
    [result] = client_of(server, warehouse_id="").set_quantities([QuantityChange(sku="A", quantity=1)])
    assert result.is_taken


def test_between_two_warehouses_somebody_has_to_choose(server: FaultyServer) -> None:
    rows = [{"warehouse_id": id, "name": "Shop", "is_rfbs": False, "status": "created"} for id in (17, 18)]
    answer(server, WAREHOUSES, {"warehouses": rows, "cursor": "", "has_next": False})
    [result] = client_of(server, warehouse_id="").set_quantities([QuantityChange(sku="A", quantity=1)])
    assert (result.is_taken, result.retry_after) == (False, None)
    assert "choose one" in result.reason
    assert asked(server, STOCKS) == []


def stock(sku: str, present: Any, reserved: Any, warehouse: int = 17) -> dict[str, Any]:
    return {"offer_id": sku, "sku": 5, "present": present, "reserved": reserved, "warehouse_id": warehouse}


def test_what_is_read_back_is_what_is_free_in_that_warehouse(server: FaultyServer) -> None:
    rows = [stock("A", 9, 2), stock("A", 50, 0, 18), stock("B", 7, 0, 18), stock("C", "4", "1"), stock("D", None, 0)]
    answer(server, READ_BACK, Reply(body={"products": rows, "cursor": "", "has_next": False}))
    changes = [QuantityChange(sku=sku, quantity=1) for sku in "ABCDE"]
    assert client_of(server).quantities(changes) == {"A": 7, "B": 0, "C": 3, "D": None}
    assert asked(server, READ_BACK) == [{"offer_id": ["A", "B", "C", "D", "E"], "limit": 1000}]


def test_where_offers_cannot_be_asked_for_the_whole_warehouse_is_read_back(server: FaultyServer) -> None:
    answer(server, READ_BACK, FORBIDDEN)
    rows = {"stocks": [stock("A", 9, 2), stock("X", 1, 0)], "cursor": "", "has_next": False}
    answer(server, "/v1/product/info/warehouse/stocks", rows)
    assert client_of(server).quantities([QuantityChange(sku="A", quantity=7)]) == {"A": 7}


# --- the key -----------------------------------------------------------------------------------------


def test_the_test_of_a_key_tells_the_sellers_name_and_when_the_key_ends(server: FaultyServer) -> None:
    roles = {"expires_at": "2027-02-18T09:54:23.296Z", "roles": [{"name": "Admin", "methods": []}]}
    answer(server, "/v1/roles", roles)
    answer(server, "/v1/seller/info", {"company": {"name": "Samovar", "legal_name": "OOO Samovar"}})
    client = client_of(server)
    assert client.test() == "Samovar"
    assert client.key_expires_at() == datetime.datetime(2027, 2, 18, 9, 54, 23, 296000, tzinfo=datetime.UTC)
    assert server.received[0].headers["Client-Id"] == "836"
    answer(server, "/v1/seller/info", FORBIDDEN)
    assert client.test() == "Admin"


def test_a_refused_key_fails_the_test(server: FaultyServer) -> None:
    answer(server, "/v1/roles", Reply(403, {"code": 7, "message": "Invalid Api-Key, please check the key"}))
    with pytest.raises(NotAuthorised):
        client_of(server).test()
