"""The tests' marketplaces."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from marketplaces.choices import Marketplace
from marketplaces.clients import access
from marketplaces.models import SellerAccount
from marketplaces.services.gates import forget_slots
from tests.marketplaces.selling import markets
from tests.marketplaces.shelf import Shelf, shelves
from tests.marketplaces.standin import Standin


@pytest.fixture(autouse=True)
def nothing_at_hand() -> Iterator[None]:
    """What one test took in advance (slots of a gate, opened clients) is nothing to the next."""
    forget_slots()
    access.kept.clear()
    yield
    forget_slots()


@pytest.fixture
def standin(settings: Settings) -> Iterator[Standin]:
    """The stand-in of the three marketplaces, running; the shop's addresses point to it. What was said is
    compared with the published specifications at the end."""
    with Standin() as opened:
        settings.MARKETPLACE_STANDIN_URL = opened.url
        # The stand-in has no limits unless a test wants them, and no test waits for its own.
        settings.MARKETPLACE_STANDIN_PACE = 1000.0
        settings.ALLEGRO_API_URL = f"{opened.url}/allegro"
        settings.ALLEGRO_AUTH_URL = f"{opened.url}/allegro-auth"
        settings.OZON_API_URL = f"{opened.url}/ozon"
        settings.WILDBERRIES_MARKETPLACE_URL = f"{opened.url}/wildberries"
        settings.WILDBERRIES_ANALYTICS_URL = f"{opened.url}/wildberries-analytics"
        settings.MARKETPLACE_REPORT_HOSTS = ["127.0.0.1"]
        yield opened
    faults = opened.faults()
    assert not faults, "Against the published specifications:\n" + "\n".join(faults[:20])


@pytest.fixture
def shelf_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[SellerAccount], Shelf]]:
    """Puts shelves in the place of the three marketplaces; `shelf_of(account)` is the account's."""
    for marketplace in Marketplace:
        monkeypatch.setitem(access.OPENERS, marketplace, "tests.marketplaces.shelf.open_shelf")
    access.kept.clear()
    yield lambda account: shelves.setdefault(account.pk, Shelf())
    shelves.clear()
    access.kept.clear()


@pytest.fixture
def open_markets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Puts markets that hold orders in the place of the three marketplaces; `market_of(account)` is the account's."""
    for marketplace in Marketplace:
        monkeypatch.setitem(access.OPENERS, marketplace, "tests.marketplaces.selling.open_market")
    access.kept.clear()
    yield
    markets.clear()
    access.kept.clear()
