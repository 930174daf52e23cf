"""How Wildberries' orders are read; what the client and the stand-in say is compared with the specification."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients import wildberries_orders
from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient, OrderPage
from marketplaces.clients.wildberries_values import state_of
from marketplaces.errors import (
    BadAnswer,
    MarketplaceError,
    NotAuthorised,
    ServerError,
)
from marketplaces.models import MarketplaceOrder, MarketplaceOrderRevision, SellerAccount, SyncCursor
from marketplaces.services.mirror import store_page
from tests.marketplaces.standin import Standin
from tests.marketplaces.wildberries.seller import one, sync

pytestmark = pytest.mark.django_db


def told(pages: list[OrderPage]) -> dict[str, OrderState]:
    return {order.external_id: order.state for page in pages for order in page.orders}


def problems(pages: list[OrderPage]) -> list[str]:
    return [problem.item for page in pages for problem in page.problems]


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
    cursors = {"orders": {**window(), "from": int((timezone.now() - timedelta(days=1)).timestamp())}}
    reader = client_of(account).order_pages(cursors=cursors, since=None)
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
    # What is at its end is not asked again; what vanished may come back for a while.
    standin.forget_calls()
    assert told(sync(account)) == {}
    [status_call] = standin.calls("/orders/status")
    assert status_call.request.json() == {"orders": [int(quiet), int(gone)]}
    MarketplaceOrder.objects.filter(external_id=gone).update(vanished_at=now - timedelta(days=31))
    standin.forget_calls()
    sync(account)
    [status_call] = standin.calls("/orders/status")
    assert status_call.request.json() == {"orders": [int(quiet)]}


def test_an_answer_that_leaves_orders_out_by_mistake_does_not_end_what_is_heard_of_them(
    standin: Standin, account: SellerAccount
) -> None:
    order_id = standin.wildberries.order(("1", 1), placed_at=(timezone.now() - timedelta(hours=5)).timestamp())
    sync(account)
    standin.misbehave("/orders/status", put={"orders": []})
    sync(account)
    assert MarketplaceOrder.objects.get().vanished_at is not None
    standin.wildberries.cancel(order_id)
    assert told(sync(account)) == {order_id: OrderState.CANCELLED}
    order = MarketplaceOrder.objects.get()
    assert (order.state, order.vanished_at) == (OrderState.CANCELLED, None)


def test_what_lies_between_the_cursor_and_a_later_moment_is_not_jumped_over(
    standin: Standin, account: SellerAccount
) -> None:
    now = timezone.now()
    missed = standin.wildberries.order(("1", 1), placed_at=(now - timedelta(days=2)).timestamp(), status="confirm")
    store_page(
        account_id=account.pk,
        page=OrderPage(
            orders=(),
            cursors={"orders": {"from": int((now - timedelta(days=3)).timestamp()), "to": None, "next": 0}},
            source=MarketplaceOrderRevision.Source.LIST,
        ),
        at=now,
    )
    assert set(told(sync(account, since=now - timedelta(hours=1)))) == {missed}


def test_a_first_run_since_a_moment_leaves_no_earlier_order_out(standin: Standin, account: SellerAccount) -> None:
    old = standin.wildberries.order(("1", 1), placed_at=(timezone.now() - timedelta(days=40)).timestamp())
    assert set(told(sync(account, since=timezone.now() - timedelta(hours=1)))) == {old}


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
