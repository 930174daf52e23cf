"""The tests' marketplaces."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.marketplaces.standin import Standin


@pytest.fixture
def standin(settings: Settings) -> Iterator[Standin]:
    """The stand-in of the three marketplaces, running; the shop's addresses point to it."""
    with Standin() as opened:
        settings.MARKETPLACE_STANDIN_URL = opened.url
        settings.ALLEGRO_API_URL = f"{opened.url}/allegro"
        settings.ALLEGRO_AUTH_URL = f"{opened.url}/allegro-auth"
        settings.OZON_API_URL = f"{opened.url}/ozon"
        settings.WILDBERRIES_MARKETPLACE_URL = f"{opened.url}/wildberries"
        settings.WILDBERRIES_ANALYTICS_URL = f"{opened.url}/wildberries-analytics"
        settings.MARKETPLACE_REPORT_HOSTS = ["127.0.0.1"]
        yield opened
