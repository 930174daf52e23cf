"""Orders that are older than three months: from Wildberries' archive, whose shape is another one."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from marketplaces.choices import Marketplace, OrderState
from marketplaces.clients import wildberries_orders
from marketplaces.clients.gate import Gate
from marketplaces.clients.http import ApiSession
from marketplaces.clients.wildberries_orders import OrderReader
from marketplaces.services.remembered import Remembered
from marketplaces.standin.messages import Answer, Request
from tests.marketplaces import contract
from tests.marketplaces.faulty_server import FaultyServer, Reply, faulty_server
from tests.marketplaces.market import seller
from tests.specs import no_specs

pytestmark = pytest.mark.django_db

ARCHIVE = "/api/marketplace/v3/fbs/orders/archive"
# After the example of the specification.
ARCHIVED = {
    "id": 1234567890,
    "rid": "f884001e44e511edb8780242ac120002",
    "orderUid": "165918930_629fbc924b984618a44354475ca58675",
    "createdAt": "2026-02-04",
    "status": {"supplierStatus": "complete", "wbStatus": "sold"},
    "product": {"article": "TEA", "chrtId": 91663228, "nmId": 47254354, "skus": ["2042688657617"]},
    "priceInfo": {"price": 101450, "currencyCode": 643, "convertedPrice": 101450, "convertedCurrencyCode": 643},
    "cargoType": "mgt",
    "crossBorderType": "local",
    "warehouseId": 55684681,
    "supplyId": "WB-GI-1234588",
    "isZeroOrder": False,
    "colorCode": "RAL 3017",
    "scanPrice": 5200,
    "stickerId": 33811984302,
    "crossBorder": {"parcel": "1Z999AA10123456784"},
    "metaDetails": [],
    "options": {"isB2B": False},
}


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as running:
        running.answer_at("GET", "/api/v3/orders", Reply(body={"orders": [], "next": 0}))
        running.answer_at("GET", "/api/v3/orders/new", Reply(body={"orders": []}))
        yield running
        if no_specs() is None:
            known = contract.operation("/wildberries", "GET", ARCHIVE)
            assert known is not None
            asked = [Request("GET", ARCHIVE, dict(call.query), {}) for call in running.calls("GET", ARCHIVE)]
            assert [fault for request in asked for fault in known.faults_of_request(request)] == []
            assert list(known.faults_of_answer(Answer(200, {"orders": [ARCHIVED], "next": 0}))) == []


def reader(server: FaultyServer) -> OrderReader:
    account = seller(Marketplace.WILDBERRIES)
    api = ApiSession(
        base_url=server.url,
        gate=Gate("wildberries:archive", rate=1000, burst=1000),
        headers=lambda renew: {"Authorization": "t"},
        marketplace="wildberries",
        account="Tea",
    )
    return OrderReader(api, Remembered(account.pk))


def test_orders_older_than_three_months_come_from_the_archive_month_by_month(server: FaultyServer) -> None:
    broken: dict[str, Any] = {"id": 7, "status": {"wbStatus": "sold"}}
    empty = Reply(body={"orders": [], "next": 0})
    server.answer_at("GET", ARCHIVE, Reply(body={"orders": [ARCHIVED, broken], "next": 0}), empty)
    now = timezone.now()
    since = now - timedelta(days=150)
    pages = list(reader(server).pages({}, since))
    [order] = [order for page in pages for order in page.orders]
    [line] = order.lines
    assert (order.external_id, order.state, order.total, order.currency) == (
        "1234567890",
        OrderState.DELIVERED,
        Decimal("1014.50"),
        "RUB",
    )
    assert (line.sku, line.name, line.barcode, line.external_line_id) == (
        "91663228",
        "TEA",
        "2042688657617",
        "f884001e44e511edb8780242ac120002",
    )
    assert order.placed_at is not None
    assert [problem.item for page in pages for problem in page.problems] == ["7"]
    asked = [(int(call.query["year"][0]), int(call.query["month"][0])) for call in server.calls("GET", ARCHIVE)]
    until = now - timedelta(days=89)
    assert (asked[0], asked[-1]) == ((since.year, since.month), (until.year, until.month))
    assert asked == sorted(set(asked))


def test_the_archive_is_read_page_by_page(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wildberries_orders, "ORDERS_A_PAGE", 100)
    full = [ARCHIVED | {"id": number} for number in range(1, 101)]
    server.answer_at(
        "GET",
        ARCHIVE,
        Reply(body={"orders": full, "next": 5}),
        Reply(body={"orders": [ARCHIVED], "next": 6}),
        Reply(body={"orders": [], "next": 0}),
    )
    pages = list(reader(server).pages({}, timezone.now() - timedelta(days=91)))
    assert [len(page.orders) for page in pages][:2] == [100, 1]
    assert [call.query["next"] for call in server.calls("GET", ARCHIVE)][:2] == [["0"], ["5"]]
