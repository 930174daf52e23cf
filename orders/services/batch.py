"""Completing and cancelling many orders at once."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from orders.errors import WrongBatch
from orders.locks import lock_batch_run, lock_orders, lock_promo_codes, why_not_locked
from orders.models import BatchRun, Order, OrderEvent
from orders.services.actor import Actor
from orders.services.cancel import check_refund, give_back, pay_back_all, post_back
from orders.services.events import event
from orders.services.loyalty import earn_for, lock_customers_of
from orders.services.paybacks import lock_tills
from orders.services.transitions import check_paid, proceed

# What is done at once; more runs in the background, in parts of this size.
PART = 1000
MOST_ORDERS = 100_000


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one order of a batch; `refusal` says why nothing did."""

    order_id: int
    refusal: Refusal | None = None

    def as_json(self) -> dict[str, Any]:
        if self.refusal is None:
            return {"id": self.order_id, "ok": True}
        error = {"type": self.refusal.code, "detail": self.refusal.detail}
        return {"id": self.order_id, "ok": False, "error": error}


@transaction.atomic
def complete_orders(*, order_ids: Sequence[int], actor: Actor, allow_unpaid: bool = False) -> list[BatchResult]:
    """Completes those of the orders that can be, and says of each other one why not.

    Up to 1,000, in a constant number of queries. `allow_unpaid` as in `complete_order`. Raises WrongBatch.
    """
    check_batch(order_ids, most=PART)
    return complete_all(order_ids, actor, allow_unpaid=allow_unpaid)


@transaction.atomic
def cancel_orders(
    *, order_ids: Sequence[int], actor: Actor, reason: str = "", restock: bool = True, may_refund: bool = False
) -> list[BatchResult]:
    """Cancels those of the orders that can be, and says of each other one why not.

    Up to 1,000, in a constant number of queries. `may_refund` as in `cancel_order`. Raises WrongBatch.
    """
    check_batch(order_ids, most=PART)
    return cancel_all(order_ids, actor, reason=reason, restock=restock, may_refund=may_refund)


@dataclass(slots=True)
class _Batch:
    """The locked orders of a batch: what becomes of each, and those that are moved."""

    results: dict[int, BatchResult]
    moved: list[Order] = field(default_factory=list)
    before: dict[int, str] = field(default_factory=dict)

    def refuse(self, refusals: Mapping[int, Refusal]) -> None:
        """These orders are not moved after all."""
        for pk, refusal in refusals.items():
            self.results[pk] = BatchResult(pk, refusal)
        self.moved = [order for order in self.moved if order.pk not in refusals]


def complete_all(order_ids: Sequence[int], actor: Actor, *, allow_unpaid: bool) -> list[BatchResult]:
    """Completes the orders that allow it, each table written once."""
    now = timezone.now()
    batch = begin(order_ids, OrderEvent.Kind.COMPLETED, lambda order: check_paid(order, allow_unpaid=allow_unpaid))
    if batch.moved:
        earn_for(batch.moved, user_id=actor.user_id, at=now)
        Order.objects.filter(pk__in=[order.pk for order in batch.moved]).update(
            status=Order.Status.COMPLETED, closed_at=now
        )
        write_events(
            batch,
            OrderEvent.Kind.COMPLETED,
            actor,
            lambda order: {"unpaid": str(order.due)} if order.due else {},
            at=now,
        )
    return list(batch.results.values())


def cancel_all(
    order_ids: Sequence[int], actor: Actor, *, reason: str, restock: bool, may_refund: bool
) -> list[BatchResult]:
    """Cancels the orders that allow it, each table written once."""
    now = timezone.now()
    batch = begin(order_ids, OrderEvent.Kind.CANCELLED, lambda order: check_refund(order, may_refund=may_refund))
    # Which orders' cash can't be paid back is known once the tills are locked; codes and customers are locked before.
    lock_promo_codes({order.promo_code_id for order in batch.moved if order.promo_code_id is not None})
    lock_customers_of([order for order in batch.moved if order.points_redeemed])
    batch.refuse(lock_tills([order for order in batch.moved if order.paid]))
    if batch.moved:
        movements = give_back(batch.moved, actor=actor, reason=reason, restock=restock, at=now)
        pay_back_all(batch.moved, actor=actor, reason=reason, restock=restock, at=now)
        nothing = Decimal("0.00")
        Order.objects.filter(pk__in=[order.pk for order in batch.moved]).update(
            status=Order.Status.CANCELLED,
            closed_at=now,
            subtotal=nothing,
            discount=nothing,
            total=nothing,
            discounts=[],
            points_redeemed=0,
            paid=nothing,
        )
        write_events(batch, OrderEvent.Kind.CANCELLED, actor, lambda order: {"restock": restock}, reason=reason, at=now)
        post_back(movements, actor=actor, reason=reason, at=now)
    return list(batch.results.values())


def begin(order_ids: Sequence[int], verb: OrderEvent.Kind, check: Callable[[Order], None]) -> _Batch:
    """Locks the orders by id and makes the transition on each that allows it, in memory; says of the others why not."""
    locked = lock_orders(order_ids)
    unlocked = set(order_ids) - {order.pk for order in locked}
    why_not = why_not_locked(unlocked) if unlocked else {}
    batch = _Batch({pk: BatchResult(pk, why_not.get(pk)) for pk in order_ids})
    for order in locked:
        batch.before[order.pk] = order.status
        try:
            proceed(order, verb)
            check(order)
        except Refusal as refusal:
            batch.results[order.pk] = BatchResult(order.pk, refusal)
            continue
        batch.moved.append(order)
    return batch


def write_events(
    batch: _Batch,
    verb: OrderEvent.Kind,
    actor: Actor,
    details: Callable[[Order], dict[str, Any]],
    *,
    reason: str = "",
    at: datetime.datetime,
) -> None:
    OrderEvent.objects.bulk_create(
        event(order, verb, actor, from_status=batch.before[order.pk], reason=reason, details=details(order), at=at)
        for order in batch.moved
    )


@transaction.atomic
def start_batch(
    *,
    verb: str,
    order_ids: Sequence[int],
    actor: Actor,
    reason: str = "",
    restock: bool = True,
    allow_unpaid: bool = False,
    may_refund: bool = False,
) -> BatchRun:
    """Writes down a large batch for the background task, with what its author may. Raises WrongBatch."""
    check_batch(order_ids, most=MOST_ORDERS)
    return BatchRun.objects.create(
        verb=BatchRun.Verb(verb),  # an unknown verb must not become a cancellation later
        order_ids=sorted(set(order_ids)),
        reason=reason,
        restock=restock,
        allow_unpaid=allow_unpaid,
        may_refund=may_refund,
        created_by_id=actor.user_id,
    )


@transaction.atomic
def run_batch_part(*, run_id: UUID | str) -> bool:
    """Deals with the next part of a batch; True while there is more. Progress is saved with the work, so a
    run that died goes on where it stopped, and two workers never do the same part."""
    run = lock_batch_run(run_id)
    part = run.order_ids[run.done : run.done + PART]
    if part:
        actor = Actor(run.created_by_id, OrderEvent.Door.TASK)
        if run.verb == BatchRun.Verb.COMPLETE:
            results = complete_all(part, actor, allow_unpaid=run.allow_unpaid)
        else:
            results = cancel_all(part, actor, reason=run.reason, restock=run.restock, may_refund=run.may_refund)
        run.failures += [result.as_json() for result in results if result.refusal]
        run.done += len(part)
    run.updated_at = timezone.now()
    is_finished = run.done >= run.total
    if is_finished and run.finished_at is None:
        run.finished_at = timezone.now()
    run.save(update_fields=["done", "failures", "updated_at", "finished_at"])
    return not is_finished


def check_batch(order_ids: Sequence[int], *, most: int) -> None:
    if not order_ids:
        raise WrongBatch.at("ids", _("Choose at least one order."))
    if len(order_ids) > most:
        raise WrongBatch.at("ids", _("At most %(most)d orders at once. Split the list.") % {"most": most})
