"""Questions: which alerts there are, and what the metrics say now."""

from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import QuerySet

from monitoring.models import Alert
from monitoring.registry import LabelValues, Metric, metrics

logger = structlog.get_logger(__name__)


def open_alerts() -> QuerySet[Alert]:
    """What is not resolved yet, the latest news first."""
    return Alert.objects.filter(resolved_at=None).select_related("acknowledged_by").order_by("-last_seen_at", "-id")


def alerts_waiting_for_dispatch() -> QuerySet[Alert]:
    """The outbox: what nobody has been sent yet, the oldest first. What has been resolved meanwhile is in it."""
    return Alert.objects.filter(dispatched_at=None).order_by("id")


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
    """Raises ValueError if the collector does not keep to the labels that the metric declares."""
    # A savepoint: a collector whose query fails must not break the transaction of the next one.
    with transaction.atomic():
        samples = [Sample(metric, dict(labels), float(value)) for labels, value in metric.collect()]
    for sample in samples:
        if set(sample.labels) != set(metric.labels):
            raise ValueError(f"{metric.name} gave the labels {sorted(sample.labels)}, not {sorted(metric.labels)}.")
    return samples
