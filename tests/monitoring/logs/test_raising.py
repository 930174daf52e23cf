"""An error in the log becomes an alert with its first trace, and a thousand of one kind become one."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from foundation.logs import MASK
from monitoring.logs import raising
from monitoring.logs.raising import EVENT, MOST_KINDS, ErrorAlerts
from monitoring.models import Alert
from monitoring.services import apart
from monitoring.services.spooled import bring_in
from monitoring.spool import Spool
from tests.backups.cluster import wait_until
from tests.monitoring.logs.written import with_our_lines

logger = structlog.get_logger("orders.services")
Raised = list[dict[str, object]]


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[ErrorAlerts]:
    """A handler whose thread does not run: the test takes its turns."""
    monkeypatch.setattr(ErrorAlerts, "start", lambda self: None)
    with with_our_lines(ErrorAlerts()) as handler:
        yield handler


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> Raised:
    """What would be raised, without a database. What a thread of another test logs meanwhile is left out."""
    given: Raised = []

    def keep(**alert: Any) -> None:
        if alert["details"]["logger"] in {"orders.services", "a.library"}:
            given.append(alert)

    monkeypatch.setattr(apart, "notify_apart", keep)
    return given


def brew(what: str) -> None:
    raise ValueError(f"no {what} for ivan@mail.ru")


def fail(what: str = "tea") -> None:
    try:
        brew(what)
    except ValueError:
        logger.exception("brewing_failed", cup=5)


def test_errors_of_one_kind_are_one_alert_with_the_first_trace(handler: ErrorAlerts, raised: Raised) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1", user_id=5):
        fail()
    for number in range(299):
        fail(f"tea {number}")
    handler.raise_waiting()
    handler.raise_waiting()

    (alert,) = raised
    subject = "ValueError in tests/monitoring/logs/test_raising.py brew"
    assert (alert["event"], alert["subject"], alert["count"]) == (EVENT, subject, 300)
    assert alert["message"] == f"{subject}: ValueError: no tea for {MASK}"
    details = alert["details"]
    assert isinstance(details, dict)
    assert (details["request_id"], details["logger"]) == ("r-1", "orders.services")
    assert details["trace"].startswith("Traceback (most recent call last):")
    assert details["trace"].endswith(f"ValueError: no tea for {MASK}")


def test_errors_of_other_libraries_are_grouped_as_our_own(handler: ErrorAlerts, raised: Raised) -> None:
    for _time in range(2):
        try:
            brew("tea")
        except ValueError:
            logging.getLogger("a.library").exception("it failed for %s", "ivan@mail.ru")
    handler.raise_waiting()
    (alert,) = raised
    assert (alert["subject"], alert["count"]) == ("ValueError in tests/monitoring/logs/test_raising.py brew", 2)


def test_what_is_no_error_raises_none(handler: ErrorAlerts, raised: Raised) -> None:
    logger.error("refused", why="without an exception")
    logger.warning("strange", exc_info=ValueError("only strange"))
    gone = OperationalError("the connection is closed")
    gone.__cause__ = lost_connection()
    for log in (logger, logging.getLogger("a.library")):
        log.error("database_lost", exc_info=gone)
    handler.raise_waiting()
    assert raised == []


def lost_connection() -> Exception:
    import psycopg2  # noqa: PLC0415

    return psycopg2.InterfaceError("connection already closed")


def test_a_storm_of_many_kinds_is_bounded(
    handler: ErrorAlerts, raised: Raised, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(MOST_KINDS + 5):
        kind = type(f"Error{number}", (Exception,), {})
        logger.error("failed", exc_info=kind("again"))
    handler.raise_waiting()
    assert len(raised) == MOST_KINDS
    assert "5 errors of other kinds came too fast" in capsys.readouterr().err


def test_an_alert_that_fails_raises_no_other_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The thread itself logs an exception, and its alert fails: that is said, and is the end of it."""
    times = []

    def refuse(**alert: object) -> None:
        times.append(alert)
        try:
            raise RuntimeError("no alert today")
        except RuntimeError:
            logger.exception("alert_failed")
            raise

    monkeypatch.setattr(apart, "notify_apart", refuse)
    monkeypatch.setattr(raising, "TURN", 0.0)
    with with_our_lines(ErrorAlerts()) as handler:
        fail()
        wait_until(lambda: times and not handler.kinds)
        handler.close()
    assert len(times) == 1
    assert handler.kinds == {}
    assert "could not be raised: RuntimeError" in capsys.readouterr().err


def test_who_logs_never_waits_for_the_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database hangs; two hundred more errors are logged meanwhile, and counted when it is back."""
    hangs, asked, given = threading.Event(), threading.Event(), []

    def notify_apart(**alert: object) -> None:
        asked.set()
        assert hangs.wait(30)
        given.append((alert["subject"], alert["count"]))

    monkeypatch.setattr(apart, "notify_apart", notify_apart)
    monkeypatch.setattr(raising, "TURN", 0.0)
    with with_our_lines(ErrorAlerts()) as handler:
        fail()
        assert asked.wait(30)
        for _time in range(200):
            fail()
        assert given == []
        hangs.set()
        handler.close()
    assert [count for _subject, count in given] == [1, 200]


def test_a_program_that_ends_raises_its_last_alerts_first(raised: Raised) -> None:
    with with_our_lines(ErrorAlerts()) as handler:
        for _time in range(20):
            fail()
        # As `logging` does at the end of a process.
        handler.acquire()
        try:
            handler.close()
        finally:
            handler.release()
    assert sum(int(str(alert["count"])) for alert in raised) == 20


@pytest.mark.django_db(transaction=True)
def test_a_failed_request_is_an_alert_that_leads_to_its_lines(
    handler: ErrorAlerts, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr("monitoring.health.run_checks", lambda checks: brew("tea"))
    response = client.get("/health/ready")
    handler.raise_waiting()

    alert = Alert.objects.get(event=EVENT)
    assert alert.subject == "ValueError in tests/monitoring/logs/test_raising.py brew"
    assert alert.details["request_id"] == response["X-Request-ID"]
    assert alert.text == f"{alert.subject} ({alert.details['program']}): ValueError: no tea for {MASK}"

    client.get("/health/ready")
    client.get("/health/ready")
    handler.raise_waiting()
    alert.refresh_from_db()
    assert alert.count == 3
    assert alert.details["request_id"] == response["X-Request-ID"]


@pytest.mark.django_db(transaction=True)
def test_while_the_database_takes_nothing_the_alert_waits_in_the_spool(
    handler: ErrorAlerts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "SPOOL_DIR", tmp_path)
    monkeypatch.setattr(apart, "is_in_database", lambda write, **alert: False)
    for _time in range(2):
        fail()
        fail()
        handler.raise_waiting()
    spool = Spool(settings.SPOOL_DIR)
    (spooled,) = [alert for alert in spool.all() if alert.event == EVENT]
    assert (spooled.count, spooled.details["said"]) == (4, f"ValueError: no tea for {MASK}")
    assert Alert.objects.count() == 0

    # When the database is back, the trace that it has is still the first.
    Alert.objects.create(
        event=EVENT, severity="error", subject=spooled.subject, message="m", details={"trace": "the first"}, count=2
    )
    Alert.objects.update(last_seen_at=spooled.last_at - timedelta(hours=1))
    bring_in(alerts=[spooled], messages=[], at=timezone.now())
    alert = Alert.objects.get()
    assert (alert.count, alert.details) == (6, {"trace": "the first"})
