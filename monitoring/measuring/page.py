"""/metrics: everything in the text format of Prometheus."""

import time
from collections.abc import Iterable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from monitoring.measuring import processes
from monitoring.measuring.access import may_read
from monitoring.measuring.folder import counted_in, folder_in_use
from monitoring.measuring.shop import Readings, readings_of_the_shop
from monitoring.registry import Metric, metrics

logger = structlog.get_logger(__name__)


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """The metrics, for whom METRICS_TOKEN or METRICS_NETWORKS let in."""
    if not may_read(request):
        return refused()
    return HttpResponse(metrics_text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def refused() -> HttpResponse:
    """401 if a token would help, else 403."""
    response = HttpResponse(
        _("The metrics are for the networks of METRICS_NETWORKS and for who brings METRICS_TOKEN.") + "\n",
        content_type="text/plain; charset=utf-8",
        status=401 if settings.METRICS_TOKEN else 403,
    )
    if settings.METRICS_TOKEN:
        response["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return response


def metrics_text() -> bytes:
    """Every metric that there is now."""
    together = CollectorRegistry()
    together.register(Everything())
    text: bytes = generate_latest(together)
    return text


class Everything(Collector):
    """The registered figures, what the processes counted, and the processes themselves."""

    def describe(self) -> list[Family]:
        # Else the registry would collect everything once more, to learn the names.
        return []

    def collect(self) -> Iterable[Family]:
        readings = readings_of_the_shop()
        yield from families_of(metrics.all(), readings)
        yield from families_about(readings)
        folder = folder_in_use()
        if folder is None:
            yield from REGISTRY.collect()
            yield from processes.figures([processes.this_one()])
            return
        try:
            yield from counted_in(folder)
            yield from processes.figures(processes.running(folder))
        except OSError as error:
            # The folder can't be written to any more. What is known without it is told.
            logger.warning("metrics_not_counted", reason=f"{type(error).__name__}: {error}")


def families_of(registered: Iterable[Metric], readings: Readings) -> Iterable[Family]:
    for metric in registered:
        kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = kind(metric.name, metric.help, labels=metric.labels)
        for labels, value in readings[metric.name].samples if metric.name in readings else ():
            family.add_metric([str(labels[label]) for label in metric.labels], value)
        yield family


def families_about(readings: Readings) -> Iterable[Family]:
    """How the reading itself went."""
    failed = GaugeMetricFamily("samovar_metric_failed", "Figures that can't be read now.", labels=["metric"])
    seconds = GaugeMetricFamily("samovar_metric_seconds", "How long reading it took.", labels=["metric"])
    for name, reading in sorted(readings.items()):
        if reading.has_failed:
            failed.add_metric([name], 1)
        seconds.add_metric([name], reading.seconds)
    age = GaugeMetricFamily("samovar_metrics_age_seconds", "Age of the oldest figure of the shop that is given.")
    told = [reading.at for reading in readings.values() if not reading.has_failed]
    if told:
        age.add_metric([], max(0.0, time.time() - min(told)))
    yield from (failed, seconds, age)
