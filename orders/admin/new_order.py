"""The page on which an order is put together, and the questions that its script asks while somebody does."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.ids import as_id
from foundation.admin.once import new_token
from foundation.admin.pages import AdminPage
from foundation.api.errors import refusal_response
from foundation.errors import InvalidInput, KeyMismatch, NotPermitted, Refusal
from foundation.money import money, money_format
from foundation.services.idempotency import Answer, run_once
from inventory.admin.places import open_places
from inventory.models import Location
from inventory.selectors import location_for, location_to_show
from orders.admin.cart import Cart, read_cart, read_object
from orders.admin.page_menu import page_menu
from orders.admin.page_texts import page_texts
from orders.admin.verbs import actor_of
from orders.models import Customer, Employee, Order
from orders.selectors import Quote, employee_of, find_customers, quote_edit, quote_order
from orders.services.edit import edit_order
from orders.services.place import place_order

# The page stays, for the next order; else the order's own page follows.
GOES_ON = "goes_on"
SELL_BELOW_MINIMUM = "inventory.sell_below_minimum"
MOST_CUSTOMERS_FOUND = 8


def answer(work: Callable[[], dict[str, Any]]) -> JsonResponse:
    """The answer to the page's script: what `work` returns, or the refusal with its sentence and its places."""
    try:
        return JsonResponse(work())
    except Refusal as refusal:
        refused = refusal_response(refusal)
        return JsonResponse(refused.data, status=refused.status_code)


def once(request: HttpRequest, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Does `work` once for the token that came with the cart: a double click gets the first answer again."""
    data = read_object(request)
    token = data.pop("once", None)
    # What the page shows next is no part of what is asked.
    data.pop(GOES_ON, None)
    if not isinstance(token, str):
        raise InvalidInput(_("This page is damaged. Reload it and try again."))
    try:
        done = run_once(
            user=request.user,
            path=request.path,
            key=token,
            request_digest=hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest(),
            work=lambda: Answer(status=200, body=json.dumps(work())),
        )
    except KeyMismatch as mismatch:
        # The first answer never reached the page, and the cart was changed meanwhile. Who has looked may go on.
        raise KeyMismatch(
            _("This page has been sent once already, with other content. Look at what it did, then press again."),
            extra={"once": new_token()},
        ) from mismatch
    answered: dict[str, Any] = json.loads(done.body)
    return answered


def may_sell_below_minimum(request: HttpRequest, cart: Cart) -> bool:
    """Whether the cart is sold below the minimum. Raises NotPermitted for who may not."""
    if cart.sells_below_minimum and not request.user.has_perm(SELL_BELOW_MINIMUM):
        raise NotPermitted(_("You may not sell what is below its minimum."))
    return cart.sells_below_minimum


def quote_as_json(quote: Quote) -> dict[str, Any]:
    price = quote.price
    return {
        "lines": [{"unit_price": str(line.unit_price), "total": str(line.total)} for line in price.lines],
        "subtotal": str(price.subtotal),
        "discount": str(price.discount),
        "total": str(price.total),
        "shortages": [{**shortage.as_json(), "text": str(shortage)} for shortage in quote.shortages],
        "unavailable": [{"id": pk, "name": name} for pk, name in quote.unavailable],
        "is_available": quote.is_available,
    }


class OrderForm(AdminPage):
    """What the pages for a new order and for an edit have in common."""

    template_name = "orders_admin/new_order.html"

    def page_data(self, location: Location, **more: Any) -> dict[str, Any]:
        """What the page's script needs; `urls` are where it asks."""
        return {
            "menu": page_menu(location),
            "location": location.pk,
            "money": money_format().as_json(),
            "texts": page_texts(),
            "urls": {
                "send": self.request.path,
                "menu": reverse("admin:orders_order_menu"),
                "customers": reverse("admin:orders_order_customers"),
                "list": reverse("admin:orders_order_changelist"),
                **more.pop("urls"),
            },
            "once": new_token(),
            "may_sell_below_minimum": self.request.user.has_perm(SELL_BELOW_MINIMUM),
            **more,
        }

    def done(self, order: Order, sentence: str) -> dict[str, Any]:
        """The answer after the order is saved: where its page is, what to say, and a token for what comes next."""
        message = sentence % {"order": order, "total": money(order.total)}
        if read_object(self.request).get(GOES_ON) is not True:
            self.model_admin.message_user(self.request, message, messages.SUCCESS)
        url = reverse("admin:orders_order_change", args=[order.pk])
        return {"url": url, "message": message, "once": new_token()}


class NewOrderPage(OrderForm):
    """Puts a new order together. GET shows the page; POST, from its script, places the order."""

    path, name, title = "add/", "add", gettext_lazy("New order")
    permission = "orders.add_order"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        locations = open_places(request)
        if not locations:
            self.model_admin.message_user(
                request, _("The shop has no open location yet. Add one first."), messages.WARNING
            )
            return HttpResponseRedirect(reverse("admin:orders_order_changelist"))
        location = location_to_show(
            user=request.user, location_id=as_id(request.GET.get("location")), locations=locations
        )
        customer = Customer.objects.filter(pk=as_id(request.GET.get("customer")) or 0).first()
        return self.render_to_response(
            self.get_context_data(
                locations=locations if len(locations) > 1 else [],
                location=location,
                employees=Employee.objects.filter(left_on=None),
                employee=employee_of(request.user),
                customer=customer,
                customer_data=customer_as_json(customer) if customer else None,
                sees_customers=request.user.has_perm("orders.view_customer"),
                adds_customers=request.user.has_perm("orders.add_customer"),
                page_data=self.page_data(
                    location,
                    items=[],
                    is_edit=False,
                    urls={"quote": reverse("admin:orders_order_quote")},
                ),
            )
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return answer(lambda: once(request, lambda: self.place(request)))

    def place(self, request: HttpRequest) -> dict[str, Any]:
        cart = read_cart(request)
        order = place_order(
            location=location_for(user=request.user, location_id=cart.location_id),
            lines=cart.lines,
            actor=actor_of(request),
            channel=Order.Channel.COUNTER,
            customer_id=cart.customer_id,
            employee_id=cart.employee_id,
            comment=cart.comment,
            allow_below_minimum=may_sell_below_minimum(request, cart),
        )
        return self.done(order, _("%(order)s is placed: %(total)s."))


class EditOrderPage(OrderForm):
    """Changes the lines and the comment of an order that nobody has begun to make."""

    path, name = "<int:order_id>/edit/", "edit"
    permission = "orders.change_order"

    def order(self) -> Order:
        order = Order.objects.filter(pk=self.kwargs["order_id"]).select_related("location", "customer").first()
        if order is None:
            raise Http404
        return order

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        order = self.order()
        page = reverse("admin:orders_order_change", args=[order.pk])
        if order.status != Order.Status.PENDING:
            self.model_admin.message_user(
                request,
                _("%(order)s is %(status)s. Only pending orders are edited.")
                % {"order": order, "status": order.get_status_display()},
                messages.ERROR,
            )
            return HttpResponseRedirect(page)
        self.title = _("Edit %(order)s") % {"order": order}
        return self.render_to_response(
            self.get_context_data(
                order=order,
                location=order.location,
                page_data=self.page_data(
                    order.location,
                    items=[
                        {
                            "product": item.product_id,
                            "quantity": item.remaining,
                            "options": [option["id"] for option in item.options],
                        }
                        for item in order.items.all()
                        if item.remaining
                    ],
                    is_edit=True,
                    urls={"quote": reverse("admin:orders_order_edit_quote", args=[order.pk]), "back": page},
                ),
            )
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return answer(lambda: once(request, lambda: self.edit(request)))

    def edit(self, request: HttpRequest) -> dict[str, Any]:
        cart = read_cart(request)
        order = edit_order(
            order_id=self.kwargs["order_id"],
            actor=actor_of(request),
            lines=cart.lines,
            comment=cart.comment,
            allow_below_minimum=may_sell_below_minimum(request, cart),
        )
        return self.done(order, _("%(order)s is changed: %(total)s."))


class QuotePage(AdminPage):
    """What the cart would cost and what it lacks. Nothing is placed."""

    path, name, title = "quote/", "quote", gettext_lazy("Price")
    permission = "orders.add_order"
    http_method_names = ("post",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return answer(lambda: quote_as_json(self.quote(request, read_cart(request))))

    def quote(self, request: HttpRequest, cart: Cart) -> Quote:
        return quote_order(
            location=location_for(user=request.user, location_id=cart.location_id),
            lines=cart.lines,
            allow_below_minimum=may_sell_below_minimum(request, cart),
        )


class EditQuotePage(QuotePage):
    """The same for an order that is being edited: what it holds already is no shortage."""

    path, name = "<int:order_id>/edit/quote/", "edit_quote"
    permission = "orders.change_order"

    def quote(self, request: HttpRequest, cart: Cart) -> Quote:
        order = Order.objects.filter(pk=self.kwargs["order_id"]).select_related("location").first()
        if order is None:
            raise Http404
        return quote_edit(order=order, lines=cart.lines, allow_below_minimum=may_sell_below_minimum(request, cart))


class MenuPage(AdminPage):
    """The menu of another location, or of the same one a little later."""

    path, name, title = "menu/", "menu", gettext_lazy("Menu")
    permission = "orders.add_order"
    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = as_id(request.GET.get("location"))
        return answer(lambda: page_menu(location_for(user=request.user, location_id=asked)))


class CustomerForm(forms.ModelForm):
    """A customer with the least that is worth writing down."""

    class Meta:
        model = Customer
        fields = ("name", "phone", "email")


class CustomersPage(AdminPage):
    """Finds customers while somebody types; POST writes a new one down."""

    path, name, title = "customers/", "customers", gettext_lazy("Customers")
    permission = "orders.view_customer"
    http_method_names = ("get", "head", "post")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
        found = find_customers(text)[:MOST_CUSTOMERS_FOUND] if text else []
        return JsonResponse({"customers": [customer_as_json(customer) for customer in found]})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return answer(lambda: self.add(request))

    def add(self, request: HttpRequest) -> dict[str, Any]:
        if not request.user.has_perm("orders.add_customer"):
            raise NotPermitted(_("You may not add customers."))
        form = CustomerForm(read_object(request))
        if not form.is_valid():
            errors = {name: [str(sentence) for sentence in sentences] for name, sentences in form.errors.items()}
            raise InvalidInput(" ".join(sentence for field in errors.values() for sentence in field), errors=errors)
        customer = form.save()
        self.model_admin.log_addition(request, customer, [{"added": {}}])
        return customer_as_json(customer)


def customer_as_json(customer: Customer) -> dict[str, Any]:
    return {"id": customer.pk, "name": customer.name, "phone": customer.phone, "email": customer.email}
