"""Importing what lies where according to a marketplace.

Page by page, in batches of one statement each, so that memory does not grow with the rows; only rows that differ are
written. See docs/marketplaces.md.
"""

import datetime
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplaces.clients.access import client_of
from marketplaces.clients.base import StockPage, StockRow
from marketplaces.models import SellerAccount, SyncRun
from marketplaces.services.payloads import UNKEEPABLE
from marketplaces.services.runs import begin_run, begun_run, carry_out, keep_lease, note, save_progress
from marketplaces.services.stock_rows import RowIds, empty_untold, good_rows, write_rows

# Rows that one statement writes.
BATCH = 2500
# Of a source that told more rubbish than this nobody knows what it did not tell.
MOST_UNREADABLE = 10_000


def import_stock(
    *,
    account_id: UUID,
    requested_by_id: int | None = None,
    run_id: UUID | None = None,
    is_due_only: bool = False,
) -> SyncRun:
    """Imports all stock that the marketplace tells of. Rows that can't be are left out and listed, the others go on.

    What a source does not tell any more, once it has told everything, is set to 0. Calls the marketplace: not to be
    called in a transaction. Arguments, result and errors as of `order_sync.sync_orders`.
    """
    if run_id is not None:
        run = begun_run(run_id)
    else:
        run = begin_run(
            account_id=account_id,
            what=SyncRun.What.INVENTORY,
            requested_by_id=requested_by_id,
            is_due_only=is_due_only,
        )
    return carry_out(run, read_stock)


def read_stock(run: SyncRun, read_timeout: float) -> None:
    """Reads source by source."""
    sources: dict[str, Source] = {}
    for page in client_of(run.account, read_timeout=read_timeout).stock_pages():
        source = sources.setdefault(page.source, Source(run, page.source))
        source.take(page)
        if page.is_last:
            source.close()
        save_progress(run)


class Source:
    """One source of one run: what it has told so far."""

    def __init__(self, run: SyncRun, name: str) -> None:
        self.run, self.account, self.name = run, run.account, name
        self.told = RowIds()
        self.unreadable: set[str] = set()

    def take(self, page: StockPage) -> None:
        """Writes the good rows of a page and lists the others."""
        rows, problems = good_rows(page.rows)
        problems = [*page.problems, *problems]
        for batch in batched_rows(rows):
            self.run.updated += self.write(batch)
        items = {problem.item for problem in problems[:MOST_UNREADABLE]}
        self.unreadable |= {item for item in items if item and not UNKEEPABLE.search(item)}
        self.run.processed += len(page.rows) + len(page.problems)
        self.run.skipped += len(problems)
        note(self.run, problems=problems, counts={self.name: len(rows)})

    @transaction.atomic
    def write(self, batch: Sequence[StockRow]) -> int:
        now = timezone.now()
        written = write_rows(account=self.account, source=self.name, rows=batch, day=today(self.account, now), at=now)
        keep_lease(run_id=self.run.pk, at=now)
        self.told.add(written.ids)
        return written.changed

    def close(self) -> None:
        """The source has told everything: what it did not tell is gone."""
        if len(self.unreadable) < MOST_UNREADABLE:
            now = timezone.now()
            self.run.updated += empty_untold(
                account=self.account,
                source=self.name,
                told=self.told,
                unreadable=self.unreadable,
                run_id=self.run.pk,
                day=today(self.account, now),
                at=now,
            )


def batched_rows(rows: Sequence[StockRow]) -> list[Sequence[StockRow]]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def today(account: SellerAccount, now: datetime.datetime) -> datetime.date:
    """The day at the account's location."""
    return account.location.today(now)
