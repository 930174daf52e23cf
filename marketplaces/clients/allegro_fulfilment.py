"""Telling Allegro how far the shop is with an order.

An order's fulfilment status may be changed at most a hundred times, and each change is final: so what stands there
already is never written again.
"""

from collections.abc import Callable

from django.utils.translation import gettext as _

from marketplaces.choices import OrderState
from marketplaces.clients.allegro_orders import CANCELLED, HAS_LEFT
from marketplaces.clients.base import RemoteOrder
from marketplaces.clients.http import ApiSession
from marketplaces.errors import MarketplaceError, NotFound, Outdated, Refused

MEDIA_TYPE = "application/vnd.allegro.public.v1+json"
PROCESSING = "PROCESSING"

# Reads one order as it is now; None where there is none.
ReadOrder = Callable[[str], RemoteOrder | None]


def accept(session: ApiSession, order: RemoteOrder, *, read_order: ReadOrder) -> MarketplaceError | None:
    """Says that the shop is working on the order. What has changed since it was read is read again, once."""
    try:
        if refusal := why_not_accept(order):
            return refusal
        if order.state == OrderState.READY and not was_put(session, order, PROCESSING):
            fresh = read_order(order.external_id)
            if fresh is None:
                return NotFound(_("Allegro does not have the order any more."), status=404)
            if refusal := why_not_accept(fresh):
                return refusal
            if fresh.state == OrderState.READY and not was_put(session, fresh, PROCESSING):
                return Outdated(_("The order changes on Allegro while it is being accepted."), status=409)
    except MarketplaceError as error:
        return error
    return None


def why_not_accept(order: RemoteOrder) -> MarketplaceError | None:
    """Why the order can't be accepted; None also where Allegro knows already, or the seller has put it aside."""
    if order.state == OrderState.CANCELLED:
        return Refused(_("The order is cancelled on Allegro."))
    if order.state == OrderState.UNKNOWN:
        return Refused(_("The order's status on Allegro is not known here."))
    if order.state == OrderState.WAITING and order.fulfilment_status in ("", "NEW"):
        return Outdated(_("The order is not ready for processing on Allegro."))
    return None


def roll_back(session: ApiSession, order: RemoteOrder, *, read_order: ReadOrder) -> None:
    """Cancels the order. One that is cancelled already is in order. Raises Refused for one that has left the shop, or
    if Allegro refuses."""
    if is_cancelled(order) or was_cancelled(session, order, read_order):
        return
    fresh = read_order(order.external_id)
    if fresh is None:
        raise NotFound(_("Allegro does not have the order any more."), status=404)
    if not is_cancelled(fresh) and not was_cancelled(session, fresh, read_order):
        raise Outdated(_("The order changes on Allegro while it is being cancelled."), status=409)


def was_cancelled(session: ApiSession, order: RemoteOrder, read_order: ReadOrder) -> bool:
    """Writes the cancellation; False if the order has changed since it was read. Raises Refused, unless the order is
    cancelled already: somebody was quicker."""
    try:
        return was_put(session, order, CANCELLED)
    except Refused:
        fresh = read_order(order.external_id)
        if fresh is not None and fresh.state == OrderState.CANCELLED:
            return True
        raise


def is_cancelled(order: RemoteOrder) -> bool:
    """Whether there is nothing more to cancel. Raises Refused where it is too late."""
    if order.state in HAS_LEFT:
        raise Refused(_("The order is %(status)s on Allegro: it can't be cancelled.") % {"status": order.state.label})
    return order.state == OrderState.CANCELLED or order.fulfilment_status == CANCELLED


def was_put(session: ApiSession, order: RemoteOrder, status: str) -> bool:
    """Writes the fulfilment status; False if the order has changed since it was read."""
    answer = session.call(
        "PUT",
        f"/order/checkout-forms/{order.external_id}/fulfillment",
        params={"checkoutForm.revision": order.revision} if order.revision else None,
        json={"status": status},
        headers={"Content-Type": MEDIA_TYPE},
        # With the revision, a repeat of what has arrived is answered with 409 and changes nothing.
        is_safe=bool(order.revision),
        accept=(200, 204, 409),
    )
    return answer.status != 409
