"""docs/metrics.md names every metric with its labels, and none that is not there."""

import re
from collections.abc import Iterable

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from marketplaces.clients import counting
from monitoring.measuring import errors, requests, work
from monitoring.measuring.page import families_about
from monitoring.measuring.processes import Running, figures
from monitoring.measuring.shop import Reading
from monitoring.registry import metrics
from project.embedded.places import BASE_DIR

ROW = re.compile(r"^\| (`[^|]+`) \|([^|]*)\| ", re.MULTILINE)
# Where they are made: it must be imported before it is in the registry.
MADE_IN = (counting, errors, requests, work)


def documented() -> dict[str, set[str]]:
    text = (BASE_DIR / "docs" / "metrics.md").read_text(encoding="utf-8")
    return {
        name: {label.strip() for label in labels.split(",") if label.strip()}
        for names, labels in ROW.findall(text)
        for name in re.findall(r"`(\w+)`", names)
    }


def counted() -> Iterable[tuple[str, set[str]]]:
    """What processes count, by the names under which Prometheus gets it."""
    for collector in set(REGISTRY._names_to_collectors.values()):
        if isinstance(collector, MetricWrapperBase):
            name = collector._name + ("_total" if collector._type == "counter" else "")
            yield name, set(collector._labelnames)


def computed() -> Iterable[tuple[str, set[str]]]:
    yield from ((metric.name, set(metric.labels)) for metric in metrics.all())
    families = [
        *families_about({"a": Reading(at=1.0, seconds=1.0), "b": Reading(at=1.0, seconds=1.0, has_failed=True)}),
        *figures([Running("web", 1, 1)]),
    ]
    yield from ((family.name, {label for sample in family.samples for label in sample.labels}) for family in families)


@pytest.fixture
def registered() -> None:
    """Those of the shop, and no test's own."""


def test_all_figures_of_the_shop_are_documented_with_their_labels() -> None:
    written = documented()
    ours = {name: labels for name, labels in [*counted(), *computed()] if name.startswith("samovar_")}

    assert {name: written.get(name) for name in ours} == ours


def test_nothing_is_documented_that_is_not_there() -> None:
    there = dict([*counted(), *computed()])

    assert {name: labels for name, labels in documented().items() if there.get(name) != labels} == {}
