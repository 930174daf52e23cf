"""pending → processing: the order is read again, and its lines are written down."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from marketplaces.choices import OrderState
from marketplaces.models import Listing, MarketplaceOrderLine, OperationLog, StockOperation, StockOperationLine
from marketplaces.services.mirror import store_read_orders
from marketplaces.services.steps.faults import one_by_one
from marketplaces.services.steps.reading import Heard, by_account, read_orders
from marketplaces.services.steps.work import LONG, Work, pick

Action, Status = OperationLog.Action, StockOperation.Status
# An order that is not ready any more comes back by itself: then its operation is woken.
UNTIL_READY = timedelta(hours=1)


def load_lines(operation_ids: Collection[UUID], *, clock: Callable[[], datetime], heard: Heard) -> None:
    """Reads the orders of the pending ones of these operations again, and loads their lines."""
    asked = begin(operation_ids, at=clock())
    if not asked:
        return
    read_orders(asked, heard)
    for account, operations in by_account(asked):
        ids = [operation.pk for operation in operations]
        one_by_one(
            ids,
            partial(keep_lines, account.pk, heard=heard, clock=clock),
            action=Action.LINE_ITEMS_LOAD_FAILED,
            clock=clock,
        )


@transaction.atomic
def begin(operation_ids: Collection[UUID], *, at: datetime) -> list[StockOperation]:
    """The operations to be loaded; those of accounts that are switched off wait."""
    work = pick(operation_ids, statuses=[Status.PENDING], at=at)
    asked = []
    for operation in work:
        if operation.account.is_active:
            work.log(operation).action(Action.LINE_ITEMS_LOADING)
            asked.append(operation)
        else:
            work.wait(operation, _("The account is switched off."), until=at + LONG)
    if len(asked) < len(work):
        work.save()
    else:
        work.save_log()
    return asked


@transaction.atomic
def keep_lines(account_id: UUID, operation_ids: Sequence[UUID], *, heard: Heard, clock: Callable[[], datetime]) -> None:
    """Mirrors what was heard of the orders, and moves their operations along as it says."""
    at = clock()
    external_ids = dict(
        StockOperation.objects.filter(pk__in=operation_ids).values_list("pk", "order__external_id").order_by()
    )
    found = {external_ids[pk]: heard.orders[pk] for pk in operation_ids if pk in heard.orders}
    if found:
        store_read_orders(account_id=account_id, found=found, at=at)
    work = pick(operation_ids, statuses=[Status.PENDING], at=at)
    loadable = [one for one in work if one.pk not in heard.errors and is_loadable(work, one, heard)]
    for operation in work:
        if error := heard.errors.get(operation.pk):
            work.after_error(operation, error, action=Action.LINE_ITEMS_LOAD_FAILED)
    write_lines(work, loadable)
    work.save()


def is_loadable(work: Work, operation: StockOperation, heard: Heard) -> bool:
    """Whether the order is to be taken from the stock; where it is not, says so and puts the operation off."""
    order = operation.order
    if heard.orders.get(operation.pk) is None:
        reason = _("The marketplace does not have the order any more.")
    elif order.state == OrderState.UNKNOWN:
        reason = _("The order has a status that is not known: %(status)s.") % {"status": order.status}
    elif order.state == OrderState.CANCELLED:
        work.end_because_cancelled_there(operation, _("The order is cancelled on the marketplace."))
        return False
    elif order.state == OrderState.WAITING:
        work.wait(operation, _("The order is not ready any more."), until=work.at + UNTIL_READY)
        return False
    else:
        # What is being processed or sent there already leaves the stock all the same.
        return True
    fail_to_load(work, operation, reason)
    return False


def fail_to_load(work: Work, operation: StockOperation, reason: str) -> None:
    work.log(operation).action(Action.LINE_ITEMS_LOAD_FAILED, reason=reason, error={"kind": "data", "message": reason})
    work.try_later(operation, reason)


def write_lines(work: Work, operations: Sequence[StockOperation]) -> None:
    """Writes the lines of these operations as the mirror has them, matched with listings where there are any."""
    mirrored = mirrored_lines(operations)
    listings = listings_of(
        {operation.account_id for operation in operations}, {line.sku for lines in mirrored.values() for line in lines}
    )
    rows = []
    for operation in operations:
        lines = mirrored.get(operation.order_id, [])
        if not lines:
            fail_to_load(work, operation, _("The order has no lines."))
            continue
        rows += [line_row(operation, line, listings.get((operation.account_id, line.sku))) for line in lines]
        if operation.account_name != operation.account.name:
            work.log(operation).action(
                Action.ACCOUNT_NAME_UPDATED, before=operation.account_name, after=operation.account.name
            )
            operation.account_name = operation.account.name
        operation.line_items_loaded_at = work.at
        work.log(operation).action(Action.LINE_ITEMS_LOADED, lines=len(lines))
        work.move(operation, "process")
    StockOperationLine.objects.bulk_create(rows)


def renew_lines(work: Work, operations: Sequence[StockOperation]) -> None:
    """Writes the lines of those of these operations anew whose order has other ones by now: where nothing is deducted
    yet, what the buyer still wants is what counts."""
    mirrored = mirrored_lines(operations)
    loaded: dict[UUID, set[tuple[str, str, int]]] = {}
    rows = StockOperationLine.objects.filter(operation_id__in=[one.pk for one in operations]) if operations else ()
    for row in rows:
        loaded.setdefault(row.operation_id, set()).add(line_key(row))
    changed = [
        one
        for one in operations
        if one.order_id in mirrored and {line_key(line) for line in mirrored[one.order_id]} != loaded.get(one.pk)
    ]
    if not changed:
        return
    StockOperationLine.objects.filter(operation_id__in=[one.pk for one in changed]).delete()
    # Which listings they are is looked up when they are deducted.
    StockOperationLine.objects.bulk_create(
        line_row(operation, line, None) for operation in changed for line in mirrored[operation.order_id]
    )
    for operation in changed:
        work.log(operation).action(Action.LINE_ITEMS_LOADED, lines=len(mirrored[operation.order_id]), changed=True)


def mirrored_lines(operations: Sequence[StockOperation]) -> dict[UUID, list[MarketplaceOrderLine]]:
    """{order id: its lines as the mirror has them}; an order without lines is left out."""
    lines: dict[UUID, list[MarketplaceOrderLine]] = {}
    order_ids = [operation.order_id for operation in operations]
    for line in MarketplaceOrderLine.objects.filter(order_id__in=order_ids).order_by("pk") if order_ids else ():
        lines.setdefault(line.order_id, []).append(line)
    return lines


def line_row(operation: StockOperation, line: MarketplaceOrderLine, listing: Listing | None) -> StockOperationLine:
    return StockOperationLine(
        operation=operation,
        external_line_id=line.external_line_id,
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        listing=listing,
        product_id=listing.product_id if listing else None,
    )


def line_key(line: MarketplaceOrderLine | StockOperationLine) -> tuple[str, str, int]:
    return line.external_line_id, line.sku, line.quantity


def listings_of(account_ids: Collection[UUID], skus: Collection[str]) -> dict[tuple[UUID, str], Listing]:
    """{(account id, SKU): listing}; a SKU that nobody has matched yet is left out."""
    if not skus:
        return {}
    rows = Listing.objects.filter(account_id__in=account_ids, sku__in=skus)
    return {(listing.account_id, listing.sku): listing for listing in rows}
