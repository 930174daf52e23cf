"""Completing and cancelling many orders at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from orders.errors import WrongBatch
from orders.locks import lock_batch_run, lock_orders, why_not_locked
from orders.models import BatchRun, Order, OrderEvent
from orders.services.actor import Actor
from orders.services.cancel import give_back
from orders.services.events import event
from orders.services.transitions import proceed

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
def complete_orders(*, order_ids: Sequence[int], actor: Actor) -> list[BatchResult]:
    """Completes those of the orders that can be, and says of each other one why not.

    Up to 1,000, in a constant number of queries. Raises WrongBatch.
    """
    check_batch(order_ids, most=PART)
    return move_all(order_ids, OrderEvent.Kind.COMPLETED, actor)


@transaction.atomic
def cancel_orders(
    *, order_ids: Sequence[int], actor: Actor, reason: str = "", restock: bool = True
) -> list[BatchResult]:
    """Cancels those of the orders that can be, and says of each other one why not.

    Up to 1,000, in a constant number of queries. Raises WrongBatch.
    """
    check_batch(order_ids, most=PART)
    return move_all(order_ids, OrderEvent.Kind.CANCELLED, actor, reason=reason, restock=restock)


def move_all(
    order_ids: Sequence[int], verb: OrderEvent.Kind, actor: Actor, *, reason: str = "", restock: bool = True
) -> list[BatchResult]:
    """Locks the orders by id, makes the transition on each that allows it, writes each table once."""
    locked = lock_orders(order_ids)
    unlocked = set(order_ids) - {order.pk for order in locked}
    why_not = why_not_locked(unlocked) if unlocked else {}
    results: dict[int, BatchResult] = {pk: BatchResult(pk, why_not.get(pk)) for pk in order_ids}
    moved: list[Order] = []
    events: list[OrderEvent] = []
    now = timezone.now()
    details = {"restock": restock} if verb == OrderEvent.Kind.CANCELLED else {}
    for order in locked:
        before = order.status
        try:
            proceed(order, verb)
        except Refusal as refusal:
            results[order.pk] = BatchResult(order.pk, refusal)
            continue
        moved.append(order)
        events.append(event(order, verb, actor, from_status=before, reason=reason, details=details, at=now))
    if moved:
        changed: dict[str, Any] = {"status": moved[0].status, "closed_at": now}
        if verb == OrderEvent.Kind.CANCELLED:
            changed |= {"subtotal": 0, "discount": 0, "total": 0}
            give_back(moved, actor=actor, reason=reason, restock=restock)
        Order.objects.filter(pk__in=[order.pk for order in moved]).update(**changed)
        OrderEvent.objects.bulk_create(events)
    return list(results.values())


@transaction.atomic
def start_batch(
    *, verb: str, order_ids: Sequence[int], actor: Actor, reason: str = "", restock: bool = True
) -> BatchRun:
    """Writes down a large batch for the background task. Raises WrongBatch."""
    check_batch(order_ids, most=MOST_ORDERS)
    return BatchRun.objects.create(
        verb=BatchRun.Verb(verb),  # an unknown verb must not become a cancellation later
        order_ids=sorted(set(order_ids)),
        reason=reason,
        restock=restock,
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
        results = move_all(
            part,
            OrderEvent.Kind.COMPLETED if run.verb == BatchRun.Verb.COMPLETE else OrderEvent.Kind.CANCELLED,
            actor,
            reason=run.reason,
            restock=run.restock,
        )
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
