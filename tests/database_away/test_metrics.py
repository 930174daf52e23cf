"""The metrics while the database is away: what does not need it is told, and at once."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.db import connection

from monitoring import registry
from monitoring.measuring import shop
from monitoring.measuring.page import metrics_text
from monitoring.registry import Metric, register_metric
from tests.backups.cluster import Cluster
from tests.monitoring.measuring.told import value, values


@pytest.fixture(autouse=True)
def own_metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry.metrics, "entries", {})
    monkeypatch.setattr(shop, "_in_memory", shop.Keeper())
    return


def figures_of_the_database() -> list[str]:
    """The names of those that are read meanwhile."""
    read: list[str] = []

    def collect(name: str) -> Iterable[Any]:
        read.append(name)
        return [({}, 1)]

    for number in range(3):
        name = f"later_{number}"
        register_metric(Metric(name, "h", (), lambda name=name: collect(name)))
    return read


FAILED = {(f"later_{number}",): 1 for number in range(3)}


def test_nobody_waits_for_each_of_its_figures(away: Cluster) -> None:
    read = figures_of_the_database()
    register_metric(Metric("other", "h", (), lambda: [({}, 5)], needs_database=False))
    away.kill()

    text = metrics_text()

    assert values(text, "samovar_metric_failed") == FAILED
    assert (value(text, "other"), read) == (5, [])


def test_nor_when_it_goes_away_in_the_middle_and_all_are_there_again_with_it(
    away: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = figures_of_the_database()

    def kill() -> Iterable[Any]:
        if away.programs[-1].is_running():
            away.kill()
        # A server process lives on for a moment after the one that started it.
        for _time in range(3000):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.01)")
        return [({}, 1)]

    register_metric(Metric("first", "h", (), kill))

    assert values(metrics_text(), "samovar_metric_failed") == {("first",): 1, **FAILED}
    assert read == []

    away.start()
    del registry.metrics.entries["first"]
    monkeypatch.setattr(shop, "_in_memory", shop.Keeper())
    assert values(metrics_text(), "samovar_metric_failed") == {}
    assert read == ["later_0", "later_1", "later_2"]
