"""A fault of one operation never stops the others."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction

from marketplaces.locks import lock_operations
from marketplaces.models import OperationLog
from marketplaces.services.steps.work import Work

logger = structlog.get_logger("marketplaces.operations")


def one_by_one(
    operation_ids: Sequence[UUID],
    act: Callable[[Sequence[UUID]], None],
    *,
    action: OperationLog.Action,
    clock: Callable[[], datetime],
) -> None:
    """Does `act`, a transaction of its own, for all of these operations together, and singly where that fails: then it
    is known which one it is, and that one is tried later. `action` is what its log calls the failure.

    Where the database is gone altogether the failure can't be written down either, and goes through: the lease ends by
    itself, and another worker finds everything as it was.
    """
    try:
        act(operation_ids)
    except Exception as error:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        if len(operation_ids) > 1:
            for pk in operation_ids:
                one_by_one([pk], act, action=action, clock=clock)
            return
        logger.exception("step_failed", operation=str(operation_ids[0]), action=action)
        note(operation_ids, error, action=action, at=clock())


@transaction.atomic
def note(operation_ids: Collection[UUID], error: Exception, *, action: OperationLog.Action, at: datetime) -> None:
    """Writes down that a step of these operations failed, and puts them off, unless they have gone on meanwhile."""
    work = Work(lock_operations(operation_ids, next_attempt_at__lte=at), at=at)
    for operation in work:
        work.after_error(operation, error, action=action)
    work.save()
