"""Moving an order along: preparing, ready, completed."""

import datetime
from collections.abc import Sequence

from django.db import transaction

from foundation.statuses import labels_of, make_transition
from orders.errors import NotPaid, WrongStatus
from orders.locks import lock_order
from orders.models import Order, OrderEvent
from orders.services.actor import Actor
from orders.services.customer_messages import post_ready
from orders.services.events import event
from orders.services.loyalty import earn_for


def prepare_order(*, order_id: int, actor: Actor, at: datetime.datetime | None = None) -> Order:
    """pending → preparing. Raises UnknownOrder, WrongStatus."""
    return advance(order_id, OrderEvent.Kind.PREPARED, actor, at=at)


def ready_order(*, order_id: int, actor: Actor, at: datetime.datetime | None = None) -> Order:
    """preparing → ready. Raises UnknownOrder, WrongStatus."""
    return advance(order_id, OrderEvent.Kind.READIED, actor, at=at)


@transaction.atomic
def complete_order(
    *, order_id: int, actor: Actor, allow_unpaid: bool = False, at: datetime.datetime | None = None
) -> Order:
    """An active order → completed; the customer earns their points. It has to be fully paid, unless `allow_unpaid`,
    for who may say so. Raises UnknownOrder, OrderArchived, WrongStatus, NotPaid."""
    order = lock_order(order_id)
    before = order.status
    proceed(order, OrderEvent.Kind.COMPLETED, at=at)
    check_paid(order, allow_unpaid=allow_unpaid)
    earn_for([order], user_id=actor.user_id, at=at)
    order.save(update_fields=["status", "closed_at"])
    details = {"unpaid": str(order.due)} if order.due else None
    event(order, OrderEvent.Kind.COMPLETED, actor, from_status=before, details=details, at=at).save(force_insert=True)
    return order


def check_paid(order: Order, *, allow_unpaid: bool) -> None:
    """Raises NotPaid for an order that is not fully paid, unless that is allowed."""
    if order.due and not allow_unpaid:
        raise NotPaid(number=order.number, due=order.due)


@transaction.atomic
def advance(order_id: int, verb: OrderEvent.Kind, actor: Actor, *, at: datetime.datetime | None = None) -> Order:
    """Locks the order, then makes the transition called `verb`, one of those that only move it, and writes its event.

    `at` dates what happened earlier, here and in the other verbs of an order; None means now.
    """
    order = lock_order(order_id)
    before = order.status
    proceed(order, verb, at=at)
    order.save(update_fields=["status", "closed_at"])
    event(order, verb, actor, from_status=before, at=at).save(force_insert=True)
    if verb == OrderEvent.Kind.READIED:
        post_ready(order, at=at)
    return order


def proceed(order: Order, verb: str, *, at: datetime.datetime | None = None) -> None:
    """Makes the transition `verb` on a locked order in memory. Raises WrongStatus."""
    make_transition(order, verb, refuse=lambda allowed: wrong_status(order, allowed))
    if at is not None and not order.is_active:
        order.closed_at = at


def require_status(order: Order, allowed: Sequence[str]) -> None:
    """Raises WrongStatus unless the locked order's status is one of `allowed`."""
    if order.status not in allowed:
        raise wrong_status(order, allowed)


def wrong_status(order: Order, allowed: Sequence[str]) -> WrongStatus:
    return WrongStatus(
        number=order.number,
        status=order.status,
        status_label=order.get_status_display(),
        allowed=labels_of(order, allowed),
    )
