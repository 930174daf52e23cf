"""Reading what is new among an account's orders."""

import datetime
from collections.abc import Callable, Sequence
from uuid import UUID

from marketplaces.models import StockOperation, SyncRun


def sync_orders(
    *,
    account_id: UUID,
    since: datetime.datetime | None = None,
    requested_by_id: int | None = None,
    run_id: UUID | None = None,
    hand_over: Callable[[Sequence[StockOperation]], None] = lambda created: None,
) -> SyncRun:
    """Mirrors the orders that are new or changed, page by page; `since`: everything from that moment on.

    `run_id` is that of a run that `runs.begin_run` began for it. `hand_over` is called with the operations that a page
    began, when it is kept. Calls the marketplace: not to be called in a transaction. A failed run is returned as such;
    raises UnknownAccount, NotConnected, and SyncRunning while another run is at it.
    """
    raise NotImplementedError
