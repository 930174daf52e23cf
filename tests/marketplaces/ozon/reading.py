"""Ozon's client at the server of a test, and what it reads there."""

import datetime
from collections.abc import Mapping
from typing import Any

from marketplaces.clients import ozon_order_pages
from marketplaces.clients.base import OrderPage, RemoteOrder
from marketplaces.clients.gate import Gate
from marketplaces.clients.ozon import OzonClient
from marketplaces.clients.ozon_order_pages import FBO_LIST, OPEN_LIST
from tests.marketplaces.faulty_server import FaultyServer, Reply
from tests.marketplaces.ozon_answers import NUMBER, answer, ozon_session

NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)
EMPTY_PAGE = {"postings": [], "cursor": "", "has_next": False}


def client_of(server: FaultyServer, *, warehouse_id: str = "17") -> OzonClient:
    stock_gate = Gate("ozon-stock:test", rate=500, burst=500)
    return OzonClient(ozon_session(server), stock_gate=stock_gate, warehouse_id=warehouse_id)


def page(*postings: Any, cursor: str = "") -> Reply:
    return Reply(body={"postings": list(postings), "cursor": cursor, "has_next": bool(cursor)})


def no_other_lists(server: FaultyServer) -> None:
    answer(server, OPEN_LIST, {**EMPTY_PAGE, "count": 0})
    answer(server, FBO_LIST, EMPTY_PAGE)


def pages_of(
    server: FaultyServer, cursors: Mapping[str, Any] | None = None, *, since: datetime.datetime | None = None
) -> list[OrderPage]:
    return list(ozon_order_pages.order_pages(ozon_session(server), cursors=cursors or {}, since=since, now=NOW))


def read(server: FaultyServer, number: str = NUMBER) -> RemoteOrder:
    order = client_of(server).orders([number])[number]
    assert order is not None
    return order
