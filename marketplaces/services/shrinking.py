"""An order whose buyer or seller cancelled a part of it after the stock was taken: that part comes back.

Ozon lets a seller cancel some of the goods of a posting; the posting then goes on with fewer pieces.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from inventory.services.returns import Deductions, movements_back
from marketplaces.locks import lock_operations
from marketplaces.models import MarketplaceOrder, MarketplaceOrderLine, OperationLog, StockOperation, StockOperationLine
from marketplaces.services.corrections import Reason, correct, deductions_held
from marketplaces.services.operation_log import OperationLogger

Action, Kind, Status = OperationLog.Action, StockOperation.Kind, StockOperation.Status


def give_back_parts(*, orders: Sequence[MarketplaceOrder], at: datetime) -> list[StockOperation]:
    """Gives back what these (locked) orders no longer have of what was deducted for them, and returns the corrections.

    Inside the caller's transaction. An operation that is to be ended gives back all by itself; one that has not
    deducted yet takes the lines as they are by then. A line that has grown is left alone: no marketplace does that.
    """
    holding = StockOperation.objects.filter(
        order_id__in=[order.pk for order in orders],
        kind=Kind.SALE,
        status__in=[Status.STOCK_DEDUCTED, Status.COMPLETED],
        cancellation_requested_at=None,
    )
    operations = [
        one
        for one in lock_operations(list(holding.values_list("pk", flat=True)))
        if one.status in (Status.STOCK_DEDUCTED, Status.COMPLETED) and one.cancellation_requested_at is None
    ]
    if not operations:
        return []
    wanted: dict[tuple[UUID, str], int] = {
        (order_id, line_id): quantity
        for order_id, line_id, quantity in MarketplaceOrderLine.objects.filter(
            order_id__in=[one.order_id for one in operations]
        ).values_list("order_id", "external_line_id", "quantity")
    }
    held = deductions_held(operations)
    corrections = [shrink(one, wanted, held, at=at) for one in operations]
    return [one for one in corrections if one is not None]


def shrink(
    operation: StockOperation, wanted: dict[tuple[UUID, str], int], held: Deductions, *, at: datetime
) -> StockOperation | None:
    """Gives back what one operation holds too much."""
    movements, lines = [], []
    # The lines of the operation that deducted: the ledger names them.
    for line in StockOperationLine.objects.filter(operation_id=operation.deduction_id).order_by("pk"):
        has = line.quantity - line.cancelled_quantity
        too_many = has - wanted.get((operation.order_id, line.external_line_id), 0)
        if too_many <= 0:
            continue
        back = movements_back(
            held, document_id=str(operation.deduction_id), line_id=line.pk, part=too_many, whole=has, restock=True
        )
        movements += [replace(movement, reason=Reason.MARKETPLACE_ROLLBACK) for movement in back]
        line.cancelled_quantity += too_many
        lines.append(line)
    if not lines:
        return None
    log = OperationLogger(operation)
    log.action(Action.STOCK_ROLLBACK_STARTED, reason=_("A part of the order was cancelled on the marketplace."))
    StockOperationLine.objects.bulk_update(lines, ["cancelled_quantity"])
    adjustment = correct(
        operation,
        movements,
        product_ids={line.product_id for line in lines if line.product_id is not None},
        reason=_("A part of the order was cancelled on the marketplace."),
        created_by_id=None,
        at=at,
    )
    log.action(
        Action.STOCK_ROLLBACK_COMPLETED,
        adjustment=str(adjustment.pk),
        pieces=[{"sku": line.sku, "left": line.quantity - line.cancelled_quantity} for line in lines],
    )
    log.write()
    return adjustment
