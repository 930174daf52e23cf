"""Orders and stock of each marketplace come into the shop, over HTTP, and go on where they stopped."""

import datetime
from collections.abc import Callable

import pytest
from django.utils import timezone

from marketplaces.choices import Marketplace, OrderState
from marketplaces.clients import http
from marketplaces.models import (
    ApiGate,
    MarketplaceOrder,
    MarketplaceOrderRevision,
    MarketplaceStock,
    SellerAccount,
    StockOperation,
    SyncRun,
)
from marketplaces.services.order_sync import sync_orders
from marketplaces.services.stock_import import import_stock
from tests.marketplaces.market import seller
from tests.marketplaces.standin import Keeper, Standin

pytestmark = pytest.mark.django_db

ALL = [Marketplace.ALLEGRO, Marketplace.OZON, Marketplace.WILDBERRIES]


@pytest.fixture(params=ALL)
def marketplace(request) -> Marketplace:
    return request.param


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _seconds: None)


@pytest.fixture
def keeper(standin: Standin, marketplace: Marketplace) -> Keeper:
    return getattr(standin, marketplace.value)


def account_of(keeper: Keeper, marketplace: Marketplace) -> SellerAccount:
    """An account with the keys of this seller of the stand-in."""
    fields = {}
    if marketplace == Marketplace.ALLEGRO:
        now = timezone.now()
        fields = {
            "tokens": {**keeper.tokens(), "issued_at": now.isoformat(), "expires_in": 43_199},
            "access_expires_at": now + datetime.timedelta(hours=12),
        }
    return seller(marketplace, credentials=keeper.keys, **fields)


@pytest.fixture
def account(keeper: Keeper, marketplace: Marketplace) -> SellerAccount:
    return account_of(keeper, marketplace)


@pytest.fixture
def sync(account: SellerAccount) -> Callable[[], SyncRun]:
    def run() -> SyncRun:
        done = sync_orders(account_id=account.pk)
        assert done.error_kind == "", done.message
        return done

    return run


def mirrored() -> dict[str, str]:
    return dict(MarketplaceOrder.objects.values_list("external_id", "state"))


def test_orders_arrive_change_are_cancelled_and_are_read_once_each(keeper, sync):
    keeper.offer(sku="1", pieces=50)
    # A Wildberries order is one piece.
    first, second = keeper.orders(2, ("1", 1))

    run = sync()
    assert (run.status, run.updated) == ("success", 2)
    assert mirrored() == {first: OrderState.READY, second: OrderState.READY}
    assert list(MarketplaceOrder.objects.values_list("lines__quantity", flat=True)) == [1, 1]
    assert StockOperation.objects.count() == 2
    versions = MarketplaceOrderRevision.objects.count()

    assert sync().updated == 0
    assert MarketplaceOrderRevision.objects.count() == versions

    keeper.cancel(first)
    third = keeper.order(("1", 1))
    assert sync().updated == 2
    assert mirrored() == {first: OrderState.CANCELLED, second: OrderState.READY, third: OrderState.READY}
    cancelled = StockOperation.objects.filter(cancellation_requested_at__isnull=False)
    assert list(cancelled.values_list("order__external_id", flat=True)) == [first]


def test_after_an_outage_nothing_is_missing(standin, keeper, account, sync):
    keeper.offer(sku="1", pieces=500)
    before = keeper.orders(3, ("1", 1))
    sync()
    since = keeper.orders(3, ("1", 1))
    path = {"allegro": "checkout-forms", "ozon": "posting", "wildberries": "orders"}[account.marketplace]
    standin.misbehave(path, status=500, times=30)
    assert sync_orders(account_id=account.pk).status == "failed"
    standin.calm()

    ApiGate.objects.all().delete()  # the breaker's patience is over
    sync()

    assert set(mirrored()) == {*before, *since}
    assert StockOperation.objects.count() == 6


def test_joint_payment_and_an_order_that_is_gone(standin):
    keeper, account = standin.allegro, account_of(standin.allegro, Marketplace.ALLEGRO)
    keeper.offer(sku="1", pieces=50)
    keeper.offer(sku="2", pieces=50)
    one, two, gone = keeper.order(("1", 1)), keeper.order(("2", 1)), keeper.order(("1", 3))
    sync_orders(account_id=account.pk)

    joint = keeper.pay_together(one, two)
    keeper.vanish(gone)
    keeper.event(gone, "READY_FOR_PROCESSING")
    sync_orders(account_id=account.pk)

    orders = {order.external_id: order for order in MarketplaceOrder.objects.select_related("merged_into")}
    assert orders[one].merged_into == orders[two].merged_into == orders[joint]
    assert orders[gone].vanished_at is not None
    asked = StockOperation.objects.filter(cancellation_requested_at__isnull=False)
    assert set(asked.values_list("order__external_id", flat=True)) == {one, two}


def test_stock_arrives_and_a_second_import_writes_nothing(keeper, account):
    # Allegro keeps an offer in one place.
    places = [keeper.warehouse_id] if account.marketplace == Marketplace.ALLEGRO else list(keeper.seller.warehouses)
    for number in range(30):
        keeper.offer(sku=f"{number + 1}", pieces=dict.fromkeys(places, 5))

    first = import_stock(account_id=account.pk)
    assert (first.status, first.error_kind) == ("success", ""), first.message
    assert first.updated == first.processed == MarketplaceStock.objects.count() >= 30 * len(places)
    second = import_stock(account_id=account.pk)

    assert (second.status, second.processed, second.updated) == ("success", first.processed, 0)
