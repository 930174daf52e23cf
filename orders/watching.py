"""What orders want watched."""

from collections.abc import Iterable

from django.db.models import Count

from monitoring.registry import LabelValues, Metric, register_metric
from orders.models import Order


def register() -> None:
    """Tells monitoring about orders. Called once, when the apps are ready."""
    register_metric(
        Metric(
            name="samovar_orders_active",
            help="Orders that are neither completed nor cancelled.",
            labels=("status", "channel"),
            collect=active_orders,
        )
    )


def active_orders() -> Iterable[tuple[LabelValues, float]]:
    """The number of active orders by status and channel; the partial index makes it cheap."""
    rows = Order.objects.active().order_by().values_list("status", "channel").annotate(number=Count("pk"))
    for status, channel, number in rows:
        yield {"status": status, "channel": channel}, number
