"""Figures of monitoring itself."""

from collections.abc import Iterable

from django.db.models import Count

from monitoring import selectors
from monitoring.registry import LabelValues, Metric, register_metric


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


def open_alerts() -> Iterable[tuple[LabelValues, float]]:
    rows = selectors.open_alerts().order_by().values("event", "severity").annotate(number=Count("pk"))
    return [({"event": row["event"], "severity": row["severity"]}, float(row["number"])) for row in rows]


def alerts_waiting() -> Iterable[tuple[LabelValues, float]]:
    return [({}, float(selectors.alerts_waiting_for_dispatch().count()))]
