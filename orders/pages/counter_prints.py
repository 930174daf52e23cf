"""What is printed at the counter: a label for each cup, and the receipt. Archived orders print as any other."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from foundation.shop import current_shop
from orders.loyalty_selectors import earned_by
from orders.models import EveryItem, EveryOrder, Payment, Refund
from orders.pages.counter_door import CounterView
from orders.queue_selectors import call_number
from orders.step_words import steps_of_order

# A roll of labels is not to be emptied by one order of a thousand cups.
MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on a cup: `place` of `cups`."""

    item: EveryItem
    place: int
    cups: int


class PrintPage(CounterView):
    """A page for the printer. `?print=1` opens the printer's dialog; nothing else does."""

    http_method_names = ["get", "head"]
    template_name = ""

    def get(self, request: HttpRequest, order_id: str) -> HttpResponse:
        orders = EveryOrder.objects.select_related("location", "customer", "employee")
        order = orders.filter(pk=int(order_id)).first()
        if order is None:
            raise Http404
        items = list(EveryItem.objects.filter(order_id=order.pk))
        context = {
            "order": order,
            "items": items,
            "zone": order.location.time_zone,
            "call_number": call_number(order.number),
            "prints": request.GET.get("print") == "1",
            **self.more(order, items),
        }
        return TemplateResponse(request, self.template_name, context)

    def more(self, order: EveryOrder, items: list[EveryItem]) -> dict[str, Any]:
        raise NotImplementedError


class LabelsPage(PrintPage):
    template_name = "counter/labels.html"

    def more(self, order: EveryOrder, items: list[EveryItem]) -> dict[str, Any]:
        return {"labels": labels_of(items)}


class ReceiptPage(PrintPage):
    """The receipt: what was sold, what was taken off and why, what was paid, given back, earned."""

    template_name = "counter/receipt.html"

    def more(self, order: EveryOrder, items: list[EveryItem]) -> dict[str, Any]:
        payments = list(Payment.objects.filter(order_id=order.pk).order_by("pk"))
        return {
            "shop": current_shop(),
            "steps": steps_of_order(order),
            "payments": payments,
            "tips": sum((payment.tip for payment in payments), Decimal("0.00")),
            "refunds": list(Refund.objects.filter(order_id=order.pk).order_by("pk")),
            "points_earned": earned_by(order.pk),
        }


def labels_of(items: Iterable[EveryItem]) -> list[Label]:
    """A label for each cup that is still wanted, in the order of the lines."""
    cups = [item for item in items for _cup in range(item.remaining)]
    return [Label(item, place, len(cups)) for place, item in enumerate(cups[:MOST_LABELS], start=1)]
