"""The lines of a purchase order as pages and paper show them."""

from collections.abc import Iterable
from typing import Any

from django.utils.safestring import SafeString

from foundation.admin.numbers import number
from foundation.money import money
from inventory.admin.shown import amount_shown, badge
from inventory.models import PurchaseOrder, PurchaseOrderLine

Status = PurchaseOrder.Status
COLOURS = {
    Status.DRAFT: "off",
    Status.ORDERED: "info",
    Status.PARTLY_RECEIVED: "warn",
    Status.RECEIVED: "good",
    Status.CANCELLED: "bad",
}


def status_badge(order: PurchaseOrder) -> SafeString:
    """The order's status as a coloured word."""
    return badge(COLOURS[Status(order.status)], order.get_status_display())


def order_rows(lines: Iterable[PurchaseOrderLine]) -> list[dict[str, Any]]:
    """Each line in words."""
    return [
        {
            "ingredient": line.ingredient,
            "pack": line.pack_name,
            "content": amount_shown(line.pack_quantity, line.ingredient),
            "article": line.pack.article if line.pack else "",
            "packs": number(line.packs),
            "quantity": amount_shown(line.quantity, line.ingredient),
            "price": "—" if line.price is None else money(line.price),
            "total": "—" if line.price is None else money(line.packs * line.price),
            "received": amount_shown(line.received_quantity, line.ingredient) if line.received_quantity else "—",
            "outstanding": amount_shown(line.outstanding, line.ingredient) if line.outstanding else "",
            "is_over": line.received_quantity > line.quantity,
        }
        for line in lines
    ]
