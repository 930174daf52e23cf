"""The comparison with the published specifications finds what is wrong: without it, a test that passes says little."""

import json
from typing import Any

import pytest

from marketplaces.standin.messages import Answer, Request
from tests.marketplaces.contract import faults_of
from tests.marketplaces.standin import Standin

pytestmark = pytest.mark.specs

OZON = {"client-id": "1", "api-key": "k", "content-type": "application/json"}
ALLEGRO = {"user-agent": "Samovar/1.0 (+https://samovar.example)"}


def post(path: str, body: Any, answer: Any, **headers: str) -> list[str]:
    request = Request("POST", path, {}, OZON | headers, json.dumps(body).encode())
    return faults_of(request, Answer(200, answer))


def test_a_right_exchange_has_no_faults():
    stock = {"offer_id": "A", "stock": 1, "warehouse_id": 1}
    assert post("/ozon/v2/products/stocks", {"stocks": [stock]}, {"result": []}) == []
    assert post("/ozon/v4/posting/fbs/list", {"filter": {"since": "", "to": ""}, "limit": 1}, {"postings": []}) == []


@pytest.mark.parametrize(
    ("body", "answer", "word"),
    [
        ({"code": 1}, {"result": {}}, "is not of type 'string'"),
        ({"codes": "x"}, {"result": {}}, "'code' is a required property"),
        ({"code": "x", "more": 1}, {"result": {}}, "'more' was unexpected"),
        ({"code": "x"}, {"result": {"status": 5}}, "5 is not of type 'string', 'null'"),
        ({"code": "x"}, {"result": {"state": "success"}}, "'state' was unexpected"),
        ({"code": "x"}, "<html>", "is no JSON"),
    ],
)
def test_wrong_types_and_unknown_fields_are_found_on_both_sides(body: Any, answer: Any, word: str):
    faults = post("/ozon/v1/report/info", body, answer)
    assert len([fault for fault in faults if word in fault]) == 1, faults


def test_queries_headers_statuses_and_paths_are_looked_at():
    def get(path: str, query: dict[str, list[str]], status: int = 200, data: Any = None, **headers: str) -> str:
        return "\n".join(faults_of(Request("GET", path, query, ALLEGRO | headers), Answer(status, data)))

    assert "the query parameter form is unknown" in get("/allegro/order/events", {"form": ["1"]})
    assert "is not of type 'integer'" in get("/allegro/order/events", {"limit": ["many"]})
    assert "2000 is greater than the maximum" in get("/allegro/order/events", {"limit": ["2000"]})
    assert "User-Agent" in get("/allegro/me", {}, **{"user-agent": "python-requests/2"})
    assert "the status 418 is not published" in get("/allegro/me", {}, 418)
    assert "there is no such operation" in get("/allegro/nothing", {})
    assert "the query parameter next is missing" in get("/wildberries/api/v3/orders", {"limit": ["1"]})
    assert "the header Client-Id is missing" in "\n".join(
        faults_of(Request("POST", "/ozon/v1/roles", {}, {}), Answer(200, {"roles": []}))
    )


def test_what_a_rule_has_bent_is_not_held_against_the_stand_in_but_the_request_is(standin: Standin):
    standin.misbehave("/order/events", put={"events": "none"}, times=2)
    standin.allegro.call("GET", "/order/events")
    assert standin.faults() == []
    standin.allegro.call("GET", "/order/events", params={"limit": 5000})
    assert len(standin.faults()) == 1
    standin.found.clear()
