"""Quantities reach each of the three marketplaces, over HTTP, and what they do with them."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from marketplaces.choices import Marketplace
from marketplaces.clients import http
from marketplaces.models import ApiGate, Listing, SellerAccount, SyncRun
from marketplaces.services.order_sync import sync_orders
from marketplaces.services.pipeline import advance_operations
from marketplaces.services.pushes import accounts_to_push, push_quantities
from tests.marketplaces.shelf import listed, seller
from tests.marketplaces.standin import Keeper, Standin
from tests.shop import Shop

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)
WRITES = {
    Marketplace.ALLEGRO: "offer-quantity-change-commands/[^/]+$",
    Marketplace.OZON: "/v2/products/stocks",
    Marketplace.WILDBERRIES: "/api/v3/stocks/",
}


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _seconds: None)


class Cafe:
    """A latte (200 ml of 2 l) that is sold at the counter and on one marketplace, which shows 50 of it at first."""

    def __init__(self, standin: Standin) -> None:
        self.standin, self.shop = standin, Shop.open()
        self.milk = self.shop.ingredient("Milk", "ml", stock=2000)
        self.latte = self.shop.product("Latte", recipe={self.milk: 200})

    def sells_on(self, marketplace: Marketplace, sku: str = "111") -> tuple[SellerAccount, Keeper]:
        keeper: Keeper = getattr(self.standin, marketplace.value)
        keeper.offer(sku=sku, pieces=50)
        fields: dict[str, Any] = {"push_warehouse_id": keeper.warehouse_id}
        if marketplace == Marketplace.ALLEGRO:
            now = timezone.now()
            tokens = {**keeper.tokens(), "issued_at": now.isoformat(), "expires_in": 43_199}
            fields = {"tokens": tokens, "access_expires_at": now + datetime.timedelta(hours=12)}
        account = seller(self.shop, marketplace.value, credentials=keeper.keys, **fields)
        listed(account, self.latte, sku)
        return account, keeper


@pytest.fixture
def cafe(standin: Standin) -> Cafe:
    return Cafe(standin)


def push(account: SellerAccount, after: datetime.timedelta = datetime.timedelta(0)) -> SyncRun | None:
    return push_quantities(account_id=account.pk, at=timezone.now() + after)


@pytest.mark.parametrize("marketplace", list(Marketplace))
def test_a_quantity_is_written_read_back_and_follows_the_stock_down_to_nothing_and_up_again(
    cafe: Cafe, marketplace: Marketplace
) -> None:
    account, keeper = cafe.sells_on(marketplace)
    run = push(account)
    assert run is not None
    assert (run.status, run.updated, run.message, run.problems) == ("success", 1, "", [])
    assert keeper.shown("111") == 10

    cafe.shop.sell(cafe.latte, 3)
    push(account)
    assert keeper.shown("111") == 7

    cafe.shop.sell(cafe.latte, 7)
    push(account)
    assert Listing.objects.get().offered == 0
    assert keeper.is_ended("111") if marketplace == Marketplace.ALLEGRO else keeper.shown("111") == 0

    cafe.shop.receive({cafe.milk: 400})
    push(account)
    assert (keeper.shown("111"), keeper.is_ended("111")) == (2, False)
    assert push(account) is None
    assert accounts_to_push(now=timezone.now()) == []


def test_one_pot_of_milk_is_offered_on_three_marketplaces_and_each_sale_lowers_all(cafe: Cafe) -> None:
    sellers = [cafe.sells_on(marketplace) for marketplace in Marketplace]
    for account, _keeper in sellers:
        push(account)
    assert [keeper.shown("111") for _account, keeper in sellers] == [10, 10, 10]

    cafe.shop.sell(cafe.latte)
    account, keeper = sellers[0]
    keeper.order(("111", 2))
    sync_orders(account_id=account.pk)
    # Claimed, not deducted yet: already nobody else is offered these two.
    for one, _keeper in sellers:
        push(one)
    assert [one.shown("111") for _account, one in sellers] == [7, 7, 7]

    progress = advance_operations()
    assert cafe.shop.quantity(cafe.milk) == 1400
    assert sorted(progress.accounts_to_push) == sorted(account.pk for account, _keeper in sellers)
    for pk in progress.accounts_to_push:
        assert push_quantities(account_id=pk, at=timezone.now()) is None
    assert not Listing.objects.filter(push_wanted_at__isnull=False).exists()


@pytest.mark.parametrize("marketplace", list(Marketplace))
def test_a_connection_that_is_cut_while_writing_is_put_right_whether_it_arrived_or_not(
    cafe: Cafe, standin: Standin, marketplace: Marketplace
) -> None:
    account, keeper = cafe.sells_on(marketplace)
    for is_applied in (True, False):
        standin.misbehave(WRITES[marketplace], cut="before", is_applied=is_applied, times=9)
        push(account, MINUTE)
        assert Listing.objects.get().offered != 10
        standin.calm()
        ApiGate.objects.all().delete()
        push(account, 30 * MINUTE)
        assert (keeper.shown("111"), Listing.objects.get().offered) == (10, 10)
        cafe.shop.sell(cafe.latte)
        push(account, 30 * MINUTE)
        cafe.shop.receive({cafe.milk: 200})


def test_wildberries_204_that_changes_nothing_is_seen_and_said(cafe: Cafe, standin: Standin) -> None:
    account, keeper = cafe.sells_on(Marketplace.WILDBERRIES)
    standin.misbehave("/api/v3/stocks/", method="PUT", status=204, body="", times=1)
    run = push(account)
    assert run is not None
    assert (run.status, run.problems) == (
        "partial",
        [{"item": "111", "reason": "The marketplace took 10 and shows 50."}],
    )
    assert (keeper.shown("111"), Listing.objects.get().offered) == (50, 50)
    assert push(account, datetime.timedelta(seconds=29)) is None
    push(account, datetime.timedelta(seconds=31))
    assert keeper.shown("111") == 10


def test_ozon_takes_a_pair_once_in_thirty_seconds_and_the_next_run_is_in_time(cafe: Cafe, standin: Standin) -> None:
    account, keeper = cafe.sells_on(Marketplace.OZON)
    standin.limits(on=True)
    push(account)
    cafe.shop.sell(cafe.latte)
    run = push(account)
    assert run is not None
    assert (run.status, run.skipped, run.error) == ("partial", 1, 0)
    assert keeper.shown("111") == 10
    assert push(account) is None

    standin.advance(31)
    push(account, datetime.timedelta(seconds=31))
    assert keeper.shown("111") == 9
    assert Listing.objects.get().push_attempts == 0
