"""People ask for operations to be cancelled. The pipeline does it: see `marketplaces.services.steps.end`."""

import datetime
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from marketplaces.errors import CancellationRunning, UnknownOperation, WrongOperations
from marketplaces.locks import lock_operation, lock_operations
from marketplaces.models import OperationLog, SellerAccount, StockOperation
from marketplaces.services.operation_log import OperationLogger, write_logs
from marketplaces.services.operation_results import OperationResult, check_operations, of_accounts
from marketplaces.services.steps.work import wrong_status

Action, Kind, Status = OperationLog.Action, StockOperation.Kind, StockOperation.Status
CANCELLABLE = (*StockOperation.UNFINISHED, Status.COMPLETED)
LONGEST_REASON = 300


@transaction.atomic
def request_cancellation(
    *, operation_id: UUID, reason: str, user_id: int | None, at: datetime.datetime | None = None
) -> StockOperation:
    """Asks for the end of an operation, whatever it has done so far: from this moment it takes nothing more. The
    marketplace is cancelled first, then the stock comes back, in the background.

    Raises UnknownOperation, OperationStatusWrong, CancellationRunning, and WrongOperations at "reason" without one.
    """
    reason = checked_reason(reason)
    operation = lock_operation(operation_id)
    check_cancellable(operation)
    ask([operation], reason=reason, user_id=user_id, at=at or timezone.now())
    return operation


@transaction.atomic
def request_cancellations_of(
    *,
    operation_ids: Sequence[UUID],
    reason: str,
    user_id: int | None,
    accounts: QuerySet[SellerAccount] | None = None,
    at: datetime.datetime | None = None,
) -> list[OperationResult]:
    """Asks for the end of those of the operations that can be cancelled, and says of each other one why not.

    Up to 1,000, in a constant number of queries; of `accounts` only, if they are given: the others do not exist for
    this caller. Raises WrongOperations.
    """
    check_operations(operation_ids)
    reason = checked_reason(reason)
    locked = {one.pk: one for one in lock_operations(operation_ids, **of_accounts(accounts))}
    results, asked = [], []
    for pk in dict.fromkeys(operation_ids):
        operation = locked.get(pk)
        if operation is None:
            results.append(OperationResult(pk, UnknownOperation(pk)))
            continue
        try:
            check_cancellable(operation)
        except Refusal as refusal:
            results.append(OperationResult(pk, refusal))
            continue
        asked.append(operation)
        results.append(OperationResult(pk))
    if asked:
        ask(asked, reason=reason, user_id=user_id, at=at or timezone.now())
    return results


def checked_reason(reason: str) -> str:
    """The reason without spaces around it. Raises WrongOperations at "reason"."""
    reason = reason.strip()
    if not reason:
        raise WrongOperations.at("reason", _("Say why."))
    if len(reason) > LONGEST_REASON:
        raise WrongOperations.at("reason", _("The reason has at most %(most)d characters.") % {"most": LONGEST_REASON})
    return reason


def check_cancellable(operation: StockOperation) -> None:
    """Raises OperationStatusWrong for an operation that has ended otherwise, or is a correction itself, and
    CancellationRunning for one that is being cancelled."""
    if operation.cancellation_requested_at is not None and operation.status in CANCELLABLE:
        raise CancellationRunning
    if operation.status not in CANCELLABLE or operation.kind != Kind.SALE:
        raise wrong_status(operation, CANCELLABLE)


def ask(operations: Sequence[StockOperation], *, reason: str, user_id: int | None, at: datetime.datetime) -> None:
    """Marks these locked operations, which are due at once, and writes the log that says so."""
    changes = {
        "cancellation_requested_at": at,
        "cancelled_by_id": user_id,
        "cancellation_reason": reason,
        "cancellation_refused_at": None,
        "attempts": 0,
        "last_error": "",
        "next_attempt_at": at,
    }
    StockOperation.objects.filter(pk__in=[operation.pk for operation in operations]).update(**changes)
    logs = []
    for operation in operations:
        for name, value in changes.items():
            setattr(operation, name, value)
        log = OperationLogger(operation)
        log.action(Action.CANCELLATION_REQUESTED, reason=reason, by=user_id)
        logs.append(log)
    write_logs(logs)
