"""Names are registered once, and only registered names are known."""

from typing import Any

import pytest

from monitoring.errors import AlreadyRegistered, NotRegistered
from monitoring.registry import (
    Check,
    Event,
    Metric,
    checks,
    events,
    metrics,
    register_check,
    register_event,
    register_metric,
)
from monitoring.severity import Severity


def metric(name: str = "test_metric", **fields: Any) -> Metric:
    return Metric(**{"name": name, "help": "h", "labels": (), "collect": list, **fields})


def test_what_is_registered_is_found_by_its_name() -> None:
    event, check, figure = Event("test.a", Severity.INFO, "A"), Check("test.a", lambda: None), metric()
    register_event(event)
    register_check(check)
    register_metric(figure)

    assert events.get("test.a") is event
    assert checks.get("test.a") is check
    assert metrics.get("test_metric") is figure
    assert event in events.all()


@pytest.mark.parametrize(
    ("register", "entry"),
    [
        (register_event, Event("test.a", Severity.INFO, "A")),
        (register_check, Check("test.a", lambda: None)),
        (register_metric, metric()),
    ],
)
def test_a_name_is_registered_once(register: Any, entry: Any) -> None:
    register(entry)

    with pytest.raises(AlreadyRegistered, match=entry.name):
        register(entry)


@pytest.mark.parametrize("entries", [events, checks, metrics])
def test_an_unknown_name_says_where_to_register_it(entries: Any) -> None:
    with pytest.raises(NotRegistered, match=r"AppConfig\.ready"):
        entries.get("test.unknown")


def test_a_severity_may_be_given_by_its_word_and_no_other_word() -> None:
    assert Event("a", "warning", "A").severity is Severity.WARNING
    with pytest.raises(ValueError, match="terrible"):
        Event("a", "terrible", "A")


@pytest.mark.parametrize("fields", [{"name": "with-dash"}, {"name": "1st"}, {"labels": ("a b",)}, {"name": ""}])
def test_a_metric_has_a_name_that_prometheus_reads(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no name"):
        metric(**fields)


def test_the_server_itself_is_checked() -> None:
    assert {check.name for check in checks.all() if check.gates_readiness} >= {"database", "migrations", "broker"}
