"""Lists of what was paid and what was paid back. Looking only: money moves on the pages of orders and shifts."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.model_admin import ReadOnlyAdmin, ShopModelAdmin
from foundation.money import money
from inventory.admin.shown import badge, when_shown
from orders.admin.money_filters import MadeFilter, MethodFilter, OrdersLocationFilter
from orders.admin.order_columns import searched
from orders.models import Payment, Refund, Shift

LONGEST_NUMBER = 18


class OfOrders(ReadOnlyAdmin, ShopModelAdmin):
    """What belongs to orders, which may be archived: found by the order's number."""

    list_display_links = None
    ordering = ("-id",)
    list_per_page = 50
    actions = None
    # Searching is done below; this only makes the field appear.
    search_fields = ("order",)
    search_help_text = _("Number of the order")

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("order__location", "created_by")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = searched(search_term).removeprefix("#")
        if not text:
            return queryset, False
        is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
        return (queryset.filter(order__number=int(text)) if is_number else queryset.none()), False

    @display(description=_("when"), ordering="id")
    def when(self, made: Any) -> SafeString:
        return when_shown(made.created_at, made.order.location)

    @display(description=_("order"))
    def order_link(self, made: Any) -> SafeString:
        url = reverse("admin:orders_order_change", args=[made.order_id])
        return format_html('<a class="ord-link" href="{}">{}</a>', url, made.order)

    @display(description=_("amount"))
    def amount_shown(self, made: Any) -> SafeString:
        return format_html('<span class="ord-amount">{}</span>', money(made.amount))

    @display(description=_("by"))
    def by(self, made: Any) -> str:
        return str(made.created_by or "—")


def shift_link(shift: Shift | None) -> SafeString | str:
    """The way to the shift whose till it went through."""
    if shift is None:
        return "—"
    url = reverse("admin:orders_shift_change", args=[shift.pk])
    return format_html('<a class="ord-link" href="{}">{}</a>', url, shift)


@admin.register(Payment)
class PaymentAdmin(OfOrders):
    list_display = ("when", "order_link", "method_shown", "amount_shown", "tip_shown", "back", "shift_shown", "by")
    list_filter = (MethodFilter, MadeFilter, OrdersLocationFilter)
    fieldsets = (
        (None, {"fields": ("when", "order_link", "method_shown", "amount_shown", "tip_shown", "handed", "back")}),
        (_("Where it comes from"), {"fields": ("shift_shown", "reference", "by")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("shift")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [
            *super().get_readonly_fields(request, obj),
            *("when", "order_link", "method_shown", "amount_shown", "tip_shown", "handed", "back", "shift_shown", "by"),
        ]

    @display(description=_("method"))
    def method_shown(self, payment: Payment) -> SafeString:
        return badge("plain", Payment.Method(payment.method).label, payment.reference)

    @display(description=_("tip"))
    def tip_shown(self, payment: Payment) -> str:
        return money(payment.tip) if payment.tip else "—"

    @display(description=_("cash handed over"))
    def handed(self, payment: Payment) -> str:
        if payment.tendered is None:
            return "—"
        words = {"tendered": money(payment.tendered), "change": money(payment.change)}
        return gettext("%(tendered)s, change %(change)s") % words if payment.change else money(payment.tendered)

    @display(description=_("paid back"))
    def back(self, payment: Payment) -> SafeString | str:
        back = payment.refunded + payment.tip_refunded
        return badge("warn", money(back)) if back else "—"

    @display(description=_("shift"))
    def shift_shown(self, payment: Payment) -> SafeString | str:
        return shift_link(payment.shift)


@admin.register(Refund)
class RefundAdmin(OfOrders):
    list_display = ("when", "order_link", "amount_shown", "withheld_shown", "lines", "ways", "reason", "by")
    list_filter = (MadeFilter, OrdersLocationFilter)
    fieldsets = (
        (None, {"fields": ("when", "order_link", "amount_shown", "withheld_shown", "reason", "by")}),
        (_("What went back"), {"fields": ("lines", "ways")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("items__item", "parts__payment", "parts__shift")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [
            *super().get_readonly_fields(request, obj),
            *("when", "order_link", "amount_shown", "withheld_shown", "lines", "ways", "by"),
        ]

    @display(description=_("withheld for spent points"))
    def withheld_shown(self, refund: Refund) -> str:
        return money(refund.withheld) if refund.withheld else "—"

    @display(description=_("lines"))
    def lines(self, refund: Refund) -> str:
        lines = ", ".join(f"{one.quantity} × {one.item.name}" for one in refund.items.all())
        if not lines:
            return gettext("the whole order, cancelled") if refund.is_restocked is not None else gettext("goodwill")
        return lines if refund.is_restocked else gettext("%(lines)s (wasted)") % {"lines": lines}

    @display(description=_("back by"))
    def ways(self, refund: Refund) -> SafeString | str:
        parts = [
            (Payment.Method(part.payment.method).label, money(part.amount + part.tip), shift_link(part.shift))
            if part.shift
            else (Payment.Method(part.payment.method).label, money(part.amount + part.tip), "")
            for part in refund.parts.all()
        ]
        return format_html_join(", ", "{}: {} {}", parts) if parts else "—"
