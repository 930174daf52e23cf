"""What orders want watched."""

from collections.abc import Iterable

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from monitoring.registry import Event, LabelValues, Metric, register_event, register_metric
from monitoring.severity import Severity
from orders.models import Order
from orders.services.pins import PIN_LOCKED, pin_locked_sentence
from orders.services.shifts import SHIFT_DIFFERENCE, difference_sentence


def register() -> None:
    """Tells monitoring about orders. Called once, when the apps are ready."""
    register_event(Event(PIN_LOCKED, Severity.WARNING, _("Too many wrong PINs"), tell=pin_locked_sentence))
    register_event(Event(SHIFT_DIFFERENCE, Severity.WARNING, _("A shift's cash differs"), tell=difference_sentence))
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
