"""Putting right what an operation took from the stock: an operation of kind adjustment, and what it posts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from inventory.models import StockMovement
from inventory.services.ledger import Movement, post_movements
from inventory.services.returns import Deductions, deductions_of
from marketplaces.models import OperationLog, StockOperation
from marketplaces.services.operation_log import OperationLogger
from marketplaces.services.pushes import want_pushes
from marketplaces.services.steps.work import proceed

Action, Kind = OperationLog.Action, StockOperation.Kind
Reason = StockMovement.Reason
DOCUMENT_TYPE = "stock_operation"


def deductions_held(operation: StockOperation) -> Deductions:
    """What the ledger still holds of the operation's deduction. One query."""
    return deductions_of(
        document_type=DOCUMENT_TYPE,
        document_ids=[str(operation.deduction_id)],
        reasons=[Reason.MARKETPLACE_SALE, Reason.MARKETPLACE_ROLLBACK],
    )


def correct(
    operation: StockOperation,
    movements: Sequence[Movement],
    *,
    product_ids: Collection[int],
    reason: str,
    created_by_id: int | None,
    at: datetime,
) -> StockOperation:
    """Posts movements that give back (a part of) what the locked operation took, in the caller's transaction, and
    returns the correction that did it. The listings that sell these products are marked to be sent."""
    adjustment = new_adjustment(operation, at=at)
    for location_id in sorted({movement.location_id for movement in movements}):
        want_pushes(product_ids=product_ids, location_id=location_id, at=at)
    post_movements(
        movements=movements,
        document_type=DOCUMENT_TYPE,
        created_by_id=created_by_id,
        comment=_("Correction %(id)s: %(reason)s") % {"id": adjustment.pk, "reason": reason},
        at=at,
    )
    return adjustment


def new_adjustment(operation: StockOperation, *, at: datetime) -> StockOperation:
    """The correction that puts the operation right: it goes through its whole life at once."""
    adjustment = StockOperation(
        account=operation.account,
        account_name=operation.account_name,
        order=operation.order,
        kind=Kind.ADJUSTMENT,
        adjusts=operation,
        deduction_id=operation.deduction_id,
        line_items_loaded_at=at,
        stock_deducted_at=at,
        microservice_synced_at=at,
        created_at=at,
    )
    log = OperationLogger(adjustment)
    adjusts: dict[str, Any] = {"adjusts": str(operation.pk)}
    log.action(Action.OPERATION_CREATED, to_status=adjustment.status, **adjusts)
    for verb in ("process", "deduct", "complete"):
        before = adjustment.status
        proceed(adjustment, verb)
        log.transition(before)
    adjustment.finished_at = at
    adjustment.save(force_insert=True)
    log.write()
    return adjustment
