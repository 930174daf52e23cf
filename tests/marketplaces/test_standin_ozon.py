"""The stand-in's Ozon: the pitfalls that its clients must survive are there."""

import csv
import datetime
import io
from typing import Any

from tests.marketplaces.standin import Keeper, Standin

PERIOD = {"since": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"}


def postings(shop: Keeper, cursor: str = "", limit: int = 2, **filters: Any) -> dict[str, Any]:
    now = shop.world.clock.now()
    period = {"since": moment(now - 86_400), "to": moment(now + 86_400)}
    body = {"filter": period | filters, "limit": limit, "cursor": cursor}
    return shop.call("POST", "/v4/posting/fbs/list", json=body).json()


def moment(seconds: float) -> str:

    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()


def test_pages_hold_every_posting_once_even_if_more_come_meanwhile(standin: Standin):
    shop = standin.ozon
    shop.offer(sku="A", pieces=9)
    placed = shop.orders(3, ("A", 1))
    page = postings(shop)
    told = [each["posting_number"] for each in page["postings"]]
    assert (len(told), page["has_next"]) == (2, True)
    placed.append(shop.order(("A", 1)))
    page = postings(shop, page["cursor"])
    told += [each["posting_number"] for each in page["postings"]]
    assert (sorted(told), page["has_next"], page["cursor"]) == (sorted(placed), False, "")
    assert postings(shop, last_changed_status_date={"from": moment(shop.world.clock.now() + 60)})["postings"] == []
    with standin.off_the_record():
        assert shop.call("POST", "/v4/posting/fbs/list", json={"filter": PERIOD, "limit": 101}).status_code == 400
        assert shop.call("POST", "/v3/posting/fbs/list", json={}).status_code == 404


def test_a_pair_is_written_once_in_thirty_seconds_and_the_refusal_stands_in_an_answer_200(standin: Standin):
    shop = standin.ozon
    shop.offer(sku="A", pieces=5)
    shop.order(("A", 2))
    standin.limits(on=True)

    def write(stock: int) -> tuple[int, bool, list[str]]:
        row = {"offer_id": "A", "stock": stock, "warehouse_id": int(shop.warehouse_id)}
        answer = shop.call("POST", "/v2/products/stocks", json={"stocks": [row]})
        result = answer.json()["result"][0]
        return answer.status_code, result["updated"], [error["code"] for error in result["errors"]]

    assert write(7) == (200, True, [])
    # What is reserved comes on top of what was written.
    body = {"offer_id": ["A"], "limit": 10}
    row = shop.call("POST", "/v2/product/info/stocks-by-warehouse/fbs", json=body).json()["products"][0]
    assert (row["present"], row["reserved"], row["free_stock"]) == (9, 2, 7)
    assert write(8) == (200, False, ["TOO_MANY_REQUESTS"])
    assert shop.shown("A") == 7
    standin.advance(30)
    assert write(8) == (200, True, [])
    for _ in range(80):
        standin.world.limits.wait("ozon stocks ozon:1001", interval=0.75, burst=80)
    standin.advance(0.1)
    assert write(9)[2] == ["TOO_MANY_REQUESTS"]


def test_a_parcel_that_could_not_be_packed_is_answered_200_too(standin: Standin):
    shop = standin.ozon
    offer = shop.offer(sku="A", pieces=5)
    order = shop.order(("A", 2))
    packages = [{"products": [{"product_id": offer.number, "quantity": 2}]}]
    shop.fail_to_ship(order)
    ship = {"posting_number": order, "packages": packages}
    assert shop.call("POST", "/v4/posting/fbs/ship", json=ship).status_code == 200
    told = shop.call("POST", "/v3/posting/fbs/get", json={"posting_number": order}).json()["result"]
    assert (told["status"], told["substatus"]) == ("awaiting_packaging", "ship_failed")
    del standin.world.shelf("ship_fails")[order]
    wrong = {**ship, "packages": [{"products": [{"product_id": offer.number, "quantity": 1}]}]}
    assert shop.call("POST", "/v4/posting/fbs/ship", json=wrong).status_code == 400
    assert shop.call("POST", "/v4/posting/fbs/ship", json=ship).status_code == 200
    assert (shop[order].status, shop.shown("A")) == ("awaiting_deliver", 3)
    assert shop.call("POST", "/v4/posting/fbs/ship", json=ship).status_code == 409


def test_a_posting_is_cancelled_once_for_a_reason_that_counts(standin: Standin):
    shop = standin.ozon
    shop.offer(sku="A", pieces=5)
    order = shop.order(("A", 2))

    def cancel(reason: int, message: str = "") -> int:
        body = {"posting_number": order, "cancel_reason_id": reason, "cancel_reason_message": message}
        return shop.call("POST", "/v2/posting/fbs/cancel", json=body).status_code

    assert [cancel(401), cancel(402)] == [400, 400]
    assert shop.shown("A") == 3
    assert [cancel(402, "out of tins"), cancel(352)] == [200, 409]
    assert (shop[order].status, shop.shown("A")) == ("cancelled", 5)


def test_a_report_waits_and_is_a_file_with_an_apostrophe_before_the_article(standin: Standin):
    shop = standin.ozon
    shop.offer(sku="A;1", pieces={shop.warehouse_id: 5, "17023": 3}, barcode="46")
    code = shop.call("POST", "/v1/report/products/create", json={}).json()["result"]["code"]

    def info() -> dict[str, Any]:
        return shop.call("POST", "/v1/report/info", json={"code": code}).json()["result"]

    assert [info()["status"], info()["status"]] == ["waiting", "processing"]
    ready = info()
    assert ready["status"] == "success"
    text = shop.call("GET", ready["file"]).content.decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert (row["Артикул"], row["Barcode"]) == ("'A;1", "46")
    assert row["Доступно к продаже по схеме FBO, шт."] == "3"
    assert row["Доступно к продаже по схеме FBS, шт."] == "5"
    standin.advance(4 * 86_400)
    assert shop.call("POST", "/v1/report/info", json={"code": code}).status_code == 404


def test_keys_are_looked_at_and_sellers_kept_apart(standin: Standin):
    other = standin.seller("ozon", client_id="1002", api_key="key-2")
    standin.ozon.offer(sku="A", pieces=5)
    mine = standin.ozon.order(("A", 1))
    wrong = standin.ozon.call("POST", "/v1/roles", headers={"Api-Key": "key-2"})
    assert (wrong.status_code, wrong.json()["message"]) == (403, "Invalid Api-Key, please check the key and try again")
    assert other.call("POST", "/v3/posting/fbs/get", json={"posting_number": mine}).status_code == 404
    assert postings(other)["postings"] == []
    standin.limits(on=True)
    for _ in range(50):
        standin.world.limits.wait("ozon 1001", interval=0.02, burst=50)
    assert standin.ozon.call("POST", "/v1/roles").status_code == 429
    assert other.call("POST", "/v1/roles").status_code == 200
