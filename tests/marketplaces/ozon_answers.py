"""Ozon's answers as it publishes them, laid ready on a server of the test; what is asked and answered is compared with
the specifications."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from marketplaces.clients import http
from marketplaces.clients.gate import Gate
from marketplaces.clients.http import ApiSession
from marketplaces.services import gates
from marketplaces.standin.messages import Answer, Request
from tests.marketplaces import contract
from tests.marketplaces.faulty_server import FaultyServer, Received, Reply, faulty_server
from tests.specs import no_specs

NUMBER = "0208245774-0029-1"
FORBIDDEN = Reply(403, {"code": 7, "message": "Api-Key is missing a required role for a method", "details": []})


@contextmanager
def ozon_server() -> Iterator[FaultyServer]:
    """A server whose requests are compared with the specifications in the end."""
    gates.forget_slots()
    with faulty_server() as running:
        yield running
    gates.forget_slots()
    faults = [fault for request in running.received for fault in faults_of(request)]
    assert not faults, "\n".join(faults)


def faults_of(request: Received) -> list[str]:
    if no_specs() is not None or request.method != "POST":
        return []
    known = contract.operation("/ozon", "POST", request.path)
    if known is None:
        return [f"{request.path}: there is no such operation"]
    headers = {name.lower(): value for name, value in request.headers.items()}
    sent = Request("POST", request.path, dict(request.query), headers, request.body)
    return [f"{request.path}: {fault}" for fault in known.faults_of_request(sent)]


def ozon_session(server: FaultyServer) -> ApiSession:
    return ApiSession(
        base_url=server.url,
        gate=Gate("ozon:test", rate=500, burst=500),
        headers=lambda _is_refused: {"Client-Id": "836", "Api-Key": "the-key-of-the-seller"},
        marketplace="ozon",
        account="test",
    )


def answer(server: FaultyServer, path: str, *replies: Reply | Mapping[str, Any]) -> None:
    """Lays answers ready; those given as JSON are compared with the specification."""
    ready = []
    for reply in replies:
        if not isinstance(reply, Reply):
            known = contract.operation("/ozon", "POST", path) if no_specs() is None else None
            faults = list(known.faults_of_answer(Answer(200, reply))) if known else []
            assert not faults, "\n".join(faults)
            reply = Reply(body=reply)
        ready.append(reply)
    server.answer_at("POST", path, *ready)


def asked(server: FaultyServer, path: str) -> list[Any]:
    return [request.json for request in server.calls("POST", path)]


def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits; returns how long they would have."""
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    return waited


def posting(number: str = NUMBER, **changes: Any) -> dict[str, Any]:
    product = {
        "name": "Milk oolong",
        "offer_id": "OOLONG-100",
        "sku": 1904686181,
        "quantity": 2,
        "price": {"amount": "129.90", "currency": "RUB"},
    }
    return {
        "posting_number": number,
        "order_id": 33301885134,
        "order_number": number.rpartition("-")[0],
        "status": "awaiting_packaging",
        "substatus": "posting_created",
        "delivery_schema": "fbs",
        "tpl_integration_type": "ozon",
        "in_process_at": "2026-11-20T08:00:00.000Z",
        "products": [product],
        **changes,
    }
