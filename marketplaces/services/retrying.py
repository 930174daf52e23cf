"""Trying failed operations again: each gets a successor, which inherits what was deducted."""

import datetime
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from foundation.errors import Refusal
from marketplaces.errors import TriedAgain, UnknownOperation
from marketplaces.locks import lock_operation, lock_operations
from marketplaces.models import OperationLog, SellerAccount, StockOperation
from marketplaces.services.alarms import OPERATION_FAILED
from marketplaces.services.operation_log import OperationLogger, write_logs
from marketplaces.services.operation_results import OperationResult, check_operations, of_accounts
from marketplaces.services.steps.work import wrong_status
from monitoring.services.alerts import resolve

Action, Kind, Status = OperationLog.Action, StockOperation.Kind, StockOperation.Status


@transaction.atomic
def retry_operation(*, operation_id: UUID, user_id: int | None, at: datetime.datetime | None = None) -> StockOperation:
    """Makes the successor of a failed operation, due at once, and returns it. Of two people who ask at the same
    moment, one gets it and the other is told.

    Raises UnknownOperation, OperationStatusWrong, TriedAgain.
    """
    failed = lock_operation(operation_id)
    check_failed(failed, successors_of([failed]))
    (successor,) = make_successors([failed], user_id=user_id, at=at or timezone.now())
    return successor


@transaction.atomic
def retry_operations(
    *,
    operation_ids: Sequence[UUID],
    user_id: int | None,
    accounts: QuerySet[SellerAccount] | None = None,
    at: datetime.datetime | None = None,
) -> list[OperationResult]:
    """Tries those of the operations again that have failed, and says of each other one why not.

    Up to 1,000, in a constant number of queries; of `accounts` only, if they are given: the others do not exist for
    this caller. Raises WrongOperations.
    """
    check_operations(operation_ids)
    locked = {one.pk: one for one in lock_operations(operation_ids, **of_accounts(accounts))}
    tried = successors_of(list(locked.values()))
    refusals: dict[UUID, Refusal] = {}
    failed = []
    for pk in dict.fromkeys(operation_ids):
        if pk not in locked:
            refusals[pk] = UnknownOperation(pk)
            continue
        try:
            check_failed(locked[pk], tried)
        except Refusal as refusal:
            refusals[pk] = refusal
            continue
        failed.append(locked[pk])
    made = make_successors(failed, user_id=user_id, at=at or timezone.now()) if failed else []
    successors = {one.retry_of_id: one.pk for one in made}
    return [OperationResult(pk, refusals.get(pk), successors.get(pk)) for pk in dict.fromkeys(operation_ids)]


def successors_of(operations: Sequence[StockOperation]) -> set[UUID]:
    """Those of these locked operations that have a successor: nobody gives them one now."""
    rows = StockOperation.objects.filter(retry_of__in=[one.pk for one in operations])
    return set(rows.order_by().values_list("retry_of_id", flat=True))


def check_failed(operation: StockOperation, tried: set[UUID]) -> None:
    """Raises OperationStatusWrong unless it has failed, and TriedAgain if it has a successor."""
    if operation.status != Status.FAILED or operation.kind != Kind.SALE:
        raise wrong_status(operation, [Status.FAILED])
    if operation.pk in tried:
        raise TriedAgain


def make_successors(
    failed: Sequence[StockOperation], *, at: datetime.datetime, user_id: int | None = None
) -> list[StockOperation]:
    """The successors of these locked, failed operations that have none; what was said of the failures is taken back.

    What was deducted stays under the id of the operation that deducted it. A cancellation that failed goes on as one.
    """
    successors = [
        StockOperation(
            account=one.account,
            account_name=one.account_name,
            order=one.order,
            retry_of=one,
            stock_deducted_at=one.stock_deducted_at,
            deduction_id=one.deduction_id,
            microservice_synced_at=one.microservice_synced_at,
            cancellation_requested_at=one.cancellation_requested_at,
            cancelled_by_id=one.cancelled_by_id,
            cancellation_reason=one.cancellation_reason,
            is_cancelled_there=one.is_cancelled_there,
            marketplace_rolled_back_at=one.marketplace_rolled_back_at,
            part_cancelled_at=one.part_cancelled_at,
            next_attempt_at=at,
            created_at=at,
        )
        for one in failed
    ]
    StockOperation.objects.bulk_create(successors)
    logs = []
    for operation in successors:
        log = OperationLogger(operation)
        log.action(
            Action.OPERATION_CREATED, to_status=operation.status, retry_of=str(operation.retry_of_id), by=user_id
        )
        logs.append(log)
    write_logs(logs)
    resolve(event=OPERATION_FAILED, subjects=[str(one.pk) for one in failed])
    return successors
