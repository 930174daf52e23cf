"""The page on which an order is put together, and the questions that its script asks while somebody does."""

from typing import Any, TypedDict

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.ids import as_id
from foundation.admin.once import new_token
from foundation.admin.pages import AdminPage
from foundation.errors import NotPermitted
from foundation.money import money, money_format
from inventory.admin.places import open_places
from inventory.models import Location
from inventory.selectors import location_for, location_to_show
from orders.admin.answers import GOES_ON, answer, once
from orders.admin.cart import Cart, read_cart, read_object
from orders.admin.customer_search import customer_as_json
from orders.admin.page_menu import page_menu
from orders.admin.page_texts import page_texts
from orders.admin.verbs import actor_of
from orders.models import Customer, Employee, Order, OrderEvent
from orders.quote_selectors import Quote, quote_edit, quote_order
from orders.selectors import employee_of
from orders.services.edit import edit_order
from orders.services.place import place_order
from orders.step_words import steps_of_quote

SELL_BELOW_MINIMUM = "inventory.sell_below_minimum"
SELL_ANYWAY = "inventory.sell_anyway"


class Leniency(TypedDict):
    """What a sale may pass over, in the words of the services."""

    allow_below_minimum: bool
    sell_anyway: bool


def leniency(request: HttpRequest, cart: Cart) -> Leniency:
    """What the cart asks to be let pass, in the words of the services. Raises NotPermitted for who may not."""
    if cart.sells_below_minimum and not request.user.has_perm(SELL_BELOW_MINIMUM):
        raise NotPermitted(_("You may not sell what is below its minimum."))
    if cart.sells_anyway and not request.user.has_perm(SELL_ANYWAY):
        raise NotPermitted(_("You may not sell what the stock says is not there."))
    return {"allow_below_minimum": cart.sells_below_minimum, "sell_anyway": cart.sells_anyway}


def quote_as_json(quote: Quote) -> dict[str, Any]:
    price = quote.price
    return {
        "lines": [{"unit_price": str(line.unit_price), "total": str(line.total)} for line in price.lines],
        "subtotal": str(price.subtotal),
        "discount": str(price.discount),
        "steps": [{"name": words, "amount": str(amount)} for words, amount in steps_of_quote(price.off)],
        "points": price.off.points,
        "total": str(price.total),
        "shortages": [{**shortage.as_json(), "text": str(shortage)} for shortage in quote.shortages],
        "corrections": [str(shortage) for shortage in quote.corrections],
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
            "may_sell_anyway": self.request.user.has_perm(SELL_ANYWAY),
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
            promo_code=cart.promo_code or "",
            redeem_points=cart.redeem_points or 0,
            **leniency(request, cart),
        )
        return self.done(order, _("%(order)s is placed: %(total)s."))


class EditOrderPage(OrderForm):
    """Changes the lines and the comment of an order that nobody has begun to make."""

    path, name = "<int:order_id>/edit/", "edit"
    permission = "orders.change_order"

    def order(self) -> Order:
        order = (
            Order.objects.filter(pk=self.kwargs["order_id"])
            .select_related("location", "customer", "promo_code")
            .first()
        )
        if order is None:
            raise Http404
        return order

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Asked before the order is: what comes in between is then refused, and not overwritten.
        events = OrderEvent.objects.filter(order_id=self.kwargs["order_id"])
        seen_event_id = events.order_by("-pk").values_list("pk", flat=True).first()
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
                    seen_event=seen_event_id,
                    points=order.points_redeemed + (order.customer.points if order.customer else 0),
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
            promo_code=cart.promo_code,
            redeem_points=cart.redeem_points,
            **leniency(request, cart),
            seen_event_id=cart.seen_event_id,
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
            customer_id=cart.customer_id,
            promo_code=cart.promo_code or "",
            redeem_points=cart.redeem_points or 0,
            **leniency(request, cart),
        )


class EditQuotePage(QuotePage):
    """The same for an order that is being edited: what it holds already is no shortage."""

    path, name = "<int:order_id>/edit/quote/", "edit_quote"
    permission = "orders.change_order"

    def quote(self, request: HttpRequest, cart: Cart) -> Quote:
        order = Order.objects.filter(pk=self.kwargs["order_id"]).select_related("location").first()
        if order is None:
            raise Http404
        return quote_edit(
            order=order,
            lines=cart.lines,
            promo_code=cart.promo_code,
            redeem_points=cart.redeem_points,
            **leniency(request, cart),
        )


class MenuPage(AdminPage):
    """The menu of another location, or of the same one a little later."""

    path, name, title = "menu/", "menu", gettext_lazy("Menu")
    permission = "orders.add_order"
    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = as_id(request.GET.get("location"))
        return answer(lambda: page_menu(location_for(user=request.user, location_id=asked)))
