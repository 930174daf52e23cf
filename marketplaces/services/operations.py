"""Stock operations from the outside: they come to be, and are asked to end.

What happens in between is the pipeline's: see `marketplaces.services.pipeline`. Both verbs run inside the transaction
that stores what the marketplace told, so that a stored order that is ready always has its operation.
"""

import datetime
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from marketplaces.choices import OrderState, Scheme
from marketplaces.locks import inside_a_transaction, lock_operations
from marketplaces.models import MarketplaceOrder, OperationLog, SellerAccount, StockOperation
from marketplaces.services.operation_log import OperationLogger, write_logs
from marketplaces.services.retrying import make_successors, successors_of

Action = OperationLog.Action
Kind, Status = StockOperation.Kind, StockOperation.Status

# What has left the shop can't be put back on the shelf by a message: a return is received by hand.
GONE = (OrderState.SENT, OrderState.DELIVERED, OrderState.RETURNED)


def create_operations(*, orders: Sequence[MarketplaceOrder], at: datetime.datetime) -> list[StockOperation]:
    """Makes the sale operation of each of these orders that has none yet, due at once, and returns the new ones. Their
    ids, and with them the turn in which they take from the stock, are in the order in which buyers ordered.

    Inside the caller's transaction; a constant number of queries. Two who do it for the same order make one between
    them. Orders that are sent from a warehouse of the marketplace get none. An operation that waits because its order
    was not ready is woken.
    """
    inside_a_transaction()
    ours = sorted((order for order in orders if Scheme(order.scheme).is_ours), key=turn_of)
    if not ours:
        return []
    names = dict(SellerAccount.objects.filter(pk__in={order.account_id for order in ours}).values_list("pk", "name"))
    wanted = [
        StockOperation(
            account_id=order.account_id,
            account_name=names[order.account_id],
            order=order,
            next_attempt_at=at,
            created_at=at,
        )
        for order in ours
    ]
    # Of two workers with common orders one waits for the other, not both in a circle.
    StockOperation.objects.bulk_create(sorted(wanted, key=lambda one: one.order_id), ignore_conflicts=True)
    made = set(StockOperation.objects.filter(pk__in=[one.pk for one in wanted]).values_list("pk", flat=True))
    created = [one for one in wanted if one.pk in made]
    write_logs([creation_of(operation) for operation in created])
    if len(created) < len(wanted):
        wake([one.order_id for one in wanted if one.pk not in made], at=at)
    return created


def turn_of(order: MarketplaceOrder) -> tuple[datetime.datetime, UUID]:
    """First come, first served; the marketplaces that do not say when are served by when we heard of it."""
    return order.placed_at or order.first_seen_at, order.pk


def wake(order_ids: Sequence[UUID], *, at: datetime.datetime) -> None:
    """Operations that wait because these orders were not ready are due now."""
    waiting = StockOperation.objects.filter(
        order_id__in=order_ids, kind=Kind.SALE, status=Status.PENDING, attempts=0, next_attempt_at__gt=at
    )
    ids = [operation.pk for operation in lock_operations(list(waiting.values_list("pk", flat=True)))]
    StockOperation.objects.filter(pk__in=ids, status=Status.PENDING).update(next_attempt_at=at)


def take_up_again(*, orders: Sequence[MarketplaceOrder], at: datetime.datetime) -> list[StockOperation]:
    """The marketplace had cancelled these orders, and wants them after all: what was given back is to be taken once
    more. Makes a new operation, due at once, of each whose last one is cancelled, and returns them.

    Inside the caller's transaction. Of an order that is still being cancelled the last step of that does it. If the
    marketplace does not mean it, the new operation finds that out when it reads the order again.
    """
    inside_a_transaction()
    last_ones = StockOperation.objects.filter(
        order_id__in=[order.pk for order in orders], kind=Kind.SALE, successor=None
    )
    # All of them are locked: one that is being given back at this moment is cancelled when it is looked at.
    locked = lock_operations(list(last_ones.values_list("pk", flat=True))) if orders else []
    has_successor = successors_of(locked) if locked else set()
    new = [
        StockOperation(
            account=one.account,
            account_name=one.account_name,
            order=one.order,
            retry_of=one,
            next_attempt_at=at,
            created_at=at,
        )
        for one in locked
        if one.status == Status.CANCELLED and one.pk not in has_successor
    ]
    if new:
        StockOperation.objects.bulk_create(new)
        write_logs([creation_of(operation) for operation in new])
    return new


def creation_of(operation: StockOperation) -> OperationLogger:
    log = OperationLogger(operation)
    known: dict[str, Any] = {"retry_of": str(operation.retry_of_id)} if operation.retry_of_id else {}
    log.action(Action.OPERATION_CREATED, to_status=Status.PENDING, **known)
    return log


def request_cancellations(
    *, orders: Sequence[MarketplaceOrder], reason: str, at: datetime.datetime
) -> list[StockOperation]:
    """The marketplace does not want these orders any more: cancelled there, or paid together as another one. Asks the
    pipeline to give back what they took, and returns the operations that this concerns.

    Inside the caller's transaction, which has locked the orders. The caller leaves out orders that had been sent when
    they were cancelled: what comes back of those is received by hand. A failed operation that holds a deduction gets
    a successor, which gives it back. Asked twice, it is done once.
    """
    inside_a_transaction()
    ids = [order.pk for order in orders if order.state not in GONE]
    concerned = StockOperation.objects.filter(order_id__in=ids, kind=Kind.SALE, is_cancelled_there=False).filter(
        Q(status__in=[*StockOperation.UNFINISHED, Status.COMPLETED])
        | Q(status=Status.FAILED, stock_deducted_at__isnull=False, successor=None)
    )
    locked = lock_operations(list(concerned.values_list("pk", flat=True))) if ids else []
    failed = [one for one in locked if one.status == Status.FAILED and not one.is_cancelled_there]
    open_ones = [
        one for one in locked if not one.is_cancelled_there and (one.is_unfinished or one.status == Status.COMPLETED)
    ]
    stopped = open_ones + (make_successors(failed, at=at) if failed else [])
    logs = []
    for operation in stopped:
        operation.cancellation_requested_at = operation.cancellation_requested_at or at
        operation.cancellation_reason = operation.cancellation_reason or reason[:300]
        operation.is_cancelled_there = True
        operation.attempts, operation.last_error, operation.next_attempt_at = 0, "", at
        log = OperationLogger(operation)
        log.action(Action.CANCELLATION_REQUESTED, reason=reason, by="marketplace")
        logs.append(log)
    StockOperation.objects.bulk_update(
        stopped,
        [
            "cancellation_requested_at",
            "cancellation_reason",
            "is_cancelled_there",
            "attempts",
            "last_error",
            "next_attempt_at",
        ],
    )
    write_logs(logs)
    return stopped
