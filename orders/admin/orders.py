"""The list of orders, and what hangs on it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.pages import OwnPages
from inventory.admin.places import shows_places
from orders.admin.batch_actions import BatchActions
from orders.admin.customer_search import CustomersPage
from orders.admin.filters import (
    PERIODS,
    ActiveFilter,
    ChannelFilter,
    CustomerFilter,
    EmployeeFilter,
    LocationFilter,
    PeriodFilter,
    StatusFilter,
)
from orders.admin.money_verbs import PAYMENT_VERBS
from orders.admin.new_order import EditOrderPage, EditQuotePage, MenuPage, NewOrderPage, QuotePage
from orders.admin.order_columns import OrderColumns, searched
from orders.admin.order_page import OrderPage
from orders.admin.verbs import CANCEL_ITEM, NEXT_STEP, ORDER_VERBS
from orders.models import ArchivedOrder, Order


@admin.register(Order)
class OrderAdmin(OrderColumns, OrderPage, BatchActions, OwnPages, ShopModelAdmin):
    verbs = (*ORDER_VERBS, *PAYMENT_VERBS, CANCEL_ITEM)
    pages = (NewOrderPage, EditOrderPage, QuotePage, EditQuotePage, MenuPage, CustomersPage)

    list_display = (
        "label",
        "status_label",
        "next_step",
        "location",
        "placed",
        "customer",
        "content",
        "total_label",
        "employee",
        "channel_label",
    )
    list_display_links = ("label",)
    list_filter = (
        StatusFilter,
        ActiveFilter,
        PeriodFilter,
        LocationFilter,
        EmployeeFilter,
        ChannelFilter,
        CustomerFilter,
    )
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    list_max_show_all = 200
    list_before_template = "orders_admin/list_chips.html"
    # Searching is OrderQuerySet.search; this only makes the field appear.
    search_fields = ("number",)
    search_help_text = gettext_lazy("Number, customer or phone")
    # By when they were placed and not by when they were written: what is imported today was sold long ago, and stands
    # where its time is. Every filter has an index for it, or finds its rows among the last that were placed.
    ordering = ("-placed_at", "-id")
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css", "samovar/orders_list.css"]}
        js = ("samovar/orders_list.js",)

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Orders are cancelled, never deleted."""
        return False

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        hidden = set()
        if not shows_places(request):
            hidden.add("location")
        if not request.user.has_perm("orders.advance_order"):
            hidden.add("next_step")
        return [name for name in super().get_list_display(request) if name not in hidden]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).prefetch_related("items")

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:
        """By total only within a period, a search or a customer: the dearest of all orders takes reading all."""
        is_part = PeriodFilter.is_asked(request) or request.GET.get("q") or request.GET.get("customer")
        return ("label", "placed", "total_label") if is_part else ("label", "placed")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"chips": chips(request), "archive_url": ""}
        if ArchivedOrder.objects.exists():
            # The same search, the same filters.
            archive = f"{reverse('admin:orders_archivedorder_changelist')}{changed(request, ('active',), {})}"
            context["archive_url"] = archive
            self.tell_of_the_archive(request, archive)
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def tell_of_the_archive(self, request: HttpRequest, address: str) -> None:
        """Says so if what is searched for is in the archive: who types a number wants to find the order."""
        text = searched(request.GET.get("q", ""))
        if text and ArchivedOrder.objects.search(text).exists():
            link = format_html('<a class="ord-link" href="{}">{}</a>', address, _("Show them"))
            messages.info(request, format_html("{} {}", _("The archive holds orders that match as well."), link))

    @display(description="")
    def next_step(self, order: Order) -> SafeString | str:
        """What comes next, in one press."""
        name = NEXT_STEP.get(Order.Status(order.status))
        if name is None:
            return ""
        verb = next(verb for verb in self.verbs if verb.name == name)
        return self.verb_in_list(order, name, label=verb.label, css_class="ord-step")


def chips(request: HttpRequest) -> list[dict[str, Any]]:
    """The quick choices above the list: one press sets a status or a period and keeps the rest."""
    query = request.GET
    statuses: list[tuple[str, Any, dict[str, str]]] = [
        ("", _("All"), {}),
        ("active", _("Active"), {"active": "yes"}),
        *((value, label, {"status": value}) for value, label in Order.Status.choices),
    ]
    chosen = "active" if query.get("active") == "yes" else "".join(query.getlist("status"))
    of_status = [
        {"label": label, "query": changed(request, ("status", "active"), more), "is_chosen": value == chosen}
        for value, label, more in statuses
    ]
    period = "" if query.get("placed_from") or query.get("placed_to") else query.get("period", "")
    of_period = [
        {
            "label": label,
            # Pressed again, a chosen period is taken out.
            "query": changed(
                request, ("period", "placed_from", "placed_to"), {} if value == period else {"period": value}
            ),
            "is_chosen": value == period,
        }
        for value, (label, _first, _last) in PERIODS.items()
    ]
    return [{"label": _("Status"), "chips": of_status}, {"label": _("Placed"), "chips": of_period}]


def changed(request: HttpRequest, without: Sequence[str], more: dict[str, str]) -> str:
    """The list's query without these parameters and its page number, and with `more`."""
    query = request.GET.copy()
    for name in (*without, "p"):
        query.pop(name, None)
    query.update(more)
    return f"?{query.urlencode()}"
