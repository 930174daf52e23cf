"""The stand-in's Wildberries: the pitfalls that its clients must survive are there."""

import datetime

from tests.marketplaces.standin import Standin


def test_wrong_names_of_fields_are_answered_204_and_change_nothing(standin: Standin):
    shop = standin.wildberries
    offer = shop.offer(pieces=5)
    path, size = f"/api/v3/stocks/{shop.warehouse_id}", int(offer.sku)
    with standin.off_the_record():
        for body in ({"stocks": [{"chrtID": size, "amount": 9}]}, {"Stocks": [{"chrtId": size, "amount": 9}]}):
            assert shop.call("PUT", path, json=body).status_code == 204
            assert shop.shown(offer.sku) == 5
        assert (
            shop.call("PUT", path, json={"stocks": [{"sku": "46", "amount": 9}]}).json()["code"] == "SKUUploadDisabled"
        )
    assert shop.call("PUT", path, json={"stocks": [{"chrtId": size, "amount": 9}]}).status_code == 204
    read = shop.call("POST", path, json={"chrtIds": [size, 1]}).json()
    assert read == {"stocks": [{"chrtId": size, "amount": 9}]}


def test_a_refused_stock_is_a_list_of_faults_and_nothing_of_it_is_written(standin: Standin):
    shop = standin.wildberries
    offer = shop.offer(pieces=5)
    path = f"/api/v3/stocks/{shop.warehouse_id}"
    rows = [{"chrtId": int(offer.sku), "amount": 7}, {"chrtId": 1, "amount": 7}]
    refused = shop.call("PUT", path, json={"stocks": rows})
    assert (refused.status_code, [fault["code"] for fault in refused.json()]) == (409, ["NotFound"])
    assert shop.shown(offer.sku) == 5
    shop.seller.warehouses[shop.warehouse_id].is_blocked = True
    assert shop.call("PUT", path, json={"stocks": rows[:1]}).status_code == 406
    assert shop.shown(offer.sku) == 5


def test_orders_come_without_a_status_and_go_through_a_supply(standin: Standin):
    shop = standin.wildberries
    offer = shop.offer(pieces=5, price="1390.50")
    ids = [int(shop.order((offer.sku, 1))) for _ in range(3)]
    page = shop.call("GET", "/api/v3/orders", params={"limit": 2, "next": 0}).json()
    rest = shop.call("GET", "/api/v3/orders", params={"limit": 2, "next": page["next"]}).json()
    assert [order["id"] for order in page["orders"] + rest["orders"]] == ids
    order = page["orders"][0]
    assert (order["price"], order["chrtId"], "supplierStatus" in order) == (139_050, int(offer.sku), False)

    supply = shop.call("POST", "/api/v3/supplies", json={"name": "Today"}).json()["id"]
    path = f"/api/marketplace/v3/supplies/{supply}/orders"
    shop.cancel(str(ids[2]))
    assert shop.call("PATCH", path, json={"orders": ids}).status_code == 409
    assert shop.call("PATCH", path, json={"orders": ids[:1]}).status_code == 204
    assert shop.call("PATCH", f"/api/v3/orders/{ids[1]}/cancel").status_code == 204
    assert shop.call("PATCH", f"/api/v3/supplies/{supply}/deliver").status_code == 204
    assert shop.call("PATCH", f"/api/v3/orders/{ids[0]}/cancel").status_code == 409
    told = shop.call("POST", "/api/v3/orders/status", json={"orders": [*ids, 1]}).json()["orders"]
    assert [(one["supplierStatus"], one["wbStatus"], one["isCancellable"]) for one in told] == [
        ("complete", "waiting", False),
        ("cancel", "canceled", False),
        ("new", "canceled_by_client", False),
    ]
    assert shop.call("GET", "/api/v3/orders/new").json()["orders"] == []


def test_a_fault_counts_as_ten_and_the_gate_says_when_to_come_again(standin: Standin):
    shop = standin.wildberries
    standin.limits(on=True)
    for _ in range(2):
        assert shop.call("PATCH", "/api/v3/orders/1/cancel").status_code == 404
    refused = shop.call("PATCH", "/api/v3/orders/1/cancel")
    assert refused.status_code == 429
    assert int(refused.headers["X-Ratelimit-Retry"]) >= 1
    assert "Retry-After" not in refused.headers
    standin.advance(int(refused.headers["X-Ratelimit-Retry"]))
    assert shop.call("PATCH", "/api/v3/orders/1/cancel").status_code == 404


def test_the_report_on_wildberries_warehouses_has_neither_article_nor_barcode(standin: Standin):
    shop = standin.wildberries
    offer = shop.offer(pieces={shop.warehouse_id: 5, "507": 8}, barcode="46")
    offer.stock["507"].to_client = 2
    path = f"{standin.url}/wildberries-analytics/api/analytics/v1/stocks-report/wb-warehouses"
    items = shop.call("POST", path, json={"limit": 10, "offset": 0}).json()["data"]["items"]
    assert [(row["chrtId"], row["quantity"], row["inWayToClient"]) for row in items] == [(int(offer.sku), 8, 2)]
    assert not {"barcode", "article", "vendorCode"} & set(items[0])
    refused = shop.call("GET", "/ping", headers={"Authorization": "another"})
    assert (refused.status_code, refused.json()["title"]) == (401, "unauthorized")
    with standin.off_the_record():
        assert shop.call("GET", "/api/v1/supplier/stocks").status_code == 404


def test_what_is_older_than_three_months_is_in_the_archive_with_its_status(standin: Standin):
    shop = standin.wildberries
    offer = shop.offer(pieces=5)
    old = int(shop.order((offer.sku, 1), placed_at=standin.world.clock.now() - 100 * 86_400))
    recent = int(shop.order((offer.sku, 1)))
    listed = shop.call("GET", "/api/v3/orders", params={"limit": 10, "next": 0}).json()["orders"]
    assert [order["id"] for order in listed] == [recent]
    placed = datetime.datetime.fromtimestamp(shop[str(old)].placed_at, datetime.UTC)
    month = {"year": placed.year, "month": placed.month, "next": 0, "limit": 100}
    archived = shop.call("GET", "/api/marketplace/v3/fbs/orders/archive", params=month).json()
    assert (archived["next"], [order["id"] for order in archived["orders"]]) == (None, [old])
    assert archived["orders"][0]["status"] == {"supplierStatus": "new", "wbStatus": "waiting"}
