"""Placing an order."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from inventory.errors import ClosedLocation
from inventory.menu import load_menu
from inventory.models import Location
from orders.discounts import StepKind
from orders.locks import lock_customer
from orders.models import Customer, Order, OrderEvent, OrderItem
from orders.pricing import Offers, OrderLine, PricedLine, price_order
from orders.promotion_selectors import code_offer, promotions_at
from orders.services.actor import Actor
from orders.services.code_uses import lock_usable_code, use_code
from orders.services.deduction import check_listed, deduct, sale_movements
from orders.services.events import event
from orders.services.loyalty import check_still_there, points_offer, redeem
from orders.services.shares import as_kept, discount_items


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
    promo_code: str = "",
    redeem_points: int = 0,
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
    at: datetime.datetime | None = None,
) -> Order:
    """Sells: the order, its lines, its first event, and every gram leaves the stock, or nothing does.

    The promotions that hold take off what they do by themselves. `promo_code` is what the customer says;
    `redeem_points` of their points pay for as much as they can, at most.

    `allow_below_minimum` is for who may sell what is below its minimum; never below zero. `sell_anyway` is for who
    has the drink in their hand: what the stock lacks is corrected with the sale. `at` dates an
    order that was placed earlier. The same number of queries for one line and for many.

    Raises WrongLines, ClosedLocation, PromoCodeRefused, NotEnoughPoints, PointsNotUsable, UnknownCustomer,
    CustomerGone, Unavailable, InsufficientStock.
    """
    if not location.is_active:
        raise ClosedLocation(location.name)
    now = at or timezone.now()
    code = lock_usable_code(promo_code, customer_id=customer_id, at=now) if promo_code else None
    offers = Offers(
        promotions=promotions_at(location=location, at=now),
        code=code_offer(code) if code else None,
        points=points_offer(buyer(customer_id), redeem_points),
    )
    price = price_order(menu=load_menu({line.product_id for line in lines}), lines=lines, offers=offers)
    check_listed(price.lines)
    order = Order.objects.create(
        location=location,
        channel=channel,
        customer_id=customer_id,
        employee_id=employee_id,
        subtotal=price.subtotal,
        discount=price.discount,
        total=price.total,
        discounts=as_kept(price.off, range(1, len(price.lines) + 1)),
        promo_code=code,
        points_redeemed=price.off.points,
        comment=comment,
        placed_at=now,
        created_by_id=actor.user_id,
    )
    items = [new_item(order, line, position) for position, line in enumerate(price.lines, start=1)]
    discount_items(items, price.off)
    OrderItem.objects.bulk_create(items)
    if code is not None:
        use_code(code, order, amount=price.off.of_kind(StepKind.CODE), at=now)
    redeem(order, price.off.points, user_id=actor.user_id, at=now)
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


def buyer(customer_id: int | None) -> Customer | None:
    """The customer who buys, locked: their points may move, and nobody merges them away meanwhile.

    Raises UnknownCustomer, CustomerGone.
    """
    if customer_id is None:
        return None
    customer = lock_customer(customer_id)
    check_still_there(customer)
    return customer


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
