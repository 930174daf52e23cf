"""Orders of which a part is cancelled after the stock was taken: which pieces of which lines are to come back.

Ozon lets a seller cancel some of the goods of a posting, which then goes on with fewer pieces.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from marketplaces.locks import inside_a_transaction, lock_operations
from marketplaces.models import MarketplaceOrder, MarketplaceOrderLine, StockOperation, StockOperationLine

Kind, Status = StockOperation.Kind, StockOperation.Status


def mark_parts_cancelled(*, orders: Sequence[MarketplaceOrder], at: datetime) -> list[StockOperation]:
    """Marks the operations that hold more stock than these (locked) orders still have pieces, for the pipeline to give
    the rest back, and returns them.

    Inside the caller's transaction. An operation that has deducted nothing yet takes the lines as they are by then:
    one that is just deducting is waited for by its lock, and seen here with what it deducted.
    """
    inside_a_transaction()
    candidates = StockOperation.objects.filter(
        order_id__in=[order.pk for order in orders],
        kind=Kind.SALE,
        status__in=[*StockOperation.UNFINISHED, Status.COMPLETED, Status.FAILED],
        successor=None,
    )
    locked = lock_operations(list(candidates.values_list("pk", flat=True)))
    holding = [one for one in locked if one.deduction_id is not None and one.status != Status.CANCELLED]
    too_many = pieces_too_many(holding) if holding else {}
    marked = [one for one in holding if one.pk in too_many]
    for operation in marked:
        operation.part_cancelled_at = at
        if operation.status == Status.COMPLETED:
            operation.next_attempt_at = at
    StockOperation.objects.bulk_update(marked, ["part_cancelled_at", "next_attempt_at"])
    return marked


def pieces_too_many(operations: Collection[StockOperation]) -> dict[UUID, dict[StockOperationLine, int]]:
    """{operation: {line that was deducted: how many of its pieces the order has no more}}, of those operations, which
    have deducted, where there are any. Two queries.

    An order without lines says nothing, and is left alone.
    """
    wanted: dict[UUID, list[MarketplaceOrderLine]] = {}
    for line in MarketplaceOrderLine.objects.filter(order_id__in=[one.order_id for one in operations]).order_by("pk"):
        wanted.setdefault(line.order_id, []).append(line)
    # The lines of the operation that deducted: the ledger names those.
    deducted: dict[UUID, list[StockOperationLine]] = {}
    deductions = [one.deduction_id for one in operations]
    for row in StockOperationLine.objects.filter(operation_id__in=deductions).order_by("pk"):
        deducted.setdefault(row.operation_id, []).append(row)
    found = {}
    for operation in operations:
        if operation.deduction_id is not None and operation.order_id in wanted:
            found[operation.pk] = surplus(deducted.get(operation.deduction_id, []), wanted[operation.order_id])
    return {pk: lines for pk, lines in found.items() if lines}


def surplus(
    deducted: Sequence[StockOperationLine], wanted: Sequence[MarketplaceOrderLine]
) -> dict[StockOperationLine, int]:
    """How many pieces of which of these deducted lines the order has no more.

    Never more than the order has lost altogether. Lines are the same by their id, and otherwise by their SKU: a
    marketplace may tell either in another way than before, without anybody having cancelled anything.
    """
    has = {line: line.quantity - line.cancelled_quantity for line in deducted}
    lost = sum(has.values()) - sum(line.quantity for line in wanted)
    by_id = {line.external_line_id: line.quantity for line in wanted}
    known = {line.external_line_id for line in deducted}
    by_sku: Counter[str] = Counter()
    for one in wanted:
        if one.external_line_id not in known:
            by_sku[one.sku] += one.quantity
    found = {}
    for line in deducted:
        stays = by_id.get(line.external_line_id)
        if stays is None:
            stays = min(has[line], by_sku[line.sku])
            by_sku[line.sku] -= stays
        gone = min(has[line] - stays, lost)
        if gone > 0:
            found[line] = gone
            lost -= gone
    return found
