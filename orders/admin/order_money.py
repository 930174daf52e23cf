"""The card of an order's page about its money: what was paid, what went back, and the buttons for both."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from foundation.admin.verbs import VerbButton
from foundation.money import money
from orders.models import EveryEvent, Order, OrderEvent, Payment, Refund


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """What the card shows."""

    payments: list[Payment]
    refunds: list[Refund]
    buttons: list[VerbButton]


def money_of(order: Order, buttons: list[VerbButton]) -> OrderMoney:
    """The payments and refunds of an order, the first one first; three queries, or four."""
    payments = Payment.objects.filter(order_id=order.pk).select_related("shift").order_by("pk")
    refunds = Refund.objects.filter(order_id=order.pk).prefetch_related("parts__payment", "parts__shift").order_by("pk")
    return OrderMoney(list(payments), list(refunds), buttons)


def money_notes(event: EveryEvent) -> list[str]:
    """What the event of a payment or a refund has to tell."""
    details: dict[str, Any] = event.details
    notes = []
    if event.kind == OrderEvent.Kind.PAID and "method" in details:
        notes.append(f"{money(details['amount'])}, {Payment.Method(details['method']).label}")
        if "tip" in details:
            notes.append(_("tip: %(amount)s") % {"amount": money(details["tip"])})
    if event.kind == OrderEvent.Kind.REFUNDED and "amount" in details:
        notes.append(_("paid back: %(amount)s") % {"amount": money(details["amount"])})
        notes += [f"{line['quantity']} × {line['name']}" for line in details.get("lines", ())]
        if "withheld" in details:
            notes.append(_("kept for spent points: %(amount)s") % {"amount": money(details["withheld"])})
    return notes
