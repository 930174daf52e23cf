"""Runs of synchronisation: one at a time per account and subject, and what follows when one fails."""

import datetime
from uuid import UUID

from marketplaces.models import SyncRun


def begin_run(
    *,
    account_id: UUID,
    what: SyncRun.What,
    since: datetime.datetime | None = None,
    requested_by_id: int | None = None,
    is_due_only: bool = False,
) -> SyncRun:
    """Begins a run and leases the account's synchronisation of `what` to it; a door that answers at once hands its id
    to the task. A run whose worker was killed is closed as failed.

    Raises UnknownAccount, NotConnected, and SyncRunning while another one is at it or, with `is_due_only`, if it is
    not its time yet.
    """
    raise NotImplementedError
