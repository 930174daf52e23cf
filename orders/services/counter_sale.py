"""A sale at the counter: the order and what is paid for it, together or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from inventory.models import Location
from orders.errors import PriceChanged
from orders.locks import lock_customers, lock_open_shifts, lock_order, lock_promo_code_called, lock_shift
from orders.models import Order, Payment
from orders.pricing import OrderLine
from orders.services.actor import Actor
from orders.services.code_uses import normal_code
from orders.services.payments import take_payment
from orders.services.place import place_order
from orders.services.transitions import complete_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """What somebody pays by one method: `amount` for the order and `tip` for the staff; of `tendered` cash the rest
    is given back."""

    method: str
    amount: Decimal
    tendered: Decimal | None = None
    tip: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sale:
    """An order and what has just been paid for it."""

    order: Order
    payments: list[Payment]

    @property
    def change(self) -> Decimal:
        """What is given back."""
        return sum((payment.change for payment in self.payments), Decimal("0.00"))


@transaction.atomic
def sell_at_counter(
    *,
    location: Location,
    lines: Sequence[OrderLine],
    actor: Actor,
    tenders: Sequence[Tender] = (),
    shift_id: int | None = None,
    customer_id: int | None = None,
    employee_id: int | None = None,
    comment: str = "",
    promo_code: str = "",
    redeem_points: int = 0,
    expected_total: Decimal | None = None,
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
) -> Sale:
    """Places the order and takes what is paid for it; without `tenders` it is paid later.

    `expected_total` is what the customer was told: when a price has changed since, nobody pays another amount unasked.
    `shift_id` is the till's; cash needs an open one.

    Raises PriceChanged, and what `place_order` and `take_payment` raise.
    """
    # In the documented order, before the levels: placing locks these, and paying the shift, which would come too late.
    if promo_code:
        lock_promo_code_called(normal_code(promo_code))
    if customer_id is not None:
        lock_customers([customer_id])
    if tenders and shift_id is not None:
        lock_shift(shift_id)
    elif tenders:
        # Of a till that was closed while we waited for it nothing is left; a second look finds the one after it.
        tills = lock_open_shifts([location.pk]) or lock_open_shifts([location.pk])
        shift_id = tills[0].pk if len(tills) == 1 else None
    order = place_order(
        location=location,
        lines=lines,
        actor=actor,
        channel=Order.Channel.COUNTER,
        customer_id=customer_id,
        employee_id=employee_id,
        comment=comment,
        promo_code=promo_code,
        redeem_points=redeem_points,
        allow_below_minimum=allow_below_minimum,
        sell_anyway=sell_anyway,
    )
    if expected_total is not None and order.total != expected_total:
        raise PriceChanged(told=expected_total, total=order.total)
    return take(order, tenders, shift_id=shift_id, actor=actor)


@transaction.atomic
def settle_at_counter(
    *,
    order_id: int,
    tenders: Sequence[Tender],
    actor: Actor,
    shift_id: int | None = None,
    hands_over: bool = False,
    allow_unpaid: bool = False,
) -> Sale:
    """Takes what is paid for an order that was placed before, and completes it if it is handed over with that.

    Raises what `take_payment` and `complete_order` raise.
    """
    order = lock_order(order_id)
    if hands_over and order.customer_id is not None:
        lock_customers([order.customer_id])  # They earn points; their row is locked before the shift's.
    sale = take(order, tenders, shift_id=shift_id, actor=actor)
    if hands_over:
        return Sale(complete_order(order_id=order_id, actor=actor, allow_unpaid=allow_unpaid), sale.payments)
    return sale


def take(order: Order, tenders: Sequence[Tender], *, shift_id: int | None, actor: Actor) -> Sale:
    """Takes the payments of a locked order, one by one; the order then says what is paid of it."""
    payments = [
        take_payment(
            order_id=order.pk,
            method=tender.method,
            amount=tender.amount,
            tendered=tender.tendered,
            tip=tender.tip,
            shift_id=shift_id,
            actor=actor,
        )
        for tender in tenders
    ]
    if payments:
        order.refresh_from_db(fields=["paid"])
    return Sale(order, payments)
