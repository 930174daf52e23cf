"""Wildberries' orders in the shop's words. An order there is one piece of one SKU."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import RemoteLine, RemoteOrder

# What the seller does, and what becomes of it at Wildberries. See POST /api/v3/orders/status in the specification.
SUPPLIER_STATUSES = {"new", "confirm", "complete", "cancel", "cancel_carrier"}
ON_THE_WAY = {"sorted", "ready_for_pickup", "postponed_delivery", "accepted_by_carrier", "sent_to_carrier"}
OVER = {"canceled", "canceled_by_client", "declined_by_client", "canceled_by_carrier", "defect"}
WB_STATUSES = {"waiting", "sold", *ON_THE_WAY, *OVER}

# ISO 4217 by number: the countries in which Wildberries sells.
CURRENCIES = {
    643: "RUB",
    933: "BYN",
    398: "KZT",
    51: "AMD",
    417: "KGS",
    860: "UZS",
    972: "TJS",
    981: "GEL",
    944: "AZN",
    156: "CNY",
    784: "AED",
    840: "USD",
    949: "TRY",
    978: "EUR",
}
KOPECKS = 100


@dataclass(frozen=True, slots=True)
class Status:
    """What the status call says of an order; its body says nothing of it."""

    supplier: str
    wb: str
    is_cancellable: bool

    @property
    def state(self) -> OrderState:
        return state_of(self.supplier, self.wb)

    def as_fields(self) -> dict[str, Any]:
        """For the payload, beside the order's own fields."""
        return {"supplierStatus": self.supplier, "wbStatus": self.wb, "isCancellable": self.is_cancellable}


STATUS_FIELDS = ("supplierStatus", "wbStatus", "isCancellable")


def state_of(supplier: str, wb: str) -> OrderState:
    """What both words together come to. What is cancelled after it was handed over comes back as a return."""
    if supplier not in SUPPLIER_STATUSES or wb not in WB_STATUSES:
        return OrderState.UNKNOWN
    if supplier in ("cancel", "cancel_carrier"):
        return OrderState.CANCELLED
    if wb in OVER:
        return OrderState.RETURNED if supplier == "complete" else OrderState.CANCELLED
    if wb == "sold":
        return OrderState.DELIVERED
    if supplier == "complete" or wb in ON_THE_WAY:
        return OrderState.SENT
    return OrderState.READY if supplier == "new" else OrderState.PROCESSING


def status_from(data: Mapping[str, Any]) -> Status:
    """Reads one entry of the status call, or the same fields of a stored payload. Raises BadAnswer."""
    return Status(
        supplier=need(data, "supplierStatus", str),
        wb=need(data, "wbStatus", str),
        is_cancellable=bool(optional(data, "isCancellable", bool)),
    )


def order_from(body: Mapping[str, Any], status: Status) -> RemoteOrder:
    """Puts an order's body (of a list, of the archive, or as it was stored) and its status together. Raises
    BadAnswer where the body lacks what is needed."""
    # The archive groups what the lists have side by side.
    product = optional(body, "product", dict) or body
    prices = optional(body, "priceInfo", dict) or body
    order_id = need(body, "id", int)
    kopecks = optional(prices, "price", Decimal)
    price = None if kopecks is None else kopecks / KOPECKS
    skus = optional(product, "skus", list) or []
    line = RemoteLine(
        external_line_id=optional(body, "rid", str) or str(order_id),
        sku=str(need(product, "chrtId", int)),
        quantity=1,
        name=optional(product, "article", str) or "",
        barcode=str(skus[0]) if skus else "",
        price=price,
    )
    return RemoteOrder(
        external_id=str(order_id),
        number=str(order_id),
        status=status.supplier,
        fulfilment_status=status.wb,
        state=status.state,
        lines=(line,),
        payload={**body, **status.as_fields()},
        scheme=Scheme.FBS if (optional(body, "deliveryType", str) or "fbs") == "fbs" else Scheme.REALFBS,
        currency=CURRENCIES.get(optional(prices, "currencyCode", int) or 0, ""),
        total=price,
        placed_at=need(body, "createdAt", datetime),
    )


def body_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The order's own fields of a stored payload."""
    return {name: value for name, value in payload.items() if name not in STATUS_FIELDS}


def unknown_words(order: RemoteOrder) -> str:
    """What to say of an order whose status is unknown."""
    return _("Its status “%(status)s” is not known.") % {"status": f"{order.status} / {order.fulfilment_status}"}
