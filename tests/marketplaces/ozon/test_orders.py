"""What the client of Ozon makes of an order, and how it asks for certain ones. What is asked and answered is checked
against Ozon's descriptions."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients.ozon_order_pages import FBS_LIST
from marketplaces.clients.ozon_orders import FBO_GET, FBS_GET
from marketplaces.errors import BadAnswer, NotFound
from tests.marketplaces.faulty_server import FaultyServer, Reply
from tests.marketplaces.ozon.reading import EMPTY_PAGE, client_of, no_other_lists, page, pages_of, read
from tests.marketplaces.ozon_answers import (
    NUMBER,
    answer,
    asked,
    posting,
)

pytestmark = pytest.mark.django_db

UNKNOWN_POSTING = Reply(404, {"code": 5, "message": "POSTING_NOT_FOUND", "details": []})


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
