"""The buttons that move money: payments and refunds on the page of an order, cash on that of a shift."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from foundation.admin.verbs import Verb
from foundation.money import money
from orders.admin.money_forms import CashForm, CloseForm, CorrectForm, PaymentForm, RefundForm
from orders.admin.verbs import actor_of
from orders.models import Order, Payment
from orders.powers import REFUND
from orders.services.amounts import ZERO
from orders.services.payments import take_payment
from orders.services.refunds import REFUNDABLE, is_paid_with_points, refund_order
from orders.services.shifts import close_shift, correct_shift, move_cash


def take(request: HttpRequest, order: Order, data: dict[str, Any]) -> str:
    """Takes the payment; the sentence says what goes back of the cash."""
    payment = take_payment(
        order_id=order.pk,
        method=data["method"],
        amount=data["amount"],
        tip=data["tip"] or ZERO,
        # What was typed before another method was chosen is hidden by now.
        tendered=data["tendered"] if data["method"] == Payment.Method.CASH else None,
        reference=data["reference"],
        shift_id=data.get("shift"),
        actor=actor_of(request),
    )
    words = {"amount": money(payment.amount), "change": money(payment.change), "object": order}
    if payment.change:
        return gettext("%(amount)s paid for %(object)s. Change: %(change)s.") % words
    return gettext("%(amount)s paid for %(object)s.") % words


def pay_back(request: HttpRequest, order: Order, data: dict[str, Any]) -> str:
    """Pays back; the sentence says how much, and what was kept of it."""
    refund = refund_order(
        order_id=order.pk,
        items=data["items"],
        amount=data["amount"],
        restock=data["restock"],
        reason=data["reason"],
        shift_id=data.get("shift"),
        actor=actor_of(request),
    )
    words = {"amount": money(refund.amount), "withheld": money(refund.withheld), "object": order}
    if refund.withheld:
        return gettext("%(amount)s of %(object)s paid back; %(withheld)s kept for points that are spent.") % words
    return gettext("%(amount)s of %(object)s paid back.") % words


def may_be_paid(order: Any) -> bool:
    return bool(order.due and order.status != Order.Status.CANCELLED and not order.is_archived)


def may_be_refunded(order: Any) -> bool:
    is_paid = order.paid > order.withheld or is_paid_with_points(order)
    return bool(is_paid and order.status in REFUNDABLE and not order.is_archived)


# They stand in the card of the payments and not among the buttons above.
PAYMENT_VERBS = (
    Verb(
        name="pay",
        label=_("Take payment"),
        permission="orders.add_payment",
        run=take,
        done=_("%(object)s is paid."),
        form=PaymentForm,
        is_shown=may_be_paid,
        variant="primary",
        icon="payments",
    ),
    Verb(
        name="refund",
        label=_("Refund"),
        permission=REFUND,
        run=pay_back,
        done=_("%(object)s is paid back."),
        form=RefundForm,
        is_shown=may_be_refunded,
        icon="undo",
    ),
)

SHIFT_VERBS = (
    Verb(
        name="close",
        label=_("Close the shift"),
        permission="orders.close_shift",
        run=lambda request, shift, data: close_shift(
            shift_id=shift.pk, counted=data["counted"], comment=data["comment"], actor=actor_of(request)
        ),
        done=_("Shift %(object)s is closed."),
        form=CloseForm,
        is_shown=lambda shift: shift.is_open,
        variant="primary",
        icon="lock",
    ),
    Verb(
        name="cash",
        label=_("Cash in or out"),
        permission="orders.add_cashmovement",
        run=lambda request, shift, data: move_cash(
            shift_id=shift.pk, amount=data["signed"], reason=data["reason"], actor=actor_of(request)
        ),
        done=_("Noted in shift %(object)s."),
        form=CashForm,
        is_shown=lambda shift: shift.is_open,
        icon="swap_vert",
    ),
    Verb(
        name="correct",
        label=_("Correct"),
        permission="orders.correct_shift",
        run=lambda request, shift, data: correct_shift(
            shift_id=shift.pk, counted=data["counted"], reason=data["reason"], actor=actor_of(request)
        ),
        done=_("Shift %(object)s is corrected."),
        form=CorrectForm,
        is_shown=lambda shift: not shift.is_open,
        icon="edit_note",
    ),
)
