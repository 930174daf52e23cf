"""Alerts whatever becomes of the caller's work: in a transaction of their own, or in a file."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from monitoring.errors import NotRegistered
from monitoring.models import Alert
from monitoring.services import apart
from monitoring.services.alerts import notify
from monitoring.services.apart import Rest, notify_apart, resolve_apart
from monitoring.spool import Spool, SpooledAlert
from tests.backups.cluster import wait_until
from tests.monitoring.conftest import LATE, LOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_spool(tmp_path: Path, settings: Settings) -> Iterator[None]:
    settings.SPOOL_DIR = tmp_path / "spool"
    Rest.until = 0.0
    yield
    Rest.until = 0.0


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """New connections are refused; this thread keeps its own."""
    connection.ensure_connection()
    monkeypatch.setitem(connections.settings["default"], "PORT", "1")


def spooled() -> list[SpooledAlert]:
    return Spool.of_the_shop().all()


def test_it_survives_the_callers_rollback() -> None:
    with transaction.atomic():
        notify(event=LOW, subject="milk", message="in the transaction")
        notify_apart(event=LATE, subject="order 7", message="apart", details={"minutes": 7})
        transaction.set_rollback(True)

    assert list(Alert.objects.values_list("event", "subject", "message", "details")) == [
        (LATE, "order 7", "apart", {"minutes": 7})
    ]
    assert spooled() == []


def test_an_end_survives_it_too() -> None:
    notify(event=LATE, subject="order 7", message="m")
    with transaction.atomic():
        resolve_apart(event=LATE, subject="order 7")
        transaction.set_rollback(True)

    assert Alert.objects.filter(resolved_at=None).count() == 0


def test_an_alert_that_the_caller_holds_itself_goes_to_the_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "WAITS_FOR_LOCKS", "50ms")
    with transaction.atomic():
        notify(event=LOW, subject="milk", message="mine")
        notify_apart(event=LOW, subject="milk", message="apart")

    assert [(alert.subject, alert.message) for alert in spooled()] == [("milk", "apart")]
    assert list(Alert.objects.values_list("message", "count")) == [("mine", 1)]


@pytest.mark.usefixtures("no_database")
def test_without_a_database_it_waits_in_the_spool() -> None:
    notify_apart(event=LOW, subject="milk", message="Milk is low", details={"left": "5"})
    notify_apart(event=LOW, subject="milk", message="Milk is gone", details={"left": "0"})

    (alert,) = spooled()
    assert (alert.event, alert.severity, alert.message, alert.details) == (
        LOW,
        "warning",
        "Milk is gone",
        {"left": "0"},
    )
    assert (alert.count, Alert.objects.count()) == (2, 0)


def test_an_end_does_not_overtake_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(connections.settings["default"], "PORT", "1")
        notify_apart(event=LOW, subject="milk", message="Milk is low")
    Rest.until = 0.0

    resolve_apart(event=LOW, subject="milk")
    resolve_apart(event=LOW, subject="tea")

    (alert,) = spooled()
    assert (alert.subject, alert.count, alert.resolved_at is None) == ("milk", 1, False)


def test_a_database_that_hangs_is_not_waited_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end, writers = threading.Event(), []

    def hang(**said: object) -> None:
        writers.append(threading.current_thread())
        assert may_end.wait(timeout=30)

    monkeypatch.setattr(apart, "notify", hang)
    monkeypatch.setattr(apart, "PATIENCE", 0.05)
    for _time in range(3):
        notify_apart(event=LOW, subject="milk", message="Milk is low")
    # It may be given up before it has reached the database at all.
    wait_until(lambda: writers)
    may_end.set()
    writers[0].join(timeout=30)

    assert (len(writers), [alert.count for alert in spooled()]) == (1, [3])


def test_what_is_written_too_late_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was slow, the alert is in the spool by then: the transaction ends without it."""
    may_end, writers = threading.Event(), []

    def write_slowly(**said: Any) -> None:
        writers.append(threading.current_thread())
        notify(**said)
        assert may_end.wait(timeout=30)

    monkeypatch.setattr(apart, "notify", write_slowly)
    monkeypatch.setattr(apart, "PATIENCE", 0.5)
    notify_apart(event=LOW, subject="milk", message="Milk is low")
    wait_until(lambda: writers)
    may_end.set()
    writers[0].join(timeout=30)

    assert ([alert.count for alert in spooled()], Alert.objects.count()) == ([1], 0)


@pytest.mark.usefixtures("no_database")
def test_a_spool_that_cannot_be_written_disturbs_nobody(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    settings.SPOOL_DIR = tmp_path / "file" / "spool"

    notify_apart(event=LOW, subject="milk", message="Milk is low")
    resolve_apart(event=LOW, subject="milk")

    lost = [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"]
    assert ["alert_lost" in line and "Milk is low" in line for line in lost] == [True, False]


def test_what_no_column_can_hold_is_left_out_of_it() -> None:
    notify_apart(event=LOW, subject="a\0" + "b" * 300, message="x\0\ud800y", details={"k\0": ["\0v", 1]})

    alert = Alert.objects.get()
    assert (alert.subject, alert.message, alert.details) == ("a" + "b" * 199, "x?y", {"k": ["v", 1]})


def test_an_unknown_event_is_a_mistake() -> None:
    with pytest.raises(NotRegistered):
        notify_apart(event="test.unheard", message="m")
    with pytest.raises(NotRegistered):
        resolve_apart(event="test.unheard")
    assert (spooled(), connection.needs_rollback) == ([], False)
