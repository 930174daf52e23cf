"""An account on Allegro at the stand-in that offers ten pieces of Pearl tea, SKU 111, and whose calls do not wait."""

import pytest

from marketplaces.clients import http
from marketplaces.models import SellerAccount
from tests.marketplaces.allegro.seller import allegro_account
from tests.marketplaces.standin import Standin
from tests.shop import Shop


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the calls of this test would have waited."""
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    return waited


@pytest.fixture
def account(standin: Standin, pauses: list[float]) -> SellerAccount:
    standin.allegro.offer(sku="111", pieces=10, name="Pearl tea")
    return allegro_account(Shop.open(), standin.allegro)
