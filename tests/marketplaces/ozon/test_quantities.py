"""Quantities on Ozon, and the test of a key. What is asked and answered is checked against Ozon's descriptions."""

import datetime
from typing import Any

import pytest

from marketplaces.clients.base import QuantityChange
from marketplaces.errors import NotAuthorised
from tests.marketplaces.faulty_server import FaultyServer, Reply
from tests.marketplaces.ozon.reading import client_of
from tests.marketplaces.ozon_answers import (
    FORBIDDEN,
    answer,
    asked,
)

pytestmark = pytest.mark.django_db

STOCKS, READ_BACK, WAREHOUSES = (
    "/v2/products/stocks",
    "/v2/product/info/stocks-by-warehouse/fbs",
    "/v2/warehouse/list",
)


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
