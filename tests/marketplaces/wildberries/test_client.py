"""Wildberries' client itself: its keys, its limits, and when it is opened anew."""

import base64
import json
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from marketplaces.clients import http
from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient
from marketplaces.errors import (
    NotAuthorised,
    NotConnected,
)
from marketplaces.models import SellerAccount
from tests.marketplaces.standin import Standin

pytestmark = pytest.mark.django_db


def test_a_cheap_call_tests_the_key(standin: Standin, account: SellerAccount) -> None:
    assert client_of(account).test() == "Мой склад"
    assert [exchange.path for exchange in standin.calls()] == ["/wildberries/api/v3/warehouses"]
    account.credentials = {"token": "wrong"}
    with pytest.raises(NotAuthorised, match="token is malformed"):
        client_of(account).test()
    account.credentials = None
    with pytest.raises(NotConnected):
        client_of(account)


def test_a_client_is_kept_while_the_keys_stay_the_same(account: SellerAccount) -> None:
    first = client_of(account)
    assert client_of(SellerAccount.objects.get(pk=account.pk)) is first
    assert client_of(account, read_timeout=60.0) is not first
    account.credentials = {"token": "another"}
    assert client_of(account) is not first


def test_a_token_says_itself_when_it_ends(account: SellerAccount) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_800_000_000}).encode()).decode().rstrip("=")
    account.credentials = {"token": f"head.{claims}.signature"}
    assert client_of(account).key_expires_at() == datetime.fromtimestamp(1_800_000_000, UTC)
    for token in ("opaque", "a.b.c", "a.e30.c", ""):
        account.credentials = {"token": token}
        assert client_of(account).key_expires_at() is None


def test_the_limit_is_kept_so_that_no_429_ever_comes(
    standin: Standin, account: SellerAccount, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MARKETPLACE_STANDIN_PACE = 1.0
    client = client_of(account)
    # Time passes at the marketplace as we wait, and by itself as it does for our own count.
    monkeypatch.setattr(http, "pause", standin.advance)
    client.test()
    standin.limits(on=True, stands=False)
    for _ in range(60):
        client.test()
    assert {exchange.answer.status for exchange in standin.calls()} == {200}


def test_a_429_is_waited_out_as_wildberries_says(
    standin: Standin, client: MarketplaceClient, pauses: list[float]
) -> None:
    standin.misbehave(
        "/warehouses", status=429, body={"title": "too many requests"}, headers={"X-Ratelimit-Retry": "4"}
    )
    assert client.test() == "Мой склад"
    assert [round(wait, 6) for wait in pauses] == [4]
