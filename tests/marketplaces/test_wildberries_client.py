"""Wildberries' client at the stand-in; what both say is compared with the specification when a test ends."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from marketplaces.choices import Marketplace, OrderState, Scheme
from marketplaces.clients import access, http, wildberries_orders, wildberries_stock
from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient, OrderPage, QuantityChange, RemoteOrder, StockRow
from marketplaces.clients.wildberries_values import state_of
from marketplaces.errors import (
    BadAnswer,
    BreakerOpen,
    MarketplaceError,
    NotAuthorised,
    NotConnected,
    NotFound,
    Refused,
    ServerError,
    Timeout,
)
from marketplaces.models import SellerAccount, SyncCursor
from marketplaces.services import gates
from marketplaces.services.mirror import store_page
from tests.marketplaces.market import seller
from tests.marketplaces.standin import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    gates.forget_slots()
    access.kept.clear()
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    yield waited
    gates.forget_slots()


@pytest.fixture
def account(standin: Standin) -> SellerAccount:
    account = seller(Marketplace.WILDBERRIES, push_warehouse_id=standin.wildberries.warehouse_id)
    account.credentials = standin.wildberries.keys
    account.save(update_fields=["credentials"])
    return account


@pytest.fixture
def client(account: SellerAccount) -> MarketplaceClient:
    return client_of(account)


def sync(account: SellerAccount, *, since: datetime | None = None) -> list[OrderPage]:
    """A run: every page stored, with its cursors."""
    cursors = dict(SyncCursor.objects.filter(account=account).values_list("name", "value"))
    pages = []
    for page in client_of(account).order_pages(cursors=cursors, since=since):
        store_page(account_id=account.pk, page=page, at=timezone.now())
        pages.append(page)
    return pages


def told(pages: list[OrderPage]) -> dict[str, OrderState]:
    return {order.external_id: order.state for page in pages for order in page.orders}


def problems(pages: list[OrderPage]) -> list[str]:
    return [problem.item for page in pages for problem in page.problems]


def one(client: MarketplaceClient, order_id: str) -> RemoteOrder:
    order = client.orders([order_id])[order_id]
    assert order is not None
    return order


def change(sku: str, quantity: int) -> QuantityChange:
    return QuantityChange(sku=sku, quantity=quantity)


# --- orders -------------------------------------------------------------------------------------------------


def test_an_order_is_one_piece_with_its_price_in_full_units(standin: Standin, account: SellerAccount) -> None:
    standin.wildberries.offer(sku="91663228", article="TEA", barcode="2042688657617", price="1014.50")
    order_id = standin.wildberries.order(("91663228", 1))
    [order] = [order for page in sync(account) for order in page.orders]
    [line] = order.lines
    assert (order.external_id, order.status, order.fulfilment_status, order.state) == (
        order_id,
        "new",
        "waiting",
        OrderState.READY,
    )
    assert (order.scheme, order.currency, order.total) == (Scheme.FBS, "RUB", Decimal("1014.50"))
    assert (line.sku, line.quantity, line.name, line.barcode, line.price) == (
        "91663228",
        1,
        "TEA",
        "2042688657617",
        Decimal("1014.50"),
    )
    assert line.external_line_id == order.payload["rid"]
    assert (order.payload["chrtId"], order.payload["supplierStatus"]) == (91663228, "new")
    assert order.placed_at is not None
    assert order.placed_at.tzinfo is not None


@pytest.mark.parametrize(
    ("supplier", "wb", "state"),
    [
        ("new", "waiting", OrderState.READY),
        ("confirm", "waiting", OrderState.PROCESSING),
        ("confirm", "sorted", OrderState.SENT),
        ("complete", "waiting", OrderState.SENT),
        ("complete", "ready_for_pickup", OrderState.SENT),
        ("complete", "sold", OrderState.DELIVERED),
        ("new", "declined_by_client", OrderState.CANCELLED),
        ("confirm", "canceled", OrderState.CANCELLED),
        ("cancel", "canceled", OrderState.CANCELLED),
        ("complete", "canceled_by_client", OrderState.RETURNED),
        ("new", "teleported", OrderState.UNKNOWN),
        ("beamed", "waiting", OrderState.UNKNOWN),
    ],
)
def test_both_words_together_say_the_state(supplier: str, wb: str, state: OrderState) -> None:
    assert state_of(supplier, wb) == state


def test_pages_follow_next_and_their_cursors_go_on_in_the_middle(
    standin: Standin, account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wildberries_orders, "ORDERS_A_PAGE", 2)
    ids = standin.wildberries.orders(5, ("1", 1))
    reader = client_of(account).order_pages(cursors={}, since=timezone.now() - timedelta(days=1))
    first = next(reader)
    assert [order.external_id for order in first.orders] == ids[:2]
    # The worker dies here; another one goes on behind what was stored.
    del reader
    store_page(account_id=account.pk, page=first, at=timezone.now())
    standin.forget_calls()
    pages = sync(account)
    assert [order.external_id for page in pages for order in page.orders] == ids[2:]
    assert [len(page.orders) for page in pages if page.orders] == [2, 1]
    assert [exchange.request.query["next"] for exchange in standin.calls("/api/v3/orders$")] == [[ids[1]], [ids[3]]]


def test_a_first_run_goes_back_three_months_in_windows_of_a_month(standin: Standin, account: SellerAccount) -> None:
    now = timezone.now()
    old, older = (
        standin.wildberries.order(("1", 1), placed_at=(now - timedelta(days=days)).timestamp()) for days in (40, 80)
    )
    pages = sync(account)
    assert set(told(pages)) == {old, older}
    # Four windows; a second run asks for the last hour only.
    assert len(standin.calls("/api/v3/orders$")) == 4
    standin.forget_calls()
    assert told(sync(account)) == {}
    [window] = standin.calls("/api/v3/orders$")
    asked_from = int(window.request.query["dateFrom"][0])
    assert 3590 <= now.timestamp() - asked_from <= 3600 + 60


def test_earlier_orders_are_asked_again_and_told_only_if_they_changed(standin: Standin, account: SellerAccount) -> None:
    now = timezone.now()
    placed = (now - timedelta(hours=5)).timestamp()
    quiet, cancelled, gone = (standin.wildberries.order(("1", 1), placed_at=placed) for _ in range(3))
    assert set(told(sync(account))) == {quiet, cancelled, gone}
    standin.wildberries.cancel(cancelled)
    standin.wildberries.vanish(gone)
    pages = sync(account)
    assert told(pages) == {cancelled: OrderState.CANCELLED}
    assert [order_id for page in pages for order_id in page.vanished] == [gone]
    # The body comes from what was stored: nothing of it is lost.
    [order] = [order for page in pages for order in page.orders]
    assert order.payload["chrtId"] == 1
    assert order.lines[0].sku == "1"
    # What is at its end is not asked again.
    standin.forget_calls()
    assert told(sync(account)) == {}
    [status_call] = standin.calls("/orders/status")
    assert status_call.request.json() == {"orders": [int(quiet)]}


def test_orders_on_their_way_are_asked_every_hour_only(standin: Standin, account: SellerAccount) -> None:
    placed = (timezone.now() - timedelta(hours=5)).timestamp()
    sent = standin.wildberries.order(("1", 1), placed_at=placed, status="complete")
    assert told(sync(account)) == {sent: OrderState.SENT}
    standin.wildberries.change(sent, fulfilment="sold")
    assert told(sync(account)) == {}
    SyncCursor.objects.filter(name="sent").update(value=int((timezone.now() - timedelta(hours=2)).timestamp()))
    assert told(sync(account)) == {sent: OrderState.DELIVERED}


def test_a_new_order_that_came_late_is_found_all_the_same(standin: Standin, account: SellerAccount) -> None:
    sync(account)
    # Placed before the window of the next run, and told only now.
    late = standin.wildberries.order(("1", 1), placed_at=(timezone.now() - timedelta(hours=3)).timestamp())
    pages = sync(account)
    assert told(pages) == {late: OrderState.READY}
    # Its body is the list's, so that it does not differ when the list tells it again.
    assert "supplyId" in next(order for page in pages for order in page.orders).payload
    assert told(sync(account)) == {}


def test_everything_is_read_again_from_any_moment(standin: Standin, account: SellerAccount) -> None:
    standin.wildberries.orders(3, ("1", 1), placed_at=(timezone.now() - timedelta(days=10)).timestamp())
    sync(account)
    assert told(sync(account)) == {}
    assert len(told(sync(account, since=timezone.now() - timedelta(days=11)))) == 3


def test_an_unknown_status_is_told_with_a_problem(standin: Standin, account: SellerAccount) -> None:
    order_id = standin.wildberries.order(("1", 1))
    standin.misbehave("/orders/status", put={"orders.wbStatus": "teleported"})
    pages = sync(account)
    assert (told(pages), problems(pages)) == ({order_id: OrderState.UNKNOWN}, [order_id])


@pytest.mark.parametrize(
    ("path", "rule", "is_read"),
    [
        ("/api/v3/orders$", {"drop": "orders.chrtId"}, False),
        ("/api/v3/orders$", {"drop": "orders.createdAt"}, False),
        ("/api/v3/orders$", {"as_text": "orders.chrtId"}, True),
        ("/api/v3/orders$", {"as_text": "orders.price"}, True),
        ("/api/v3/orders$", {"put": {"orders.price": "cheap"}}, False),
        ("/orders/status", {"drop": "orders.supplierStatus"}, False),
        ("/orders/status", {"put": {"orders.wbStatus": 7}}, False),
    ],
)
def test_an_order_that_can_not_be_read_is_left_out_and_listed(
    standin: Standin, account: SellerAccount, path: str, rule: dict[str, Any], is_read: bool
) -> None:
    order_id = standin.wildberries.order(("1", 1), placed_at=(timezone.now() - timedelta(minutes=5)).timestamp())
    standin.misbehave(path, **rule)
    page = next(iter(client_of(account).order_pages(cursors={"orders": window()}, since=None)))
    assert [order.external_id for order in page.orders] == ([order_id] if is_read else [])
    assert [problem.item for problem in page.problems] == ([] if is_read else [order_id])


def window() -> dict[str, Any]:
    return {"from": int((timezone.now() - timedelta(hours=1)).timestamp()), "to": None, "next": 0}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"status": 500}, ServerError),
        ({"html": True, "status": 200}, BadAnswer),
        ({"truncate": True}, BadAnswer),
        ({"drop": "orders"}, BadAnswer),
        ({"status": 401, "body": {"title": "unauthorized", "detail": "token expired"}}, NotAuthorised),
    ],
)
def test_a_useless_answer_ends_the_run_and_no_cursor_is_given(
    standin: Standin, client: MarketplaceClient, rule: dict[str, Any], expected: type[MarketplaceError]
) -> None:
    standin.wildberries.order(("1", 1))
    standin.misbehave("/api/v3/orders$", times=0, **rule)
    with pytest.raises(expected):
        next(iter(client.order_pages(cursors={"orders": window()}, since=None)))


def test_orders_are_read_by_their_status_and_what_was_stored(standin: Standin, account: SellerAccount) -> None:
    stored, fresh, gone = standin.wildberries.orders(3, ("1", 1))
    sync(account)
    standin.wildberries.vanish(gone)
    standin.wildberries.change(stored, status="confirm")
    unstored = standin.wildberries.order(("1", 1), placed_at=(timezone.now() - timedelta(days=50)).timestamp())
    standin.forget_calls()
    read = client_of(account).orders([stored, fresh, gone, "nonsense"])
    assert {order_id: order and order.state for order_id, order in read.items()} == {
        stored: OrderState.PROCESSING,
        fresh: OrderState.READY,
        gone: None,
        "nonsense": None,
    }
    # One call for all of them, as long as their bodies are stored …
    assert [exchange.path for exchange in standin.calls()] == ["/wildberries/api/v3/orders/status"]
    # … and a search through the lists for one that nobody has stored.
    assert one(client_of(account), unstored).lines[0].sku == "1"


# --- taking on and cancelling -----------------------------------------------------------------------------------


def supplies(standin: Standin) -> dict[str, list[int]]:
    return {record["id"]: record["orders"] for record in standin.world.shelf("supply").values()}


def test_orders_are_taken_on_by_a_supply_which_is_used_again(standin: Standin, account: SellerAccount) -> None:
    first, second, third = standin.wildberries.orders(3, ("1", 1))
    client = client_of(account)
    read = client.orders([first, second])
    assert client.accept([read[first], read[second]]) == {first: None, second: None}  # type: ignore[list-item]
    assert [standin.wildberries[order_id].status for order_id in (first, second)] == ["confirm", "confirm"]
    # What it knows already is not written again.
    standin.forget_calls()
    assert client.accept([one(client, first)]) == {first: None}
    assert standin.calls(method="PATCH") == []
    # Another process finds the supply by its name.
    access.kept.clear()
    client = client_of(account)
    assert client.accept([one(client, third)]) == {third: None}
    assert list(supplies(standin).values()) == [[int(first), int(second), int(third)]]


def test_an_order_that_was_cancelled_meanwhile_does_not_hold_up_the_others(
    standin: Standin, client: MarketplaceClient
) -> None:
    good, cancelled, confirmed = standin.wildberries.orders(3, ("1", 1))
    read = [one(client, order_id) for order_id in (good, cancelled, confirmed)]
    standin.wildberries.cancel(cancelled)
    standin.wildberries.change(confirmed, status="confirm")
    outcomes = client.accept(read)
    assert {order_id: type(outcome) for order_id, outcome in outcomes.items()} == {
        good: type(None),
        cancelled: Refused,
        confirmed: type(None),
    }
    assert standin.wildberries[good].status == "confirm"


def test_an_order_that_no_supply_takes_is_found_and_the_others_are_taken_on(
    standin: Standin, client: MarketplaceClient
) -> None:
    ids = standin.wildberries.orders(4, ("1", 1))
    read = [one(client, order_id) for order_id in ids]
    no = {"status": 409, "body": {"code": "FailedToAddSupplyOrder", "message": "No.", "data": None}}
    # All four, the four again, then the first half and the first of it.
    standin.misbehave("/supplies/.*/orders", times=4, **no)
    outcomes = client.accept(read)
    assert [type(outcomes[order_id]) for order_id in ids] == [Refused, type(None), type(None), type(None)]


def test_a_supply_that_was_closed_is_replaced(standin: Standin, client: MarketplaceClient) -> None:
    first, second = standin.wildberries.orders(2, ("1", 1))
    client.accept([one(client, first)])
    [supply] = supplies(standin)
    standin.world.shelf("supply")[f"{standin.wildberries.seller.id}|{supply}"]["closed_at"] = 1.0
    assert client.accept([one(client, second)]) == {second: None}
    assert sorted(supplies(standin).values()) == [[int(first)], [int(second)]]


def test_an_answer_that_was_lost_is_looked_up_instead_of_writing_again(
    standin: Standin, client: MarketplaceClient
) -> None:
    order_id = standin.wildberries.order(("1", 1))
    order = one(client, order_id)
    standin.misbehave("/supplies/.*/orders", status=500, is_applied=True)
    assert client.accept([order]) == {order_id: None}
    assert len(standin.calls("/supplies/.*/orders")) == 1


def test_a_fault_while_taking_on_says_so_for_each_order(standin: Standin, client: MarketplaceClient) -> None:
    order_id = standin.wildberries.order(("1", 1))
    order = one(client, order_id)
    standin.misbehave("/supplies/.*/orders", status=500, times=0)
    assert isinstance(client.accept([order])[order_id], ServerError)
    assert standin.wildberries[order_id].status == "new"


def test_an_order_is_cancelled_once_and_a_final_no_is_refused(standin: Standin, client: MarketplaceClient) -> None:
    order_id, sent = standin.wildberries.orders(2, ("1", 1))
    order = one(client, order_id)
    client.roll_back(order, reason="the customer called")
    assert standin.wildberries[order_id].status == "cancel"
    # With what was read before, and with what is read now: it is in order.
    client.roll_back(order, reason="again")
    client.roll_back(one(client, order_id), reason="again")
    assert len(standin.calls("/cancel")) == 2
    standin.wildberries.change(sent, status="complete")
    with pytest.raises(Refused, match="статусов") as caught:
        client.roll_back(one(client, sent), reason="too late")
    assert (caught.value.code, caught.value.status) == ("StatusMismatch", 409)
    standin.wildberries.vanish(order_id)
    with pytest.raises(NotFound):
        client.roll_back(order, reason="gone")


# --- stock --------------------------------------------------------------------------------------------------------


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


# --- keys and limits ----------------------------------------------------------------------------------------------


def test_a_cheap_call_tests_the_key(standin: Standin, account: SellerAccount) -> None:
    assert client_of(account).test() == "Мой склад"
    assert [exchange.path for exchange in standin.calls()] == ["/wildberries/api/v3/warehouses"]
    account.credentials = {"token": "wrong"}
    with pytest.raises(NotAuthorised, match="token is malformed"):
        client_of(account).test()
    account.credentials = None
    with pytest.raises(NotConnected):
        client_of(account)


def test_a_client_is_kept_while_the_keys_stay_the_same(account: SellerAccount) -> None:
    first = client_of(account)
    assert client_of(SellerAccount.objects.get(pk=account.pk)) is first
    assert client_of(account, read_timeout=60.0) is not first
    account.credentials = {"token": "another"}
    assert client_of(account) is not first


def test_a_token_says_itself_when_it_ends(account: SellerAccount) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_800_000_000}).encode()).decode().rstrip("=")
    account.credentials = {"token": f"head.{claims}.signature"}
    assert client_of(account).key_expires_at() == datetime.fromtimestamp(1_800_000_000, UTC)
    for token in ("opaque", "a.b.c", "a.e30.c", ""):
        account.credentials = {"token": token}
        assert client_of(account).key_expires_at() is None


def test_the_limit_is_kept_so_that_no_429_ever_comes(
    standin: Standin, client: MarketplaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Time passes at the marketplace as we wait.
    monkeypatch.setattr(http, "pause", standin.advance)
    client.test()
    standin.limits(on=True)
    for _ in range(60):
        client.test()
    assert {exchange.answer.status for exchange in standin.calls()} == {200}


def test_a_429_is_waited_out_as_wildberries_says(
    standin: Standin, client: MarketplaceClient, pauses: list[float]
) -> None:
    standin.misbehave(
        "/warehouses", status=429, body={"title": "too many requests"}, headers={"X-Ratelimit-Retry": "4"}
    )
    assert client.test() == "Мой склад"
    assert [round(wait, 6) for wait in pauses] == [4]
