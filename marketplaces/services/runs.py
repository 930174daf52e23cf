"""Runs that read orders and stock: one at a time per account and subject, and what follows when one fails.

Who runs stands in `SyncState`, under a lease: a worker that was killed keeps nobody out for longer than that. When the
next run is due stands there too, so that a message to a worker may be lost.
"""

import datetime
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db import Error as DatabaseTrouble
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from foundation.logs import mask_text
from marketplaces.choices import Marketplace
from marketplaces.clients.base import Problem
from marketplaces.errors import (
    AccountSwitchedOff,
    BadAnswer,
    BreakerOpen,
    LeaseLost,
    MarketplaceError,
    NotAuthorised,
    NotConnected,
    RateLimited,
    SyncRunning,
    Timeout,
    UnknownAccount,
)
from marketplaces.locks import lock_account, lock_sync_state
from marketplaces.models import SellerAccount, SyncRun, SyncState
from marketplaces.services.alarms import DATABASE_ERRORS
from marketplaces.services.backoff import DATABASE, delay_after
from marketplaces.services.testing import connection_is_refused
from monitoring.services.alerts import notify, resolve

What, Status = SyncRun.What, SyncRun.Status

logger = structlog.get_logger("marketplaces.sync")

SYNC_FAILED = "marketplaces.sync_failed"
SYNC_FAILED_SENTENCE = gettext_noop(
    "%(account)s: reading %(what)s has failed %(failures)s times in a row, last because of: %(reason)s"
)
# People are told of a failure that has repeated itself; of the database's at its first repetition.
TELL_AFTER_FAILURES = 3
TELL_DATABASE_AFTER_FAILURES = 2

# A page is stored more often than this, even where the marketplace is slow.
LEASES = {
    What.ORDERS: datetime.timedelta(minutes=5),
    What.INVENTORY: datetime.timedelta(minutes=15),
}
# What is tried again waits no longer than this, however often it has failed.
LONGEST_DELAY = datetime.timedelta(minutes=10)
WHEN_NOT_AUTHORISED = datetime.timedelta(hours=1)
AFTER_PARTIAL = datetime.timedelta(minutes=10)
# Seconds that a marketplace has for an answer: at first, and at most.
READ_TIMEOUT, LONGEST_READ_TIMEOUT = 30.0, 120.0
# How far back everything is read again when it is not known what is missing.
FULL_RESYNC = datetime.timedelta(days=30)
OVERLAP = datetime.timedelta(hours=1)

MOST_PROBLEMS = 100
LONGEST_REASON = 500
KILLED = "killed"


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

    `since` is remembered until everything from then on was read. Raises UnknownAccount, AccountSwitchedOff,
    NotConnected, and SyncRunning while another one is at it or, with `is_due_only`, if it is not its time yet.
    """
    with transaction.atomic():
        account = account_to_read(account_id)
        state = lock_sync_state(account_id=account_id, what=what)
        now = timezone.now()
        is_leased = state.leased_until is not None and state.leased_until > now
        if is_leased or (is_due_only and state.next_due_at > now):
            raise SyncRunning(_("This is being synchronised already. Wait until it is done."))
        before = SyncRun.objects.filter(pk=state.run_id).first() if state.run_id else None
        if before is not None and before.status == Status.RUNNING:
            close_killed(before, state, now)
        if since is not None:
            state.resync_since = min(since, state.resync_since or since)
        run = SyncRun.objects.create(
            account=account,
            what=what,
            source=SyncRun.Source.MANUAL if requested_by_id is not None else source_of(account),
            started_at=now,
            since=state.resync_since,
            retry_of=before.pk if before is not None and before.status in (Status.PARTIAL, Status.FAILED) else None,
            requested_by_id=requested_by_id,
        )
        state.run_id, state.leased_until, state.next_due_at = run.pk, now + LEASES[What(what)], now
        state.save()
    return run


def account_to_read(account_id: UUID) -> SellerAccount:
    """The account, if it is one that may be called. Raises UnknownAccount, AccountSwitchedOff, NotConnected."""
    account = SellerAccount.objects.select_related("location").filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    if not account.is_active:
        raise AccountSwitchedOff(account.name)
    if account.connection == SellerAccount.Connection.NONE:
        raise NotConnected(account.name)
    return account


def source_of(account: SellerAccount) -> SyncRun.Source:
    return SyncRun.Source[Marketplace(account.marketplace).name]


def begun_run(run_id: UUID) -> SyncRun:
    """A run that a door has begun, for the task that carries it out. Raises SyncRunning if it has ended, or another
    one has taken its place."""
    run = SyncRun.objects.select_related("account", "account__location").filter(pk=run_id).first()
    if run is None or run.status != Status.RUNNING or not SyncState.objects.filter(run_id=run_id).exists():
        raise SyncRunning(_("This run has ended already."))
    return run


def keep_lease(*, run_id: UUID, at: datetime.datetime) -> None:
    """Says, in the transaction of what the run writes, that it is alive; raises LeaseLost if another one has taken its
    place, so that nothing is written."""
    for what, length in LEASES.items():
        if SyncState.objects.filter(run_id=run_id, what=what).update(leased_until=at + length):
            return
    raise LeaseLost(f"Another run has taken the place of {run_id}.")


def carry_out(run: SyncRun, work: Callable[[SyncRun, float], None]) -> SyncRun:
    """Calls `work` with the run and the patience that the marketplace has (seconds), and ends the run as it ended.

    What marketplaces and the database do wrong ends in the run; our own mistakes are raised as well.
    """
    timeout = SyncState.objects.values_list("read_timeout", flat=True).filter(run_id=run.pk).first()
    try:
        work(run, timeout or READ_TIMEOUT)
    except LeaseLost as error:
        logger.warning("run_overtaken", run=str(run.pk), account=str(run.account_id), reason=str(error))
        run.refresh_from_db()
        return run
    except (MarketplaceError, DatabaseTrouble) as error:
        logger.warning("run_failed", run=str(run.pk), account=str(run.account_id), what=run.what, reason=str(error))
        if isinstance(error, DatabaseTrouble):
            leave_broken_connection()
        return end_run(run, error)
    except Exception as error:
        end_run(run, error)
        raise
    return end_run(run)


def leave_broken_connection() -> None:
    """The database was restarted, or cut the connection: what follows opens a new one."""
    if not connection.in_atomic_block and not connection.is_usable():
        connection.close()


def note(run: SyncRun, *, problems: list[Problem], counts: Mapping[str, int]) -> None:
    """Adds to what was left out, of which the first hundred are kept, and to the number of items by source."""
    for problem in problems[: max(0, MOST_PROBLEMS - len(run.problems))]:
        # An item is an id or a SKU, which may look like a phone number; what is wrong with it may quote anything.
        item, reason = problem.item.replace("\x00", ""), mask_text(problem.reason.replace("\x00", ""))
        run.problems.append({"item": item[:LONGEST_REASON], "reason": reason[:LONGEST_REASON]})
    for source, number in counts.items():
        run.counts[source] = run.counts.get(source, 0) + number


def save_progress(run: SyncRun) -> None:
    """Shows how far the run is."""
    this_run(run).update(**{name: getattr(run, name) for name in PROGRESS})


PROGRESS = ("processed", "updated", "skipped", "error", "problems", "counts")


def this_run(run: SyncRun) -> QuerySet[SyncRun]:
    """Its row, in its partition only, as long as nobody has closed it."""
    return SyncRun.objects.filter(pk=run.pk, started_at=run.started_at, status=Status.RUNNING)


@transaction.atomic
def end_run(run: SyncRun, error: Exception | None = None) -> SyncRun:
    """Closes the run, and says when the next one is due: see docs/marketplaces.md for the rules of recovery."""
    now = timezone.now()
    if isinstance(error, NotAuthorised):
        # It will be written down in the account, whose lock comes first: a connection that is just being made takes
        # both in this order, and must not be lost.
        lock_account(run.account_id)
    state = lock_sync_state(account_id=run.account_id, what=run.what)
    if state.run_id != run.pk:
        run.refresh_from_db()
        return run
    run.completed_at = now
    if error is not None:
        run.status, run.error = Status.FAILED, run.error + 1
        run.error_kind, run.message = kind_of(error), mask_text(str(error).replace("\x00", ""))[:LONGEST_REASON]
        recover(run, state, error, now)
    else:
        run.status = Status.PARTIAL if run.problems else Status.SUCCESS
        go_on(run, state, now)
    closing = {name: getattr(run, name) for name in (*PROGRESS, "status", "completed_at", "error_kind", "message")}
    this_run(run).update(**closing)
    state.leased_until = None
    state.save()
    tell(run, state)
    return run


def go_on(run: SyncRun, state: SyncState, now: datetime.datetime) -> None:
    """Everything was read. What was left out is read once more by a further run; if it is left out then too, it waits
    for its time."""
    interval = interval_of(run.account, run.what)
    state.next_due_at = now + interval
    if run.since is not None and state.resync_since is not None and run.since <= state.resync_since:
        state.resync_since = None
    if run.status == Status.PARTIAL and not is_further_run(run):
        run.message = _("Some of it was left out. A further run reads it again.")
        state.next_due_at = now + min(interval, AFTER_PARTIAL)
        if run.what == What.ORDERS:
            missing_since = run.since or (state.last_success_at or now - FULL_RESYNC) - OVERLAP
            state.resync_since = min(missing_since, state.resync_since or missing_since)
    state.failures, state.read_timeout, state.last_success_at = 0, READ_TIMEOUT, now


def is_further_run(run: SyncRun) -> bool:
    return run.retry_of is not None and SyncRun.objects.filter(pk=run.retry_of, status=Status.PARTIAL).exists()


def recover(run: SyncRun, state: SyncState, error: Exception, now: datetime.datetime) -> None:
    """What follows from a failure: when it is tried again, with how much patience, and from where."""
    state.failures += 1
    delay = min(delay_after(run.error_kind, attempts=state.failures), LONGEST_DELAY)
    if isinstance(error, Timeout):
        state.read_timeout = min(state.read_timeout * 2, LONGEST_READ_TIMEOUT)
        delay = LONGEST_DELAY
    elif isinstance(error, RateLimited):
        delay = max(delay, datetime.timedelta(seconds=error.retry_after))
    elif isinstance(error, BreakerOpen):
        delay = max(delay, error.until - now)
    elif isinstance(error, NotAuthorised):
        delay = WHEN_NOT_AUTHORISED
        keys_of = run.account.credentials_changed_at
        connection_is_refused(account_id=run.account_id, reason=str(error), keys_of=keys_of, at=now)
    elif isinstance(error, BadAnswer) and state.failures == 1 and run.what == What.ORDERS:
        # What the damaged answer held is unknown. Once is enough: a marketplace that goes on answering so is not
        # helped by more calls.
        state.resync_since = min(now - FULL_RESYNC, state.resync_since or now)
    state.next_due_at = now + delay


def kind_of(error: Exception) -> str:
    if isinstance(error, MarketplaceError):
        return error.kind
    return DATABASE if isinstance(error, DatabaseTrouble) else "error"


def close_killed(run: SyncRun, state: SyncState, now: datetime.datetime) -> None:
    """Closes a run that nobody carries on: its worker was killed. What it stored is kept, and its cursors with it."""
    run.status = Status.FAILED
    this_run(run).update(
        status=Status.FAILED,
        error=run.error + 1,
        completed_at=now,
        error_kind=KILLED,
        message=_("The worker ended before the run did. The next one goes on where it stopped."),
    )
    state.failures += 1


def interval_of(account: SellerAccount, what: str) -> datetime.timedelta:
    """How often it is read."""
    if what == What.INVENTORY:
        return datetime.timedelta(minutes=account.stock_every)
    return datetime.timedelta(seconds=account.orders_every)


def tell(run: SyncRun, state: SyncState) -> None:
    """Tells people of failures that repeat themselves, and when they are over."""
    subject = f"{run.account_id}:{run.what}"
    if run.status != Status.FAILED:
        for event in (SYNC_FAILED, DATABASE_ERRORS):
            resolve(event=event, subjects=[subject])
        return
    is_database = run.error_kind == DATABASE
    if state.failures < (TELL_DATABASE_AFTER_FAILURES if is_database else TELL_AFTER_FAILURES):
        return
    details = {
        "account": str(run.account),
        "what": run.what,
        "failures": state.failures,
        "reason": run.message,
        "run": str(run.pk),
    }
    notify(
        event=DATABASE_ERRORS if is_database else SYNC_FAILED,
        subject=subject,
        message=sync_failed_sentence(details),
        details=details,
    )


def sync_failed_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return _(SYNC_FAILED_SENTENCE) % {**details, "what": What(details["what"]).label}
