"""Keys of seller accounts: stored whole, watched, encrypted anew; and tested."""

import datetime
import io
import json
import uuid
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from foundation.encryption import encrypt
from marketplaces.account_tasks import look_after_accounts
from marketplaces.clients import http
from marketplaces.errors import UnknownAccount, WrongCredentials
from marketplaces.models import CredentialEvent, SellerAccount
from marketplaces.services import credentials, testing
from marketplaces.services.key_alerts import CONNECTION_LOST, KEY_EXPIRING, KEY_OLD
from monitoring.models import Alert
from tests.marketplaces.people import account_of
from tests.rest import Rest

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = datetime.timedelta(days=1)
Connection = SellerAccount.Connection
ACCOUNTS = "marketplaces/accounts/"


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _seconds: None)


def kinds(account: SellerAccount) -> list[str]:
    return list(CredentialEvent.objects.filter(account=account).order_by("id").values_list("kind", flat=True))


def open_alerts() -> list[str]:
    return list(Alert.objects.filter(resolved_at=None).order_by("id").values_list("event", flat=True))


# --- stored -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marketplace", "given", "faults"),
    [
        ("ozon", {}, {"client_id", "api_key"}),
        ("ozon", {"client_id": "1", "api_key": ""}, {"api_key"}),
        ("ozon", {"client_id": "1", "api_key": "   "}, {"api_key"}),
        ("ozon", {"client_id": 1, "api_key": "k"}, {"client_id"}),
        ("ozon", {"client_id": "1", "api_key": "two words"}, {"api_key"}),
        ("ozon", {"client_id": "1", "api_key": "k\r\nX-Other: 1"}, {"api_key"}),
        ("ozon", {"client_id": "1", "api_key": "k", "token": "t"}, {"token"}),
        ("ozon", {"client_id": "1", "api_key": "k" * 4001}, {"api_key"}),
        ("wildberries", {"token": None}, {"token"}),
        ("wildberries", {"token": "кириллица"}, {"token"}),
        ("allegro", {"client_id": "1"}, {"client_secret"}),
    ],
)
def test_what_is_no_key_of_this_marketplace_is_refused_at_its_field(
    marketplace: str, given: dict[str, Any], faults: set[str]
) -> None:
    account = account_of("shop", marketplace=marketplace, credentials=None, credentials_changed_at=None)

    with pytest.raises(WrongCredentials) as refusal:
        credentials.store_credentials(account_id=account.pk, credentials=given, stored_by_id=None, at=NOW)

    assert set(refusal.value.errors) == {f"credentials.{name}" for name in faults}
    account.refresh_from_db()
    assert (account.credentials, account.credentials_changed_at, kinds(account)) == (None, None, [])


def test_new_keys_have_to_be_tested_and_their_age_begins_anew() -> None:
    account = account_of("shop", mode="live", credentials_changed_at=NOW - 85 * DAY, key_expires_at=NOW + DAY)
    credentials.watch_keys(now=NOW)
    assert open_alerts() == [KEY_EXPIRING]

    stored = credentials.store_credentials(
        account_id=account.pk, credentials={"client_id": "1001", "api_key": " key-2 "}, stored_by_id=7, at=NOW
    )

    stored.refresh_from_db()
    assert stored.credentials == {"client_id": "1001", "api_key": "key-2"}
    assert (stored.connection, stored.credentials_changed_at, stored.key_expires_at) == (Connection.NONE, NOW, None)
    # The same client is the same shop: it may go on writing as soon as the key is tested.
    assert stored.mode == "live"
    assert open_alerts() == []
    assert kinds(stored) == ["warned", "stored"]


@pytest.mark.parametrize(
    ("marketplace", "first", "second", "field"),
    [
        ("ozon", {"client_id": "1", "api_key": "a"}, {"client_id": "1", "api_key": "b"}, "credentials.client_id"),
        ("wildberries", {"token": "t"}, {"token": "t"}, "credentials.token"),
    ],
)
def test_two_accounts_of_a_seller_do_not_read_the_same_orders(
    marketplace: str, first: dict[str, str], second: dict[str, str], field: str
) -> None:
    account_of("shop", marketplace=marketplace, credentials=first)
    other = account_of("shop", "Second", marketplace=marketplace, credentials=None)
    stranger = account_of("another shop", marketplace=marketplace, credentials=None)
    demo = account_of("shop", "Demo", marketplace=marketplace, credentials=None, is_demo=True)

    with pytest.raises(WrongCredentials) as refusal:
        credentials.store_credentials(account_id=other.pk, credentials=second, stored_by_id=None, at=NOW)

    assert list(refusal.value.errors) == [field]
    other.refresh_from_db()
    assert other.credentials is None
    # Nobody learns anything of another seller's keys.
    for account in (stranger, demo):
        credentials.store_credentials(account_id=account.pk, credentials=second, stored_by_id=None, at=NOW)


def test_an_application_of_allegros_serves_several_accounts_of_a_seller() -> None:
    keys = {"client_id": "1", "client_secret": "s"}
    account_of("shop", marketplace="allegro", credentials=keys)
    other = account_of("shop", "Second", marketplace="allegro", credentials=None)
    credentials.store_credentials(account_id=other.pk, credentials=keys, stored_by_id=None, at=NOW)
    other.refresh_from_db()
    assert other.credentials == keys


def test_the_same_keys_once_more_are_no_younger() -> None:
    account = account_of("shop", credentials_changed_at=NOW - 85 * DAY)

    credentials.store_credentials(
        account_id=account.pk, credentials={"api_key": "key-1", "client_id": "1001"}, stored_by_id=None, at=NOW
    )

    account.refresh_from_db()
    assert (account.credentials_changed_at, account.connection) == (NOW - 85 * DAY, Connection.CONNECTED)
    assert kinds(account) == []


def test_another_client_may_be_another_shop_and_is_read_only_again() -> None:
    account = account_of("shop", mode="live", seller_name="Our shop")
    tokens = {"access_token": "a", "refresh_token": "b"}
    allegro = account_of(
        "shop",
        marketplace="allegro",
        credentials={"client_id": "1", "client_secret": "s"},
        mode="live",
        tokens=tokens,
        access_expires_at=NOW,
    )
    for one, keys in (
        (account, {"client_id": "2", "api_key": "k"}),
        (allegro, {"client_id": "2", "client_secret": "s"}),
    ):
        credentials.store_credentials(account_id=one.pk, credentials=keys, stored_by_id=None, at=NOW)
        one.refresh_from_db()
        assert (one.mode, one.connection, one.seller_name) == ("read_only", Connection.NONE, "")
        assert (one.tokens, one.access_expires_at) == (None, None)


def test_a_new_secret_of_the_same_allegro_client_keeps_the_tokens() -> None:
    account = account_of(
        "shop",
        marketplace="allegro",
        credentials={"client_id": "1", "client_secret": "s"},
        tokens={"access_token": "a", "refresh_token": "b"},
        access_expires_at=NOW,
    )

    credentials.store_credentials(
        account_id=account.pk, credentials={"client_id": "1", "client_secret": "new"}, stored_by_id=None, at=NOW
    )

    account.refresh_from_db()
    assert account.tokens == {"access_token": "a", "refresh_token": "b"}
    assert account.connection == Connection.CONNECTED


# --- tested -------------------------------------------------------------------------------------------


def ozon(standin: Any, **fields: Any) -> SellerAccount:
    return account_of("shop", credentials=standin.ozon.keys, **{"connection": Connection.NONE, **fields})


def test_a_test_connects_and_keeps_whose_keys_they_are(standin: Any) -> None:
    account = ozon(standin)

    result = testing.test_account(account_id=account.pk, tested_by_id=None, at=NOW)

    account.refresh_from_db()
    assert result.ok
    assert (account.connection, bool(account.seller_name)) == (Connection.CONNECTED, True)
    assert account.key_expires_at is not None
    assert kinds(account) == ["connected"]
    # Once more changes nothing and writes no second event.
    assert testing.test_account(account_id=account.pk, tested_by_id=None, at=NOW).ok
    assert kinds(account) == ["connected"]


def test_refused_keys_are_said_once_and_forgotten_when_they_work_again(standin: Any) -> None:
    account = account_of("shop", marketplace="wildberries", credentials={"token": "wrong"})

    for _attempt in range(2):
        result = testing.test_account(account_id=account.pk, tested_by_id=None, at=NOW)
        assert not result.ok
        assert result.error
        assert "wrong" not in result.error
    account.refresh_from_db()
    assert account.connection == Connection.LOST
    assert (kinds(account), open_alerts()) == (["refused"], [CONNECTION_LOST])

    credentials.store_credentials(
        account_id=account.pk, credentials=standin.wildberries.keys, stored_by_id=None, at=NOW
    )
    look_after_accounts()

    account.refresh_from_db()
    assert account.connection == Connection.CONNECTED
    assert (kinds(account), open_alerts()) == (["refused", "stored", "connected"], [])


def test_a_marketplace_that_does_not_answer_says_nothing_about_the_keys(standin: Any) -> None:
    account = ozon(standin, connection=Connection.CONNECTED)
    standin.misbehave("/ozon", status=500, times=20)

    result = testing.test_account(account_id=account.pk, tested_by_id=None, at=NOW)

    account.refresh_from_db()
    assert (result.ok, bool(result.error), account.connection) == (False, True, Connection.CONNECTED)
    assert kinds(account) == []


def test_an_account_without_keys_says_so_and_an_unknown_one_is_unknown() -> None:
    account = account_of("shop", credentials=None, credentials_changed_at=None, connection=Connection.NONE)

    assert "Connect it first" in testing.test_account(account_id=account.pk, tested_by_id=None, at=NOW).error
    with pytest.raises(UnknownAccount):
        testing.test_account(account_id=uuid.uuid4(), tested_by_id=None, at=NOW)


# --- old keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "left", "event"),
    [
        (79, None, None),
        (80, None, KEY_OLD),
        (89, None, KEY_OLD),
        (90, None, KEY_EXPIRING),
        (1, 15, None),
        (1, 14, KEY_OLD),
        (1, 3, KEY_EXPIRING),
    ],
)
def test_a_key_is_old_after_80_days_and_overdue_after_90_or_when_it_ends(
    age: int, left: int | None, event: str | None
) -> None:
    account_of(
        "shop", credentials_changed_at=NOW - age * DAY, key_expires_at=None if left is None else NOW + left * DAY
    )

    assert credentials.watch_keys(now=NOW) == (event is not None)
    assert open_alerts() == ([event] if event else [])
    # Each is said once, however often it is looked at.
    assert credentials.watch_keys(now=NOW + datetime.timedelta(hours=1)) == 0
    assert [alert.count for alert in Alert.objects.all()] == ([1] if event else [])


def test_the_alarm_takes_the_place_of_the_warning_and_demo_accounts_are_left_alone() -> None:
    account_of("shop", credentials_changed_at=NOW - 80 * DAY)
    account_of("demo", credentials_changed_at=NOW - 500 * DAY, is_demo=True)
    account_of("off", credentials_changed_at=NOW - 500 * DAY, is_active=False)
    credentials.watch_keys(now=NOW)
    assert open_alerts() == [KEY_OLD]

    credentials.watch_keys(now=NOW + 10 * DAY)

    assert open_alerts() == [KEY_EXPIRING]


# --- encrypted anew -----------------------------------------------------------------------------------


def stored_texts() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM marketplaces_selleraccount ORDER BY id")
        return [text for (text,) in cursor.fetchall()]


def test_all_values_are_encrypted_anew_with_the_first_key_and_a_second_run_has_nothing_to_do(settings: Any) -> None:
    account = account_of("shop", tokens={"access_token": "a"})
    boss = Rest.of("admin").user
    Authenticator.objects.create(user=boss, type="totp", data={"secret": encrypt("TOTP"), "period": 3})
    old_key, new_key = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new_key, old_key]
    before, said = stored_texts(), io.StringIO()

    call_command("rotate_encryption_key", stdout=said)

    assert "marketplaces.SellerAccount.credentials: 1 encrypted anew" in said.getvalue()
    assert "Nothing is left under an older key." in said.getvalue()
    assert stored_texts() != before
    assert kinds(account) == ["rotated", "rotated"]
    # The old key is gone.
    settings.FIELD_ENCRYPTION_KEYS = [new_key]
    account.refresh_from_db()
    assert (account.credentials, account.tokens) == ({"client_id": "1001", "api_key": "key-1"}, {"access_token": "a"})
    data = Authenticator.objects.get().data
    assert (Fernet(new_key).decrypt(data["secret"]), data["period"]) == (b"TOTP", 3)

    settled, said = stored_texts(), io.StringIO()
    call_command("rotate_encryption_key", stdout=said)
    assert stored_texts() == settled
    assert "SellerAccount.credentials: 0 encrypted anew, 1 had the key already" in said.getvalue()


def test_what_can_not_be_decrypted_is_named_and_left_and_the_rest_goes_on(settings: Any) -> None:
    lost, good = account_of("shop", "Lost"), account_of("shop", "Good")
    stranger = Fernet(Fernet.generate_key()).encrypt(json.dumps({"api_key": "x"}).encode()).decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE marketplaces_selleraccount SET credentials = %s WHERE id = %s", [stranger, lost.pk])
    old_key, new_key = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new_key, old_key]
    said = io.StringIO()

    with pytest.raises(CommandError, match="1 values open with none of the keys"):
        call_command("rotate_encryption_key", stdout=io.StringIO(), stderr=said)

    assert str(lost.pk) in said.getvalue()
    assert stranger not in said.getvalue()
    settings.FIELD_ENCRYPTION_KEYS = [new_key]
    assert SellerAccount.objects.get(pk=good.pk).credentials["api_key"] == "key-1"
    assert stranger in stored_texts()
