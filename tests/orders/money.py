"""Paying in tests, and that the money adds up."""

from decimal import Decimal
from typing import Any

from django.db.models import F, Sum

from orders.models import EveryOrder, Order, Payment, Refund, RefundPart, Shift
from orders.services.payments import take_payment
from orders.services.refunds import refund_order
from orders.services.shifts import open_shift
from orders.services.transitions import complete_order
from tests.shop import NOBODY, Shop


def open_till(shop: Shop, till: str = "1", opening_float: Any = 100) -> Shift:
    """Opens a till of the shop with so much cash in it."""
    return open_shift(location=shop.location, till=till, opening_float=Decimal(opening_float), actor=NOBODY)


def pay(order: Order, amount: Any, method: str = "card", **more: Any) -> Payment:
    """Takes a payment; amounts may be texts."""
    for name in ("tendered", "tip"):
        if name in more:
            more[name] = Decimal(more[name])
    return take_payment(order_id=order.pk, method=method, amount=Decimal(amount), actor=NOBODY, **more)


def now(order: Order) -> Order:
    """The order as it is now."""
    return Order.objects.get(pk=order.pk)


def complete_unpaid(order: Order) -> None:
    """As somebody does who may."""
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)


def refund(order: Order, reason: str = "cold", **more: Any) -> Refund:
    """Pays back; `amount` may be a text."""
    if "amount" in more:
        more["amount"] = Decimal(more["amount"])
    return refund_order(order_id=order.pk, reason=reason, actor=NOBODY, **more)


def total(rows: Any, amount: Any) -> Decimal:
    found: Decimal | None = rows.aggregate(total=Sum(amount))["total"]
    return found or Decimal(0)


def assert_money_adds_up() -> None:
    """Of every order: what was paid less what was paid back is what the order says was paid, each payment says what
    was paid back of it, and nobody has paid more than the order owes."""
    for order in EveryOrder.objects.all():
        payments, refunds = Payment.objects.filter(order=order), Refund.objects.filter(order=order)
        assert total(payments, "amount") - total(refunds, "amount") == order.paid
        assert order.paid <= order.total + order.withheld
        assert total(refunds, "withheld") == order.withheld
    for payment in Payment.objects.all():
        parts = RefundPart.objects.filter(payment=payment)
        assert (total(parts, "amount"), total(parts, "tip")) == (payment.refunded, payment.tip_refunded)
    for refund in Refund.objects.all():
        assert total(refund.parts, "amount") == refund.amount
    for shift in Shift.objects.exclude(closed_at=None):
        assert shift.expected == cash_of(shift)


def cash_of(shift: Shift) -> Decimal:
    """What should be in the till, added up from its rows one kind after the other."""
    cash = F("amount") + F("tip")
    return (
        shift.opening_float
        + total(shift.payments.filter(method="cash"), cash)
        - total(shift.refund_parts.filter(payment__method="cash"), cash)
        + total(shift.cash_movements, "amount")
    )
