"""What was cancelled of an order after its stock was taken comes back, while the rest of it goes on."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.services.returns import movements_back
from marketplaces.models import OperationLog, StockOperation, StockOperationLine
from marketplaces.services.corrections import Reason, correct, deductions_held
from marketplaces.services.shrinking import pieces_too_many
from marketplaces.services.steps.faults import one_by_one
from marketplaces.services.steps.work import Work, pick

Action, Status = OperationLog.Action, StockOperation.Status


def give_back_parts(operation_ids: Collection[UUID], *, clock: Callable[[], datetime]) -> None:
    """Gives back what the orders of these operations have fewer of than was deducted, where that was noticed."""
    marked = StockOperation.objects.filter(pk__in=operation_ids, part_cancelled_at__isnull=False)
    for pk in marked.order_by("pk").values_list("pk", flat=True):
        one_by_one([pk], lambda some: give_back_part(some[0], at=clock()), action=Action.RETRY_SCHEDULED, clock=clock)


@transaction.atomic
def give_back_part(operation_id: UUID, *, at: datetime) -> None:
    """One transaction: the pieces stand in the ledger, under a correction of its own, together with the line that says
    so. One that is to be ended gives back all by itself."""
    work = pick([operation_id], statuses=[Status.STOCK_DEDUCTED, Status.COMPLETED], at=at)
    for operation in work:
        if operation.part_cancelled_at is None:
            continue
        for lines in pieces_too_many([operation]).values():
            give_back(work, operation, lines)
        operation.part_cancelled_at = None
        if operation.status == Status.COMPLETED:
            operation.attempts, operation.last_error, operation.next_attempt_at = 0, "", None
    work.save()


def give_back(work: Work, operation: StockOperation, lines: dict[StockOperationLine, int]) -> None:
    log, reason = work.log(operation), _("A part of the order was cancelled on the marketplace.")
    log.action(Action.STOCK_ROLLBACK_STARTED, reason=reason)
    held = deductions_held(operation)
    movements = []
    for line, gone in lines.items():
        whole = line.quantity - line.cancelled_quantity
        movements += movements_back(
            held, document_id=str(line.operation_id), line_id=line.pk, part=gone, whole=whole, restock=True
        )
        line.cancelled_quantity += gone
    StockOperationLine.objects.bulk_update(lines, ["cancelled_quantity"])
    adjustment = correct(
        operation,
        [replace(movement, reason=Reason.MARKETPLACE_ROLLBACK) for movement in movements],
        product_ids={line.product_id for line in lines if line.product_id is not None},
        reason=reason,
        created_by_id=None,
        at=work.at,
    )
    log.action(
        Action.STOCK_ROLLBACK_COMPLETED,
        adjustment=str(adjustment.pk),
        pieces=[{"sku": line.sku, "pieces": gone} for line, gone in lines.items()],
    )
