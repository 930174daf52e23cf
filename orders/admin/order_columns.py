"""What lists of orders have in common: how an order is shown in a row, and how it is found."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from foundation import moments
from foundation.admin.model_admin import ShopModelAdmin
from foundation.money import money
from orders.admin.words import channel_icon, items_in_words, status_badge
from orders.models import Order
from orders.models.finding import OrderQuerySet


def searched(term: str) -> str:
    """What somebody typed into the search, without what the database can't take."""
    return term.replace("\x00", "").strip()[:200]


class OrderColumns(ShopModelAdmin):
    """Mixin with the columns and the search."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        text = searched(search_term)
        return (queryset.search(text) if text and isinstance(queryset, OrderQuerySet) else queryset), False

    @display(description=gettext_lazy("number"), ordering="pk")
    def label(self, order: Order) -> str:
        return str(order)

    @display(description=gettext_lazy("status"))
    def status_label(self, order: Order) -> SafeString:
        return status_badge(order)

    @display(description=gettext_lazy("placed"), ordering="placed_at")
    def placed(self, order: Order) -> SafeString:
        """In the time zone of the order's location."""
        text = moments.day_and_time(order.placed_at, order.location.time_zone)
        return format_html('<span class="ord-nowrap">{}</span>', text)

    @display(description=gettext_lazy("items"))
    def content(self, order: Order) -> SafeString:
        return format_html(
            '<span class="ord-content" title="{}">{}</span>', items_in_words(order, 1000), items_in_words(order)
        )

    @display(description=gettext_lazy("total"), ordering="total")
    def total_label(self, order: Order) -> SafeString:
        # An imported order has no prices, which is not the same as costing nothing.
        if order.channel == Order.Channel.IMPORT:
            return format_html('<span class="ord-amount">{}</span>', "—")
        if order.due and order.status != Order.Status.CANCELLED:
            title = gettext("%(due)s to pay") % {"due": money(order.due)}
            return format_html('<span class="ord-amount ord-unpaid" title="{}">{}</span>', title, money(order.total))
        return format_html('<span class="ord-amount">{}</span>', money(order.total))

    @display(description=gettext_lazy("channel"))
    def channel_label(self, order: Order) -> SafeString:
        return channel_icon(order)
