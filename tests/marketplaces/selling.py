"""A marketplace's orders at the network edge, for tests of what the shop does with them. It remembers what it was told,
and can be made to fail at every call.

market = market_offering(shop, {"SKU-1": latte}); market.order("A-1", {"SKU-1": 2}); market.sync(); advance()
"""

import datetime
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.utils import timezone

from inventory.models import Product, StockMovement
from marketplaces.choices import OrderState, Scheme
from marketplaces.clients.base import MarketplaceClient, OrderPage, RemoteLine, RemoteOrder
from marketplaces.errors import MarketplaceError, Outdated, Refused
from marketplaces.models import MarketplaceOrder, MarketplaceOrderRevision, OperationLog, SellerAccount, StockOperation
from marketplaces.services.mirror import StoredPage, store_page
from marketplaces.services.pipeline import Progress, advance_operations
from tests.marketplaces.shelf import listed, seller
from tests.shop import Shop

Hook = Callable[[str, Sequence[str]], None]


def nothing(_call: str, _orders: Sequence[str]) -> None:
    """No trouble."""


@dataclass
class Market(MarketplaceClient):
    """One account's orders, as the marketplace has them. `before` and `after` are called around each call with its name
    and the orders that it is about; what they raise is what the call comes to. `unknown` words are not understood."""

    account: SellerAccount
    found: dict[str, RemoteOrder] = field(default_factory=dict)
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)
    before: Hook = nothing
    after: Hook = nothing
    # Orders that may not be cancelled, and those whose revision has moved on since they were read.
    firm: set[str] = field(default_factory=set)
    outdated: set[str] = field(default_factory=set)
    guard: Any = field(default_factory=threading.Lock)

    def order(
        self,
        external_id: str,
        lines: dict[str, int],
        *,
        state: OrderState = OrderState.READY,
        scheme: Scheme = Scheme.FBS,
        line_ids: Sequence[str] = (),
    ) -> RemoteOrder:
        """A buyer orders so many pieces of these SKUs."""
        ids = line_ids or [f"{external_id}/{sku}" for sku in lines]
        self.found[external_id] = RemoteOrder(
            external_id=external_id,
            number=external_id,
            status=state.value,
            state=state,
            scheme=scheme,
            currency="PLN",
            total=Decimal("10.00"),
            placed_at=timezone.now(),
            lines=tuple(
                RemoteLine(line_id, sku, quantity, name=sku)
                for line_id, (sku, quantity) in zip(ids, lines.items(), strict=True)
            ),
            payload={"id": external_id, "state": state.value, "lines": lines},
        )
        return self.found[external_id]

    def set_state(self, external_id: str, state: OrderState) -> None:
        order = self.found[external_id]
        payload = {**order.payload, "state": state.value}
        self.found[external_id] = replace(order, state=state, status=state.value, payload=payload)

    def cancel(self, external_id: str) -> None:
        self.set_state(external_id, OrderState.CANCELLED)

    def vanish(self, external_id: str) -> None:
        del self.found[external_id]

    def sync(self, *external_ids: str, vanished: Sequence[str] = (), at: datetime.datetime | None = None) -> StoredPage:
        """The shop mirrors these orders (all of them without a name) as they are now."""
        orders = [self.found[pk] for pk in (external_ids or self.found) if pk in self.found]
        page = OrderPage(orders, cursors={}, source=MarketplaceOrderRevision.Source.LIST, vanished=vanished)
        return store_page(account_id=self.account.pk, page=page, at=at or timezone.now())

    def orders(self, external_ids: Sequence[str]) -> dict[str, RemoteOrder | None]:
        self.begin("orders", external_ids)
        answer = {pk: self.found.get(pk) for pk in external_ids}
        self.after("orders", external_ids)
        return answer

    def accept(self, orders: Sequence[RemoteOrder]) -> dict[str, MarketplaceError | None]:
        ids = [order.external_id for order in orders]
        self.begin("accept", ids)
        answers: dict[str, MarketplaceError | None] = {}
        for pk in ids:
            with self.guard:
                answers[pk] = self.accept_one(pk)
        self.after("accept", ids)
        return answers

    def accept_one(self, external_id: str) -> MarketplaceError | None:
        order = self.found.get(external_id)
        if order is None or order.state == OrderState.CANCELLED:
            return Refused("It is cancelled.", status=422)
        if external_id in self.outdated:
            self.outdated.discard(external_id)
            return Outdated("The revision is old.", status=409)
        if order.state == OrderState.READY:
            self.set_state(external_id, OrderState.PROCESSING)
            self.written.append(("accept", external_id))
        return None

    def roll_back(self, order: RemoteOrder, *, reason: str) -> None:
        self.begin("roll_back", [order.external_id])
        if order.external_id in self.firm:
            raise Refused("It can't be cancelled any more.", status=422)
        if self.found[order.external_id].state != OrderState.CANCELLED:
            self.cancel(order.external_id)
            self.written.append(("roll_back", order.external_id))
        self.after("roll_back", [order.external_id])

    def begin(self, call: str, ids: Sequence[str]) -> None:
        with self.guard:
            self.calls.append((call, tuple(ids)))
        self.before(call, ids)

    def fail(self, *calls: str, error: BaseException, times: int = 1, late: bool = False) -> None:
        """The next `times` of these calls raise this; `late`: after the marketplace has done what it was told."""
        left = [times]

        def trouble(call: str, _orders: Sequence[str]) -> None:
            if call in calls and left[0]:
                left[0] -= 1
                raise error

        if late:
            self.after = trouble
        else:
            self.before = trouble

    def test(self) -> str:
        return "Market"

    def order_pages(self, **asked: Any) -> Any:
        raise NotImplementedError

    def stock_pages(self) -> Any:
        raise NotImplementedError

    def set_quantities(self, changes: Any) -> Any:
        raise NotImplementedError

    def quantities(self, changes: Any) -> Any:
        raise NotImplementedError


markets: dict[Any, Market] = {}


def open_market(account: SellerAccount, *, read_timeout: float) -> Market:
    return markets[account.pk]


def market_of(account: SellerAccount) -> Market:
    """The market of this account, opened when it is first asked for."""
    return markets.setdefault(account.pk, Market(account))


def market_offering(shop: Shop, offered: Mapping[str, Product], **fields: Any) -> Market:
    """The market of a live account of the shop that offers these products: {SKU: product}. `fields` are the
    account's."""
    account = seller(shop, **fields)
    for sku, product in offered.items():
        listed(account, product, sku)
    return market_of(account)


def advance(*operations: StockOperation, later: datetime.timedelta = datetime.timedelta()) -> Progress:
    """The pipeline goes on with these operations, or with all that are due, so much later."""
    return advance_operations(
        operation_ids=[one.pk for one in operations] or None, clock=lambda: timezone.now() + later
    )


def the_operation(external_id: str, kind: str = "sale") -> StockOperation:
    """The newest operation of this order, as it stands in the database."""
    return StockOperation.objects.filter(order__external_id=external_id, kind=kind).order_by("-id")[0]


def actions(operation: StockOperation) -> list[str]:
    """What the operation's log tells, in its order."""
    return list(OperationLog.objects.filter(operation=operation).order_by("id").values_list("action", flat=True))


def ledger_of(operation: StockOperation) -> list[tuple[str, str, Decimal]]:
    """What the ledger has under the operation's deduction: (ingredient, reason, delta)."""
    rows = StockMovement.objects.filter(document_type="stock_operation", document_id=str(operation.deduction_id))
    return list(rows.order_by("id").values_list("ingredient__name", "reason", "delta"))


def mirrored(external_id: str) -> MarketplaceOrder:
    return MarketplaceOrder.objects.get(external_id=external_id)
