"""An account on Wildberries at the stand-in, opened, whose calls do not wait."""

import pytest

from marketplaces.clients import http
from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient
from marketplaces.models import SellerAccount
from tests.marketplaces.standin import Standin
from tests.marketplaces.wildberries.seller import wildberries_account


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the calls of this test would have waited."""
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    return waited


@pytest.fixture
def account(standin: Standin) -> SellerAccount:
    return wildberries_account(standin)


@pytest.fixture
def client(account: SellerAccount) -> MarketplaceClient:
    return client_of(account)
