"""Listings, their matching, and the switch in the admin."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inventory.models import Product
from marketplaces import tasks
from marketplaces.models import Listing, MarketplaceSwitch, SellerAccount
from marketplaces.services import push_alarms
from marketplaces.services.switch import stop_pushes
from tests.inventory.admin_pages import said, signed_in, text_of
from tests.marketplaces.shelf import listed, seller
from tests.marketplaces.test_listings import stock_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:marketplaces_listing_{name}", args=args)


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def manager() -> Client:
    return signed_in("manager")


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What a worker would be given; the broker is the network."""
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.push_quantities, "delay", lambda *arguments: sent.append(arguments))
    return sent


def test_the_list_says_what_may_be_offered_what_is_shown_and_what_is_wrong(shop: Shop, manager: Client) -> None:
    account = seller(shop)
    latte = shop.product("Latte", recipe={shop.ingredient("Milk", "ml", stock=2000): 200})
    listed(account, latte, "GOOD", offered=10)
    listed(account, latte, "BAD", offered=4, push_error="The marketplace took 10 and shows 4.", push_attempts=3)
    listed(account, shop.product("Gift card"), "GIFT")
    listed(account, latte, "OFF", is_active=False)
    other = seller(shop, "allegro")
    for number in range(20):
        listed(other, latte, f"A-{number:02}")

    with CaptureQueriesContext(connection) as seen:
        shown = text_of(manager.get(page("changelist")))
    assert len(seen) <= 25
    for word in ("GOOD", "up to date", "refused", "not tracked", "left alone", "not read yet"):
        assert word in shown
    refused = text_of(manager.get(page("changelist"), {"state": "refused", "account__id__exact": str(account.pk)}))
    assert "BAD" in refused
    assert "GOOD" not in refused
    assert "GOOD" in text_of(manager.get(page("changelist"), {"q": "good"}))


def test_a_listing_is_added_changed_and_deleted_by_the_services(shop: Shop, manager: Client) -> None:
    account, latte, mocha = seller(shop), shop.product("Latte"), shop.product("Mocha")
    form = {"account": account.pk, "sku": "L-1", "product": latte.pk, "quantity": "3", "buffer": "2", "is_active": "on"}
    assert manager.post(page("add"), form).status_code == 302
    listing = Listing.objects.get()
    assert (listing.sku, listing.quantity, listing.buffer, listing.push_wanted_at is not None) == ("L-1", 3, 2, True)

    taken = manager.post(page("add"), form)
    assert taken.status_code == 200
    assert "This SKU is matched to a product already." in text_of(taken)
    wrong = manager.post(page("add"), {**form, "sku": "L-2", "quantity": "0"})
    assert "quantity" in wrong.context["adminform"].form.errors

    changed = {"product": mocha.pk, "quantity": "1", "buffer": "0", "is_active": "on", "sku": "X", "name": "Mocha"}
    assert manager.post(page("change", listing.pk), changed).status_code == 302
    listing.refresh_from_db()
    assert (listing.sku, listing.product, listing.quantity, listing.name) == ("L-1", mocha, 1, "Mocha")
    assert "Mocha" in text_of(manager.get(page("change", listing.pk)))

    assert manager.post(page("delete", listing.pk), {"post": "yes"}).status_code == 302
    assert not Listing.objects.exists()


def unmatched_of(shop: Shop) -> tuple[SellerAccount, Product, Product]:
    account, latte, mocha = seller(shop), shop.product("Matcha latte"), shop.product("Mocha")
    Product.objects.filter(pk=mocha.pk).update(sku="MO-1")
    stock_of(account, "A", name="Matcha latte, 300 ml", present=3)
    stock_of(account, "MO-1", name="Something")
    stock_of(account, "Z", name="Detergent")
    return account, latte, mocha


def lines(*rows: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"lines-TOTAL_FORMS": len(rows), "lines-INITIAL_FORMS": 0}
    for place, row in enumerate(rows):
        data |= {f"lines-{place}-{name}": value for name, value in row.items()}
    return data


def test_unmatched_skus_come_with_what_they_might_be_and_are_matched_together(shop: Shop, manager: Client) -> None:
    account, latte, mocha = unmatched_of(shop)

    with CaptureQueriesContext(connection) as seen:
        response = manager.get(page("unmatched"))
    assert len(seen) <= 25
    offered = [
        {name: one["line"][name].value() for name in ("sku", "take", "product")} for one in response.context["rows"]
    ]
    assert offered == [
        {"sku": "A", "take": False, "product": latte.pk},
        {"sku": "MO-1", "take": True, "product": mocha.pk},
        {"sku": "Z", "take": False, "product": None},
    ]
    shown = text_of(response)
    for word in ("same number", "looks like it", "in stock there: 3", "Matcha latte"):
        assert word in shown

    sent = lines(
        {"sku": "A", "name": "Matcha latte, 300 ml", "take": "on", "product": latte.pk, "quantity": "2"},
        {"sku": "MO-1", "take": "on", "product": mocha.pk, "quantity": ""},
        {"sku": "Z", "product": "", "quantity": "1"},
    )
    response = manager.post(f"{page('unmatched')}?account={account.pk}", sent, follow=True)
    assert said(response) == ["2 SKUs are matched."]
    assert list(Listing.objects.order_by("sku").values_list("sku", "product", "quantity", "name")) == [
        ("A", latte.pk, 2, "Matcha latte, 300 ml"),
        ("MO-1", mocha.pk, 1, ""),
    ]
    assert [one["sku"] for one in response.context["rows"]] == ["Z"]


def test_what_can_not_be_matched_is_said_at_its_row_and_nothing_is_taken(shop: Shop, manager: Client) -> None:
    account, latte, _mocha = unmatched_of(shop)
    listed(account, latte, "A")
    address = f"{page('unmatched')}?account={account.pk}"

    nothing = manager.post(address, lines({"sku": "Z", "product": latte.pk, "quantity": "1"}))
    assert "Choose a product for at least one SKU." in text_of(nothing)
    without = manager.post(address, lines({"sku": "Z", "take": "on", "product": "", "quantity": "1"}))
    assert without.context["rows"][0]["line"].errors == {"product": ["Choose a product."]}
    good = {"take": "on", "product": latte.pk, "quantity": "1"}
    taken = manager.post(address, lines({"sku": "Q", "product": ""}, {"sku": "Z", **good}, {"sku": "A", **good}))
    assert taken.context["rows"][2]["line"].errors == {"sku": ["This SKU is matched to a product already."]}
    assert "This SKU is matched to a product already." in text_of(taken)
    unknown = manager.post(
        address, lines({"sku": "Z", **good, "product": "999999"}, {"sku": "Y", **good, "product": "x"})
    )
    assert unknown.context["rows"][1]["line"].errors == {"product": ["Choose a product."]}
    assert Listing.objects.count() == 1


def test_many_unmatched_skus_are_paged(shop: Shop, manager: Client) -> None:
    account = seller(shop)
    for number in range(31):
        stock_of(account, f"S-{number:02}")
    with CaptureQueriesContext(connection) as seen:
        first = manager.get(page("unmatched"))
    assert len(seen) <= 25
    assert len(first.context["rows"]) == 30
    assert [one["sku"] for one in manager.get(first.context["next_url"]).context["rows"]] == ["S-30"]


def test_send_now_hands_the_account_to_a_worker_once(
    shop: Shop, manager: Client, handed_over: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    account = seller(shop)
    listing = listed(account, shop.product("Latte"), "L-1", push_attempts=4, push_not_before=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        response = manager.post(page("verb", listing.pk, "send"), follow=True)
    assert said(response) == ["The quantities of this account are being sent."]
    user = response.wsgi_request.user.pk
    assert handed_over == [(str(account.pk), False, user)]
    listing.refresh_from_db()
    assert listing.push_not_before is None

    form = {"verb": "send", "account": str(account.pk), "sure": "yes", "once": "a" * 32}
    with django_capture_on_commit_callbacks(execute=True):
        manager.post(page("quantities"), form)
        manager.post(page("quantities"), form)
    assert handed_over[1:] == [(str(account.pk), True, user)]

    SellerAccount.objects.update(mode="read_only")
    refused = manager.post(page("quantities"), {"verb": "send", "account": str(account.pk)}, follow=True)
    assert said(refused)[-1] == "The account is read only: nothing is written to the marketplace."
    for body in ({"verb": "send", "account": "x"}, {"verb": "dance"}, {}):
        assert manager.post(page("quantities"), body).status_code == 404
    assert len(handed_over) == 2


def test_the_page_of_quantities_shows_how_each_account_stands(shop: Shop, manager: Client) -> None:
    latte = shop.product("Latte", recipe={shop.ingredient("Milk", "ml", stock=2000): 200})
    for marketplace in ("ozon", "allegro", "wildberries"):
        account = seller(shop, marketplace)
        listed(account, latte, "L-1", offered=10)
        listed(account, latte, "L-2", offered=3, push_error="No.")
        listed(account, shop.product(f"Gift {marketplace}"), "G-1")
    push_alarms.say(push_alarms.PUSHES_HELD, account, emptied=12, listings=20)
    with CaptureQueriesContext(connection) as seen:
        response = manager.get(page("quantities"))
    assert len(seen) <= 25
    state = next(one for one in response.context["states"] if one.account == account)
    assert (state.listings, state.different, state.refused, state.untracked) == (3, 1, 1, 1)
    shown = text_of(response)
    assert "12 of 20 listings would be shown with nothing" in shown
    assert "Send all the same" in shown


def test_the_switch_stops_everything_with_a_reason_and_every_page_says_so(shop: Shop, manager: Client) -> None:
    without = manager.post(page("quantities"), {"verb": "stop", "stop-reason": " "})
    assert without.context["stop_form"].errors == {"reason": ["This field is required."]}
    response = manager.post(page("quantities"), {"verb": "stop", "stop-reason": "Wrong prices"}, follow=True)
    assert said(response) == ["Nothing is sent to the marketplaces any more."]
    switch = MarketplaceSwitch.objects.get()
    assert (switch.reason, switch.stopped_by_id) == ("Wrong prices", response.wsgi_request.user.pk)

    listing = listed(seller(shop), shop.product("Latte"), "L-1")
    accounts, monitor = (reverse(f"admin:marketplaces_selleraccount_{name}") for name in ("changelist", "monitor"))
    for address in (page("changelist"), page("change", listing.pk), page("unmatched"), accounts, monitor):
        assert "Nothing is sent to the marketplaces." in text_of(manager.get(address)), address
    assert "Wrong prices" in text_of(manager.get(page("quantities")))

    assert said(manager.post(page("quantities"), {"verb": "start"}, follow=True)) == [
        "Quantities and order statuses are sent again."
    ]
    assert "Nothing is sent to the marketplaces." not in text_of(manager.get(page("changelist")))


def test_who_may_only_look_can_neither_switch_nor_send(shop: Shop) -> None:
    stop_pushes(reason="x", by_id=None, at=timezone.now())
    listing = listed(seller(shop), shop.product("Latte"), "L-1")
    barista = signed_in("barista")
    for address in (page("changelist"), page("unmatched"), page("quantities"), page("change", listing.pk)):
        assert barista.get(address).status_code == 403
    for verb in ("start", "stop", "send"):
        assert barista.post(page("quantities"), {"verb": verb}).status_code == 403
    assert MarketplaceSwitch.objects.get().pushes_stopped_at is not None
