"""Figures of monitoring itself."""

import datetime
from collections.abc import Iterable

from django.db.models import Count, Min, Q
from django.utils import timezone

from monitoring import selectors
from monitoring.models import Alert, Delivery
from monitoring.registry import LabelValues, Metric, register_metric

DAY = datetime.timedelta(days=1)


def register() -> None:
    """Called once, when the apps are ready."""
    register_metric(
        Metric(
            name="samovar_open_alerts",
            help="Alerts that are not resolved, by event and severity.",
            labels=("event", "severity"),
            collect=open_alerts,
        )
    )
    register_metric(
        Metric(
            name="samovar_alerts_waiting",
            help="Alerts that have not been sent to anybody yet.",
            labels=(),
            collect=alerts_waiting,
        )
    )
    register_metric(
        Metric(
            name="samovar_alerts_day",
            help="Alerts that began in the last 24 hours, by event and severity.",
            labels=("event", "severity"),
            collect=alerts_of_the_day,
        )
    )
    register_metric(
        Metric(
            name="samovar_deliveries_day",
            help="Messages of the last 24 hours, by channel and what became of them.",
            labels=("channel", "status"),
            collect=deliveries_of_the_day,
        )
    )
    register_metric(
        Metric(
            name="samovar_deliveries_waiting_seconds",
            help="How long the message that waits longest for a channel is overdue.",
            labels=("channel",),
            collect=overdue_deliveries,
        )
    )


def open_alerts() -> Iterable[tuple[LabelValues, float]]:
    rows = selectors.open_alerts().order_by().values("event", "severity").annotate(number=Count("pk"))
    return [({"event": row["event"], "severity": row["severity"]}, float(row["number"])) for row in rows]


def alerts_waiting() -> Iterable[tuple[LabelValues, float]]:
    return [({}, float(selectors.alerts_waiting_for_dispatch().count()))]


def alerts_of_the_day() -> Iterable[tuple[LabelValues, float]]:
    begun = Alert.objects.filter(created_at__gt=timezone.now() - DAY)
    rows = begun.order_by().values_list("event", "severity").annotate(number=Count("pk"))
    return [({"event": event, "severity": severity}, float(number)) for event, severity, number in rows]


def deliveries_of_the_day() -> Iterable[tuple[LabelValues, float]]:
    """Those that were made or sent in it, and what waits since before."""
    since = timezone.now() - DAY
    counted = Q(created_at__gt=since) | Q(sent_at__gt=since) | Q(status=Delivery.Status.WAITING)
    rows = Delivery.objects.filter(counted).order_by().values_list("channel__name", "status")
    return [
        ({"channel": channel, "status": status}, float(number))
        for channel, status, number in rows.annotate(number=Count("pk"))
    ]


def overdue_deliveries() -> Iterable[tuple[LabelValues, float]]:
    """A message that gathers what happens is not overdue before its time; one that was tried in vain is, and one that
    waits for the end of quiet hours."""
    now = timezone.now()
    waiting = Delivery.objects.filter(status=Delivery.Status.WAITING).order_by()
    overdue = waiting.filter(Q(next_attempt_at__lte=now) | Q(attempts__gt=0))
    rows = overdue.values_list("channel__name").annotate(since=Min("created_at"))
    return [({"channel": channel}, (now - since).total_seconds()) for channel, since in rows]
