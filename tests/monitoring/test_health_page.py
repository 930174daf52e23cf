"""The page about the shop's health: the worst first, with what to do; and what takes long only when asked for."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from monitoring import registry
from monitoring.errors import CheckFailed, CheckWarning
from monitoring.health_selectors import look_at_health
from monitoring.registry import Check
from monitoring.services.heartbeats import beat
from tests.monitoring.apart import no_signs_of_life

__all__ = ["no_signs_of_life"]

pytestmark = pytest.mark.usefixtures("no_signs_of_life")
PAGE = "/admin/monitoring/alert/health/"


def says(error: Exception) -> Any:
    def run() -> None:
        raise error

    return run


@pytest.fixture(autouse=True)
def four_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [
        Check("a", lambda: "3 of 3", title="Fine thing"),
        Check("b", says(CheckWarning("%(number)s %% left", number=9)), title="Tight thing", advice="Make room."),
        Check("c", says(CheckFailed("It is gone.")), title="Gone thing", advice="Fetch it back."),
        Check("d", says(CheckFailed("Asked.")), title="Long thing", every=3600.0),
    ]
    monkeypatch.setattr(registry.checks, "entries", {check.name: check for check in checks})


def test_the_worst_comes_first_and_says_what_to_do() -> None:
    health = look_at_health()

    assert [(answer.title, answer.state, answer.result.detail, answer.advice) for answer in health.answers] == [
        ("Gone thing", "failed", "It is gone.", "Fetch it back."),
        ("Tight thing", "warning", "9 % left", "Make room."),
        ("Fine thing", "ok", "3 of 3", ""),
    ]
    assert health.state == "failed"


def test_what_takes_long_is_asked_only_when_somebody_wants_it(admin_client: Client) -> None:
    usual = admin_client.get(PAGE).content.decode()
    all_of_it = admin_client.get(f"{PAGE}?all=yes").content.decode()

    assert "Long thing" in usual
    assert "Asked." not in usual
    assert "Asked." in all_of_it


def test_programs_are_shown_with_the_age_of_their_last_sign(admin_client: Client) -> None:
    nobody = admin_client.get(PAGE).content.decode()
    beat(name="worker:celery@host")
    page = admin_client.get(PAGE).content.decode()

    assert "no worker, no beat and no watchdog run" in nobody
    assert "worker:celery@host" in page
    assert re.search(r"\d\s+s ago", page)


def test_a_probe_is_told_of_warnings_and_of_what_the_server_works_without(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [
        Check("gate", lambda: None, gates_readiness=True),
        Check("tight", says(CheckWarning("Nearly.")), is_probed=True),
        Check("inner", says(CheckFailed("Nobody's business.")), is_probed=False),
    ]
    entries = {check.name: check for check in checks}
    monkeypatch.setattr(registry.checks, "entries", entries)

    warned = client.get("/health/ready", headers={"accept-language": "ru"})
    entries["lost"] = Check("lost", says(CheckFailed("No worker has given a sign of life.")), is_probed=True)
    degraded = client.get("/health/ready", headers={"accept-language": "ru"})
    entries["gate"] = Check("gate", says(CheckWarning("Tired.")), gates_readiness=True)
    tired = client.get("/health/ready")
    entries["gate"] = Check("gate", says(CheckFailed("Gone.")), gates_readiness=True)
    failed = client.get("/health/ready")

    assert (warned.status_code, warned.json()["status"]) == (200, "ok")
    body = warned.json()["checks"]
    assert sorted(body) == ["gate", "tight"]
    assert {name: body["tight"][name] for name in ("ok", "warning", "detail")} == {
        "ok": True,
        "warning": True,
        "detail": "Nearly.",
    }
    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
    # Machines read it: in English, whatever is asked for.
    assert degraded.json()["checks"]["lost"]["detail"] == "No worker has given a sign of life."
    assert (tired.status_code, failed.status_code) == (200, 503)
    assert failed.json()["status"] == "failed"


def test_the_page_asks_little(admin_client: Client) -> None:
    admin_client.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        assert admin_client.get(PAGE).status_code == 200

    # Who asks, and what the menu shows; checks have connections of their own.
    assert len(queries) <= 10


def test_a_program_reads_the_same(admin_client: Client) -> None:
    beat(name="beat")
    body = admin_client.get("/api/v1/health/").json()

    assert body["state"] == "failed"
    assert [(one["name"], one["state"], one["detail"], one["advice"]) for one in body["checks"]] == [
        ("c", "failed", "It is gone.", "Fetch it back."),
        ("b", "warning", "9 % left", "Make room."),
        ("a", "ok", "3 of 3", ""),
    ]
    assert [(one["name"], one["is_silent"]) for one in body["signs_of_life"]] == [("beat", False)]
    assert admin_client.get("/api/v1/health/", {"all": "yes"}).status_code == 400
