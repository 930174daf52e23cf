"""A marketplace at the network edge, for tests of what the shop does: its shelf holds what was written, and it can be
told to misbehave.

shelf = Shelf(); account = seller(shop, shelf=shelf); listing = listed(account, latte, "L-1")
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory.models import Product
from marketplaces.clients.base import MarketplaceClient, PushResult, QuantityChange
from marketplaces.models import Listing, SellerAccount
from tests.shop import Shop

numbers = itertools.count(1)


@dataclass
class Shelf(MarketplaceClient):
    """What buyers of one account see: {sku: pieces}; `calls` are the writes and reads in their order."""

    pieces: dict[str, int] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    # SKUs that are taken and not shown, as Wildberries does with wrong fields, and those that have to wait.
    ignored: set[str] = field(default_factory=set)
    waiting: dict[str, float] = field(default_factory=dict)
    before_writing: Callable[[], None] = lambda: None
    after_writing: Callable[[], None] = lambda: None
    before_reading: Callable[[], None] = lambda: None

    def set_quantities(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        self.before_writing()
        self.calls.append(("write", {change.sku: change.quantity for change in changes}))
        results = []
        for change in changes:
            if change.sku in self.waiting:
                results.append(PushResult(change.sku, False, "TOO_MANY_REQUESTS", self.waiting[change.sku]))
                continue
            if change.sku not in self.ignored:
                self.pieces[change.sku] = change.quantity
            results.append(PushResult(change.sku, True))
        self.after_writing()
        return results

    def quantities(self, changes: Sequence[QuantityChange]) -> dict[str, int]:
        self.before_reading()
        self.calls.append(("read", sorted(change.sku for change in changes)))
        return {change.sku: self.pieces[change.sku] for change in changes if change.sku in self.pieces}

    @property
    def writes(self) -> list[dict[str, int]]:
        return [what for kind, what in self.calls if kind == "write"]

    def test(self) -> str:
        raise NotImplementedError

    def order_pages(self, **asked: Any) -> Any:
        raise NotImplementedError

    def orders(self, external_ids: Sequence[str]) -> Any:
        raise NotImplementedError

    def stock_pages(self) -> Any:
        raise NotImplementedError

    def accept(self, orders: Sequence[Any]) -> Any:
        raise NotImplementedError

    def roll_back(self, order: Any, *, reason: str) -> None:
        raise NotImplementedError


shelves: dict[Any, Shelf] = {}


def open_shelf(account: SellerAccount, *, read_timeout: float) -> Shelf:
    return shelves.setdefault(account.pk, Shelf())


def seller(shop: Shop, marketplace: str = "ozon", **fields: Any) -> SellerAccount:
    """A live, connected account whose sales leave the shop's stock."""
    values: dict[str, Any] = {
        "external_user_id": "seller-1",
        "name": f"Account {next(numbers)}",
        "mode": SellerAccount.Mode.LIVE,
        "connection": SellerAccount.Connection.CONNECTED,
        "credentials": {"client_id": "1", "api_key": "k"},
        "push_warehouse_id": "" if marketplace == "allegro" else "22",
        **fields,
    }
    return SellerAccount.objects.create(marketplace=marketplace, location=shop.location, **values)


def listed(account: SellerAccount, product: Product, sku: str, **fields: Any) -> Listing:
    return Listing.objects.create(account=account, product=product, sku=sku, **fields)
