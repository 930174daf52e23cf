"""Seller accounts, what a marketplace tells of them, and a marketplace in memory: the network edge of the services."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from inventory.models import Location
from marketplaces.choices import Marketplace, OrderState, Scheme
from marketplaces.clients.base import (
    MarketplaceClient,
    OrderPage,
    Problem,
    PushResult,
    QuantityChange,
    RemoteLine,
    RemoteOrder,
    StockPage,
    StockRow,
)
from marketplaces.errors import MarketplaceError
from marketplaces.models import MarketplaceOrderRevision, SellerAccount

Source = MarketplaceOrderRevision.Source


def seller(marketplace: Marketplace = Marketplace.OZON, name: str = "Tea", **fields: Any) -> SellerAccount:
    """A connected account of the first location, which is made if there is none."""
    location = fields.pop("location", None) or Location.objects.first() or Location.objects.create(name="Shop")
    credentials = fields.pop("credentials", {"client_id": "1", "api_key": "k", "token": "t", "client_secret": "s"})
    return SellerAccount.objects.create(
        marketplace=marketplace,
        external_user_id="seller",
        name=name,
        location=location,
        connection=SellerAccount.Connection.CONNECTED,
        credentials=credentials,
        credentials_changed_at=timezone.now(),
        **fields,
    )


def line(number: str = "l1", sku: str = "TEA", quantity: int = 1, **fields: Any) -> RemoteLine:
    return RemoteLine(number, sku, quantity, price=fields.pop("price", Decimal("9.90")), **fields)


def told(
    external_id: str,
    state: OrderState = OrderState.READY,
    *,
    lines: Sequence[RemoteLine] | None = None,
    payload: Mapping[str, Any] | None = None,
    **fields: Any,
) -> RemoteOrder:
    """An order as a marketplace tells it; the payload holds its id and status unless another one is given."""
    status = fields.pop("status", str(state))
    return RemoteOrder(
        external_id=external_id,
        status=status,
        state=state,
        lines=tuple(lines if lines is not None else [line(f"{external_id}-1")]),
        payload=payload if payload is not None else {"id": external_id, "status": status},
        scheme=fields.pop("scheme", Scheme.FBS),
        **fields,
    )


def page(*orders: RemoteOrder, cursors: Mapping[str, Any] | None = None, **fields: Any) -> OrderPage:
    return OrderPage(orders, cursors or {}, fields.pop("source", Source.LIST), **fields)


def row(sku: str, present: int = 5, **fields: Any) -> StockRow:
    return StockRow(sku, fields.pop("source", "fbs"), fields.pop("stock_type", Scheme.FBS), present, **fields)


def stock_page(
    *rows: StockRow, source: str = "fbs", is_last: bool = True, problems: Sequence[Problem] = ()
) -> StockPage:
    return StockPage(source, rows, problems, is_last)


class MemoryClient(MarketplaceClient):
    """Tells the pages that it was given. An exception among them is raised in its place, and a function is called."""

    def __init__(self, *pages: Any) -> None:
        self.pages: Sequence[Any] = pages
        self.asked: list[dict[str, Any]] = []

    def tell(self) -> Iterator[Any]:
        for one in self.pages:
            if isinstance(one, Exception):
                raise one
            if callable(one):
                one()
                continue
            yield one

    def order_pages(self, *, cursors: Mapping[str, Any], since: datetime.datetime | None) -> Iterator[OrderPage]:
        self.asked.append({"cursors": dict(cursors), "since": since})
        return self.tell()

    def stock_pages(self) -> Iterator[StockPage]:
        return self.tell()

    def test(self) -> str:
        return "memory"

    def orders(self, external_ids: Sequence[str]) -> dict[str, RemoteOrder | None]:
        raise NotImplementedError

    def accept(self, orders: Sequence[RemoteOrder]) -> dict[str, MarketplaceError | None]:
        raise NotImplementedError

    def roll_back(self, order: RemoteOrder, *, reason: str) -> None:
        raise NotImplementedError

    def set_quantities(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        raise NotImplementedError

    def quantities(self, changes: Sequence[QuantityChange]) -> dict[str, int]:
        raise NotImplementedError


class Network:
    """Stands in the place of `client_of` where the services read: {account: its client}; `timeouts` are the read
    timeouts that were asked for."""

    def __init__(self) -> None:
        self.clients: dict[Any, MarketplaceClient] = {}
        self.timeouts: list[float | None] = []

    def client_of(self, account: SellerAccount, *, read_timeout: float | None = None) -> MarketplaceClient:
        self.timeouts.append(read_timeout)
        return self.clients[account.pk]

    def tells(self, account: SellerAccount, *pages: Any) -> MemoryClient:
        client = MemoryClient(*pages)
        self.clients[account.pk] = client
        return client

    @classmethod
    def installed(cls, set_attribute: Callable[[str, Any], None]) -> "Network":
        network = cls()
        for service in ("order_sync", "stock_import"):
            set_attribute(f"marketplaces.services.{service}.client_of", network.client_of)
        return network
