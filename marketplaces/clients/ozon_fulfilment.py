"""Telling Ozon that a posting is packed, or that it will not be sent."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.choices import OrderState
from marketplaces.clients import http
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import RemoteOrder
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_values import name_of, pieces
from marketplaces.clients.parallel import in_parallel
from marketplaces.errors import MarketplaceError, NotFound, Refused

SHIP = "/v4/posting/fbs/ship"
CANCEL = "/v2/posting/fbs/cancel"
REASONS_OF_POSTING = "/v1/posting/fbs/cancel-reason"
REASONS = "/v2/posting/fbs/cancel-reason/list"

# Ozon packs asynchronously: its answer is looked up after so many seconds, and again.
LOOK_AFTER = (0.0, 1.0, 3.0)

# 402, "other (the seller's fault)", is the one that takes a text; 352, "sold out", is the next best.
OTHER, SOLD_OUT = 402, 352
LONGEST_MESSAGE = 200

ReadAgain = Callable[[Sequence[str]], dict[str, RemoteOrder | None]]


def accept(
    session: ApiSession, orders: Sequence[RemoteOrder], *, read_again: ReadAgain
) -> dict[str, MarketplaceError | None]:
    """Packs each posting that awaits it as one parcel, and reads back what became of it: that Ozon answers 200 does
    not prove anything. Raises the error of reading back."""
    outcome: dict[str, MarketplaceError | None] = {}
    waiting: list[RemoteOrder] = []
    for order in orders:
        outcome[order.external_id] = not_to_be_packed(order)
        if order.state == OrderState.READY:
            waiting.append(order)
    ended = in_parallel([partial(ship, session, order) for order in waiting])
    refusals = {
        order.external_id: result
        for order, result in zip(waiting, ended, strict=True)
        if isinstance(result, MarketplaceError)
    }
    # What timed out may have been packed; what was refused may have been packed before.
    unclear = [order.external_id for order in waiting]
    for seconds in LOOK_AFTER:
        if not unclear:
            break
        if seconds:
            http.pause(seconds)
        now = read_again(unclear)
        for number in unclear:
            outcome[number] = judged(number, now.get(number), refusals.get(number))
        unclear = [number for number in unclear if isinstance(outcome[number], NotYetPacked)]
    return outcome


class NotYetPacked(MarketplaceError):
    """Ozon took the order to pack, and has not done it so far."""

    kind = "not_packed"
    may_have_acted = True


def not_to_be_packed(order: RemoteOrder) -> MarketplaceError | None:
    """Why the posting can't be packed, None if it can or need not."""
    if order.state in (OrderState.WAITING, OrderState.UNKNOWN):
        return MarketplaceError(_("Ozon does not let it be packed yet: its status is %s.") % order.status)
    if order.state == OrderState.CANCELLED:
        return Refused(_("It is cancelled on Ozon."), code="cancelled")
    return None


def ship(session: ApiSession, order: RemoteOrder) -> None:
    """Raises BadAnswer if the posting does not tell Ozon's SKUs."""
    products = need(order.payload, "products", list)
    package = [{"product_id": need(row, "sku", int), "quantity": pieces(row, "quantity", least=1)} for row in products]
    session.call(
        "POST",
        SHIP,
        json={"posting_number": order.external_id, "packages": [{"products": package}]},
        is_safe=False,
    )


def judged(number: str, order: RemoteOrder | None, refusal: MarketplaceError | None) -> MarketplaceError | None:
    """What became of a posting that was to be packed."""
    if order is None:
        return NotFound(_("Ozon does not have the order %s any more.") % number)
    if order.state != OrderState.READY:
        return not_to_be_packed(order)
    if refusal is not None:
        return refusal
    if order.fulfilment_status == "ship_failed":
        return MarketplaceError(_("Ozon could not pack it (ship_failed)."), code="ship_failed")
    return NotYetPacked(_("Ozon took the order to pack, but has not done it yet."))


def cancel(session: ApiSession, order: RemoteOrder, *, reason: str, read_again: ReadAgain) -> None:
    """Cancels a posting. Raises Refused if Ozon says no and the posting is not cancelled already."""
    if order.state == OrderState.CANCELLED:
        return
    try:
        message = (reason.strip() or _("The shop can't send it."))[:LONGEST_MESSAGE]
        request: dict[str, Any] = {
            "posting_number": order.external_id,
            "cancel_reason_id": reason_id(session, order.external_id),
            "cancel_reason_message": message,
        }
        answer = session.call("POST", CANCEL, json=request, is_safe=False)
        if need(answer.data, "result", bool):
            return
        refusal = Refused(_("Ozon did not cancel the order."))
    except Refused as said:
        refusal = said
    now = read_again([order.external_id]).get(order.external_id)
    if now is None or now.state != OrderState.CANCELLED:
        raise refusal


def reason_id(session: ApiSession, number: str) -> int:
    """The reason that Ozon allows for this posting and that fits best. Raises Refused if it allows none."""
    allowed = {id for id, is_possible in reasons_of_posting(session, number) if is_possible}
    if not allowed:
        allowed = {id for id, is_possible in general_reasons(session) if is_possible}
    if not allowed:
        raise Refused(_("Ozon gives no reason for which the seller could cancel this order."), code="no_reason")
    return next((id for id in (OTHER, SOLD_OUT) if id in allowed), min(allowed))


def reasons_of_posting(session: ApiSession, number: str) -> list[tuple[int, bool]]:
    try:
        data = session.call("POST", REASONS_OF_POSTING, json={"related_posting_numbers": [number]}, is_safe=True).data
    except NotFound:
        return []
    postings = need(data, "result", list)
    return [
        (need(row, "id", int), name_of(row, "type_id") == "seller")
        for posting in postings
        if name_of(posting, "posting_number") == number
        for row in optional(posting, "reasons", list) or []
    ]


def general_reasons(session: ApiSession) -> list[tuple[int, bool]]:
    data = session.call("POST", REASONS, json={}, is_safe=True).data
    return [
        (
            need(row, "id", int),
            name_of(row, "type_id") == "seller" and bool(optional(row, "is_available_for_cancellation", bool)),
        )
        for row in need(data, "result", list)
    ]
