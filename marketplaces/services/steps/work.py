"""Some operations under lock: what becomes of each in one transaction of a step, and how it is written."""

import datetime
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError
from django.db.models import F

from foundation.statuses import labels_of, make_transition
from marketplaces.errors import (
    BreakerOpen,
    NotAuthorised,
    NotConnected,
    OperationStatusWrong,
    RateLimited,
    WritingStopped,
)
from marketplaces.locks import lock_operations
from marketplaces.models import OperationLog, StockOperation
from marketplaces.services import alarms
from marketplaces.services.backoff import DATABASE, MOST_ATTEMPTS, delay_after
from marketplaces.services.operation_log import OperationLogger, write_logs
from monitoring.services.alerts import AlertText, notify_many

Action = OperationLog.Action
LONGEST_ERROR = 500
LONGEST_CANCELLATION_REASON = 300
# How long something waits that can't go on, where nothing says until when.
SHORT = datetime.timedelta(minutes=1)
LONG = datetime.timedelta(minutes=10)
UNEXPECTED = "unexpected"
# What a step may change of an operation.
SAVED = (
    "account_name",
    "status",
    "line_items_loaded_at",
    "stock_deducted_at",
    "microservice_synced_at",
    "deduction_id",
    "attempts",
    "next_attempt_at",
    "last_error",
    "cancellation_requested_at",
    "cancellation_reason",
    "is_cancelled_there",
    "marketplace_rolled_back_at",
    "cancellation_refused_at",
    "part_cancelled_at",
    "finished_at",
)
MOST_UPDATES = 3
Values = tuple[Any, ...]


class Work:
    """Operations that are locked until the end of the transaction, with the log of each.

    The methods change them in memory; `save` writes them, their log and the alerts.
    """

    def __init__(self, operations: Collection[StockOperation], *, at: datetime.datetime) -> None:
        self.operations = list(operations)
        self.at = at
        self.logs = {operation.pk: OperationLogger(operation) for operation in operations}
        self.alerts: list[tuple[str, AlertText]] = []
        self.before = {operation.pk: values_of(operation) for operation in operations}

    def __iter__(self) -> Iterator[StockOperation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    @property
    def ids(self) -> list[UUID]:
        return [operation.pk for operation in self.operations]

    def log(self, operation: StockOperation) -> OperationLogger:
        return self.logs[operation.pk]

    def move(self, operation: StockOperation, verb: str, *, reason: str = "") -> None:
        """Makes the transition `verb`, which counts as success: the next step is due at once, and may fail as often as
        this one might. Raises OperationStatusWrong."""
        before = operation.status
        proceed(operation, verb)
        operation.attempts, operation.last_error = 0, ""
        operation.next_attempt_at = self.at if operation.is_unfinished else None
        self.log(operation).transition(before, reason=reason)

    def wait(self, operation: StockOperation, reason: str, *, until: datetime.datetime) -> None:
        """Nothing is wrong with it, it only can't go on yet: no attempt is counted. Said once, not every time."""
        is_news = operation.last_error != reason[:LONGEST_ERROR]
        operation.next_attempt_at, operation.last_error = until, reason[:LONGEST_ERROR]
        if is_news:
            self.log(operation).action(Action.RETRY_SCHEDULED, reason=reason, is_counted=False)

    def try_later(self, operation: StockOperation, reason: str, *, kind: str = "") -> None:
        """An attempt has failed: the next one is put off, later each time, and after the last one it is over."""
        operation.attempts += 1
        operation.last_error = reason[:LONGEST_ERROR]
        if operation.attempts >= MOST_ATTEMPTS:
            self.log(operation).action(Action.MAX_RETRIES_REACHED, reason=reason)
            self.give_up(operation, reason)
            return
        operation.next_attempt_at = self.at + delay_after(kind, attempts=operation.attempts)
        self.log(operation).action(Action.RETRY_SCHEDULED, reason=reason)

    def lack(self, operation: StockOperation, reason: str) -> None:
        """What it takes is not there, or not known: tried later. Somebody is told at the first attempt."""
        if not operation.attempts:
            self.alerts.append((alarms.STOCK_SHORT, alarms.short(operation, reason=reason)))
        self.try_later(operation, reason)

    def after_error(self, operation: StockOperation, error: Exception, *, action: OperationLog.Action) -> None:
        """A call or a statement failed: logged as `action`, then tried later. What nobody has to be told again, and no
        further try makes better, only waits: the keys are missing, or the marketplace is left alone for a while."""
        if isinstance(error, BreakerOpen):
            self.wait(operation, str(error), until=max(error.until, self.at + SHORT))
        elif isinstance(error, RateLimited):
            self.wait(operation, str(error), until=self.at + max(datetime.timedelta(seconds=error.retry_after), SHORT))
        elif isinstance(error, WritingStopped):
            self.wait(operation, str(error), until=self.at + SHORT)
        elif isinstance(error, NotConnected | NotAuthorised):
            self.wait(operation, str(error), until=self.at + LONG)
        else:
            kind = DATABASE if isinstance(error, DatabaseError) else getattr(error, "kind", UNEXPECTED)
            if kind == DATABASE and failed_last_with(operation, DATABASE):
                self.alerts.append((alarms.DATABASE_ERRORS, alarms.database(operation, reason=str(error))))
            self.log(operation).error(action, error, kind=kind)
            self.try_later(operation, str(error), kind=kind)

    def end_because_cancelled_there(self, operation: StockOperation, reason: str) -> None:
        """The marketplace has cancelled the order: what was done is undone next, on our side only."""
        operation.cancellation_requested_at = operation.cancellation_requested_at or self.at
        operation.cancellation_reason = operation.cancellation_reason or reason[:LONGEST_CANCELLATION_REASON]
        operation.is_cancelled_there = True
        operation.attempts, operation.last_error, operation.next_attempt_at = 0, "", self.at
        self.log(operation).action(Action.CANCELLATION_REQUESTED, reason=reason, by="marketplace")

    def give_up(self, operation: StockOperation, reason: str) -> None:
        """It fails, and somebody is told. What was deducted stays deducted. What is completed stays completed: there
        only its cancellation has failed, and can be asked for again; or giving back a part of it, which is tried again
        when the order changes."""
        before = operation.status
        operation.last_error = reason[:LONGEST_ERROR]
        operation.next_attempt_at = None
        if operation.is_unfinished:
            proceed(operation, "fail")
            self.log(operation).transition(before, reason=reason)
        else:
            if operation.cancellation_requested_at is not None:
                operation.cancellation_requested_at, operation.cancellation_refused_at = None, self.at
            operation.attempts = 0
        self.log(operation).action(Action.OPERATION_FAILED, reason=reason)
        self.alerts.append((alarms.OPERATION_FAILED, alarms.failed(operation, reason=reason)))

    def save(self) -> None:
        """Writes the operations, their log, and the alerts."""
        save_operations(self.operations, before=self.before)
        self.save_log()
        for event in sorted({event for event, _text in self.alerts}):
            notify_many(event=event, alerts=[text for one, text in self.alerts if one == event])

    def save_log(self) -> None:
        """Writes only the log."""
        write_logs(list(self.logs.values()))


def pick(
    operation_ids: Collection[UUID], *, statuses: Collection[str], at: datetime.datetime, is_ending: bool = False
) -> Work:
    """Locks those of the operations that a step is for: of these statuses, due, and asked to end or not."""
    if not operation_ids:
        return Work([], at=at)
    operations = lock_operations(
        operation_ids,
        status__in=statuses,
        cancellation_requested_at__isnull=not is_ending,
        next_attempt_at__lte=at,
    )
    return Work(operations, at=at)


def proceed(operation: StockOperation, verb: str) -> None:
    """Makes the transition `verb` on a locked operation in memory. Raises OperationStatusWrong."""
    make_transition(operation, verb, refuse=lambda allowed: wrong_status(operation, allowed))


def wrong_status(operation: StockOperation, allowed: Collection[str]) -> OperationStatusWrong:
    """The refusal that names the operation's status and those that would do."""
    return OperationStatusWrong(
        status=operation.status,
        status_label=str(operation.get_status_display()),
        allowed=labels_of(operation, list(allowed)),
    )


def save_operations(operations: Collection[StockOperation], *, before: Mapping[UUID, Values]) -> None:
    """Writes what differs of these operations from what it was before. Most steps come to the same for all of them: one
    UPDATE for each different outcome, or one for all where there are many."""
    outcomes: dict[tuple[tuple[str, Any], ...], list[StockOperation]] = {}
    for operation in operations:
        values = zip(SAVED, values_of(operation), before[operation.pk], strict=True)
        changes = tuple((name, is_now) for name, is_now, was in values if is_now != was)
        if changes:
            outcomes.setdefault(changes, []).append(operation)
    if len(outcomes) > MOST_UPDATES:
        fields = {name for changes in outcomes for name, _value in changes}
        changed = [operation for alike in outcomes.values() for operation in alike]
        StockOperation.objects.bulk_update(changed, sorted(fields))
        return
    for changes, alike in outcomes.items():
        StockOperation.objects.filter(pk__in=[one.pk for one in alike]).update(**dict(changes))


def failed_last_with(operation: StockOperation, kind: str) -> bool:
    """Whether the last error in the operation's log was of this kind."""
    errors = OperationLog.objects.filter(operation=operation, error_details__isnull=False).order_by("-id")
    details = errors.values_list("error_details", flat=True).first()
    return details is not None and details.get("kind") == kind


OWN_ID = F("id")


def values_of(operation: StockOperation) -> Values:
    """What of an operation may be saved; one that deducts by itself has its own id as the deduction's, which makes it
    like the others."""
    return tuple(
        OWN_ID if name == "deduction_id" and operation.deduction_id == operation.pk else getattr(operation, name)
        for name in SAVED
    )
