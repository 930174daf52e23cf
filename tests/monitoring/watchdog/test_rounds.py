"""The watchdog's rounds: what hangs or fails stops nothing else."""

import socket
import threading
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, connections

from monitoring.models import Alert
from monitoring.registry import checks
from monitoring.spool import Spool
from monitoring.watchdog import watchdog as rounds
from monitoring.watchdog.watchdog import Watchdog, by_interval, name_of
from tests.monitoring.conftest import LATE
from tests.monitoring.receiver import Receiver
from tests.monitoring.watching import NOON, channel, rule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def watchdog(spool: Spool, receiver: Receiver) -> Watchdog:
    rule(channel())
    watchdog = Watchdog(spool)
    watchdog.look_at_spool()
    spool.note(event=LATE, subject="order 7", severity="critical", message="Order 7 is late", details={}, at=NOON)
    return watchdog


@pytest.fixture
def silent_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that takes new connections and never says a word."""
    connection.ensure_connection()
    monkeypatch.setattr(rounds, "PATIENCE", 0.1)
    with monkeypatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        patch.setitem(connections.settings["default"], "HOST", host)
        patch.setitem(connections.settings["default"], "PORT", str(port))
        yield


def test_a_database_that_hangs_keeps_no_alert_waiting(
    watchdog: Watchdog, receiver: Receiver, silent_database: None
) -> None:
    watchdog.look_at_spool()
    asking = watchdog.at_database
    assert receiver.texts("Chat") == ["Order 7 is late"]
    # It is asked nothing more while it does not answer the first question.
    watchdog.look_at_spool()
    assert watchdog.at_database is asking

    assert asking is not None
    asking.join(timeout=30)
    assert (len(receiver.attempts), Alert.objects.count()) == (1, 0)


def test_when_it_answers_the_spool_is_brought_in_and_nothing_told_twice(
    watchdog: Watchdog, spool: Spool, receiver: Receiver
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        connection.ensure_connection()
        patch.setitem(connections.settings["default"], "PORT", "1")
        watchdog.look_at_spool()
    watchdog.look_at_spool()
    watchdog.send("a")

    assert (Alert.objects.get().subject, len(receiver.attempts)) == ("order 7", 1)
    assert (spool.is_empty(), list(spool.messages_folder.iterdir())) == (True, [])


def test_a_round_that_fails_comes_again(watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "REST", 0.0)
    faults = [OperationalError("away"), OSError(28, "full"), ValueError("ours"), None]

    def work() -> None:
        if (fault := faults.pop(0)) is not None:
            raise fault
        watchdog.stop()

    thread = threading.Thread(target=lambda: watchdog.repeat(work, every=0.0))
    thread.start()
    thread.join(timeout=30)
    assert (faults, thread.is_alive()) == ([], False)


def test_every_check_is_looked_at(spool: Spool) -> None:
    groups = by_interval()

    assert sorted(check.name for group in groups.values() for check in group) == sorted(checks.entries)
    assert [check.name for check in groups[3600.0]] == ["stock_ledger", "stock_lots"]


def test_its_name_stays(spool: Spool) -> None:
    assert name_of(spool) == name_of(Spool(spool.folder))
