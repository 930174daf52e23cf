"""Cancelling orders and parts of them."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from inventory.services.ledger import Movement, post_movements
from inventory.services.returns import deductions_of, movements_back
from orders.errors import PaidAlready
from orders.locks import lock_order
from orders.models import CancelledItem, Order, OrderEvent, OrderItem
from orders.services.actor import Actor
from orders.services.code_uses import release_codes
from orders.services.deduction import DOCUMENT_TYPE
from orders.services.events import event
from orders.services.loyalty import give_back_all, lock_customers_of
from orders.services.paybacks import PaidItem, Payback, pay_back
from orders.services.taking_back import take_back_items
from orders.services.transitions import proceed, require_status

# What a cancellation changes of an order.
CHANGED = (
    "status",
    "closed_at",
    "subtotal",
    "discount",
    "total",
    "discounts",
    "points_redeemed",
    "paid",
    "withheld",
)


@transaction.atomic
def cancel_order(
    *,
    order_id: int,
    actor: Actor,
    reason: str = "",
    restock: bool = True,
    may_refund: bool = False,
    at: datetime.datetime | None = None,
) -> Order:
    """Cancels an active order. Its ingredients go back to the shelf, or are written off as wasted; its points and the
    use of its promo code go back to the customer, and what was paid goes back the way it came.

    Of two people who cancel it at the same moment, one does and the other is told. `may_refund` is for who may pay
    back. Raises UnknownOrder, OrderArchived, WrongStatus, PaidAlready, NoOpenShift.
    """
    order = lock_order(order_id)
    before = order.status
    proceed(order, OrderEvent.Kind.CANCELLED, at=at)
    check_refund(order, may_refund=may_refund)
    movements = give_back([order], actor=actor, reason=reason, restock=restock, at=at)
    pay_back_all([order], actor=actor, reason=reason, restock=restock, at=at)
    order.save(update_fields=CHANGED)
    event(
        order,
        OrderEvent.Kind.CANCELLED,
        actor,
        from_status=before,
        reason=reason,
        details={"restock": restock},
        at=at,
    ).save(force_insert=True)
    post_back(movements, actor=actor, reason=reason, at=at)
    return order


@transaction.atomic
def cancel_item(
    *,
    order_id: int,
    item_id: int,
    quantity: int,
    actor: Actor,
    reason: str = "",
    restock: bool = True,
    may_refund: bool = False,
    at: datetime.datetime | None = None,
) -> Order:
    """Takes back `quantity` of a line of an active order. When nothing is left, the order is cancelled.

    What was paid for more than the rest goes back the way it came, if this person `may_refund`.
    Raises UnknownOrder, OrderArchived, UnknownItem, WrongStatus, WrongQuantity, PaidAlready, NoOpenShift.
    """
    order = lock_order(order_id)
    require_status(order, Order.ACTIVE)
    before = order.status
    taken = take_back_items(order, {item_id: quantity}, actor=actor, reason=reason, restock=restock, at=at)
    ((item, _quantity, net),) = taken.lines
    if order.paid > order.total:
        check_refund(order, may_refund=may_refund)
        back = order.paid - order.total
        lines = [PaidItem(item.pk, quantity, net)]
        payback = Payback(order, back, reason=reason, is_restocked=restock, items=lines, with_tips=back == order.paid)
        pay_back([payback], actor=actor, at=at)
    if taken.nothing_left:
        proceed(order, OrderEvent.Kind.CANCELLED, at=at)
    order.save(update_fields=CHANGED)
    event(
        order,
        OrderEvent.Kind.CANCELLED if taken.nothing_left else OrderEvent.Kind.ITEM_CANCELLED,
        actor,
        from_status=before,
        reason=reason,
        details={"item": item.pk, "name": item.name, "quantity": quantity, "restock": restock},
        at=at,
    ).save(force_insert=True)
    post_back(taken.movements, actor=actor, reason=reason, at=at)
    return order


def check_refund(order: Order, *, may_refund: bool) -> None:
    """Raises PaidAlready if something would have to be paid back by somebody who may not."""
    if order.paid and not may_refund:
        raise PaidAlready(number=order.number, paid=order.paid)


def give_back(
    orders: Sequence[Order], *, actor: Actor, reason: str, restock: bool, at: datetime.datetime | None = None
) -> list[Movement]:
    """Takes back all that is left of these locked orders: lines, records, promo codes and points, in a constant number
    of queries. Returns the ledger's lines, to be posted last.

    The orders themselves are changed in memory and saved by the caller.
    """
    ids = [order.pk for order in orders]
    items = [item for item in OrderItem.objects.filter(order_id__in=ids).order_by("order_id", "pk") if item.remaining]
    deductions = deductions_of(document_type=DOCUMENT_TYPE, document_ids=ids)
    movements: list[Movement] = [
        movement
        for item in items
        for movement in movements_back(
            deductions,
            document_id=item.order_id,
            line_id=item.pk,
            part=item.remaining,
            whole=item.remaining,
            restock=restock,
        )
    ]
    now = at or timezone.now()
    CancelledItem.objects.bulk_create(
        [
            CancelledItem(
                item=item,
                quantity=item.remaining,
                reason=reason,
                is_restocked=restock,
                created_by_id=actor.user_id,
                created_at=now,
            )
            for item in items
        ]
    )
    nothing = Decimal("0.00")
    OrderItem.objects.filter(order_id__in=ids).update(
        cancelled_quantity=F("quantity"), total=nothing, discount=nothing, points_discount=nothing
    )
    release_codes(orders, at=now)
    with_points = [order for order in orders if order.points_redeemed]
    if with_points:
        lock_customers_of(with_points)
        returned = [(order, order.points_redeemed) for order in with_points]
        give_back_all(returned, user_id=actor.user_id, reason=reason, at=now)
    for order in orders:
        order.discounts, order.points_redeemed = [], 0
    return movements


def pay_back_all(
    orders: Sequence[Order], *, actor: Actor, reason: str, restock: bool, at: datetime.datetime | None = None
) -> None:
    """Pays back everything that was paid for these locked orders, tips too. Raises NoOpenShift for cash that no open
    shift's till can give; a batch has asked before."""
    paid = [order for order in orders if order.paid]
    if paid:
        pay_back(
            [Payback(order, order.paid, reason=reason, is_restocked=restock, with_tips=True) for order in paid],
            actor=actor,
            at=at,
        )


def post_back(movements: Sequence[Movement], *, actor: Actor, reason: str, at: datetime.datetime | None = None) -> None:
    """Moves the stock, the last thing of all: everybody sells from the same cups."""
    post_movements(movements=movements, document_type=DOCUMENT_TYPE, created_by_id=actor.user_id, comment=reason, at=at)
