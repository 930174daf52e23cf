"""A server with Ozon's answers, and calls that do not wait."""

from collections.abc import Iterator

import pytest

from tests.marketplaces.faulty_server import FaultyServer
from tests.marketplaces.ozon_answers import no_waiting, ozon_server


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with ozon_server() as running:
        yield running


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return no_waiting(monkeypatch)
