"""Customers: who they are, how to reach them, what they bought."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Aggregate, Count, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation import moments
from foundation.admin.model_admin import ShopModelAdmin
from foundation.money import money
from orders.admin.words import items_in_words
from orders.models import Customer, EveryOrder, Order
from orders.selectors import customer_figures

ORDERS_ON_PAGE = 10


def of_this_customer(figure: Aggregate) -> Subquery:
    """A figure of the customer's orders, for each row that the list shows and not for all customers."""
    orders = EveryOrder.objects.filter(customer=OuterRef("pk")).exclude(status=Order.Status.CANCELLED).order_by()
    return Subquery(orders.values("customer").annotate(figure=figure).values("figure"))


@admin.register(Customer)
class CustomerAdmin(ShopModelAdmin):
    list_display = ("name", "phone", "email", "orders_link", "spent", "last_order")
    list_filter = ("consent",)
    list_per_page = 50
    search_fields = ("name", "phone", "email")
    search_help_text = _("Name, phone or e-mail")
    sortable_by = ("name",)
    readonly_fields = ("created_at",)
    autocomplete_fields = ("user",)
    change_form_outer_after_template = "orders_admin/customer_orders.html"

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                number=of_this_customer(Count("pk")),
                spent_sum=of_this_customer(Sum("total", filter=Q(status=Order.Status.COMPLETED))),
                last_placed_at=of_this_customer(Max("placed_at")),
            )
        )

    def get_fields(self, request: HttpRequest, obj: Customer | None = None) -> list[str]:
        fields = ["name", "phone", "email", "birthday", "consent", "notes"]
        if request.user.has_perm("users.view_user"):
            fields.append("user")
        return [*fields, "created_at"] if obj else fields

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """Nobody's orders lose their customer."""
        return False

    @display(description=_("orders"))
    def orders_link(self, customer: Any) -> SafeString | int:
        if not customer.number:
            return 0
        url = reverse("admin:orders_order_changelist")
        return format_html('<a class="ord-link" href="{}?customer={}">{}</a>', url, customer.pk, customer.number)

    @display(description=_("spent"))
    def spent(self, customer: Any) -> str:
        return money(customer.spent_sum or 0)

    @display(description=_("last order"), empty_value="")
    def last_order(self, customer: Any) -> str | None:
        if customer.last_placed_at is None:
            return None
        return gettext("%(time)s ago") % {"time": moments.span(timezone.now() - customer.last_placed_at)}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        customer = kwargs.get("obj")
        if customer is not None and request.user.has_perm("orders.view_order"):
            orders = EveryOrder.objects.filter(customer=customer).select_related("location").prefetch_related("items")
            latest: list[Any] = list(orders[:ORDERS_ON_PAGE])
            for order in latest:
                order.words = items_in_words(order)
            context |= {"latest_orders": latest, "figures": customer_figures(customer)}
        return super().render_change_form(request, context, **kwargs)
