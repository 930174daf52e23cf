"""Quick sale: what the cart would cost, and the sale itself, once for each form."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from foundation.admin.ids import as_id
from foundation.errors import NotPermitted
from inventory.selectors import location_for
from orders.admin.answers import answer, once
from orders.admin.cart import read_object
from orders.admin.new_order import leniency, quote_as_json
from orders.admin.page_menu import page_menu
from orders.models import Customer
from orders.pages.counter_door import CounterQuestion, actor_of, require_seller
from orders.pages.counter_input import CounterCart, read_sale, read_text
from orders.pages.counter_words import sale_as_json
from orders.quote_selectors import quote_order
from orders.selectors import find_customers
from orders.services.counter_sale import sell_at_counter
from orders.services.customer_records import find_or_add_customer

MOST_FOUND = 6


class SellPage(CounterQuestion):
    """Places the order and takes what is paid for it. A second tap, or a second sending, gets the first answer."""

    permissions = ("orders.view_order", "orders.add_order")
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        return answer(lambda: once(request, lambda: self.sell(request)))

    def sell(self, request: HttpRequest) -> dict[str, Any]:
        seller = require_seller(request)
        asked = read_sale(request)
        if asked.tenders and not request.user.has_perm("orders.add_payment"):
            raise NotPermitted(_("You may not take payments."))
        check_customer(request, asked)
        sale = sell_at_counter(
            location=location_for(user=request.user, location_id=asked.cart.location_id),
            lines=asked.cart.lines,
            actor=actor_of(request),
            tenders=asked.tenders,
            shift_id=asked.shift_id,
            customer_id=asked.cart.customer_id,
            employee_id=seller.pk if seller else None,
            comment=asked.cart.comment,
            promo_code=asked.promo_code,
            redeem_points=asked.redeem_points,
            expected_total=asked.expected_total,
            **leniency(request, asked.cart),
        )
        return sale_as_json(sale)


class CounterQuotePage(CounterQuestion):
    """What the cart would cost, step by step, and what it lacks. Nothing is placed."""

    permissions = ("orders.view_order", "orders.add_order")
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        return answer(lambda: self.quote(request))

    def quote(self, request: HttpRequest) -> dict[str, Any]:
        asked = read_sale(request)
        check_customer(request, asked)
        quote = quote_order(
            location=location_for(user=request.user, location_id=asked.cart.location_id),
            lines=asked.cart.lines,
            customer_id=asked.cart.customer_id,
            promo_code=asked.promo_code,
            redeem_points=asked.redeem_points,
            **leniency(request, asked.cart),
        )
        return quote_as_json(quote) | {
            "steps": [
                {"kind": step.kind, "name": step.name, "points": step.points, "amount": str(step.amount)}
                for step in quote.price.off.steps
            ]
        }


class CounterMenuPage(CounterQuestion):
    """The menu with what is available now."""

    permissions = ("orders.view_order", "orders.add_order")
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = as_id(request.GET.get("location"))
        return answer(lambda: page_menu(location_for(user=request.user, location_id=asked)))


class FindCustomersPage(CounterQuestion):
    """Customers by a name, or by a phone in whatever way it is written, with their points."""

    permissions = ("orders.view_order", "orders.add_order", "orders.view_customer")
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
        found = find_customers(text).filter(merged_into=None, erased_at=None)[:MOST_FOUND] if text else []
        return JsonResponse({"customers": [customer_as_json(customer) for customer in found]})

    def post(self, request: HttpRequest) -> HttpResponse:
        """The customer with this phone; a new one if nobody has it."""
        return answer(lambda: self.add(request))

    def add(self, request: HttpRequest) -> dict[str, Any]:
        if not request.user.has_perm("orders.add_customer"):
            raise NotPermitted(_("You may not add customers."))
        require_seller(request)
        data = read_object(request)
        return customer_as_json(find_or_add_customer(phone=read_text(data, "phone"), name=read_text(data, "name")))


def customer_as_json(customer: Customer) -> dict[str, Any]:
    return {"id": customer.pk, "name": customer.name, "phone": customer.phone, "points": customer.points}


def check_customer(request: HttpRequest, asked: CounterCart) -> None:
    """Raises NotPermitted for who may not see customers and names one all the same."""
    if asked.cart.customer_id is not None and not request.user.has_perm("orders.view_customer"):
        raise NotPermitted(_("You may not see customers."))
