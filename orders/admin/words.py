"""How an order is shown in the admin's lists and pages: its status, what is in it."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from orders.models import Order, OrderItem


def status_badge(order: Order) -> SafeString:
    """The status with its colour; the colours stand in orders.css."""
    # Django's get_status_display translates all of the choices to find one: felt in a list of fifty.
    label = Order.Status(order.status).label
    return format_html('<span class="ord-badge" data-status="{}">{}</span>', order.status, label)


CHANNEL_ICONS = {
    Order.Channel.COUNTER: "point_of_sale",
    Order.Channel.WEB: "language",
    Order.Channel.API: "api",
    Order.Channel.IMPORT: "upload_file",
}


def channel_icon(order: Order) -> SafeString:
    """The channel as an icon that says its name."""
    name = str(Order.Channel(order.channel).label)
    return format_html(
        '<span class="material-symbols-outlined ord-channel" role="img" title="{}" aria-label="{}">{}</span>',
        name,
        name,
        CHANNEL_ICONS.get(Order.Channel(order.channel), "receipt_long"),
    )


def items_in_words(order: Order, most: int = 90) -> str:
    """2 × Milk Tea, 1 × Mango Slush: what is still wanted, or what was wanted of a cancelled order."""
    items = list(order.items.all())
    wanted = [item for item in items if item.remaining] or items
    return Truncator(", ".join(f"{number_of(item)} × {item.name}" for item in wanted)).chars(most)


def number_of(item: OrderItem) -> int:
    return item.remaining or item.quantity
