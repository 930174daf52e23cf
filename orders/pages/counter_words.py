"""What the counter is told about a sale that is done."""

from typing import Any

from django.urls import reverse

from foundation.admin.once import new_token
from orders.queue_selectors import call_number
from orders.services.counter_sale import Sale


def sale_as_json(sale: Sale) -> dict[str, Any]:
    """What to say and to give back, where to print, and a token for the next sale."""
    order = sale.order
    return {
        "id": order.pk,
        "number": order.number,
        "call": call_number(order.number),
        "status": order.status,
        "total": str(order.total),
        "due": str(order.due),
        "change": str(sale.change),
        "labels": reverse("shop:counter_labels", args=[order.pk]),
        "receipt": reverse("shop:counter_receipt", args=[order.pk]),
        "once": new_token(),
    }
