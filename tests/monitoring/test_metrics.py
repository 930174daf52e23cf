"""Metrics: read together, and one that fails spoils none of the others."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection

from monitoring import registry
from monitoring.models import Alert
from monitoring.registry import Metric, register_metric
from monitoring.selectors import Sample, collect_metrics
from monitoring.services.alerts import AlertText, notify_many
from tests.monitoring.conftest import LATE, LOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_other_metrics(registered: None) -> None:
    registry.metrics.entries.clear()


def metric(name: str, collect: Any, labels: tuple[str, ...] = ()) -> Metric:
    entry = Metric(name=name, help="h", labels=labels, collect=collect)
    register_metric(entry)
    return entry


def test_the_values_of_all_metrics_are_read() -> None:
    orders = metric("orders", lambda: [({"status": "pending"}, 3), ({"status": "ready"}, 1)], labels=("status",))
    shops = metric("shops", lambda: [({}, 2)])

    readings = collect_metrics()

    assert readings.samples == [
        Sample(orders, {"status": "pending"}, 3.0),
        Sample(orders, {"status": "ready"}, 1.0),
        Sample(shops, {}, 2.0),
    ]
    assert readings.failed == []


def test_one_that_fails_is_named_and_the_others_are_read() -> None:
    def broken_query() -> Iterable[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")
        return []

    metric("a_broken", broken_query)
    metric("b_wrong_labels", lambda: [({"other": "x"}, 1)], labels=("status",))
    metric("c_no_number", lambda: [({}, "many")])
    alerts = metric("d_alerts", lambda: [({}, Alert.objects.count())])

    readings = collect_metrics()

    assert readings.failed == ["a_broken", "b_wrong_labels", "c_no_number"]
    assert readings.samples == [Sample(alerts, {}, 0.0)]


def test_open_and_waiting_alerts_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from monitoring import metrics  # noqa: PLC0415 (its registration is what is tested)

    metrics.register()
    notify_many(event=LOW, alerts=[AlertText("milk", "m"), AlertText("tea", "m")])
    notify_many(event=LATE, alerts=[AlertText("", "m")])

    values = {
        (sample.metric.name, *sorted(sample.labels.values())): sample.value for sample in collect_metrics().samples
    }

    assert values == {
        ("samovar_open_alerts", "critical", LATE): 1.0,
        ("samovar_open_alerts", LOW, "warning"): 2.0,
        ("samovar_alerts_waiting",): 3.0,
        ("samovar_alerts_day", "critical", LATE): 1.0,
        ("samovar_alerts_day", LOW, "warning"): 2.0,
    }
