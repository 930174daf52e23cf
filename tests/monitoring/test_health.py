"""Whether the server lives and is ready, told to anybody, at once, without a secret."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth import SESSION_KEY
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from monitoring import checks, registry
from monitoring.checks import wanted_migrations
from monitoring.errors import CheckFailed
from monitoring.registry import Check
from monitoring.services.checks import STILL_RUNNING, TIMED_OUT, run_checks
from users.models import User


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database server that takes connections and never says a word."""
    silent = socket.create_server(("127.0.0.1", 0))
    host, port = silent.getsockname()
    settings_of_database = connections.settings["default"]
    monkeypatch.setitem(settings_of_database, "HOST", host)
    monkeypatch.setitem(settings_of_database, "PORT", str(port))
    yield
    silent.close()


def only(monkeypatch: pytest.MonkeyPatch, *entries: Check) -> None:
    monkeypatch.setattr(registry.checks, "entries", {entry.name: entry for entry in entries})


def fail(text: str) -> Any:
    def run() -> None:
        raise CheckFailed(text)

    return run


@pytest.mark.django_db
def test_alive_asks_nobody(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert len(queries) == 0
    assert "no-store" in response["Cache-Control"]


def test_alive_needs_no_database_even_with_a_session(client: Client) -> None:
    # pytest-django lets nobody near the database in this test.
    client.cookies["sessionid"] = "a" * 32

    assert client.get("/health/live").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_ready_names_each_check_with_its_time(client: Client) -> None:
    # The first time in a process all migrations are read, which a slow machine takes longer for than a check may.
    wanted_migrations()
    response = client.get("/health/ready")

    assert response.status_code == 200, response.json()
    body = response.json()
    # Nobody works here and nobody watches, which is told and refuses nothing.
    assert body["status"] == "degraded"
    assert {name: result["ok"] for name, result in body["checks"].items() if name != "disk"} == {
        "database": True,
        "migrations": True,
        "broker": True,
        "worker": False,
        "beat": False,
        "watchdog": False,
    }
    assert body["checks"]["disk"]["ms"] >= 0
    for result in body["checks"].values():
        assert result["ms"] >= 0
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready_looks_up_no_session_and_no_user(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, Check("fine", lambda: None, gates_readiness=True))
    client.force_login(User.objects.create_user("person@example.com"))

    with CaptureQueriesContext(connection) as queries:
        response = client.get("/health/ready")

    assert response.status_code == 200
    assert len(queries) == 0
    assert SESSION_KEY in client.session


def test_one_failed_check_takes_the_server_out_of_service(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    only(
        monkeypatch,
        Check("fine", lambda: "3 of 3", gates_readiness=True),
        Check("broken", fail("The disk is full."), gates_readiness=True),
        Check("of no matter", fail("The ledger differs.")),
    )

    response = client.get("/health/ready")

    assert response.status_code == 503
    body = response.json()
    for result in body["checks"].values():
        del result["ms"]
    assert body == {
        "status": "failed",
        "checks": {"fine": {"ok": True, "detail": "3 of 3"}, "broken": {"ok": False, "detail": "The disk is full."}},
    }


def test_a_check_that_crashes_tells_only_its_kind(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash() -> None:
        raise RuntimeError("password=hunter2 at db.internal")

    only(monkeypatch, Check("crashing", crash, gates_readiness=True))

    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["checks"]["crashing"]["detail"] == "It ended with RuntimeError."
    assert "hunter2" not in response.content.decode()


def test_a_check_that_hangs_is_given_up_and_not_started_again_meanwhile() -> None:
    may_end, runs = threading.Event(), []

    def hang() -> None:
        runs.append(threading.current_thread())
        assert may_end.wait(timeout=30)

    hanging = Check("test.hanging", hang, timeout=0.05)
    (first,) = run_checks([hanging])
    (second,) = run_checks([hanging])

    assert (first.is_ok, first.detail) == (False, TIMED_OUT)
    assert (second.is_ok, second.detail) == (False, STILL_RUNNING)
    assert len(runs) == 1

    may_end.set()
    runs[0].join(timeout=30)
    (third,) = run_checks([Check("test.hanging", hang)])
    assert third.is_ok


def test_checks_run_at_the_same_time() -> None:
    together = threading.Barrier(3)

    def meet() -> None:
        together.wait(timeout=30)

    results = run_checks([Check(f"test.{number}", meet) for number in range(3)])

    assert [result.is_ok for result in results] == [True, True, True]


@pytest.mark.django_db
@pytest.mark.usefixtures("unreachable")
def test_a_silent_database_is_told_in_time_without_its_address(client: Client) -> None:
    response = client.get("/health/ready")

    assert response.status_code == 503
    body = response.json()
    assert (body["checks"]["database"]["ok"], body["checks"]["migrations"]["ok"]) == (False, False)
    assert body["checks"]["database"]["detail"] in {"The database does not answer.", TIMED_OUT}
    text = json.dumps(body)
    assert "127.0.0.1" not in text
    assert connection.settings_dict["USER"] not in text


@pytest.mark.django_db
def test_a_refused_connection_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "PORT", "1")

    with pytest.raises(CheckFailed, match=r"^The database does not answer\.$"):
        checks.database()


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_is_not_applied_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    applied = frozenset(MigrationRecorder(connection).applied_migrations())
    monkeypatch.setattr(checks, "wanted_migrations", lambda: applied | {("orders", "9999_later")})

    with pytest.raises(CheckFailed, match=r"^1 not applied: orders\.9999_later$"):
        checks.migrations()


@pytest.mark.django_db(transaction=True)
def test_many_missing_migrations_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    later = {("orders", f"{number}_later") for number in range(9990, 9995)}
    monkeypatch.setattr(checks, "wanted_migrations", lambda: frozenset(later))

    with pytest.raises(CheckFailed, match=r"^5 not applied: .*9992_later …$"):
        checks.migrations()


@pytest.mark.parametrize(
    "url", ["redis://:hunter2@127.0.0.1:1/0", "amqp://user:hunter2@127.0.0.1:1//"], ids=["redis", "amqp"]
)
def test_a_broker_that_is_not_there_is_a_failed_check(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", url)

    with pytest.raises(CheckFailed, match=r"^The broker does not answer\.$"):
        checks.broker()


def test_a_broker_in_memory_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", "memory://")

    checks.broker()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_probes_are_read_only(client: Client, method: str) -> None:
    assert getattr(client, method)("/health/live").status_code == 405
    assert getattr(client, method)("/health/ready").status_code == 405


@override_settings(SECURE_SSL_REDIRECT=True)
def test_the_probes_answer_without_https(client: Client) -> None:
    assert client.get("/health/live").status_code == 200
