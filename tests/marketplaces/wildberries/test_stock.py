"""Stock on Wildberries: read, and set."""

import pytest

from marketplaces.choices import Scheme
from marketplaces.clients import wildberries_stock
from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient, QuantityChange, StockRow
from marketplaces.errors import (
    BreakerOpen,
    Timeout,
)
from marketplaces.models import SellerAccount
from tests.marketplaces.standin import Standin
from tests.marketplaces.wildberries.seller import sync

pytestmark = pytest.mark.django_db


def change(sku: str, quantity: int) -> QuantityChange:
    return QuantityChange(sku=sku, quantity=quantity)


def stock(client: MarketplaceClient) -> dict[tuple[str, str], StockRow]:
    return {(row.source, row.sku): row for page in client.stock_pages() for row in page.rows}


def test_stock_lies_in_wildberries_warehouses_and_in_the_sellers(standin: Standin, client: MarketplaceClient) -> None:
    own = standin.wildberries.warehouse_id
    wb = next(key for key, place in standin.wildberries.seller.warehouses.items() if place.scheme == "FBO")
    offer = standin.wildberries.offer(sku="11", pieces={own: 7, wb: 43})
    offer.stock[wb].to_client, offer.stock[wb].from_client = 14, 11
    rows = stock(client)
    assert set(rows) == {("wb", "11"), ("own", "11")}
    there, here = rows["wb", "11"], rows["own", "11"]
    assert (there.stock_type, there.present, there.in_way_to_client, there.in_way_from_client) == (
        Scheme.FBO,
        43,
        14,
        11,
    )
    assert (there.warehouse_id, there.warehouse) == (wb, "Коледино")
    assert (here.stock_type, here.present, here.warehouse_id) == (Scheme.FBS, 7, own)


def test_the_report_is_read_page_by_page_and_known_skus_are_asked_for(
    standin: Standin, account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wildberries_stock, "ROWS_A_PAGE", 2)
    wb = next(key for key, place in standin.wildberries.seller.warehouses.items() if place.scheme == "FBO")
    for number in range(1, 6):
        standin.wildberries.offer(sku=str(number), pieces={wb: number})
    standin.wildberries.offer(sku="99", pieces=3)
    standin.wildberries.order(("99", 1))
    sync(account)
    pages = list(client_of(account).stock_pages())
    assert [(page.source, len(page.rows), page.is_last) for page in pages[:3]] == [
        ("wb", 2, False),
        ("wb", 2, False),
        ("wb", 1, True),
    ]
    assert [page.is_last for page in pages[3:]] == [False, True]
    # 99 lies in no warehouse of Wildberries: an order told it.
    assert "99" in {row.sku for row in pages[3].rows}
    offsets = [exchange.request.json()["offset"] for exchange in standin.calls("/wb-warehouses")]
    assert offsets == [0, 2, 4]


def test_a_token_without_analytics_still_reads_the_sellers_own_stock(
    standin: Standin, client: MarketplaceClient
) -> None:
    standin.wildberries.offer(sku="11", pieces=7)
    standin.wildberries.seller.keys["has_no_analytics"] = "1"
    pages = list(client.stock_pages())
    assert [(page.source, page.is_last, len(page.problems)) for page in pages if page.source == "wb"] == [
        ("wb", False, 1)
    ]
    assert pages[-1].is_last


def test_a_damaged_row_is_left_out_and_listed(standin: Standin, client: MarketplaceClient) -> None:
    wb = next(key for key, place in standin.wildberries.seller.warehouses.items() if place.scheme == "FBO")
    standin.wildberries.offer(sku="11", pieces={wb: 1})
    standin.misbehave("/wb-warehouses", drop="data.items.quantity")
    page = next(iter(client.stock_pages()))
    assert (list(page.rows), [problem.item for problem in page.problems]) == ([], ["11"])


def test_quantities_are_set_and_read_back(standin: Standin, client: MarketplaceClient) -> None:
    standin.wildberries.offer(sku="11", pieces=1)
    standin.wildberries.offer(sku="12", pieces=1)
    changes = [change("11", 5), change("12", 0)]
    assert [(result.sku, result.is_taken) for result in client.set_quantities(changes)] == [("11", True), ("12", True)]
    assert client.quantities(changes) == {"11": 5, "12": 0}
    assert (standin.wildberries.shown("11"), standin.wildberries.shown("12")) == (5, 0)


def test_what_is_refused_by_name_does_not_hold_up_the_others(standin: Standin, client: MarketplaceClient) -> None:
    standin.wildberries.offer(sku="11", pieces=1)
    results = client.set_quantities([change("11", 5), change("404", 2), change("TEA", 2), change("11", 200_000)])
    assert [(result.sku, result.is_taken, result.reason) for result in results] == [
        ("TEA", False, "Wildberries' SKUs are numbers (chrtId)."),
        ("404", False, "Not found"),
        ("11", True, ""),
        ("11", True, ""),
    ]
    assert standin.wildberries.shown("11") == 100_000


def test_a_refusal_that_names_nobody_is_found_by_halves(standin: Standin, client: MarketplaceClient) -> None:
    for sku in ("11", "12", "13"):
        standin.wildberries.offer(sku=sku, pieces=1)
    body = [{"code": "CargoWarehouseRestrictionSGT", "message": "Not here.", "data": [{"sku": "2042688", "amount": 5}]}]
    # All three, then the first half, which is one.
    standin.misbehave("/stocks/", method="PUT", status=409, body=body, times=2)
    results = client.set_quantities([change(sku, 5) for sku in ("11", "12", "13")])
    assert [(result.sku, result.is_taken, result.reason) for result in results] == [
        ("11", False, "Not here."),
        ("12", True, ""),
        ("13", True, ""),
    ]


def test_a_blocked_warehouse_is_tried_again_later(standin: Standin, client: MarketplaceClient) -> None:
    standin.wildberries.offer(sku="11", pieces=1)
    standin.wildberries.seller.own_warehouses()[0].is_blocked = True
    [result] = client.set_quantities([change("11", 5)])
    assert (result.is_taken, result.reason, result.retry_after) == (False, "The warehouse is processing", 300)


def test_an_account_without_a_warehouse_writes_nothing(standin: Standin, account: SellerAccount) -> None:
    account.push_warehouse_id = ""
    [result] = client_of(account).set_quantities([change("11", 5)])
    assert not result.is_taken
    assert "names no warehouse" in result.reason
    assert client_of(account).quantities([change("11", 5)]) == {}
    assert standin.calls() == []


def test_a_hanging_write_is_a_timeout_and_is_written_again_without_harm(
    standin: Standin, account: SellerAccount
) -> None:
    standin.wildberries.offer(sku="11", pieces=1)
    client = client_of(account, read_timeout=0.2)
    standin.misbehave("/stocks/", method="PUT", delay=1.0, times=0, is_applied=True)
    with pytest.raises((Timeout, BreakerOpen)):
        client.set_quantities([change("11", 5)])
    standin.calm()
    assert client_of(account).quantities([change("11", 5)]) == {"11": 5}
