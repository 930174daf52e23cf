"""Listings, what is unmatched, and the switch over REST."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from foundation.uuids import uuid7
from inventory.models import Product
from marketplaces.models import Listing
from marketplaces.services.switch import pushes_are_stopped
from tests.marketplaces.shelf import listed, seller
from tests.marketplaces.test_listings import stock_of
from tests.rest import Rest
from tests.shop import Shop, user_of
from users.services.tokens import issue_token

pytestmark = pytest.mark.django_db
LISTINGS = "marketplaces/listings/"


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def manager() -> Rest:
    return Rest.of("manager")


def bound_to(seller_name: str) -> Rest:
    """A manager whose token is bound to a seller."""
    rest = Rest()
    rest.client = APIClient()
    user = user_of("manager", "bound@shop.example")
    secret = issue_token(user=user, name="bound", external_user_id=seller_name).secret
    rest.client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return rest


def test_a_listing_is_made_shown_changed_and_deleted(shop: Shop, manager: Rest) -> None:
    account = seller(shop)
    milk = shop.ingredient("Milk", "ml", stock=2000)
    latte, cocoa = shop.product("Latte", recipe={milk: 200}), shop.product("Cocoa", recipe={milk: 100})

    made = manager.post(LISTINGS, {"account": str(account.pk), "sku": "L-1", "product": latte.pk, "buffer": 2})
    assert made == {
        "id": made["id"], "account": str(account.pk), "sku": "L-1", "product": latte.pk, "product_name": "Latte",
        "quantity": 1, "buffer": 2, "name": "", "barcode": "", "is_active": True, "desired": 8, "why_not": "",
        "offered": None, "offered_at": None, "refused_because": "",
    }  # fmt: skip
    assert manager.get(f"{LISTINGS}{made['id']}/") == made

    changed = manager.patch(f"{LISTINGS}{made['id']}/", {"product": cocoa.pk, "quantity": 3, "buffer": 0})
    assert (changed["product_name"], changed["quantity"], changed["desired"]) == ("Cocoa", 3, 6)
    manager.delete(f"{LISTINGS}{made['id']}/")
    assert not Listing.objects.exists()
    manager.refused("patch", f"{LISTINGS}{made['id']}/", {"buffer": 1}, status=404, kind="not_found")


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"sku": "TAKEN"}, "sku"),
        ({"sku": ""}, "sku"),
        ({"product": 999_999}, "product"),
        ({"product": "1"}, "product"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 2.5}, "quantity"),
        ({"buffer": -1}, "buffer"),
        ({"account": str(uuid7())}, "account"),
        ({"account": "ozon"}, "account"),
        ({"offered": 5}, "offered"),
    ],
)
def test_a_listing_that_makes_no_sense_is_refused_at_its_field(
    shop: Shop, manager: Rest, body: dict[str, Any], at: str
) -> None:
    account, latte = seller(shop), shop.product("Latte")
    listed(account, latte, "TAKEN")
    whole = {"account": str(account.pk), "sku": "L-1", "product": latte.pk, **body}
    manager.refused("post", LISTINGS, whole, status=400, kind="invalid", at=at)
    assert Listing.objects.count() == 1


def test_the_list_is_narrowed_and_takes_as_many_queries_for_many_as_for_few(shop: Shop, manager: Rest) -> None:
    account, other = seller(shop), seller(shop, external_user_id="seller-2")
    latte, gift = shop.product("Latte", recipe={shop.ingredient("Milk", "ml", stock=2000): 200}), shop.product("Gift")
    listed(account, latte, "L-1")
    listed(account, gift, "G-1", push_error="No.", name="Present")
    listed(other, latte, "L-1", is_active=False)

    def found(**parameters: Any) -> list[tuple[str, Any]]:
        return [(row["sku"], row["desired"]) for row in manager.get(LISTINGS, **parameters)["results"]]

    assert found() == [("L-1", 10), ("G-1", None), ("L-1", 10)]
    assert found(account=str(account.pk)) == [("G-1", None), ("L-1", 10)]
    assert found(product=gift.pk) == found(refused="true") == found(search="present") == [("G-1", None)]
    assert found(is_active="false") == found(external_user_id="seller-2") == [("L-1", 10)]
    assert len(found(sku="L-1")) == 2

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            manager.get(LISTINGS)
        return len(seen)

    few = queries()
    for number in range(30):
        listed(account, latte, f"M-{number}")
    assert queries() == few


def test_a_bound_token_knows_only_its_sellers_listings_and_no_switch(shop: Shop) -> None:
    mine, theirs = seller(shop), seller(shop, external_user_id="seller-2")
    latte = shop.product("Latte")
    own, hidden = listed(mine, latte, "MINE"), listed(theirs, latte, "THEIRS")
    rest = bound_to("seller-1")
    assert [row["id"] for row in rest.get(LISTINGS)["results"]] == [own.pk]
    for method in ("get", "patch", "delete"):
        rest.refused(method, f"{LISTINGS}{hidden.pk}/", {}, status=404, kind="not_found")
    body = {"account": str(theirs.pk), "sku": "NEW", "product": latte.pk}
    rest.refused("post", LISTINGS, body, status=400, kind="invalid", at="account")
    rest.refused("get", f"{LISTINGS}unmatched/?account={theirs.pk}", status=400, kind="invalid", at="account")
    assert rest.get(f"{LISTINGS}unmatched/", account=str(mine.pk))["results"] == []
    for method in ("get", "post"):
        rest.refused(method, "marketplaces/switch/", {"stopped": True, "reason": "x"}, status=404, kind="not_found")
    assert Listing.objects.count() == 2
    assert not pushes_are_stopped()


def test_unmatched_skus_come_with_their_suggestion(shop: Shop, manager: Rest) -> None:
    account, latte = seller(shop), shop.product("Latte")
    Product.objects.filter(pk=latte.pk).update(barcode="460")
    stock = stock_of(account, "A", name="Something", barcode="460", present=5)
    stock_of(account, "B")
    address = f"{LISTINGS}unmatched/"

    shown = manager.get(address, account=str(account.pk))
    assert shown["next_after"] is None
    assert shown["results"][0] == {
        "sku": "A", "name": "Something", "barcode": "460", "pieces": 5, "sold": 0,
        "seen_at": stock.last_sync_at.isoformat().replace("+00:00", "Z"),
        "suggestion": {"product_id": latte.pk, "name": "Latte", "is_sure": True},
    }  # fmt: skip
    assert [row["sku"] for row in manager.get(address, account=str(account.pk), after="A")["results"]] == ["B"]
    for query in ("", "?account=x", f"?account={uuid7()}"):
        manager.refused("get", address + query, status=400, kind="invalid", at="account")
    manager.refused("get", f"{address}?account={account.pk}&page=2", status=400, kind="invalid", at="page")


def test_the_switch_is_shown_stopped_and_started(manager: Rest) -> None:
    address = "marketplaces/switch/"
    on = {"stopped": False, "reason": "", "stopped_at": None, "stopped_by": None}
    assert manager.get(address) == on
    manager.refused("post", address, {"stopped": True}, status=400, kind="invalid", at="reason")
    manager.refused("post", address, {}, status=400, kind="invalid", at="stopped")
    stopped = manager.post(address, {"stopped": True, "reason": "Wrong prices"}, status=200)
    assert manager.user is not None
    assert (stopped["stopped"], stopped["reason"], stopped["stopped_by"]) == (True, "Wrong prices", manager.user.pk)
    assert manager.get(address) == stopped
    assert manager.post(address, {"stopped": False}, status=200) == on
    barista = Rest.of("barista")
    for method in ("get", "post"):
        barista.refused(method, address, {"stopped": True}, status=403, kind="permission_denied")
