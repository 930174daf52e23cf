"""Who sends an account's quantities now, what is written down about it, and when somebody may do so again."""

import datetime
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.uuids import uuid7
from marketplaces.choices import Marketplace
from marketplaces.errors import BreakerOpen, MarketplaceError, RateLimited
from marketplaces.locks import lock_sync_state
from marketplaces.models import SellerAccount, SyncRun, SyncState
from marketplaces.services.backoff import MORE_PATIENCE, TIMEOUT, delay_after

What, Status = SyncRun.What, SyncRun.Status
# Longer than one part of a run takes; it is renewed before each part.
LEASE = datetime.timedelta(minutes=10)
PATIENCE = 30.0
LONGEST_MESSAGE = 500
MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send the account's quantities alone, under the id that the run will have if there is one."""

    run_id: UUID
    read_timeout: float


@dataclass(slots=True)
class Tally:
    """What came of the listings of a run: how many were written, show what they should, and have to wait; `problems`
    are those that the marketplace did not take, each with its SKU and why."""

    processed: int = 0
    updated: int = 0
    skipped: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)


class LeaseLost(Exception):
    """It took so long that another worker has begun in the meantime: this one leaves the rest to it."""


@transaction.atomic
def claim(*, account_id: UUID, at: datetime.datetime, is_asked_for: bool) -> Lease | None:
    """Takes the right to send the account's quantities; None while another worker has it, or, unless a person
    `is_asked_for` it, while the marketplace is left alone after a failure. A run that died is closed as failed."""
    state = lock_sync_state(account_id=account_id, what=What.TRANSACTIONS)
    if state.leased_until is not None and state.leased_until > at:
        return None
    if state.failures and state.next_due_at > at and not is_asked_for:
        return None
    if state.run_id is not None:
        SyncRun.objects.filter(pk=state.run_id, status=Status.RUNNING).update(
            status=Status.FAILED, completed_at=at, error_kind="killed", message=_("Its worker was stopped.")
        )
    state.run_id, state.leased_until = uuid7(), at + LEASE
    state.save(update_fields=["run_id", "leased_until"])
    return Lease(state.run_id, state.read_timeout)


def keep(lease: Lease, *, account_id: UUID, at: datetime.datetime) -> None:
    """Has the lease for as long again. Raises LeaseLost if another worker has it by now."""
    if not leased(lease, account_id).update(leased_until=at + LEASE):
        raise LeaseLost


def release(lease: Lease, *, account_id: UUID, failure: BaseException | None, at: datetime.datetime) -> None:
    """Gives the lease back. After a failure the marketplace is left alone for a while, longer each time, and has more
    time to answer if that was what it lacked."""
    if failure is None:
        leased(lease, account_id).update(
            leased_until=None, failures=0, next_due_at=at, read_timeout=PATIENCE, last_success_at=at
        )
        return
    with transaction.atomic():
        state = lock_sync_state(account_id=account_id, what=What.TRANSACTIONS)
        if state.run_id != lease.run_id:
            return
        kind = getattr(failure, "kind", "error")
        state.leased_until = None
        state.failures += 1
        state.next_due_at = due_after(failure, kind=kind, failures=state.failures, at=at)
        if kind == TIMEOUT:
            state.read_timeout = MORE_PATIENCE
        state.save(update_fields=["leased_until", "failures", "next_due_at", "read_timeout"])


def due_after(failure: BaseException, *, kind: str, failures: int, at: datetime.datetime) -> datetime.datetime:
    """When the marketplace may be asked again: when it said so itself, else later each time."""
    if isinstance(failure, RateLimited):
        return at + datetime.timedelta(seconds=failure.retry_after)
    if isinstance(failure, BreakerOpen):
        return failure.until
    return at + delay_after(kind, attempts=failures)


def leased(lease: Lease, account_id: UUID) -> Any:
    return SyncState.objects.filter(account_id=account_id, what=What.TRANSACTIONS, run_id=lease.run_id)


def begin(lease: Lease, *, account: SellerAccount, at: datetime.datetime, by_id: int | None) -> SyncRun:
    """Writes down that quantities are being sent."""
    return SyncRun.objects.create(
        id=lease.run_id,
        account=account,
        what=What.TRANSACTIONS,
        source=Marketplace(account.marketplace).label,
        started_at=at,
        requested_by_id=by_id,
    )


def finish(run: SyncRun, tally: Tally, *, failure: BaseException | None, at: datetime.datetime) -> SyncRun:
    """Writes down how it ended: with everything, a part, or nothing of it done."""
    run.completed_at = at
    run.processed, run.updated, run.skipped = tally.processed, tally.updated, tally.skipped
    run.error, run.problems = len(tally.problems), tally.problems[:MOST_PROBLEMS]
    if failure is not None:
        run.status = Status.PARTIAL if run.updated else Status.FAILED
        run.error_kind = getattr(failure, "kind", "error")
        run.message = (str(failure) if isinstance(failure, MarketplaceError) else _("Something broke."))[
            :LONGEST_MESSAGE
        ]
    else:
        run.status = Status.PARTIAL if run.error or run.skipped else Status.SUCCESS
    run.save()
    return run
