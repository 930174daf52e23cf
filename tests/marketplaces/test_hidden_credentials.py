"""Keys of seller accounts are never shown: in no table, no log, no answer, and by no browser."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from foundation.models import IdempotencyKey
from foundation.services.idempotency import digest
from marketplaces.account_tasks import look_after_accounts
from marketplaces.clients import http
from marketplaces.models import SellerAccount
from tests.inventory.admin_pages import signed_in
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db

ACCOUNTS = "marketplaces/accounts/"


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _seconds: None)


SECRETS = {
    "client_id": "CLIENTID-7f3a91",
    "api_key": "APIKEY-7f3a91",
    "token": "WBTOKEN-7f3a91",
    "client_secret": "ALLEGROSECRET-7f3a91",
}
KEYS = {
    "ozon": ("client_id", "api_key"),
    "wildberries": ("token",),
    "allegro": ("client_id", "client_secret"),
}


def texts_of_all_tables() -> Iterator[tuple[str, str]]:
    """Every table with everything that stands in it, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM \"{table}\" t")
            yield table, cursor.fetchone()[0]


def test_no_table_no_log_and_no_answer_ever_shows_a_key(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    standin: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """Adds, mistakes, replaces, tests and repeats, at both doors; then looks everywhere for what was typed."""
    caplog.set_level(logging.DEBUG)
    location = Shop.open().location
    rest, browser, answers = Rest.of("admin"), signed_in("admin"), []

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = rest.call(method, path, body, **headers)
        answers.append(answer.content.decode() + str(answer.headers))
        return answer

    def post(path: str, data: dict[str, Any]) -> None:
        for follow in (False, True):
            answer = browser.post(f"/admin/marketplaces/selleraccount/{path}", data, follow=follow)
            answers.append(answer.content.decode() + str(answer.headers) + str(browser.cookies))

    for marketplace, names in KEYS.items():
        keys = {name: SECRETS[name] for name in names}
        body = {
            "marketplace": marketplace,
            "external_user_id": "shop",
            "name": "FINDME",
            "location": location.pk,
            "credentials": keys,
        }
        for _repeat in range(2):
            assert ask("post", ACCOUNTS, body, **{"Idempotency-Key": f"k-{marketplace}"}).status_code == 201
        # The same name again, an unknown field, another marketplace's keys, another body under the same key.
        assert ask("post", ACCOUNTS, body).status_code == 400
        assert ask("post", ACCOUNTS, {**body, "secret": SECRETS["api_key"]}).status_code == 400
        assert ask("post", ACCOUNTS, {**body, "name": "X", "credentials": SECRETS}).status_code == 400
        assert ask("post", ACCOUNTS, {**body, "name": "X", "credentials": SECRETS["token"]}).status_code == 400
        assert (
            ask("post", ACCOUNTS, {**body, "name": "X"}, **{"Idempotency-Key": f"k-{marketplace}"}).status_code == 422
        )
        account = SellerAccount.objects.get(marketplace=marketplace)
        own = f"{ACCOUNTS}{account.pk}/"
        assert ask("patch", own, {"credentials": {**keys, names[-1]: f"{keys[names[-1]]}-2"}}).status_code == 200
        assert ask("patch", own, {"credentials": keys, "orders_every": "x"}).status_code == 400
        assert ask("post", f"{own}test/", {}).json()["ok"] is False
        assert ask("get", own).status_code == ask("get", ACCOUNTS).status_code == 200
        form = {"name": "A", "external_user_id": "another", **keys}
        post(f"new/{marketplace}/", {**form, "name": "", "once": "1" * 32})
        if marketplace == "ozon":
            # A second account of the same seller with the same client.
            post(f"new/{marketplace}/", {**form, "external_user_id": "shop", "once": "5" * 32})
        post(f"new/{marketplace}/", {**form, "once": "2" * 32})
        post(f"{account.pk}/verb/keys/", {**{f"keys-{name}": key for name, key in keys.items()}, "once": "3" * 32})
        post(
            f"{account.pk}/verb/keys/", {**{f"keys-{name}": f"{key} x" for name, key in keys.items()}, "once": "4" * 32}
        )
        post(f"{account.pk}/verb/test/", {})
        answers.append(browser.get(f"/admin/marketplaces/selleraccount/{account.pk}/change/").content.decode())
        answers.append(browser.get(f"/admin/marketplaces/selleraccount/{account.pk}/history/").content.decode())
    assert SellerAccount.objects.count() == 2 * len(KEYS)
    look_after_accounts()
    standin.forget_calls()

    written = caplog.text + "".join(capfd.readouterr())
    # What is no secret is found.
    found = {table for table, text in texts_of_all_tables() if "FINDME" in text}
    assert {"foundation_idempotencykey", "marketplaces_selleraccount"} <= found
    for secret in SECRETS.values():
        assert secret not in written
        assert not [answer[:300] for answer in answers if secret in answer]
        assert not [table for table, text in texts_of_all_tables() if secret in text]


def test_the_digest_of_a_request_does_not_tell_a_short_secret(settings: Any) -> None:
    """Whoever reads the table could try out short keys, if the digest were not keyed."""
    location = Shop.open().location
    body = {
        "marketplace": "wildberries",
        "external_user_id": "s",
        "name": "R",
        "location": location.pk,
        "credentials": {"token": "1234"},
    }
    Rest.of("admin").post(ACCOUNTS, body, **{"Idempotency-Key": "k"})
    first = IdempotencyKey.objects.get().request_digest
    settings.SECRET_KEY = "another-secret-key-of-another-shop-0123456789-abcdef"
    assert digest(["POST", [], body]) != first


def test_the_admins_pages_of_keys_are_not_kept_by_browsers_or_shown_again() -> None:
    Shop.open()
    client: Client = signed_in("admin")

    answer = client.post(
        "/admin/marketplaces/selleraccount/new/ozon/", {"name": "", "client_id": "ID-1", "api_key": "KEY-1"}
    )

    assert answer.status_code == 200
    assert b"KEY-1" not in answer.content
    assert b"ID-1" not in answer.content
    assert not SellerAccount.objects.exists()
