"""Seller accounts, and what is read of them, in the admin."""

from typing import Any

import pytest
from django.test import Client

from inventory.models import Location
from marketplaces.models import MarketplaceOrder, SellerAccount, SyncRun
from marketplaces.payload_diff import Difference, differences
from tests.inventory.admin_pages import queries_of, said, signed_in, text_of
from tests.marketplaces.people import account_of, everything_of, order_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db

LIST = "/admin/marketplaces/selleraccount/"


@pytest.fixture
def place() -> Location:
    return Shop.open().location


@pytest.fixture
def boss(place: Location) -> Client:
    return signed_in("admin")


def test_an_account_is_added_step_by_step_without_a_script(boss: Client, place: Location) -> None:
    assert "Wildberries" in text_of(boss.get(f"{LIST}new/"))
    asked = boss.get(f"{LIST}new/wildberries/").context["form"].fields
    assert list(asked) == ["name", "external_user_id", "token", "push_warehouse_id"]

    answer = boss.post(f"{LIST}new/wildberries/", {"name": "WB", "external_user_id": "shop", "token": "abc"})

    account = SellerAccount.objects.get()
    assert answer.headers["Location"] == f"{LIST}{account.pk}/change/"
    assert (account.location, account.mode, account.credentials) == (place, "read_only", {"token": "abc"})
    assert said(answer) == ["Wildberries: WB is added. It only reads until you let it write."]


def test_a_key_that_is_none_is_said_at_its_field(boss: Client) -> None:
    answer = boss.post(
        f"{LIST}new/ozon/", {"name": "O", "external_user_id": "shop", "client_id": "1", "api_key": "two words"}
    )

    assert list(answer.context["form"].errors) == ["api_key"]
    assert not SellerAccount.objects.exists()


def test_only_a_connected_account_is_let_write_and_the_refusal_is_a_message(boss: Client) -> None:
    account = account_of("shop", "Ozon", connection="none")
    verb = f"{LIST}{account.pk}/verb/live/"

    assert said(boss.post(verb)) == ["The account Ozon is not connected. Connect it first."]
    SellerAccount.objects.update(connection="connected")
    boss.post(verb)

    account.refresh_from_db()
    assert account.mode == "live"


def test_settings_are_saved_and_the_mode_and_the_keys_are_not_among_them(boss: Client, place: Location) -> None:
    account = account_of("shop", location=place)
    numbers = {"orders_every": "30", "stock_every": "60", "max_changes_per_run": "5"}

    answer = boss.post(
        f"{LIST}{account.pk}/change/",
        {"name": "New", "is_active": "on", "push_warehouse_id": "7", **numbers, "mode": "live"},
    )

    account.refresh_from_db()
    assert (answer.status_code, account.name, account.orders_every, account.mode) == (302, "New", 30, "read_only")
    answer = boss.post(f"{LIST}{account.pk}/change/", {"name": "New", **numbers, "orders_every": "1"})
    assert list(answer.context["adminform"].form.errors) == ["orders_every"]


def test_orders_are_read_again_from_a_day_of_the_location(boss: Client, place: Location) -> None:
    place.time_zone = "Asia/Bangkok"
    place.save()
    account = account_of("shop", location=place)

    answer = boss.post(f"{LIST}{account.pk}/verb/resync/", {"resync-since": "2026-01-02"})

    assert said(answer) == ["The orders are being read again."]
    since = SyncRun.objects.get().since
    assert since is not None
    assert since.isoformat() == "2026-01-01T17:00:00+00:00"


def test_an_account_with_orders_stays_and_an_unused_one_is_deleted(boss: Client) -> None:
    used, unused = everything_of("used")["account"], account_of("unused")

    assert "can't be deleted" in said(boss.post(f"{LIST}{used.pk}/delete/", {"post": "yes"}))[0]
    boss.post(f"{LIST}{unused.pk}/delete/", {"post": "yes"})

    assert list(SellerAccount.objects.all()) == [used]


def test_a_mirrored_order_shows_its_lines_what_changed_and_the_raw_order(place: Location) -> None:
    order = everything_of("shop")["order"]

    text = text_of(signed_in("manager").get(f"/admin/marketplaces/marketplaceorder/{order.pk}/change/"))

    assert "TEA-1 Tea" in text
    assert "status created awaiting_packaging" in text
    assert '"status": "awaiting_packaging"' in text


def test_orders_are_found_by_the_beginning_of_their_number(place: Location) -> None:
    account = account_of("shop")
    order_of(account, "AAA-1")
    order_of(account, "BBB-2", number="")
    manager = signed_in("manager")

    def found(words: str) -> list[str]:
        answer = manager.get("/admin/marketplaces/marketplaceorder/", {"q": words})
        return [order.external_id for order in answer.context["cl"].result_list]

    assert (found("N-AAA"), found("BBB"), found("B-2"), found(" ")) == (["AAA-1"], ["BBB-2"], [], ["BBB-2", "AAA-1"])


def test_a_buyer_is_forgotten_with_a_reason(place: Location) -> None:
    order = order_of(account_of("shop"), "A-1")
    MarketplaceOrder.objects.filter(pk=order.pk).update(payload={"id": "A-1", "customer": {"name": "Ivan"}})
    manager, verb = signed_in("manager"), f"/admin/marketplaces/marketplaceorder/{order.pk}/verb/erase/"

    assert manager.post(verb, {"erase-reason": ""}).status_code == 200
    manager.post(verb, {"erase-reason": "by letter"})

    order.refresh_from_db()
    assert order.erased_at is not None
    assert "Ivan" not in str(order.payload)


def test_the_lists_take_as_many_queries_for_twelve_rows_as_for_two(boss: Client) -> None:
    names = ("selleraccount", "marketplaceorder", "marketplacestock", "syncrun")

    def queries() -> dict[str, int]:
        return {name: queries_of(boss, f"/admin/marketplaces/{name}/") for name in names}

    for n in range(2):
        everything_of(f"s{n}")
    few = queries()
    for n in range(2, 12):
        everything_of(f"s{n}")
    assert queries() == few
    assert max(few.values()) <= 25


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [Difference("a.b[1]", "2", "3")]),
        ({"a": None}, {"b": True}, [Difference("b", "", "true"), Difference("a", "null", "")]),
        ({"a": {"b": 1}}, {"a": "x"}, [Difference("a", "{…}", "x")]),
    ],
)
def test_what_differs_is_named_by_its_place(before: Any, after: Any, found: list[Difference]) -> None:
    assert differences(before, after) == found
