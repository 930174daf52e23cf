"""Reading what is new among an account's orders."""

import datetime
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from django.utils import timezone

from marketplaces.clients.access import client_of
from marketplaces.models import StockOperation, SyncCursor, SyncRun
from marketplaces.services.mirror import store_page
from marketplaces.services.runs import begin_run, begun_run, carry_out, note, save_progress

HandOver = Callable[[Sequence[StockOperation]], None]


def sync_orders(
    *,
    account_id: UUID,
    since: datetime.datetime | None = None,
    requested_by_id: int | None = None,
    run_id: UUID | None = None,
    is_due_only: bool = False,
    hand_over: HandOver = lambda created: None,
) -> SyncRun:
    """Mirrors the orders that are new or changed, page by page; `since`: everything from that moment on.

    `run_id` is that of a run that `runs.begin_run` began for it, whose arguments these are otherwise. `hand_over` is
    called with the operations that a page began, when it is kept. Calls the marketplace: not to be called in a
    transaction. A failed run is returned as such; raises as `begin_run` does.
    """
    if run_id is not None:
        run = begun_run(run_id)
    else:
        run = begin_run(
            account_id=account_id,
            what=SyncRun.What.ORDERS,
            since=since,
            requested_by_id=requested_by_id,
            is_due_only=is_due_only,
        )
    return carry_out(run, partial(read_orders, hand_over=hand_over))


def read_orders(run: SyncRun, read_timeout: float, *, hand_over: HandOver) -> None:
    """Reads page by page from where the cursors stand. Each page moves them in the transaction that keeps it."""
    client = client_of(run.account, read_timeout=read_timeout)
    cursors = dict(SyncCursor.objects.filter(account_id=run.account_id).values_list("name", "value"))
    for page in client.order_pages(cursors=cursors, since=run.since):
        stored = store_page(account_id=run.account_id, page=page, at=timezone.now(), run_id=run.pk)
        run.processed += len(page.orders) + len(page.problems)
        run.updated += stored.stored + stored.changed
        run.skipped += len(stored.problems)
        note(run, problems=stored.problems, counts={page.source: len(page.orders)})
        save_progress(run)
        hand_over(stored.created_operations)
