"""stock_deducted → completed: the marketplace is told that the shop is working on the order."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from marketplaces.choices import OrderState
from marketplaces.clients.base import RemoteOrder
from marketplaces.errors import MarketplaceError, NotConnected, NotFound, Outdated, Refused
from marketplaces.models import OperationLog, SellerAccount, StockOperation
from marketplaces.services.mirror import store_read_orders
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

Action, Status = OperationLog.Action, StockOperation.Status
# Whoever has these knows that the shop is working on the order, or needs not be told any more.
TOLD = (OrderState.PROCESSING, OrderState.SENT, OrderState.DELIVERED, OrderState.RETURNED)

logger = structlog.get_logger("marketplaces.operations")


@dataclass(slots=True)
class Told:
    """What came of telling one account's marketplace, by operation: None, or why not; and how long it took."""

    outcomes: dict[UUID, Failure | None] = field(default_factory=dict)
    reread: set[UUID] = field(default_factory=set)
    took: float = 0.0


def tell_marketplace(operation_ids: Collection[UUID], *, clock: Callable[[], datetime], heard: Heard) -> None:
    """Tells the marketplaces of those of these operations whose stock is deducted, and completes them."""
    asked: list[StockOperation] = []
    one_by_one(
        list(operation_ids),
        lambda some: asked.extend(begin(some, at=clock())),
        action=Action.MICROSERVICE_SYNC_FAILED,
        clock=clock,
    )
    # What was heard in this round is new enough; what is taken up again later is read again before it is written.
    unread = [operation for operation in asked if heard.orders.get(operation.pk) is None]
    read_orders(unread, heard)
    for account, operations in by_account(asked):
        told = tell(operations, heard)
        told.reread |= {one.pk for one in unread if one.account_id == account.pk}
        one_by_one(
            [operation.pk for operation in operations],
            partial(keep, account, told=told, heard=heard, clock=clock),
            action=Action.MICROSERVICE_SYNC_FAILED,
            clock=clock,
        )


@transaction.atomic
def begin(operation_ids: Collection[UUID], *, at: datetime) -> list[StockOperation]:
    """Those of these operations whose marketplace is to be called; the others are completed, or wait."""
    work = pick(operation_ids, statuses=[Status.STOCK_DEDUCTED], at=at)
    asked: list[StockOperation] = []
    is_stopped = bool(work) and pushes_are_stopped()
    for operation in work:
        account = operation.account
        if operation.microservice_synced_at is not None:
            complete(work, operation, already="told")
        elif operation.order.state in TOLD:
            complete(work, operation, already=operation.order.state)
        elif account.mode == SellerAccount.Mode.READ_ONLY:
            complete(work, operation, mode=account.mode)
        elif not account.is_active:
            work.wait(operation, _("The account is switched off."), until=at + LONG)
        elif is_stopped:
            work.wait(operation, _("Writing to marketplaces is stopped."), until=at + SHORT)
        else:
            work.log(operation).action(Action.MICROSERVICE_SYNC_STARTED)
            asked.append(operation)
    if len(asked) < len(work):
        work.save()
    else:
        work.save_log()
    return asked


def tell(operations: Sequence[StockOperation], heard: Heard) -> Told:
    """Calls the marketplace of these operations, all of one account: each order that it does not know of yet is
    accepted. One that has changed meanwhile, or is refused, is read again; what has only changed is sent once more."""
    told = Told()
    begun = time.perf_counter()
    write(operations, heard, told)
    again = [one for one in operations if isinstance(told.outcomes.get(one.pk), Outdated | Refused)]
    if again:
        outdated = [one for one in again if isinstance(told.outcomes[one.pk], Outdated)]
        read_orders(again, heard)
        told.reread |= {one.pk for one in again}
        write(outdated, heard, told)
        # Refused because it is so already: somebody else has told the marketplace.
        told.outcomes |= {one.pk: None for one in again if is_told(heard.orders.get(one.pk))}
    told.took = time.perf_counter() - begun
    return told


def write(operations: Sequence[StockOperation], heard: Heard, told: Told) -> None:
    """Accepts those of the orders, as they were heard, that are to be accepted."""
    orders: list[RemoteOrder] = []
    for operation in operations:
        order = heard.orders.get(operation.pk)
        if operation.pk in heard.errors:
            told.outcomes[operation.pk] = heard.errors[operation.pk]
        elif order is None:
            told.outcomes[operation.pk] = NotFound(_("The marketplace does not have the order any more."))
        elif order.state in TOLD or order.state == OrderState.CANCELLED:
            told.outcomes[operation.pk] = None
        else:
            orders.append(order)
    if not orders:
        return
    answers: dict[str, MarketplaceError | None]
    failure: Failure | None = None
    try:
        check_may_write(operations[0].account)
        answers = open_client(operations).accept(orders)
    except (MarketplaceError, NotConnected) as error:
        answers, failure = {}, error
    except Exception as error:
        logger.exception("order_could_not_be_accepted", account=str(operations[0].account_id))
        answers, failure = {}, unexpected(error)
    sent = {order.external_id for order in orders}
    for operation in operations:
        if (external_id := operation.order.external_id) in sent:
            silence = failure or MarketplaceError(_("The marketplace said nothing about the order."))
            told.outcomes[operation.pk] = answers.get(external_id, silence)


def is_told(order: RemoteOrder | None) -> bool:
    return order is not None and order.state in TOLD


@transaction.atomic
def keep(
    account: SellerAccount, operation_ids: Sequence[UUID], *, told: Told, heard: Heard, clock: Callable[[], datetime]
) -> None:
    """Writes down what came of it: completed, tried later, or ended because the order is cancelled there."""
    at = clock()
    rows = StockOperation.objects.filter(pk__in=operation_ids).order_by().values_list("pk", "order__external_id")
    reread = {external_id: heard.orders[pk] for pk, external_id in rows if pk in told.reread and pk in heard.orders}
    if reread:
        store_read_orders(account_id=account.pk, found=reread, at=at)
    for is_ending in (False, True):
        work = pick(operation_ids, statuses=[Status.STOCK_DEDUCTED], at=at, is_ending=is_ending)
        for operation in work:
            outcome = told.outcomes[operation.pk]
            order = heard.orders.get(operation.pk)
            is_cancelled = order is not None and order.state == OrderState.CANCELLED
            if outcome is None and not is_cancelled:
                note_success(work, operation, took=told.took)
            elif is_ending:
                # Somebody asked for its end while the marketplace was called; that goes on elsewhere.
                continue
            elif is_cancelled:
                work.end_because_cancelled_there(operation, _("The order is cancelled on the marketplace."))
            else:
                note_failure(work, operation, outcome)
        work.save()


def note_success(work: Work, operation: StockOperation, *, took: float) -> None:
    """The marketplace knows: completed, unless somebody has asked for its end meanwhile."""
    if operation.cancellation_requested_at is None:
        complete(work, operation, took=took)
        return
    operation.microservice_synced_at = work.at
    work.log(operation).action(Action.MICROSERVICE_SYNC_SUCCESS, took=took)


def note_failure(work: Work, operation: StockOperation, error: Failure | None) -> None:
    """The call failed; what the marketplace refuses for good fails for good."""
    if isinstance(error, Refused) and not isinstance(error, NotFound):
        work.log(operation).error(Action.MICROSERVICE_SYNC_FAILED, error)
        work.give_up(operation, str(error))
    elif error is not None:
        work.after_error(operation, error, action=Action.MICROSERVICE_SYNC_FAILED)


def complete(work: Work, operation: StockOperation, *, took: float | None = None, **context: Any) -> None:
    operation.microservice_synced_at = operation.microservice_synced_at or work.at
    work.log(operation).action(Action.MICROSERVICE_SYNC_SUCCESS, took=took, **context)
    work.move(operation, "complete")
