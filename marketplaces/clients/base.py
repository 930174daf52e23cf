"""What the shop asks of a marketplace, in the shop's words; one client for each marketplace says it in theirs.

A client makes calls and reads answers, and nothing else: it writes no row, opens no transaction, and is never called
inside one. What it can't read of an answer it leaves out and lists (`Problem`); what makes the whole answer useless it
raises, as one of `marketplaces.errors.MarketplaceError`.
"""

import datetime
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from marketplaces.choices import OrderState, Scheme
from marketplaces.errors import MarketplaceError
from marketplaces.models import MarketplaceOrderRevision


@dataclass(frozen=True, slots=True)
class RemoteLine:
    """A line of an order: `quantity` pieces (at least 1) of `sku`, at `price` each in the order's currency."""

    external_line_id: str
    sku: str
    quantity: int
    name: str = ""
    barcode: str = ""
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """An order as the marketplace tells it; `payload` is its whole answer, `state` what its words come to."""

    external_id: str
    status: str
    state: OrderState
    lines: tuple[RemoteLine, ...]
    payload: Mapping[str, Any]
    fulfilment_status: str = ""
    scheme: Scheme = Scheme.FBS
    number: str = ""
    currency: str = ""
    total: Decimal | None = None
    revision: str = ""
    placed_at: datetime.datetime | None = None
    changed_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of an answer that was left out: which, and why, as a sentence."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders, and the cursors that may be stored once they are: {name of the cursor: JSON}.

    `vanished` are orders that the marketplace named and then did not have (404).
    """

    orders: Sequence[RemoteOrder]
    cursors: Mapping[str, Any]
    source: MarketplaceOrderRevision.Source
    vanished: Sequence[str] = ()
    problems: Sequence[Problem] = ()


class StockRow(NamedTuple):
    """So many pieces of a SKU in a warehouse. A tuple: there are very many, and a frozen dataclass is made four times
    as slowly."""

    sku: str
    source: str
    stock_type: Scheme
    present: int
    reserved: int = 0
    in_way_to_client: int = 0
    in_way_from_client: int = 0
    warehouse_id: str = ""
    warehouse: str = ""
    name: str = ""
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class StockPage:
    """Some rows of one source ("fbs", "fbo", "report", …). `is_last`: this source is complete with it, so that what
    of it was not told is no longer there."""

    source: str
    rows: Sequence[StockRow]
    problems: Sequence[Problem] = ()
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class QuantityChange:
    """A listing shall show `quantity` pieces (0 or more). `external_ids` as in `Listing`."""

    sku: str
    quantity: int
    warehouse_id: str = ""
    external_ids: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PushResult:
    """What became of one change: taken, or why not; `retry_after` seconds if it may be sent again then. That it was
    taken does not say that it shows: read it back."""

    sku: str
    is_taken: bool
    reason: str = ""
    retry_after: float | None = None


class MarketplaceClient(ABC):
    """The calls of one seller account. Any of them may raise a MarketplaceError."""

    @abstractmethod
    def test(self) -> str:
        """Makes one cheap call with the account's keys and returns the seller's name (or another sign of life)."""

    def key_expires_at(self) -> datetime.datetime | None:
        """When the marketplace says that the key ends, where it says so."""
        return None

    @abstractmethod
    def order_pages(self, *, cursors: Mapping[str, Any], since: datetime.datetime | None) -> Iterator[OrderPage]:
        """The orders that are new or changed since `cursors` (as earlier pages gave them; {} at first), page by page,
        at most some hundreds each; with `since`, everything from that moment on, whatever the cursors say."""

    @abstractmethod
    def orders(self, external_ids: Sequence[str]) -> dict[str, RemoteOrder | None]:
        """Reads these orders as they are now; None for one that the marketplace does not have (404)."""

    @abstractmethod
    def stock_pages(self) -> Iterator[StockPage]:
        """All stock of the account, page by page, source by source."""

    @abstractmethod
    def accept(self, orders: Sequence[RemoteOrder]) -> dict[str, MarketplaceError | None]:
        """Tells the marketplace that the shop is working on these orders (as `orders` has just read them). What it
        knows already is not written again. {external id: None, or why not}."""

    @abstractmethod
    def roll_back(self, order: RemoteOrder, *, reason: str) -> None:
        """Cancels the order on the marketplace; one that is cancelled already is in order. Raises Refused if the
        marketplace says no for good."""

    @abstractmethod
    def set_quantities(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        """Writes quantities, in as many calls as the marketplace needs, and says of each what became of it."""

    @abstractmethod
    def quantities(self, changes: Sequence[QuantityChange]) -> Mapping[str, int | None]:
        """Reads what the marketplace shows for these listings: {sku: pieces}; None where the answer can't be read, and
        what the marketplace does not know is left out."""
