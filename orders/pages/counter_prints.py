"""What is printed at the counter: a label for each cup, and the receipt. Archived orders print as any other."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.shop import current_shop
from orders.discounts import StepKind
from orders.models import EveryItem, EveryOrder, LoyaltyEntry, Payment, Refund
from orders.pages.counter_door import CounterView
from orders.queue_selectors import call_number

# A roll of labels is not to be emptied by one order of a thousand cups.
MOST_LABELS = 200
STEP_NAMES = {StepKind.POINTS: gettext_lazy("Points"), StepKind.GOODWILL: gettext_lazy("Goodwill")}


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
            "steps": steps_of(order),
            "payments": payments,
            "tips": sum((payment.tip for payment in payments), Decimal("0.00")),
            "refunds": list(Refund.objects.filter(order_id=order.pk).order_by("pk")),
            "points_earned": points_earned(order),
        }


def labels_of(items: Iterable[EveryItem]) -> list[Label]:
    """A label for each cup that is still wanted, in the order of the lines."""
    cups = [item for item in items for _cup in range(item.remaining)]
    return [Label(item, place, len(cups)) for place, item in enumerate(cups[:MOST_LABELS], start=1)]


def steps_of(order: EveryOrder) -> list[tuple[str, Decimal]]:
    """What was taken off, step by step: (name, amount)."""
    steps = []
    for step in order.discounts:
        name = step.get("name") or STEP_NAMES.get(step.get("kind"), _("Discount"))
        if step.get("points"):
            name = _("%(name)s: %(points)d") % {"name": name, "points": step["points"]}
        steps.append((str(name), Decimal(step["amount"])))
    return steps


def points_earned(order: EveryOrder) -> int:
    """What the order has earned for its customer, less what was taken back."""
    earned = LoyaltyEntry.objects.filter(order_id=order.pk)
    rows = earned.filter(kind=LoyaltyEntry.Kind.EARNED) | earned.filter(
        kind=LoyaltyEntry.Kind.REVERSED, reverses=LoyaltyEntry.Kind.EARNED
    )
    points: int = rows.order_by().aggregate(points=Sum("points", default=0))["points"]
    return points
