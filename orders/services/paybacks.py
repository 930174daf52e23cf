"""Paying money back the way it came, for one order or for a thousand: a constant number of queries.

Who pays back has locked the orders, then says `lock_tills`, and knows from it whose cash can't be paid back now.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from foundation.money import money
from inventory.models import Location
from orders.errors import WrongAmount
from orders.locks import lock_open_shifts
from orders.models import Order, Payment, Refund, RefundItem, RefundPart
from orders.services.actor import Actor
from orders.services.amounts import ZERO
from orders.services.tills import Tills


@dataclass(frozen=True, slots=True)
class PaidItem:
    """So many of a line are taken back, and `amount` was paid for them."""

    item_id: int
    quantity: int
    amount: Decimal


@dataclass(slots=True)
class Payback:
    """So much of what was paid for a locked order goes back; `withheld` of it is kept for points that are spent.

    `is_restocked` is None where no line was taken back. With `with_tips` whatever tips are left go back too.
    """

    order: Order
    amount: Decimal
    withheld: Decimal = ZERO
    reason: str = ""
    is_restocked: bool | None = None
    items: Sequence[PaidItem] = ()
    with_tips: bool = False


@dataclass(slots=True)
class _Written:
    """The rows of several paybacks."""

    refunds: list[Refund] = field(default_factory=list)
    items: list[RefundItem] = field(default_factory=list)
    parts: list[RefundPart] = field(default_factory=list)


def lock_tills(orders: Collection[Order], shift_id: int | None = None) -> dict[int, Refusal]:
    """Locks the open shifts at the locations of these locked orders, by id, as far as anything was paid there.

    Answers with why the cash of an order can't be paid back now: {order id: refusal}. An order that no cash was paid
    for is never among them. With `shift_id` all of the cash is to come from that till.
    """
    paid = {order.pk: order for order in orders if order.paid}
    payments = payments_of(paid)
    if not payments:
        return {}
    tills = Tills(lock_open_shifts({paid[pk].location_id for pk in payments}), shift_id)
    cash = {pk: [one for one in of_order if one.method == Payment.Method.CASH] for pk, of_order in payments.items()}
    know_locations(paid[pk] for pk, of_order in cash.items() if of_order)
    return {
        pk: refusal
        for pk, of_order in cash.items()
        if (refusal := next((why for one in of_order if (why := tills.of(paid[pk], one)[1])), None))
    }


def pay_back(
    paybacks: Sequence[Payback],
    *,
    actor: Actor,
    shift_id: int | None = None,
    at: datetime.datetime | None = None,
) -> list[Refund]:
    """Pays back, in the caller's transaction and after `lock_tills` with the same `shift_id`: the newest payment of
    an order first, of each at most what is left of it. The refunds come in the order of the paybacks.

    Changes `order.paid` in memory; the caller saves the orders, and says in their events what happened.
    Raises WrongAmount where more is asked than was paid, and what `lock_tills` answers.
    """
    payments = payments_of({payback.order.pk for payback in paybacks})
    places = {payback.order.location_id for payback in paybacks}
    tills = Tills(lock_open_shifts(places) if payments else [], shift_id)
    written = _Written()
    for payback in paybacks:
        divide(payback, payments.get(payback.order.pk, []), tills, written)
    for refund in written.refunds:
        refund.created_by_id = actor.user_id
        refund.created_at = at or timezone.now()
    Refund.objects.bulk_create(written.refunds)
    RefundItem.objects.bulk_create(written.items)
    RefundPart.objects.bulk_create(written.parts)
    Payment.objects.bulk_update([part.payment for part in written.parts], ["refunded", "tip_refunded"])
    for payback in paybacks:
        payback.order.paid -= payback.amount
    return written.refunds


def payments_of(order_ids: Collection[int]) -> dict[int, list[Payment]]:
    """Those payments of the locked orders that something is left of, the newest first."""
    payments: dict[int, list[Payment]] = {}
    if order_ids:
        left = Q(refunded__lt=F("amount")) | Q(tip_refunded__lt=F("tip"))
        for payment in Payment.objects.filter(left, order_id__in=order_ids).order_by("-pk"):
            payments.setdefault(payment.order_id, []).append(payment)
    return payments


def know_locations(orders: Iterable[Order]) -> None:
    """Reads the locations of the orders in one query: a refusal names them."""
    orders = list(orders)
    places = Location.objects.in_bulk({order.location_id for order in orders})
    for order in orders:
        order.location = places[order.location_id]


def divide(payback: Payback, payments: Sequence[Payment], tills: Tills, written: _Written) -> None:
    """Divides a payback among the payments of its order, in memory. Raises WrongAmount, NoOpenShift, WhichTill, …"""
    order = payback.order
    refund = Refund(
        order_id=order.pk,
        amount=payback.amount,
        withheld=payback.withheld,
        reason=payback.reason,
        is_restocked=payback.is_restocked,
    )
    written.refunds.append(refund)
    written.items += [
        RefundItem(refund=refund, item_id=one.item_id, quantity=one.quantity, amount=one.amount)
        for one in payback.items
    ]
    missing = payback.amount
    for payment in payments:
        amount = min(missing, payment.left)
        tip = payment.tip - payment.tip_refunded if payback.with_tips else ZERO
        if not amount and not tip:
            continue
        till, refusal = tills.of(order, payment)
        if refusal is not None and payment.method == Payment.Method.CASH:
            raise refusal
        payment.refunded += amount
        payment.tip_refunded += tip
        missing -= amount
        written.parts.append(RefundPart(refund=refund, payment=payment, amount=amount, tip=tip, shift=till))
    if missing:
        raise WrongAmount.at(
            "amount",
            _("Only %(paid)s of order #%(number)s can be paid back.")
            % {"paid": money(payback.amount - missing), "number": order.number},
        )
