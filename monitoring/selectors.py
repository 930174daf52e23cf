"""Questions: which alerts there are, and what the metrics say now."""

import datetime
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from monitoring.models import Alert, Channel, Delivery
from monitoring.registry import LabelValues, Metric, metrics

logger = structlog.get_logger(__name__)

# Milliseconds. A figure is not worth more of the database's time.
LONGEST_STATEMENT = 2_000


def open_alerts() -> QuerySet[Alert]:
    """What is not resolved yet, the latest news first."""
    return Alert.objects.filter(resolved_at=None).select_related("acknowledged_by").order_by("-last_seen_at", "-id")


def alerts_waiting_for_dispatch() -> QuerySet[Alert]:
    """The outbox: what nobody has been sent yet, the oldest first. What has been resolved meanwhile is in it."""
    return Alert.objects.filter(dispatched_at=None).order_by("id")


def channels_with_due_messages(*, at: datetime.datetime) -> QuerySet[Channel]:
    """The channels that take messages now and whose next one is due. Quiet hours and limits are not looked at.

    Addresses are not read: one that no key opens must not keep the others from theirs.
    """
    first = Delivery.objects.filter(channel=OuterRef("pk"), status=Delivery.Status.WAITING).order_by("pk")
    channels = Channel.objects.filter(
        Q(blocked_until=None) | Q(blocked_until__lte=at), is_enabled=True, disabled_reason=""
    )
    due = channels.annotate(next_due_at=Subquery(first.values("next_attempt_at")[:1])).filter(next_due_at__lte=at)
    return due.defer(*Channel.SEALED).order_by("pk")


def channel_for_customers() -> Channel | None:
    """The channel through which customers are sent an SMS."""
    fitting = Channel.objects.filter(for_customers=True, kind=Channel.Kind.SMS, is_enabled=True)
    return fitting.order_by("pk").first()


@dataclass(frozen=True)
class Sample:
    """One value of a metric, with the values of its labels."""

    metric: Metric
    labels: LabelValues
    value: float


@dataclass(frozen=True)
class Readings:
    """The values of all metrics now, and the names of the metrics that could not be read."""

    samples: list[Sample]
    failed: list[str]


def collect_metrics() -> Readings:
    """Reads every registered metric. One that fails is named in `failed` and logged; the others are read."""
    samples: list[Sample] = []
    failed: list[str] = []
    for metric in metrics.all():
        try:
            samples += samples_of(metric)
        except Exception:
            logger.exception("metric_failed", metric=metric.name)
            failed.append(metric.name)
    return Readings(samples=samples, failed=failed)


def samples_of(metric: Metric) -> list[Sample]:
    """Raises ValueError if the collector does not keep to the labels that the metric declares, and what it raises."""
    if metric.needs_database:
        # A savepoint: a collector whose query fails must not break the transaction of the next one.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(LONGEST_STATEMENT)])
            samples = collected(metric)
    else:
        samples = collected(metric)
    for sample in samples:
        if set(sample.labels) != set(metric.labels):
            raise ValueError(f"{metric.name} gave the labels {sorted(sample.labels)}, not {sorted(metric.labels)}.")
    return samples


def collected(metric: Metric) -> list[Sample]:
    return [Sample(metric, dict(labels), float(value)) for labels, value in metric.collect()]
