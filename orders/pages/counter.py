"""The counter: the page on which a barista sells and hands over, all day, with a finger."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language

from foundation.admin.once import new_token
from foundation.money import money_format
from inventory.admin.places import open_places
from orders.admin.new_order import SELL_ANYWAY, SELL_BELOW_MINIMUM
from orders.admin.page_menu import page_menu
from orders.models import LoyaltyProgram, Order
from orders.pages.counter_door import CounterView, Till, seller_of, till_of
from orders.pages.counter_queue import COMPLETE_UNPAID, queue_as_json
from orders.pages.counter_texts import counter_texts
from orders.pages.counter_till import employee_as_json, people_of, shift_as_json
from orders.selectors import employee_of
from orders.services.loyalty import program

MAY = {
    "advance": "orders.advance_order",
    "sell": "orders.add_order",
    "pay": "orders.add_payment",
    "complete_unpaid": COMPLETE_UNPAID,
    "see_customers": "orders.view_customer",
    "add_customers": "orders.add_customer",
    "open_shift": "orders.add_shift",
    "close_shift": "orders.close_shift",
    "move_cash": "orders.add_cashmovement",
    "sell_anyway": SELL_ANYWAY,
    "sell_below_minimum": SELL_BELOW_MINIMUM,
}
# An order's own addresses; the script puts the id in the place of 0.
OF_ORDER: dict[str, tuple[str, list[Any]]] = {
    "prepare": ("counter_advance", [0, "prepare"]),
    "ready": ("counter_advance", [0, "ready"]),
    "complete": ("counter_advance", [0, "complete"]),
    "pay": ("counter_pay", [0]),
    "labels": ("counter_labels", [0]),
    "receipt": ("counter_receipt", [0]),
}
ADDRESSES = (
    *("queue", "menu", "quote", "sell", "customers", "till"),
    *("shift", "open_shift", "close_shift", "move_cash", "seller", "lock"),
)


class CounterPage(CounterView):
    """The page itself, with the menu, the queue and the till as they are now; its scripts ask for the rest."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        till = till_of(request)
        data = page_data(request, till) if till else None
        context = {"till": till, "counter_data": data, "locations": open_places(request)}
        response = TemplateResponse(request, "counter/counter.html" if till else "counter/no_location.html", context)
        response["Cache-Control"] = "no-store"
        return response


def page_data(request: HttpRequest, till: Till) -> dict[str, Any]:
    """What the page's scripts begin with."""
    may = {name: request.user.has_perm(permission) for name, permission in MAY.items()}
    seller = seller_of(request)
    rules: LoyaltyProgram = program()
    return {
        "language": get_language(),
        "location": till.location.pk,
        "zone": till.location.time_zone,
        "till": till.name,
        "shift": shift_as_json(till.open_shift()),
        "seller": employee_as_json(seller.employee),
        "seller_is_needed": seller.is_needed,
        "can_lock": seller.can_lock,
        "people": people_of(till.location, employee_of(request.user)),
        "may": may,
        "menu": page_menu(till.location) if may["sell"] else {"categories": [], "groups": {}, "products": []},
        "orders": queue_as_json(till.location.pk),
        "money": money_format().as_json(),
        "point_value": str(rules.point_value) if rules.is_active else None,
        "channels": {value: str(label) for value, label in Order.Channel.choices},
        "texts": counter_texts(),
        "once": new_token(),
        "urls": {
            **{name: reverse(f"shop:counter_{name}") for name in ADDRESSES},
            "sign_in": f"{reverse('admin:login')}?next={reverse('shop:counter')}",
        },
        "order_urls": {name: reverse(f"shop:{address}", args=args) for name, (address, args) in OF_ORDER.items()},
    }
