"""The mirror: what a marketplace tells of its orders is kept, with everything that it told before."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from marketplaces.clients.base import OrderPage, Problem, RemoteOrder
from marketplaces.models import MarketplaceOrder, StockOperation


@dataclass(slots=True)
class StoredPage:
    """What came of a page: orders that are new, have changed, or are as they were; the operations that it began; how
    many orders the marketplace had cancelled; and what was left out."""

    stored: int = 0
    changed: int = 0
    unchanged: int = 0
    created_operations: list[StockOperation] = field(default_factory=list)
    cancellations: int = 0
    problems: list[Problem] = field(default_factory=list)


def store_page(*, account_id: UUID, page: OrderPage, at: datetime.datetime, run_id: UUID | None = None) -> StoredPage:
    """Keeps a page of orders and moves the cursors that it covers, in one transaction.

    With `run_id` only while that run has the account: raises LeaseLost otherwise, and nothing is kept.
    """
    raise NotImplementedError


def store_read_orders(
    *, account_id: UUID, found: Mapping[str, RemoteOrder | None], at: datetime.datetime
) -> dict[str, MarketplaceOrder]:
    """Keeps orders that were read again (None: the marketplace has it no more), as `store_page` does, in the caller's
    transaction if there is one. Returns the mirrored orders as they are now, by the marketplace's id; ones that were
    never mirrored and are not there are left out.

    Locks orders: to be called before operations are locked.
    """
    raise NotImplementedError
