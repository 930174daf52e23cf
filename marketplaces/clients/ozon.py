"""The client of Ozon's Seller API.

Ozon allows 50 calls a second for each Client-Id, whoever makes them, and 80 writes of stock a minute.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone

from marketplaces.clients import ozon_fulfilment, ozon_quantities, ozon_stock
from marketplaces.clients.addresses import Api, address_of
from marketplaces.clients.answers import need, optional, read_as
from marketplaces.clients.base import (
    MarketplaceClient,
    OrderPage,
    PushResult,
    QuantityChange,
    RemoteOrder,
    StockPage,
)
from marketplaces.clients.gate import Gate, digest_of
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_order_pages import order_pages
from marketplaces.clients.ozon_orders import read_orders
from marketplaces.clients.ozon_values import name_of
from marketplaces.errors import MarketplaceError, NotAuthorised, NotConnected, NotFound
from marketplaces.models import SellerAccount

ROLES = "/v1/roles"
SELLER = "/v1/seller/info"

# A little below what Ozon promises: in a minute rate · 60 + burst calls come through.
CALLS_A_SECOND, CALLS_AT_ONCE = 45.0, 5
STOCK_WRITES_A_SECOND, STOCK_WRITES_AT_ONCE = 1.25, 4


class OzonClient(MarketplaceClient):
    """The calls of one Ozon account. `stock_gate` is what writes of stock pass besides the session's own gate;
    `warehouse_id` the seller's warehouse whose quantities are written ("": the only one)."""

    def __init__(self, session: ApiSession, *, stock_gate: Gate, warehouse_id: str = "") -> None:
        self.session = session
        self.stock_gate = stock_gate
        self.warehouse_id = warehouse_id

    def test(self) -> str:
        """The company's name; if the key may not read it, the names of its roles."""
        roles = need(self.roles(), "roles", list)
        try:
            company = self.session.call("POST", SELLER, json={}, is_safe=True).data
        except (NotAuthorised, NotFound) as refusal:
            if refusal.status == 401:
                raise
            return ", ".join(name_of(role, "name") for role in roles) or "Ozon"
        return optional(company, "company.name", str) or optional(company, "company.legal_name", str) or "Ozon"

    def key_expires_at(self) -> datetime.datetime | None:
        found: datetime.datetime | None = read_as(self.roles().get("expires_at"), datetime.datetime)
        return found

    def roles(self) -> Mapping[str, Any]:
        return need([self.session.call("POST", ROLES, json={}, is_safe=True).data], "0", dict)

    def order_pages(self, *, cursors: Mapping[str, Any], since: datetime.datetime | None) -> Iterator[OrderPage]:
        return order_pages(self.session, cursors=cursors, since=since, now=timezone.now())

    def orders(self, external_ids: Sequence[str]) -> dict[str, RemoteOrder | None]:
        return read_orders(self.session, external_ids, now=timezone.now())

    def stock_pages(self) -> Iterator[StockPage]:
        return ozon_stock.stock_pages(self.session, allowed_hosts=settings.MARKETPLACE_REPORT_HOSTS)

    def accept(self, orders: Sequence[RemoteOrder]) -> dict[str, MarketplaceError | None]:
        return ozon_fulfilment.accept(self.session, orders, read_again=self.orders)

    def roll_back(self, order: RemoteOrder, *, reason: str) -> None:
        ozon_fulfilment.cancel(self.session, order, reason=reason, read_again=self.orders)

    def set_quantities(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return ozon_quantities.set_quantities(
            self.session, changes, warehouse_id=self.warehouse_id, gate=self.stock_gate
        )

    def quantities(self, changes: Sequence[QuantityChange]) -> dict[str, int | None]:
        return ozon_quantities.quantities(self.session, changes, warehouse_id=self.warehouse_id)


def open_ozon(account: SellerAccount, *, read_timeout: float) -> MarketplaceClient:
    """The client of an Ozon account, with a session of its own. Raises NotConnected for an account without keys."""
    credentials = account.credentials or {}
    client_id, api_key = name_of(credentials, "client_id"), name_of(credentials, "api_key")
    if not client_id or not api_key:
        raise NotConnected(account.name)
    keys = {"Client-Id": client_id, "Api-Key": api_key}
    name = digest_of(client_id)
    session = ApiSession(
        base_url=address_of(Api.OZON, account=account),
        gate=Gate(key=f"ozon:{name}", rate=CALLS_A_SECOND, burst=CALLS_AT_ONCE),
        headers=lambda _is_refused: keys,
        marketplace="ozon",
        account=str(account.pk),
        read_timeout=read_timeout,
    )
    stock_gate = Gate(key=f"ozon-stock:{name}", rate=STOCK_WRITES_A_SECOND, burst=STOCK_WRITES_AT_ONCE)
    return OzonClient(session, stock_gate=stock_gate, warehouse_id=account.push_warehouse_id)
