"""Seller accounts and what is read of them over REST."""

import datetime
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import Location
from marketplaces.models import MarketplaceStock, SellerAccount, SyncRun, SyncState
from marketplaces.services.runs import begin_run
from tests.marketplaces.people import account_of, everything_of, order_of, product
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db

ACCOUNTS, ORDERS = "marketplaces/accounts/", "marketplaces/orders/"
KEYS = {"client_id": "1001", "api_key": "key-1"}


@pytest.fixture
def place() -> Location:
    return Shop.open().location


@pytest.fixture
def boss(place: Location) -> Rest:
    return Rest.of("admin")


def body(**fields: Any) -> dict[str, Any]:
    return {"marketplace": "ozon", "external_user_id": "shop", "name": "Ozon", "credentials": KEYS, **fields}


# --- accounts -----------------------------------------------------------------------------------------


def test_an_account_starts_read_only_and_unconnected_at_the_callers_location(boss: Rest, place: Location) -> None:
    made = boss.post(ACCOUNTS, body())

    assert {name: made[name] for name in ("marketplace", "external_user_id", "name", "mode", "connection")} == {
        "marketplace": "ozon",
        "external_user_id": "shop",
        "name": "Ozon",
        "mode": "read_only",
        "connection": "none",
    }
    assert (made["location"], made["key_age_days"], made["is_demo"]) == (place.pk, 0, False)
    assert "credentials" not in made
    assert boss.get(f"{ACCOUNTS}{made['id']}/") == made
    assert SellerAccount.objects.get().credentials == KEYS


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"marketplace": "amazon"}, "marketplace"),
        ({"external_user_id": ""}, "external_user_id"),
        ({"external_user_id": "x" * 101}, "external_user_id"),
        ({"name": "a\0b"}, "name"),
        ({"location": 999}, "location"),
        ({"orders_every": 5}, "orders_every"),
        ({"stock_every": "60"}, "stock_every"),
        ({"max_changes_per_run": 0}, "max_changes_per_run"),
        ({"credentials": {"client_id": "1001"}}, "credentials.api_key"),
        ({"credentials": {**KEYS, "token": "t"}}, "credentials.token"),
        ({"credentials": "text"}, "credentials"),
        ({"credentials": None}, "credentials"),
        ({"is_demo": True}, "is_demo"),
        ({"connection": "connected"}, "connection"),
        ({"tokens": {}}, "tokens"),
    ],
)
def test_a_wrong_field_is_refused_at_its_name_and_nothing_is_added(boss: Rest, fields: dict[str, Any], at: str) -> None:
    boss.refused("post", ACCOUNTS, body(**fields), status=400, kind="invalid", at=at)

    assert not SellerAccount.objects.exists()


def test_an_account_of_the_same_name_is_refused_and_of_another_seller_not(boss: Rest) -> None:
    boss.post(ACCOUNTS, body())

    boss.refused("post", ACCOUNTS, body(), status=400, kind="invalid", at="non_field_errors")
    boss.post(ACCOUNTS, body(external_user_id="another"))


def test_only_a_connected_account_goes_live(boss: Rest) -> None:
    boss.refused("post", ACCOUNTS, body(mode="live"), status=409, kind="not_connected")
    account = boss.post(ACCOUNTS, body())
    own = f"{ACCOUNTS}{account['id']}/"
    boss.refused("patch", own, {"mode": "live"}, status=409, kind="not_connected")
    assert SellerAccount.objects.get().mode == "read_only"

    SellerAccount.objects.update(connection="connected")
    assert boss.patch(own, {"mode": "live"})["mode"] == "live"
    # Whatever happens to the connection, it may always be told to only read.
    SellerAccount.objects.update(connection="lost")
    assert boss.patch(own, {"mode": "read_only"})["mode"] == "read_only"


def test_settings_are_changed_and_to_whom_it_belongs_is_not(boss: Rest, place: Location) -> None:
    account = account_of("shop")
    other = Location.objects.create(name="Riverside")
    closed = Location.objects.create(name="Cellar", is_active=False)
    own = f"{ACCOUNTS}{account.pk}/"

    changed = boss.patch(own, {"name": "New", "location": other.pk, "orders_every": 30, "is_active": False})

    assert (changed["name"], changed["location"], changed["orders_every"], changed["is_active"]) == (
        *("New", other.pk, 30),
        False,
    )
    for name, value in (("external_user_id", "other"), ("marketplace", "allegro")):
        boss.refused("patch", own, {name: value}, status=400, kind="invalid", at=name)
    boss.refused("patch", own, {"location": closed.pk}, status=409, kind="closed_location")
    account.refresh_from_db()
    assert (account.external_user_id, account.marketplace, account.location) == ("shop", "ozon", other)


def test_a_shorter_interval_counts_at_once(boss: Rest) -> None:
    account = account_of("shop")
    far = timezone.now() + datetime.timedelta(hours=6)
    for what in (SyncRun.What.ORDERS, SyncRun.What.INVENTORY):
        SyncState.objects.create(account=account, what=what, next_due_at=far)

    boss.patch(f"{ACCOUNTS}{account.pk}/", {"stock_every": 5, "orders_every": 600})

    due = dict(SyncState.objects.values_list("what", "next_due_at"))
    assert due["inventory"] < timezone.now() + datetime.timedelta(minutes=6)
    assert due["orders"] == far


def test_only_an_account_of_which_nothing_has_come_is_deleted(boss: Rest) -> None:
    used, unused = everything_of("used")["account"], account_of("unused")
    MarketplaceStock.objects.create(
        account=unused, sku="1", source="fbs", stock_type="FBS", snapshot_date=datetime.date(2026, 1, 1)
    )
    SyncRun.objects.create(account=unused, what="orders", source="Ozon")

    refusal = boss.refused("delete", f"{ACCOUNTS}{used.pk}/", status=409, kind="in_use")
    assert "marketplace orders, stock operations, listings" in refusal["detail"]
    boss.delete(f"{ACCOUNTS}{unused.pk}/")
    boss.refused("delete", f"{ACCOUNTS}{unused.pk}/", status=404, kind="not_found")
    assert list(SellerAccount.objects.all()) == [used]


def test_a_test_says_whose_keys_they_are_or_what_is_wrong(boss: Rest, standin: Any) -> None:
    good = account_of("shop", "Good", credentials=standin.ozon.keys, connection="none")
    bad = account_of("shop", "Bad", credentials=None, credentials_changed_at=None, connection="none")

    answer = boss.post(f"{ACCOUNTS}{good.pk}/test/", {}, 200)
    assert (answer["ok"], bool(answer["seller_name"])) == (True, True)
    assert boss.get(f"{ACCOUNTS}{good.pk}/")["connection"] == "connected"
    answer = boss.post(f"{ACCOUNTS}{bad.pk}/test/", {}, 200, **{"Idempotency-Key": "ignored"})
    assert answer == {"ok": False, "error": "The account Bad is not connected. Connect it first."}


def test_a_sync_that_is_asked_for_begins_a_run_and_hands_it_over(
    boss: Rest, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_of("shop")
    since = "2026-01-01T00:00:00+00:00"

    with django_capture_on_commit_callbacks() as later:
        run = boss.post(f"{ACCOUNTS}{account.pk}/sync/", {"what": "orders", "since": since}, 202)["run"]

    begun = SyncRun.objects.get()
    assert (str(begun.pk), begun.what, begun.source, begun.status) == (run, "orders", "Manual", "running")
    assert begun.since == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert len(later) == 1
    boss.refused("post", f"{ACCOUNTS}{account.pk}/sync/", {"what": "orders"}, status=409, kind="in_progress")
    boss.post(f"{ACCOUNTS}{account.pk}/sync/", {"what": "inventory"}, 202)


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ({}, "what"),
        ({"what": "transactions"}, "what"),
        ({"what": "inventory", "since": "2026-01-01T00:00:00Z"}, "since"),
        ({"what": "orders", "since": "2126-01-01T00:00:00Z"}, "since"),
        ({"what": "orders", "since": "yesterday"}, "since"),
        ({"what": "orders", "from": "x"}, "from"),
    ],
)
def test_a_senseless_sync_is_refused_at_its_field(boss: Rest, asked: dict[str, Any], at: str) -> None:
    account = account_of("shop")

    boss.refused("post", f"{ACCOUNTS}{account.pk}/sync/", asked, status=400, kind="invalid", at=at)

    assert not SyncRun.objects.exists()


def test_an_account_that_is_not_connected_or_not_there_is_not_synchronised(boss: Rest) -> None:
    account = account_of("shop", credentials=None, connection="none")

    boss.refused("post", f"{ACCOUNTS}{account.pk}/sync/", {"what": "orders"}, status=409, kind="not_connected")
    boss.refused("post", f"{ACCOUNTS}{uuid.uuid4()}/sync/", {"what": "orders"}, status=404, kind="not_found")


# --- the lists ----------------------------------------------------------------------------------------


def test_orders_are_narrowed_by_everything_that_tells_them_apart() -> None:
    manager, now = Rest.of("manager"), timezone.now()
    ours, theirs = account_of("ours"), account_of("theirs", marketplace="allegro")
    day = datetime.timedelta(days=1)
    old = order_of(ours, "AAA-1", placed_at=now - 10 * day, state="sent", status="delivering")
    new = order_of(ours, "AAB-2")
    far = order_of(theirs, "CCC-3", number="", state="unknown", placed_at=None)

    def found(**parameters: Any) -> list[str]:
        return [row["id"] for row in manager.get(ORDERS, **parameters)["results"]]

    everything = [str(one.pk) for one in (far, new, old)]
    assert found() == everything
    assert found(account=ours.pk) == everything[1:]
    assert found(account=uuid.uuid4()) == []
    assert found(external_user_id="theirs") == [str(far.pk)]
    assert found(state="sent") == [str(old.pk)]
    assert found(state=["sent", "unknown"]) == [str(far.pk), str(old.pk)]
    assert found(status="delivering") == [str(old.pk)]
    assert found(placed_after=(now - day).isoformat()) == [str(new.pk)]
    assert found(placed_before=(now - day).isoformat()) == [str(old.pk)]
    assert found(search="AA") == everything[1:]
    assert found(search="N-AAB") == [str(new.pk)]
    assert found(search="AB") == []
    for name, value in (("account", "1"), ("state", "lost"), ("placed_after", "x"), ("seller", "1")):
        answer = manager.client.get(f"/api/v1/{ORDERS}", {name: value})
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {name})


def test_a_list_is_light_and_an_order_is_whole() -> None:
    manager, order = Rest.of("manager"), everything_of("shop")["order"]

    (row,) = manager.get(ORDERS)["results"]
    whole = manager.get(f"{ORDERS}{order.pk}/")

    assert (row["total"], row["lines"][0]["price"], row["lines"][0]["quantity"]) == ("249.50", "124.75", 2)
    assert not {"payload", "revisions", "operations"} & set(row)
    assert whole["payload"] == order.payload
    assert [one["payload"]["status"] for one in whole["revisions"]] == ["created", "awaiting_packaging"]
    assert [one["status"] for one in whole["operations"]] == ["pending"]
    assert "buyer_contacts" not in whole


def test_stock_is_narrowed_and_unmatched_skus_are_found() -> None:
    manager, account = Rest.of("manager"), account_of("shop")
    today, tea = datetime.date(2026, 1, 1), product()
    for sku, kind, of in (("1", "FBS", tea), ("2", "FBO", None)):
        MarketplaceStock.objects.create(
            account=account, sku=sku, source=kind.lower(), stock_type=kind, product=of, present=3, snapshot_date=today
        )

    def found(**parameters: Any) -> list[str]:
        return [row["sku"] for row in manager.get("marketplaces/stock/", **parameters)["results"]]

    assert (found(), found(sku="1"), found(stock_type="FBO")) == (["2", "1"], ["1"], ["2"])
    assert (found(unmatched="true"), found(unmatched="false"), found(product=tea.pk)) == (["2"], ["1"], ["1"])
    assert (found(account=account.pk), found(account=uuid.uuid4())) == (["2", "1"], [])
    manager.refused("get", "marketplaces/stock/?stock_type=XXX", status=400, kind="invalid", at="stock_type")


def test_runs_tell_what_came_of_them() -> None:
    manager, account, now = Rest.of("manager"), account_of("shop"), timezone.now()
    done = SyncRun.objects.create(
        account=account,
        what="inventory",
        source="Ozon",
        status="partial",
        processed=3,
        skipped=1,
        started_at=now,
        completed_at=now + datetime.timedelta(seconds=1.5),
        problems=[{"item": "SKU-1", "reason": "no number"}],
        counts={"fbs": 3},
    )
    begun = begin_run(account_id=account.pk, what=SyncRun.What.ORDERS)

    rows = {row["id"]: row for row in manager.get("marketplaces/sync-runs/")["results"]}

    assert set(rows) == {str(done.pk), str(begun.pk)}
    row = rows[str(done.pk)]
    assert (row["duration"], row["problems"], row["counts"]) == (1.5, done.problems, {"fbs": 3})
    assert (rows[str(begun.pk)]["completed_at"], rows[str(begun.pk)]["duration"]) == (None, None)
    assert manager.get(f"marketplaces/sync-runs/{done.pk}/") == row
    for narrowed in ({"what": "inventory"}, {"status": "partial"}, {"started_before": row["completed_at"]}):
        assert str(done.pk) in [one["id"] for one in manager.get("marketplaces/sync-runs/", **narrowed)["results"]]
    assert manager.get("marketplaces/sync-runs/", what="inventory", status="failed")["results"] == []


@pytest.mark.parametrize("name", ["accounts", "orders", "stock", "sync-runs"])
def test_a_list_takes_as_many_queries_for_twenty_rows_as_for_two(name: str) -> None:
    manager = Rest.of("manager")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            manager.get(f"marketplaces/{name}/", external_user_id="shop")
        return len(captured)

    def fill(numbers: range) -> None:
        for n in numbers:
            account = account_of("shop", f"A{n}")
            order_of(account, f"E{n}")
            SyncState.objects.create(account=account, what="orders")
            SyncRun.objects.create(account=account, what="orders", source="Ozon")
            MarketplaceStock.objects.create(
                account=account, sku="1", source="fbs", stock_type="FBS", snapshot_date=datetime.date(2026, 1, 1)
            )

    fill(range(2))
    few = queries()
    fill(range(2, 20))
    assert queries() == few <= 7
