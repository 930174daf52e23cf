"""Trying failed operations again: each gets a successor, which inherits what was deducted."""

import datetime
from collections.abc import Sequence

from marketplaces.models import OperationLog, StockOperation
from marketplaces.services.operation_log import OperationLogger, write_logs

Action = OperationLog.Action


def make_successors(failed: Sequence[StockOperation], *, at: datetime.datetime) -> list[StockOperation]:
    """The successors of these locked, failed operations that have none.

    What was deducted stays under the id of the operation that deducted it. A cancellation that failed goes on as one.
    """
    successors = [
        StockOperation(
            account_id=one.account_id,
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
            next_attempt_at=at,
            created_at=at,
        )
        for one in failed
    ]
    StockOperation.objects.bulk_create(successors)
    logs = []
    for operation in successors:
        log = OperationLogger(operation)
        log.action(Action.OPERATION_CREATED, to_status=operation.status, retry_of=str(operation.retry_of_id))
        logs.append(log)
    write_logs(logs)
    return successors
