"""The one class that writes the standard log of stock operations: rows beside the operation, and JSON lines.

    log = OperationLogger(operation)
    log.action(Action.LINE_ITEMS_LOADING)
    with log.timed(Action.STOCK_DEDUCTION_STARTED, Action.STOCK_DEDUCTION_COMPLETED, Action.STOCK_DEDUCTION_FAILED):
        …
    log.transition(before, reason="…")
    log.write()

Entries are gathered and written with `write_logs` (or `write`) in the transaction of what they tell, so that the log
never says what did not happen; the lines go out when that transaction is through.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from foundation.errors import Refusal
from foundation.logs import mask_text
from marketplaces.errors import MarketplaceError
from marketplaces.models import OperationLog, StockOperation

Action = OperationLog.Action
LONGEST_REASON = 500

logger = structlog.get_logger("marketplaces.operations")


class OperationLogger:
    """Gathers the entries of one operation. `order_id` is the marketplace's own id of the order."""

    def __init__(self, operation: StockOperation) -> None:
        self.operation = operation
        self.entries: list[OperationLog] = []

    def action(
        self,
        action: OperationLog.Action,
        *,
        reason: str = "",
        took: float | None = None,
        error: Mapping[str, Any] | None = None,
        from_status: str = "",
        to_status: str = "",
        **context: Any,
    ) -> None:
        """One entry. `took` in seconds; `context` is whatever explains it (values that JSON can hold)."""
        self.entries.append(
            OperationLog(
                operation=self.operation,
                order_id=self.operation.order.external_id,
                action=action,
                from_status=from_status or self.operation.status,
                to_status=to_status,
                reason=reason[:LONGEST_REASON],
                attempt=self.operation.attempts,
                execution_time_ms=None if took is None else round(took * 1000),
                next_attempt_at=self.operation.next_attempt_at,
                error_details=None if error is None else {name: str(value) for name, value in error.items() if value},
                context=context,
                created_at=timezone.now(),
            )
        )

    def transition(self, from_status: str, *, reason: str = "") -> None:
        """The operation's status has changed from `from_status` to what it is now."""
        self.action(Action.STATUS_TRANSITION, reason=reason, from_status=from_status, to_status=self.operation.status)

    def validation_failure(self, reason: str, **context: Any) -> None:
        """The stock does not suffice, or it is not known what to deduct."""
        self.action(Action.STOCK_VALIDATION_FAILED, reason=reason, **context)

    def error(
        self,
        action: OperationLog.Action,
        error: BaseException,
        *,
        kind: str = "",
        took: float | None = None,
        **context: Any,
    ) -> None:
        """A step failed: with what kind of error (as the error itself says unless `kind` does), and what it said."""
        # Ours hold no secret, and name SKUs, which look like phone numbers; of others nobody knows.
        is_ours = isinstance(error, MarketplaceError | Refusal)
        message = str(error) if is_ours else mask_text(str(error))
        details = {"kind": kind or getattr(error, "kind", type(error).__name__), "message": message}
        if isinstance(error, MarketplaceError):
            details |= {"status": error.status, "code": error.code}
        self.action(action, reason=message, took=took, error=details, **context)

    @contextmanager
    def timed(
        self,
        started: OperationLog.Action,
        completed: OperationLog.Action,
        failed: OperationLog.Action,
        **context: Any,
    ) -> Iterator[dict[str, Any]]:
        """An action with its time: `started`, then `completed` with how long it took, or `failed` with the error,
        which goes through. What is put into the dict that it gives stands in the context of the end."""
        self.action(started, **context)
        begun, found = time.perf_counter(), dict(context)
        try:
            yield found
        except Exception as error:
            self.error(failed, error, took=time.perf_counter() - begun, **found)
            raise
        self.action(completed, took=time.perf_counter() - begun, **found)

    def write(self) -> None:
        """Writes what was gathered. See `write_logs`."""
        write_logs([self])


def write_logs(logs: Sequence[OperationLogger]) -> None:
    """Writes the entries of several operations in one statement, each operation's in their order."""
    entries = [entry for log in logs for entry in log.entries]
    if not entries:
        return
    OperationLog.objects.bulk_create(entries)
    for log in logs:
        log.entries = []
    transaction.on_commit(lambda: say(entries), robust=True)


def say(entries: Iterable[OperationLog]) -> None:
    """The entries as lines of the structured log."""
    for entry in entries:
        logger.info(
            entry.action,
            operation=str(entry.operation_id),
            order=entry.order_id,
            from_status=entry.from_status,
            to_status=entry.to_status,
            reason=entry.reason,
            attempt=entry.attempt,
            execution_time_ms=entry.execution_time_ms,
            next_attempt_at=entry.next_attempt_at.isoformat() if entry.next_attempt_at else None,
            error_details=entry.error_details,
            context=entry.context,
        )
