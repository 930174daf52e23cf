"""Figures of monitoring itself."""

import datetime
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Count, Min, Q
from django.utils import timezone

from monitoring import selectors
from monitoring.models import Alert, Channel, Delivery
from monitoring.registry import LabelValues, Metric, register_metric
from monitoring.services.quiet import is_quiet, lets_through

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
    """Those that were made, sent or had their last day in it, and what waits since before; no tests, which somebody
    has watched."""
    now = timezone.now()
    since = now - DAY
    counted = Q(created_at__gt=since) | Q(sent_at__gt=since) | Q(status=Delivery.Status.WAITING)
    counted |= Q(status=Delivery.Status.GIVEN_UP, give_up_at__gt=since, give_up_at__lte=now)
    in_earnest = Delivery.objects.exclude(kind=Delivery.Kind.TEST)
    rows = in_earnest.filter(counted).order_by().values_list("channel__name", "status")
    return [
        ({"channel": channel, "status": status}, float(number))
        for channel, status, number in rows.annotate(number=Count("pk"))
    ]


def overdue_deliveries() -> Iterable[tuple[LabelValues, float]]:
    """A message that gathers what happens is not overdue before its time, nor is one in quiet hours; one that was tried
    in vain is."""
    now = timezone.now()
    waiting = Delivery.objects.filter(status=Delivery.Status.WAITING).order_by()
    overdue = waiting.filter(Q(next_attempt_at__lte=now) | Q(attempts__gt=0))
    since: dict[int, datetime.datetime] = {}
    severities = defaultdict[int, set[str]](set)
    for channel_id, severity, created_at in overdue.values_list("channel", "severity").annotate(Min("created_at")):
        since[channel_id] = min(created_at, since.get(channel_id, created_at))
        severities[channel_id].add(severity)
    channels = Channel.objects.defer(*Channel.SEALED).filter(pk__in=since).order_by("pk")
    return [
        ({"channel": channel.name}, (now - since[channel.pk]).total_seconds())
        for channel in channels
        if not is_quiet(channel, at=now) or any(lets_through(channel, one) for one in severities[channel.pk])
    ]
