"""What the shop orders from its suppliers."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.moments import moment_at
from foundation.admin.pages import OwnPages
from foundation.admin.verbs import Verb, VerbButtons
from foundation.moments import day_of_year
from foundation.money import money
from inventory import costs
from inventory.admin.filters import LocationFilter
from inventory.admin.ordering_pages import EditOrderPage, NewOrderPage, PrintOrderPage, SuggestionsPage
from inventory.admin.places import shows_places
from inventory.admin.purchase_tables import order_rows, status_badge
from inventory.admin.receiving_page import ReceiveOrderPage
from inventory.admin.shown import when_shown
from inventory.models import PurchaseOrder
from inventory.purchasing_selectors import paid_for, total_of, with_totals
from inventory.services.purchasing import cancel_purchase_order, close_purchase_order, order_purchase_order

Status = PurchaseOrder.Status


def chips(request: HttpRequest) -> list[list[dict[str, Any]]]:
    """The statuses as links above the list; what else is asked for stays."""
    asked = {name: str(request.GET[name]) for name in request.GET if name not in ("status__exact", "p")}
    chosen = request.GET.get("status__exact", "")
    return [
        [
            {
                "label": label,
                "url": f"?{urlencode({**asked, 'status__exact': value} if value else asked)}",
                "is_on": chosen == value,
            }
            for value, label in [("", _("All")), *Status.choices]
        ]
    ]


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(VerbButtons, OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """Purchase orders. They are written, received and printed on pages of their own; an order's page shows it."""

    pages = (NewOrderPage, SuggestionsPage, EditOrderPage, ReceiveOrderPage, PrintOrderPage)
    list_filter = (("status", ChoicesDropdownFilter), ("supplier", RelatedDropdownFilter), LocationFilter)
    list_select_related = ("supplier", "location")
    list_display_links = ("number",)
    search_fields = ("=id", "supplier__name", "comment")
    search_help_text = _("Number, supplier or comment")
    ordering = ("-id",)
    actions = None
    fieldsets = ()
    list_before_template = "inventory/purchase_order_buttons.html"
    change_form_outer_before_template = "inventory/purchase_order.html"
    verbs = (
        Verb(
            name="order",
            label=_("Mark as ordered"),
            icon="send",
            permission="inventory.order_purchaseorder",
            run=lambda request, order, data: order_purchase_order(order_id=order.pk),
            done=_("%(object)s is ordered."),
            is_shown=lambda order: order.status == Status.DRAFT,
            variant="primary",
        ),
        Verb(
            name="close",
            label=_("Nothing more will come"),
            icon="done_all",
            permission="inventory.receive_purchaseorder",
            run=lambda request, order, data: close_purchase_order(order_id=order.pk),
            done=_("%(object)s is closed."),
            is_shown=lambda order: order.status == Status.PARTLY_RECEIVED,
            warning=_("What has not come is no longer expected, and can't be received for this order any more."),
        ),
        Verb(
            name="cancel",
            label=_("Cancel the order"),
            icon="block",
            permission="inventory.cancel_purchaseorder",
            run=lambda request, order, data: cancel_purchase_order(order_id=order.pk),
            done=_("%(object)s is cancelled."),
            is_shown=lambda order: order.status in (Status.DRAFT, Status.ORDERED),
            warning=_("Tell the supplier too, if the order was sent."),
            variant="danger",
        ),
    )

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[PurchaseOrder]:
        return with_totals(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = ["number", "supplier", "status_shown", "expected", "lines_number", "created"]
        if request.user.has_perm(costs.PERMISSION):
            columns.insert(5, "total_shown")
        if shows_places(request):
            columns.insert(2, "location")
        return columns

    @display(description=_("number"), ordering="id")
    def number(self, order: PurchaseOrder) -> str:
        return str(order)

    @display(description=_("status"), ordering="status")
    def status_shown(self, order: PurchaseOrder) -> SafeString:
        return status_badge(order)

    @display(description=_("expected"), ordering="expected_on")
    def expected(self, order: PurchaseOrder) -> str:
        return day_of_year(order.expected_on) if order.expected_on else "—"

    @display(description=_("lines"))
    def lines_number(self, order: Any) -> int:
        return int(order.lines_number)

    @display(description=_("total"))
    def total_shown(self, order: Any) -> str:
        return "—" if order.total is None else money(order.total)

    @display(description=_("created"), ordering="created_at")
    def created(self, order: PurchaseOrder) -> SafeString:
        return when_shown(order.created_at, order.location)

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"chips": chips(request), **(extra_context or {})})

    # --- one order ------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """An order is begun on a page of its own."""
        if not request.user.has_perm(NewOrderPage.permission):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:inventory_purchaseorder_new"))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        order: PurchaseOrder | None = kwargs.get("obj")
        if order is not None:
            context |= self.written_out(request, order)
        return super().render_change_form(request, context, **kwargs)

    def written_out(self, request: HttpRequest, order: PurchaseOrder) -> dict[str, Any]:
        """All that the order's page says."""
        lines = list(order.lines.select_related("ingredient", "pack"))
        receipts = list(order.receipts.select_related("created_by").order_by("id"))
        may = request.user.has_perm
        paid = paid_for(receipts) if receipts and may(costs.PERMISSION) else {}
        return {
            "order": order,
            "order_badge": status_badge(order),
            "order_rows": order_rows(lines),
            "order_total": money(total_of(lines)),
            "order_receipts": [
                {
                    "document": receipt,
                    "when": moment_at(receipt.created_at, order.location.time_zone),
                    "by": receipt.created_by,
                    "paid": money(paid[receipt.pk]) if paid else "",
                }
                for receipt in receipts
            ],
            "order_paid": money(sum(paid.values())) if paid else "",
            "order_created": moment_at(order.created_at, order.location.time_zone),
            "order_sent": moment_at(order.ordered_at, order.location.time_zone) if order.ordered_at else "",
            "shows_place": shows_places(request),
            "shows_prices": may(costs.PERMISSION),
            "has_come": any(line.received_quantity for line in lines),
            "may_edit": order.status == Status.DRAFT and may("inventory.change_purchaseorder"),
            "may_receive": order.status in PurchaseOrder.EXPECTED and may("inventory.receive_purchaseorder"),
        }
