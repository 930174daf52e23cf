"""Allegro's orders (checkout forms) in the shop's words."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import Problem, RemoteLine, RemoteOrder
from marketplaces.errors import BadAnswer

# The form's own status: whether the buyer has bought, filled in, paid, or cancelled.
BEFORE_READY = ("BOUGHT", "FILLED_IN")
READY = "READY_FOR_PROCESSING"
CANCELLED = "CANCELLED"
# What the seller made of it. The two are independent: a buyer may cancel what is being packed.
STATE_OF_FULFILMENT = {
    "": OrderState.READY,
    "NEW": OrderState.READY,
    "PROCESSING": OrderState.PROCESSING,
    "READY_FOR_SHIPMENT": OrderState.PROCESSING,
    "READY_FOR_PICKUP": OrderState.PROCESSING,
    # Put aside by the seller: nothing is to be done until it is taken up again.
    "SUSPENDED": OrderState.WAITING,
    "SENT": OrderState.SENT,
    "PICKED_UP": OrderState.DELIVERED,
    "RETURNED": OrderState.RETURNED,
    "CANCELLED": OrderState.CANCELLED,
}
# The parcel has left the shop: whatever the buyer says after that, its pieces are not there to be given back.
HAS_LEFT = (OrderState.SENT, OrderState.DELIVERED, OrderState.RETURNED)
# One Fulfillment: Allegro's own warehouse sends it.
SENT_BY_ALLEGRO = "ALLEGRO"


def read_orders(forms: Iterable[Any]) -> tuple[list[RemoteOrder], list[Problem]]:
    """The forms of a list as orders; those that can't be read are left out and listed, and so are unknown statuses."""
    orders: list[RemoteOrder] = []
    problems: list[Problem] = []
    for place, form in enumerate(forms):
        try:
            order = read_order(form)
        except BadAnswer as error:
            problems.append(Problem(name_of(form, place), str(error)))
            continue
        orders.append(order)
        if order.state == OrderState.UNKNOWN:
            problems.append(Problem(order.external_id, unknown_status(order)))
    return orders, problems


def read_order(form: Any) -> RemoteOrder:
    """One form as an order. Raises BadAnswer, naming what is missing or of the wrong kind."""
    status = need(form, "status", str)
    fulfilment = optional(form, "fulfillment.status", str) or ""
    lines = tuple(read_line(line) for line in need(form, "lineItems", list))
    provider = optional(form, "fulfillment.provider.id", str) or ""
    return RemoteOrder(
        external_id=need(form, "id", str),
        number=need(form, "id", str),
        status=status,
        fulfilment_status=fulfilment,
        state=state_of(status, fulfilment),
        scheme=Scheme.FBO if provider == SENT_BY_ALLEGRO else Scheme.FBS,
        lines=lines,
        currency=optional(form, "summary.totalToPay.currency", str) or "",
        total=money(optional(form, "summary.totalToPay.amount", Decimal)),
        revision=optional(form, "revision", str) or "",
        placed_at=first_bought(need(form, "lineItems", list)),
        changed_at=optional(form, "updatedAt", datetime.datetime),
        payload=form,
    )


def read_line(line: Any) -> RemoteLine:
    quantity = whole(need(line, "quantity", Decimal))
    return RemoteLine(
        external_line_id=need(line, "id", str),
        sku=need(line, "offer.id", str),
        quantity=quantity,
        name=optional(line, "offer.name", str) or "",
        price=money(optional(line, "price.amount", Decimal)),
    )


def state_of(status: str, fulfilment: str) -> OrderState:
    """What the two words of a form come to."""
    done = STATE_OF_FULFILMENT.get(fulfilment, OrderState.UNKNOWN)
    if status not in (*BEFORE_READY, READY, CANCELLED) or done == OrderState.UNKNOWN:
        return OrderState.UNKNOWN
    if done in HAS_LEFT:
        return done
    if CANCELLED in (status, fulfilment):
        return OrderState.CANCELLED
    return OrderState.WAITING if status in BEFORE_READY else done


def unknown_status(order: RemoteOrder) -> str:
    return _("The status %(status)s / %(fulfilment)s is not known.") % {
        "status": order.status,
        "fulfilment": order.fulfilment_status or "-",
    }


def whole(number: Decimal) -> int:
    """A number of pieces. The specification calls it a number: 2 and 2.0 are the same, 2.5 is not."""
    if number != number.to_integral_value() or not 1 <= number <= 1_000_000:
        raise BadAnswer(_("The answer's quantity %(number)s is no number of pieces.") % {"number": number})
    return int(number)


def money(amount: Decimal | None) -> Decimal | None:
    """An amount as it is kept; what does not fit is no price of an order."""
    if amount is None:
        return None
    if abs(amount) >= Decimal("1e10"):
        raise BadAnswer(_("The answer's amount %(amount)s is no price.") % {"amount": amount})
    return amount.quantize(Decimal("0.01"))


def first_bought(lines: Sequence[Any]) -> datetime.datetime | None:
    moments = [optional(line, "boughtAt", datetime.datetime) for line in lines]
    return min((moment for moment in moments if moment is not None), default=None)


def name_of(form: Any, place: int) -> str:
    """Which form a problem is about, as far as it can be told."""
    found = form.get("id") if isinstance(form, Mapping) else None
    return found if isinstance(found, str) and found else f"#{place + 1}"
