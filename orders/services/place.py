"""Placing an order."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from inventory.errors import ClosedLocation
from inventory.menu import load_menu
from inventory.models import Location
from orders.models import Order, OrderEvent, OrderItem
from orders.pricing import OrderLine, PricedLine, price_order
from orders.services.actor import Actor
from orders.services.deduction import check_listed, deduct, sale_movements
from orders.services.events import event


@transaction.atomic
def place_order(
    *,
    location: Location,
    lines: Sequence[OrderLine],
    actor: Actor,
    channel: str = Order.Channel.COUNTER,
    customer_id: int | None = None,
    employee_id: int | None = None,
    comment: str = "",
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
    at: datetime.datetime | None = None,
) -> Order:
    """Sells: the order, its lines, its first event, and every gram leaves the stock, or nothing does.

    `allow_below_minimum` is for who may sell what is below its minimum; never below zero. `sell_anyway` is for who
    has the drink in their hand: what the stock lacks is corrected with the sale. `at` dates an
    order that was placed earlier. The same number of queries for one line and for many.

    Raises WrongLines, ClosedLocation, Unavailable, InsufficientStock.
    """
    if not location.is_active:
        raise ClosedLocation(location.name)
    price = price_order(menu=load_menu({line.product_id for line in lines}), lines=lines)
    check_listed(price.lines)
    order = Order.objects.create(
        location=location,
        channel=channel,
        customer_id=customer_id,
        employee_id=employee_id,
        subtotal=price.subtotal,
        discount=price.discount,
        total=price.total,
        comment=comment,
        placed_at=at or timezone.now(),
        created_by_id=actor.user_id,
    )
    items = OrderItem.objects.bulk_create(
        [new_item(order, line, position) for position, line in enumerate(price.lines, start=1)]
    )
    details = {"sold_anyway": True} if sell_anyway else None
    event(order, OrderEvent.Kind.PLACED, actor, from_status="", details=details, at=at).save(force_insert=True)
    # The levels are locked last and for the shortest time: everybody sells from the same cups.
    deduct(
        order=order,
        movements=[
            movement
            for line, item in zip(price.lines, items, strict=True)
            for movement in sale_movements(order, line, line_id=item.pk, quantity=item.quantity)
        ],
        products=[line.product for line in price.lines],
        actor=actor,
        allow_below_minimum=allow_below_minimum,
        sell_anyway=sell_anyway,
        at=at,
    )
    return order


def new_item(order: Order, line: PricedLine, position: int) -> OrderItem:
    """A line as it is sold now, not saved yet."""
    return OrderItem(
        order=order,
        product_id=line.product.id,
        position=position,
        name=line.product.name,
        unit_price=line.unit_price,
        quantity=line.line.quantity,
        options=line.options_as_sold(),
        total=line.total,
    )
