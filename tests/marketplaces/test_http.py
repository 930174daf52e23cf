"""How an API is called when all goes well, and above all when it does not."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db import connection, transaction
from structlog.testing import capture_logs

from marketplaces.clients import http
from marketplaces.clients.gate import Gate
from marketplaces.clients.http import ApiSession
from marketplaces.clients.parallel import at_home, in_parallel
from marketplaces.errors import (
    BadAnswer,
    BreakerOpen,
    MarketplaceError,
    NotAuthorised,
    NotFound,
    RateLimited,
    Refused,
    ServerError,
    Timeout,
    Unreachable,
)
from marketplaces.models import ApiGate
from marketplaces.services import gates
from tests.marketplaces.faulty_server import FaultyServer, Reply, faulty_server

pytestmark = pytest.mark.django_db

SECRET = "s3cret-key-of-the-seller"
GATE = Gate("test:one", rate=50, burst=50)
FINE = Reply(body={"fine": True})


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as running:
        yield running


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How long the calls of this test would have waited, one entry for each wait."""
    gates.forget_slots()
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    yield waited
    gates.forget_slots()


def session_to(server: FaultyServer, *, gate: Gate = GATE, **more: Any) -> ApiSession:
    settings = {
        "base_url": server.url,
        "gate": gate,
        "headers": lambda renew: {"Api-Key": SECRET},
        "marketplace": "ozon",
        "account": "Shop",
        "read_timeout": 5.0,
    }
    return ApiSession(**(settings | more))


def get(session: ApiSession, path: str = "/things", **more: Any) -> Any:
    return session.call("GET", path, **({"is_safe": True} | more)).data


def test_a_call_goes_out_with_its_credentials_and_comes_back_as_json(server: FaultyServer) -> None:
    server.answer(Reply(body={"fine": "да"}, is_packed=True, headers={"X-Page": "2"}))
    answer = session_to(server).call("POST", "/things", params={"page": 1}, json={"a": 1}, is_safe=False)
    [request] = server.received
    assert (answer.status, answer.data, answer.headers["x-page"]) == (200, {"fine": "да"}, "2")
    assert (request.method, request.path, request.query, request.json) == ("POST", "/things", {"page": ["1"]}, {"a": 1})
    assert (request.headers["Api-Key"], request.headers["Accept-Encoding"]) == (SECRET, "gzip")
    assert request.headers["User-Agent"].startswith("Samovar/")
