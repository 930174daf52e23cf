"""Matching SKUs of a marketplace with products of the shop."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from foundation.errors import InvalidInput
from foundation.uuids import uuid7
from marketplaces.choices import OrderState, Scheme
from marketplaces.errors import UnknownAccount, UnknownListing
from marketplaces.models import (
    Listing,
    MarketplaceOrder,
    MarketplaceOrderLine,
    MarketplaceStock,
    SellerAccount,
    StockOperation,
)
from marketplaces.services.listings import MOST_AT_ONCE, Match, add_listing, change_listing, delete_listing, match_many
from tests.marketplaces.shelf import listed, seller
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def account(shop: Shop) -> SellerAccount:
    return seller(shop)


def stock_of(account: SellerAccount, sku: str, **fields: Any) -> MarketplaceStock:
    values = {"source": "fbs", "stock_type": Scheme.FBS, "snapshot_date": timezone.now().date(), **fields}
    return MarketplaceStock.objects.create(account=account, sku=sku, **values)


def order_of(account: SellerAccount, sku: str, **fields: Any) -> MarketplaceOrder:
    order = MarketplaceOrder.objects.create(
        account=account, external_id=str(uuid7()), status="x", state=OrderState.READY, payload={}, payload_digest=""
    )
    values = {"external_line_id": "1", "quantity": 2, **fields}
    MarketplaceOrderLine.objects.create(order=order, sku=sku, **values)
    return order


def test_a_match_takes_the_stock_of_its_sku_along_and_wakes_the_orders_that_waited_for_it(
    shop: Shop, account: SellerAccount
) -> None:
    latte, other = shop.product("Latte"), seller(shop)
    mine, theirs = stock_of(account, "L-1"), stock_of(other, "L-1")
    later = timezone.now() + datetime.timedelta(hours=1)
    waiting = StockOperation.objects.create(
        account=account, order=order_of(account, "L-1"), attempts=3, next_attempt_at=later
    )
    elsewhere = StockOperation.objects.create(
        account=account, order=order_of(account, "X-9"), attempts=3, next_attempt_at=later
    )

    listing = add_listing(account_id=account.pk, match=Match(" L-1 ", latte.pk, quantity=3, buffer=2, name="Latte ×3"))

    assert (listing.sku, listing.product, listing.quantity, listing.buffer) == ("L-1", latte, 3, 2)
    assert (listing.offered, listing.push_wanted_at is not None) == (None, True)
    for row in (mine, theirs):
        row.refresh_from_db()
    assert (mine.product, theirs.product) == (latte, None)
    due = dict(StockOperation.objects.values_list("pk", "next_attempt_at"))
    assert due[waiting.pk] <= timezone.now()
    assert due[elsewhere.pk] == later


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"sku": "  "}, "sku"),
        ({"sku": "x" * 101}, "sku"),
        ({"sku": "a\0b"}, "sku"),
        ({"sku": "TAKEN"}, "sku"),
        ({"product_id": 999_999}, "product"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1_000_001}, "quantity"),
        ({"buffer": -1}, "buffer"),
        ({"name": "x" * 301}, "name"),
        ({"barcode": "x" * 61}, "barcode"),
    ],
)
def test_a_match_that_makes_no_sense_is_refused_at_its_field(
    shop: Shop, account: SellerAccount, fields: dict[str, Any], at: str
) -> None:
    latte = shop.product("Latte")
    listed(account, latte, "TAKEN")
    with pytest.raises(InvalidInput) as refusal:
        add_listing(account_id=account.pk, match=Match(**{"sku": "L-1", "product_id": latte.pk, **fields}))
    assert set(refusal.value.errors) == {at}
    assert refusal.value.detail
    assert Listing.objects.count() == 1


def test_several_are_matched_all_or_none_and_each_fault_stands_at_its_place(shop: Shop, account: SellerAccount) -> None:
    latte, mocha = shop.product("Latte"), shop.product("Mocha")
    listed(account, latte, "TAKEN")
    wrong = [Match("A", latte.pk), Match("A", latte.pk), Match("TAKEN", latte.pk), Match("B", 0, quantity=0)]
    with pytest.raises(InvalidInput) as refusal:
        match_many(account_id=account.pk, matches=wrong)
    assert set(refusal.value.errors) == {
        "matches[1].sku", "matches[2].sku", "matches[3].product", "matches[3].quantity",
    }  # fmt: skip
    assert Listing.objects.count() == 1
    for matches in ([], [Match(str(number), latte.pk) for number in range(MOST_AT_ONCE + 1)]):
        with pytest.raises(InvalidInput):
            match_many(account_id=account.pk, matches=matches)
    with pytest.raises(UnknownAccount):
        match_many(account_id=uuid7(), matches=[Match("A", latte.pk)])

    stock = [stock_of(account, sku) for sku in ("A", "B")]
    assert len(match_many(account_id=account.pk, matches=[Match("A", latte.pk), Match("B", mocha.pk)])) == 2
    assert list(MarketplaceStock.objects.order_by("sku").values_list("product", flat=True)) == [latte.pk, mocha.pk]
    assert len(stock) == 2


def test_a_change_moves_the_stock_and_tries_what_was_refused_again(shop: Shop, account: SellerAccount) -> None:
    latte, mocha = shop.product("Latte"), shop.product("Mocha")
    listing = listed(account, latte, "L-1", push_attempts=7, push_error="No.", push_not_before=timezone.now())
    stock = stock_of(account, "L-1", product=latte)

    change_listing(listing_id=listing.pk, changes={"name": "Mocha!"})
    listing.refresh_from_db()
    assert (listing.name, listing.push_attempts, listing.push_wanted_at) == ("Mocha!", 7, None)

    change_listing(listing_id=listing.pk, changes={"product_id": mocha.pk, "buffer": 4})
    listing.refresh_from_db()
    stock.refresh_from_db()
    assert (listing.product, listing.buffer, stock.product) == (mocha, 4, mocha)
    assert (listing.push_attempts, listing.push_error, listing.push_not_before) == (0, "", None)
    assert listing.push_wanted_at is not None

    for changes in ({"sku": "L-2"}, {"offered": 5}, {"quantity": 0}, {"product_id": 0}):
        with pytest.raises(InvalidInput):
            change_listing(listing_id=listing.pk, changes=changes)
    before = Listing.objects.values().get()
    assert (before["sku"], before["quantity"], before["product_id"]) == ("L-1", 1, mocha.pk)
    with pytest.raises(UnknownListing):
        change_listing(listing_id=0, changes={})


def test_without_its_listing_a_sku_is_unmatched_again(shop: Shop, account: SellerAccount) -> None:
    latte = shop.product("Latte")
    listing = listed(account, latte, "L-1")
    stock = stock_of(account, "L-1", product=latte)
    delete_listing(listing_id=listing.pk)
    stock.refresh_from_db()
    assert stock.product is None
    assert not Listing.objects.exists()
    with pytest.raises(UnknownListing):
        delete_listing(listing_id=listing.pk)
