"""Refunds: money back for lines of an order, for all of it, or out of goodwill."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.money import money
from orders.discounts import NOTHING_OFF, share_out, with_goodwill
from orders.errors import NothingToRefund, OrderImported, WrongAmount
from orders.locks import lock_order
from orders.models import Order, OrderEvent, OrderItem, Refund
from orders.services.actor import Actor
from orders.services.amounts import ZERO, check_amount, reason_given
from orders.services.cancel import CHANGED, post_back
from orders.services.events import event
from orders.services.paybacks import PaidItem, Payback, pay_back
from orders.services.shares import as_kept, set_totals
from orders.services.taking_back import TakenBack, settle_points, take_back_items
from orders.services.transitions import proceed, require_status

REFUNDABLE = (*Order.ACTIVE, Order.Status.COMPLETED)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who wants money back, and why."""

    actor: Actor
    reason: str
    restock: bool
    at: datetime.datetime | None

    def words(self) -> dict[str, Any]:
        return {"actor": self.actor, "reason": self.reason, "at": self.at}


@transaction.atomic
def refund_order(
    *,
    order_id: int,
    actor: Actor,
    reason: str,
    items: Mapping[int, int] | None = None,
    amount: Decimal | None = None,
    restock: bool = True,
    shift_id: int | None = None,
    at: datetime.datetime | None = None,
) -> Refund:
    """Pays money back for an order that is not cancelled, the way it came: the newest payment first.

    `items` ({item id: quantity}) are taken back, and what was paid for them goes back; their ingredients return to the
    shelf, or are written off without `restock`. With `amount` nothing is taken back: the order gets so much cheaper
    out of goodwill. With neither, everything that is left is taken back; an active order is cancelled by it, and its
    tips go back too. Points that paid for it go back as well, also where nothing else did; points that it has earned
    and that the customer has spent meanwhile reduce what goes back. Cash comes out of `shift_id`,
    else out of the till that it came into, else out of the only open one.

    Of two refunds of the same thing one happens. Raises UnknownOrder, OrderArchived, OrderImported, WrongStatus,
    NothingToRefund, WrongAmount, UnknownItem, WrongQuantity, InvalidInput, NoOpenShift, WhichTill, UnknownShift,
    ShiftClosed.
    """
    asked = _Asked(actor, reason_given(reason, Refund), restock, at)
    if items is not None and amount is not None:
        raise InvalidInput.at("amount", _("Name either lines or an amount, not both."))
    if items is not None and not items:
        raise InvalidInput.at("items", _("Choose at least one line."))
    order = lock_order(order_id)
    before = order.status
    if order.channel == Order.Channel.IMPORT:
        raise OrderImported(order.number)
    require_status(order, REFUNDABLE)
    if order.paid <= order.withheld and (amount is not None or not is_paid_with_points(order)):
        raise NothingToRefund(order.number)
    if amount is not None:
        taken, back = give_goodwill(order, check_amount("amount", amount), asked)
    else:
        quantities = items or {item.pk: item.remaining for item in order.items.all() if item.remaining}
        taken = take_back_items(order, quantities, restock=restock, **asked.words())
        # What was not paid yet of an order is not owed any more before anything goes back.
        back = max(order.paid - order.total - order.withheld, ZERO)
    is_active = order.status in Order.ACTIVE
    is_over = taken.nothing_left and is_active
    # Whoever gets everything back before they have got anything gets the tip back too.
    refund = pay_back_taken(order, taken, back, asked, with_tips=is_active and back == order.paid, shift_id=shift_id)
    if is_over:
        proceed(order, OrderEvent.Kind.CANCELLED, at=at)
    order.save(update_fields=CHANGED)
    event(
        order,
        OrderEvent.Kind.REFUNDED,
        actor,
        from_status=before,
        reason=asked.reason,
        details=details_of(refund, taken, restock=restock),
        at=at,
    ).save(force_insert=True)
    post_back(taken.movements, **asked.words())
    return refund


def is_paid_with_points(order: Order) -> bool:
    """Whether the order cost points and no money: taking it back gives the points back."""
    return order.points_redeemed > 0 and not order.total


def pay_back_taken(
    order: Order, taken: TakenBack, back: Decimal, asked: _Asked, *, with_tips: bool, shift_id: int | None
) -> Refund:
    """Writes the refund of what was taken back, and pays `back` of it."""
    amounts = share_out(back + taken.withheld, [net for _item, _quantity, net in taken.lines])
    payback = Payback(
        order,
        back,
        withheld=taken.withheld,
        reason=asked.reason,
        is_restocked=asked.restock if taken.lines else None,
        items=[
            PaidItem(item.pk, quantity, paid) for (item, quantity, _net), paid in zip(taken.lines, amounts, strict=True)
        ],
        with_tips=with_tips,
    )
    return pay_back([payback], actor=asked.actor, shift_id=shift_id, at=asked.at)[0]


def give_goodwill(order: Order, amount: Decimal, asked: _Asked) -> tuple[TakenBack, Decimal]:
    """Makes the locked order cheaper by `amount`, each line in proportion to what it costs. Answers with what that
    withholds, and with what goes back of it. Raises WrongAmount for more than was paid."""
    most = min(order.paid - order.withheld, order.total)
    if amount > most:
        raise WrongAmount.at(
            "amount",
            _("Only %(most)s of order #%(number)s can be paid back.") % {"most": money(most), "number": order.number},
        )
    items = list(order.items.all())
    goodwill = with_goodwill(NOTHING_OFF, [item.net for item in items], [(asked.reason, amount)])
    for place, item in enumerate(items):
        item.discount += goodwill.of_line(place)
    OrderItem.objects.bulk_update(items, ["discount"])
    before = order.total
    order.discounts = [*order.discounts, *as_kept(goodwill, [item.position for item in items])]
    set_totals(order, items)
    withheld = settle_points(order, order.points_redeemed, before=before, **asked.words())
    return TakenBack(amount=amount, withheld=withheld), amount - withheld


def details_of(refund: Refund, taken: TakenBack, *, restock: bool) -> dict[str, Any]:
    """What the order's event keeps of a refund."""
    details: dict[str, Any] = {"refund": refund.pk, "amount": str(refund.amount)}
    if refund.withheld:
        details["withheld"] = str(refund.withheld)
    if taken.lines:
        details["lines"] = [
            {"item": item.pk, "name": item.name, "quantity": quantity} for item, quantity, _net in taken.lines
        ]
        details["restock"] = restock
    return details
