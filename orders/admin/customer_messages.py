"""What customers were told about their orders. Looking only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders.admin.money_filters import MadeFilter, OrdersLocationFilter
from orders.admin.payments import OfOrders
from orders.models import CustomerMessage

BADGES = {
    CustomerMessage.Status.WAITING: "info",
    CustomerMessage.Status.SENT: "success",
    CustomerMessage.Status.DROPPED: "",
    CustomerMessage.Status.FAILED: "danger",
}


@admin.register(CustomerMessage)
class CustomerMessageAdmin(OfOrders):
    list_display = ("when", "order_link", "kind", "means", "status_badge", "attempts", "last_error")
    list_filter = ("status", "means", MadeFilter, OrdersLocationFilter)
    fields = ("when", "order_link", "kind", "means", "status_badge", "attempts", "sent_at", "last_error")

    def get_queryset(self, request: HttpRequest) -> Any:
        # Nobody in particular sends them: there is no `created_by` to read along.
        return CustomerMessage.objects.prefetch_related("order__location")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields)

    @display(description=_("status"), ordering="status", label=BADGES)
    def status_badge(self, message: CustomerMessage) -> tuple[str, Any]:
        return message.status, message.get_status_display()
