"""Taking money for an order."""

import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.money import money
from orders.errors import OrderImported, PaymentAfterCancellation, WrongAmount
from orders.locks import lock_order
from orders.models import Order, OrderEvent, Payment
from orders.services.actor import Actor
from orders.services.amounts import ZERO, check_amount, short_text
from orders.services.events import event
from orders.services.tills import lock_till

Method = Payment.Method


@transaction.atomic
def take_payment(
    *,
    order_id: int,
    method: str,
    amount: Decimal,
    actor: Actor,
    tendered: Decimal | None = None,
    tip: Decimal = ZERO,
    shift_id: int | None = None,
    reference: str = "",
    at: datetime.datetime | None = None,
) -> Payment:
    """Takes `amount` for an order that is not cancelled, and a tip besides. A completed order may still be paid.

    Cash needs an open shift at the order's location: `shift_id`, else the only one. `tendered` is the cash that was
    handed over (None: exactly so much); the change is what of it is neither for the order nor a tip. `reference` is
    whatever finds the payment again elsewhere: the slip of the card terminal.

    Of two payments of the same debt one is taken, and the other is told what is still to be paid.
    Raises UnknownOrder, OrderArchived, OrderImported, PaymentAfterCancellation, WrongAmount, InvalidInput,
    NoOpenShift, WhichTill, UnknownShift, ShiftClosed.
    """
    if method not in Method.values:
        raise InvalidInput.at(
            "method", _("Say how it is paid: %(methods)s.") % {"methods": ", ".join(map(str, Method.values))}
        )
    amount, tip = check_amount("amount", amount), check_amount("tip", tip, may_be_zero=True)
    reference = short_text("reference", reference, Payment)
    tendered, change = cash_handed_over(method, amount + tip, tendered)
    order = lock_order(order_id)
    refuse_unless_owed(order, amount)
    shift = lock_till(order, method, shift_id)
    payment = Payment.objects.create(
        order_id=order.pk,
        method=method,
        amount=amount,
        tip=tip,
        tendered=tendered,
        change=change,
        shift=shift,
        reference=reference,
        created_by_id=actor.user_id,
        created_at=at or timezone.now(),
    )
    order.paid += amount
    order.save(update_fields=["paid"])
    details = {"payment": payment.pk, "method": method, "amount": str(amount)}
    if tip:
        details["tip"] = str(tip)
    event(order, OrderEvent.Kind.PAID, actor, from_status=order.status, details=details, at=at).save(force_insert=True)
    return payment


def cash_handed_over(method: str, wanted: Decimal, tendered: Decimal | None) -> tuple[Decimal | None, Decimal]:
    """What was handed over and what of it goes back; (None, 0) for what is no cash. Raises WrongAmount."""
    if method != Method.CASH:
        if tendered is not None:
            raise WrongAmount.at("tendered", _("Only cash is handed over. Leave this out for other methods."))
        return None, ZERO
    if tendered is None:
        return wanted, ZERO
    tendered = check_amount("tendered", tendered, may_be_zero=True)
    if tendered < wanted:
        raise WrongAmount.at(
            "tendered",
            _("%(tendered)s is not enough: %(wanted)s are to be paid.")
            % {"tendered": money(tendered), "wanted": money(wanted)},
        )
    return tendered, tendered - wanted


def refuse_unless_owed(order: Order, amount: Decimal) -> None:
    """Raises OrderImported, PaymentAfterCancellation, WrongAmount unless the locked order owes so much."""
    if order.channel == Order.Channel.IMPORT:
        raise OrderImported(order.number)
    if order.status == Order.Status.CANCELLED:
        raise PaymentAfterCancellation(number=order.number, status=order.status)
    if amount > order.due:
        sentence = (
            _("Only %(due)s is still to be paid for order #%(number)s.")
            if order.due
            else _("Nothing is left to be paid for order #%(number)s.")
        )
        raise WrongAmount.at("amount", sentence % {"due": money(order.due), "number": order.number})
