"""The list of archived orders: looking only; the page of each is that of any other order."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from foundation.admin.model_admin import ReadOnlyAdmin
from inventory.admin.places import shows_places
from orders.admin.filters import (
    ChannelFilter,
    CustomerFilter,
    EmployeeFilter,
    LocationFilter,
    PeriodFilter,
    StatusFilter,
)
from orders.admin.order_columns import OrderColumns
from orders.models import ArchivedOrder


@admin.register(ArchivedOrder)
class ArchivedOrderAdmin(ReadOnlyAdmin, OrderColumns):
    """Who may see orders may see these."""

    list_display = (
        "label_linked",
        "status_label",
        "location",
        "placed",
        "customer",
        "content",
        "total_label",
        "employee",
    )
    list_display_links = None
    list_filter = (StatusFilter, PeriodFilter, LocationFilter, EmployeeFilter, ChannelFilter, CustomerFilter)
    list_fullwidth = True
    list_per_page = 50
    list_max_show_all = 200
    list_select_related = ("location", "customer", "employee")
    list_before_template = "orders_admin/list_chips.html"
    search_fields = ("number",)
    search_help_text = gettext_lazy("Number, customer or phone")
    sortable_by = ()
    actions = None

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css", "samovar/orders_list.css"]}

    def has_view_permission(self, request: HttpRequest, obj: ArchivedOrder | None = None) -> bool:
        return request.user.has_perm("orders.view_order")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return [name for name in self.list_display if name != "location" or shows_places(request)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ArchivedOrder]:
        return super().get_queryset(request).prefetch_related("items")

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return ("-placed_at", "-id") if PeriodFilter.is_asked(request) else ("-id",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"orders_url": reverse("admin:orders_order_changelist")}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page is that of any order."""
        order = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect("admin:orders_order_change", order.pk)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An order tells its history on its own page."""
        return self.change_view(request, object_id)

    @display(description=gettext_lazy("number"), ordering="pk")
    def label_linked(self, order: ArchivedOrder) -> SafeString:
        return format_html(
            '<a class="ord-link" href="{}">{}</a>', reverse("admin:orders_order_change", args=[order.pk]), order
        )
