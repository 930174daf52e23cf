"""Cancelling orders and parts of them."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from inventory.services.ledger import Movement, post_movements
from inventory.services.returns import deductions_of, movements_back
from orders.errors import UnknownItem, WrongQuantity
from orders.locks import lock_order
from orders.models import CancelledItem, Order, OrderEvent, OrderItem
from orders.services.actor import Actor
from orders.services.deduction import DOCUMENT_TYPE
from orders.services.events import event
from orders.services.transitions import proceed, require_status


@transaction.atomic
def cancel_order(
    *,
    order_id: int,
    actor: Actor,
    reason: str = "",
    restock: bool = True,
    at: datetime.datetime | None = None,
) -> Order:
    """Cancels an active order. Its ingredients go back to the shelf, or are written off as wasted.

    Of two people who cancel it at the same moment, one does and the other is told.
    Raises UnknownOrder, WrongStatus.
    """
    order = lock_order(order_id)
    before = order.status
    proceed(order, OrderEvent.Kind.CANCELLED, at=at)
    give_back([order], actor=actor, reason=reason, restock=restock, at=at)
    order.save(update_fields=["status", "closed_at", "subtotal", "discount", "total"])
    event(
        order,
        OrderEvent.Kind.CANCELLED,
        actor,
        from_status=before,
        reason=reason,
        details={"restock": restock},
        at=at,
    ).save(force_insert=True)
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
    at: datetime.datetime | None = None,
) -> Order:
    """Takes back `quantity` of a line of an active order. When nothing is left, the order is cancelled.

    Raises UnknownOrder, UnknownItem, WrongStatus, WrongQuantity.
    """
    order = lock_order(order_id)
    require_status(order, Order.ACTIVE)
    items = list(order.items.all())
    item = next((one for one in items if one.pk == item_id), None)
    if item is None:
        raise UnknownItem(item_id)
    if not 1 <= quantity <= item.remaining:
        raise WrongQuantity.at(
            "quantity",
            _("Of %(name)s, %(remaining)d can be cancelled, not %(quantity)d.")
            % {"name": item.name, "remaining": item.remaining, "quantity": quantity},
        )
    before = order.status
    movements = movements_back(
        deductions_of(document_type=DOCUMENT_TYPE, document_ids=[order.pk]),
        document_id=order.pk,
        line_id=item.pk,
        part=quantity,
        whole=item.remaining,
        restock=restock,
    )
    item.cancelled_quantity += quantity
    item.total = item.unit_price * item.remaining
    item.save(update_fields=["cancelled_quantity", "total"])
    CancelledItem.objects.create(
        item=item,
        quantity=quantity,
        reason=reason,
        is_restocked=restock,
        created_by_id=actor.user_id,
        created_at=at or timezone.now(),
    )
    order.subtotal = sum((one.total for one in items), Decimal("0.00"))
    order.total = order.subtotal - order.discount
    nothing_left = not any(one.remaining for one in items)
    if nothing_left:
        proceed(order, OrderEvent.Kind.CANCELLED, at=at)
    order.save(update_fields=["status", "closed_at", "subtotal", "discount", "total"])
    event(
        order,
        OrderEvent.Kind.CANCELLED if nothing_left else OrderEvent.Kind.ITEM_CANCELLED,
        actor,
        from_status=before,
        reason=reason,
        details={"item": item.pk, "name": item.name, "quantity": quantity, "restock": restock},
        at=at,
    ).save(force_insert=True)
    post_movements(movements=movements, document_type=DOCUMENT_TYPE, created_by_id=actor.user_id, comment=reason, at=at)
    return order


def give_back(
    orders: Sequence[Order], *, actor: Actor, reason: str, restock: bool, at: datetime.datetime | None = None
) -> None:
    """Takes back all that is left of these locked orders: lines, records and stock, in five queries.

    The orders themselves are changed and saved by the caller.
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
    OrderItem.objects.filter(order_id__in=ids).update(cancelled_quantity=F("quantity"), total=Decimal("0.00"))
    post_movements(
        movements=movements, document_type=DOCUMENT_TYPE, created_by_id=actor.user_id, comment=reason, at=now
    )
