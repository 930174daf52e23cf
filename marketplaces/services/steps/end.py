"""Ending an operation: the order is cancelled on the marketplace, then the stock comes back, then it is cancelled."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from inventory.models import StockMovement
from inventory.services.ledger import Movement
from marketplaces.choices import OrderState
from marketplaces.errors import MarketplaceError, NotConnected, NotFound, Refused
from marketplaces.models import MarketplaceOrder, OperationLog, SellerAccount, StockOperation, StockOperationLine
from marketplaces.services import alarms
from marketplaces.services.corrections import correct, deductions_held
from marketplaces.services.mirror import GONE, TO_BE_SENT, store_read_orders
from marketplaces.services.operations import take_up_again
from marketplaces.services.steps.faults import one_by_one
from marketplaces.services.steps.reading import (
    Failure,
    Heard,
    by_account,
    check_may_write,
    open_client,
    read_orders,
    unexpected,
)
from marketplaces.services.steps.work import LONG, SHORT, Work, pick
from marketplaces.services.switch import pushes_are_stopped

Action, Kind, Status = OperationLog.Action, StockOperation.Kind, StockOperation.Status
Reason = StockMovement.Reason
ENDING = (*StockOperation.UNFINISHED, Status.COMPLETED)

logger = structlog.get_logger("marketplaces.operations")


@dataclass(slots=True)
class RolledBack:
    """What came of cancelling some orders on a marketplace, by operation: None, or why not; and how long it took."""

    outcomes: dict[UUID, Failure | None] = field(default_factory=dict)
    took: dict[UUID, float] = field(default_factory=dict)


def end_operations(operation_ids: Collection[UUID], *, clock: Callable[[], datetime], heard: Heard) -> None:
    """Goes on with ending those of these operations that are asked to end."""
    asked: list[StockOperation] = []
    clear: list[UUID] = []

    def begin_some(some: Sequence[UUID]) -> None:
        to_call, without_call = begin(some, at=clock())
        asked.extend(to_call)
        clear.extend(without_call)

    one_by_one(list(operation_ids), begin_some, action=Action.RETRY_SCHEDULED, clock=clock)
    if asked:
        read_orders(asked, heard)
    for account, operations in by_account(asked):
        rolled_back = roll_back(operations, heard)
        one_by_one(
            [operation.pk for operation in operations],
            partial(keep, account, done=rolled_back, heard=heard, clock=clock),
            action=Action.RETRY_SCHEDULED,
            clock=clock,
        )
        clear += [operation.pk for operation in operations]
    for pk in sorted(clear):
        one_by_one([pk], lambda some: give_back(some[0], at=clock()), action=Action.RETRY_SCHEDULED, clock=clock)


@transaction.atomic
def begin(operation_ids: Collection[UUID], *, at: datetime) -> tuple[list[StockOperation], list[UUID]]:
    """Those of these operations whose marketplace is to be called first, and those where only the stock is left."""
    work = pick(operation_ids, statuses=ENDING, at=at, is_ending=True)
    asked: list[StockOperation] = []
    clear: list[UUID] = []
    is_stopped = bool(work) and pushes_are_stopped()
    for operation in work:
        if is_over_there(operation):
            clear.append(operation.pk)
        elif not operation.account.is_active:
            work.wait(operation, _("The account is switched off."), until=at + LONG)
        elif is_stopped:
            work.wait(operation, _("Writing to marketplaces is stopped."), until=at + SHORT)
        else:
            work.log(operation).action(Action.MICROSERVICE_ROLLBACK_STARTED, reason=operation.cancellation_reason)
            asked.append(operation)
    work.save()
    return asked, clear


def is_over_there(operation: StockOperation) -> bool:
    """Whether nothing is left to be done on the marketplace: it is cancelled there, or nothing is ever written."""
    return (
        operation.is_cancelled_there
        or operation.marketplace_rolled_back_at is not None
        or operation.account.mode == SellerAccount.Mode.READ_ONLY
    )


def roll_back(operations: Sequence[StockOperation], heard: Heard) -> RolledBack:
    """Cancels the orders of these operations, all of one account, on the marketplace. One that it does not have any
    more is in order."""
    done = RolledBack()
    for operation in operations:
        begun = time.perf_counter()
        error: Failure | None = heard.errors.get(operation.pk)
        order = heard.orders.get(operation.pk)
        if error is None and order is not None and order.state != OrderState.CANCELLED:
            try:
                check_may_write(operation.account)
                open_client([operation]).roll_back(order, reason=operation.cancellation_reason)
            except NotFound:
                pass
            except (MarketplaceError, NotConnected) as failure:
                error = failure
            except Exception as failure:
                logger.exception("order_could_not_be_rolled_back", operation=str(operation.pk))
                error = unexpected(failure)
        done.outcomes[operation.pk] = error
        done.took[operation.pk] = time.perf_counter() - begun
    return done


@transaction.atomic
def keep(
    account: SellerAccount,
    operation_ids: Sequence[UUID],
    *,
    done: RolledBack,
    heard: Heard,
    clock: Callable[[], datetime],
) -> None:
    """Writes down what came of it. A final no ends the cancellation: the stock is left alone, the operation goes on."""
    at = clock()
    rows = StockOperation.objects.filter(pk__in=operation_ids).order_by().values_list("pk", "order__external_id")
    found = {external_id: heard.orders[pk] for pk, external_id in rows if pk in heard.orders}
    if found:
        store_read_orders(account_id=account.pk, found=found, at=at)
    work = pick(operation_ids, statuses=ENDING, at=at, is_ending=True)
    for operation in work:
        error = done.outcomes[operation.pk]
        if is_over_there(operation):
            # Somebody else has done it meanwhile, or the marketplace has by itself.
            continue
        if error is None:
            operation.marketplace_rolled_back_at, operation.attempts, operation.last_error = at, 0, ""
            work.log(operation).action(Action.MICROSERVICE_ROLLBACK_COMPLETED, took=done.took[operation.pk])
        elif isinstance(error, Refused):
            refuse(work, operation, error)
        else:
            work.after_error(operation, error, action=Action.MICROSERVICE_SYNC_FAILED)
    work.save()


def refuse(work: Work, operation: StockOperation, error: Refused) -> None:
    """The marketplace does not let the order be cancelled: the operation goes on where it was, and somebody is told."""
    operation.cancellation_requested_at, operation.cancellation_refused_at = None, work.at
    operation.attempts, operation.last_error = 0, str(error)[:500]
    is_left = operation.is_unfinished or operation.part_cancelled_at is not None
    operation.next_attempt_at = work.at if is_left else None
    work.log(operation).error(Action.MICROSERVICE_SYNC_FAILED, error, cancellation="refused")
    work.alerts.append((alarms.CANCELLATION_REFUSED, alarms.refused(operation, reason=str(error))))


@transaction.atomic
def give_back(operation_id: UUID, *, at: datetime) -> None:
    """The last step, in one transaction: what was deducted comes back under a correction of its own, and the operation
    is cancelled."""
    work = pick([operation_id], statuses=ENDING, at=at, is_ending=True)
    for operation in work:
        if not is_over_there(operation):
            return
        log = work.log(operation)
        if operation.marketplace_rolled_back_at is None:
            skipped = "cancelled there" if operation.is_cancelled_there else SellerAccount.Mode.READ_ONLY
            log.action(Action.MICROSERVICE_ROLLBACK_COMPLETED, skipped=str(skipped))
        if operation.stock_deducted_at is not None:
            log.action(Action.STOCK_ROLLBACK_STARTED)
            begun = time.perf_counter()
            adjustment = give_back_stock(operation, at=at)
            log.action(Action.STOCK_ROLLBACK_COMPLETED, took=time.perf_counter() - begun, adjustment=str(adjustment.pk))
        work.move(operation, "cancel", reason=operation.cancellation_reason)
        log.action(Action.CANCELLATION_COMPLETED, reason=operation.cancellation_reason)
    work.save()
    take_up_again(orders=wanted_again(list(work)), at=at)


def wanted_again(operations: Sequence[StockOperation]) -> list[MarketplaceOrder]:
    """The orders of these (locked) operations that the marketplace had cancelled, and has taken up again before the
    stock was given back. Asked now: the order that was read with the lock may be older."""
    ids = [one.order_id for one in operations if one.is_cancelled_there]
    rows = MarketplaceOrder.objects.filter(
        pk__in=ids, state__in=[*TO_BE_SENT, *GONE], merged_into=None, vanished_at=None
    )
    return list(rows.only("pk")) if ids else []


def give_back_stock(operation: StockOperation, *, at: datetime) -> StockOperation:
    """Posts back exactly what the ledger holds of the deduction, and returns the correction that did it."""
    movements = [
        Movement(
            one.location_id,
            one.ingredient_id,
            one.quantity,
            Reason.MARKETPLACE_ROLLBACK,
            document_id,
            line_id=line_id,
            value=one.value,
            lot_id=one.lot_id,
        )
        for (document_id, line_id), deductions in deductions_held(operation).items()
        for one in deductions
    ]
    products = StockOperationLine.objects.filter(
        operation_id__in=[operation.pk, operation.deduction_id], product__isnull=False
    )
    return correct(
        operation,
        movements,
        product_ids=set(products.order_by().values_list("product_id", flat=True)),
        reason=operation.cancellation_reason,
        created_by_id=operation.cancelled_by_id,
        at=at,
    )
