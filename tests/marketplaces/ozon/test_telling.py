"""Packing and cancelling Ozon's orders. What is asked and answered is checked against Ozon's descriptions."""

from typing import Any

import pytest

from marketplaces.clients.base import RemoteOrder
from marketplaces.clients.ozon_order_pages import FBS_LIST
from marketplaces.errors import MarketplaceError, Refused
from tests.marketplaces.faulty_server import FaultyServer, Reply
from tests.marketplaces.ozon.reading import client_of, page, read
from tests.marketplaces.ozon_answers import (
    NUMBER,
    answer,
    asked,
    posting,
)

pytestmark = pytest.mark.django_db

SHIP, CANCEL = "/v4/posting/fbs/ship", "/v2/posting/fbs/cancel"


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
