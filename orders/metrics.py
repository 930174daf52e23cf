"""Orders and money as figures over time."""

import datetime
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, Sum
from django.utils import timezone

from foundation.shop import current_shop
from inventory.models import Location
from monitoring.measuring.shared import asked_once
from monitoring.registry import LabelValues, Metric, register_metric
from orders.models import CancelledItem, Order, Refund
from orders.models.finding import OrderQuerySet
from orders.selectors import placed_on_days

Values = Iterable[tuple[LabelValues, float]]


def register() -> None:
    """Called once, when the apps are ready."""
    for metric in (
        Metric(
            name="samovar_orders_active",
            help="Orders that are neither completed nor cancelled.",
            labels=("status", "channel"),
            collect=active_orders,
        ),
        Metric(
            name="samovar_orders_today",
            help="Orders placed on the location's day.",
            labels=("location", "channel", "status"),
            collect=orders_today,
        ),
        Metric(
            name="samovar_revenue_today",
            help="What the completed orders placed on the location's day brought in.",
            labels=("location", "channel", "currency"),
            collect=revenue_today,
        ),
        Metric(
            name="samovar_order_seconds",
            help="How long the completed orders placed on the location's day took on average.",
            labels=("location",),
            collect=order_seconds,
        ),
        Metric(
            name="samovar_refunds_today",
            help="Money given back on the location's day.",
            labels=("location", "currency"),
            collect=refunds_today,
        ),
        Metric(
            name="samovar_cancelled_items_today",
            help="Items that were taken back of the orders placed on the location's day.",
            labels=("location", "restocked"),
            collect=cancelled_items_today,
        ),
    ):
        register_metric(metric)


def active_orders() -> Values:
    """The number of active orders by status and channel; the partial index makes it cheap."""
    rows = Order.objects.active().order_by().values_list("status", "channel").annotate(number=Count("pk"))
    for status, channel, number in rows:
        yield {"status": status, "channel": channel}, number


@asked_once
def locations() -> list[Location]:
    """The open ones."""
    return list(Location.objects.filter(is_active=True))


def placed_today() -> OrderQuerySet:
    """The orders of each open location's day; imported sales are of other days. What is archived is older."""
    now = timezone.now()

    def today(location: Location) -> tuple[datetime.date, datetime.date]:
        day = location.today(now)
        return day, day

    orders = Order.objects.exclude(channel=Order.Channel.IMPORT).order_by()
    return placed_on_days(orders, locations=locations(), days=today)


@asked_once
def figures_of_today() -> list[tuple[str, str, str, int, Decimal, datetime.timedelta | None]]:
    """(location, channel, status, number, totals, mean time from placed to closed), in one query."""
    took = ExpressionWrapper(F("closed_at") - F("placed_at"), output_field=DurationField())
    return list(
        placed_today()
        .values("location__name", "channel", "status")
        .annotate(number=Count("pk"), together=Sum("total"), took=Avg(took))
        .values_list("location__name", "channel", "status", "number", "together", "took")
    )


def orders_today() -> Values:
    for location, channel, status, number, _together, _took in figures_of_today():
        yield {"location": location, "channel": channel, "status": status}, number


def revenue_today() -> Values:
    currency = current_shop().currency
    for location, channel, status, _number, together, _took in figures_of_today():
        if status == Order.Status.COMPLETED:
            yield {"location": location, "channel": channel, "currency": currency}, float(together)


def order_seconds() -> Values:
    sums: dict[str, tuple[float, int]] = {}
    for location, _channel, status, number, _together, took in figures_of_today():
        if status == Order.Status.COMPLETED and took is not None:
            seconds, before = sums.get(location, (0.0, 0))
            sums[location] = seconds + took.total_seconds() * number, before + number
    for location, (seconds, number) in sums.items():
        yield {"location": location}, seconds / number


def refunds_today() -> Values:
    currency, now = current_shop().currency, timezone.now()
    there = Q(pk__in=[])
    for location in locations():
        start, end = location.day_bounds(location.today(now))
        there |= Q(order__location_id=location.pk, created_at__gte=start, created_at__lt=end)
    # Says nothing new, but lets the index on the time end where the longest day began.
    since = Q(created_at__gte=now - datetime.timedelta(days=2))
    rows = Refund.objects.filter(since, there).order_by().values_list("order__location__name").annotate(Sum("amount"))
    for location_name, amount in rows:
        yield {"location": location_name, "currency": currency}, float(amount)


def cancelled_items_today() -> Values:
    rows = (
        CancelledItem.objects.filter(item__order__in=placed_today())
        .order_by()
        .values_list("item__order__location__name", "is_restocked")
        .annotate(number=Sum("quantity"))
    )
    for location, is_restocked, number in rows:
        yield {"location": location, "restocked": "yes" if is_restocked else "no"}, number
