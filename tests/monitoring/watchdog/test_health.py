"""From checks that fail to alerts: after two failures in a row, once, until it is in order again."""

from pathlib import Path

import pytest
from django.utils import translation
from pytest_django import Settings

from monitoring.models import Alert
from monitoring.registry import Check, Event, checks, register_check, register_event
from monitoring.services.apart import Rest
from monitoring.services.checks import CheckResult
from monitoring.severity import Severity
from monitoring.watchdog.health import DOWN, FAILED, HealthWatch

pytestmark = pytest.mark.django_db(transaction=True)

FULL, LITTLE = "test.disk_full", "test.disk_little"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock, tmp_path: Path, settings: Settings) -> HealthWatch:
    settings.SPOOL_DIR = tmp_path / "spool"
    Rest.until = 0.0
    checks.entries.clear()
    register_event(Event(FULL, Severity.CRITICAL, "Full"))
    register_event(Event(LITTLE, Severity.WARNING, "Little"))
    return HealthWatch(clock=clock)


def check(name: str, **more: object) -> Check:
    register_check(made := Check(name, lambda: None, **more))
    return made


def fails(made: Check, message: str = "It fails.", **values: object) -> CheckResult:
    return CheckResult(made.name, is_ok=False, milliseconds=1, detail="", message=message, values=values)


def warns(made: Check) -> CheckResult:
    return CheckResult(made.name, is_ok=True, is_warning=True, milliseconds=1, message="Little is left.")


def fine(made: Check) -> CheckResult:
    return CheckResult(made.name, is_ok=True, milliseconds=1)


def told() -> list[tuple[str, str, str, int, bool]]:
    return [
        (alert.event, alert.subject, alert.message, alert.count, alert.resolved_at is None)
        for alert in Alert.objects.order_by("pk")
    ]


def test_two_failures_in_a_row_are_told_once_and_their_end(watch: HealthWatch) -> None:
    beat = check("beat", title="Beat")
    for result in (fails(beat), fine(beat), fails(beat)):
        watch.note(beat, result)
    assert told() == []

    watch.note(beat, fails(beat))
    watch.note(beat, fails(beat, "It fails still."))
    assert told() == [(FAILED, "beat", "Beat: It fails.", 1, True)]

    watch.note(beat, fine(beat))
    assert told() == [(FAILED, "beat", "Beat: It fails.", 1, False)]


def test_what_takes_the_server_out_of_service_is_critical(watch: HealthWatch) -> None:
    broker = check("broker", gates_readiness=True)
    watch.note(broker, fails(broker))
    watch.note(broker, fails(broker))

    alert = Alert.objects.get()
    assert (alert.event, alert.severity, alert.message) == (DOWN, "critical", "broker: It fails.")


def test_it_is_told_in_the_readers_language(watch: HealthWatch) -> None:
    beat = check("beat")
    watch.note(beat, fails(beat, "No answer in time."))
    watch.note(beat, fails(beat, "The last %(number)s %% of it", number=3))

    with translation.override("en"):
        assert Alert.objects.get().text == "beat: The last 3 % of it"


def test_a_warning_becomes_a_failure_and_a_warning_again(watch: HealthWatch) -> None:
    disk = check("disk", event=FULL, warning_event=LITTLE)
    for result in (warns(disk), warns(disk)):
        watch.note(disk, result)
    assert told() == [(LITTLE, "disk", "disk: Little is left.", 1, True)]

    for result in (fails(disk), fails(disk)):
        watch.note(disk, result)
    assert [(event, is_open) for event, *_rest, is_open in told()] == [(LITTLE, False), (FULL, True)]

    for result in (warns(disk), warns(disk), fine(disk)):
        watch.note(disk, result)
    assert [(event, is_open) for event, *_rest, is_open in told()] == [(LITTLE, False), (FULL, False), (LITTLE, False)]


def test_what_has_no_name_is_told_by_its_own_app(watch: HealthWatch) -> None:
    backups, sync = check("backups", event=""), check("sync")
    for _time in range(2):
        watch.note(backups, fails(backups))
        watch.note(sync, warns(sync))

    assert told() == []


def test_while_the_database_is_away_others_are_not_blamed(watch: HealthWatch, clock: Clock) -> None:
    database, worker, broker = check("database"), check("worker"), check("broker", needs_database=False)
    for one in (database, worker, broker) * 2:
        watch.note(one, fails(one))
    watch.note(database, fine(database))
    # Signs of life are still those of before.
    watch.note(worker, fails(worker))
    watch.note(worker, fails(worker))
    assert [(subject, is_open) for _event, subject, *_rest, is_open in told()] == [
        ("database", False),
        ("broker", True),
    ]

    clock.now += 61
    watch.note(worker, fails(worker))
    watch.note(worker, fails(worker))
    assert [subject for _event, subject, *_rest in told()] == ["database", "broker", "worker"]


def test_after_a_restart_what_is_in_order_again_is_closed(watch: HealthWatch) -> None:
    beat = check("beat")
    watch.note(beat, fails(beat))
    watch.note(beat, fails(beat))

    HealthWatch().note(beat, fine(beat))

    assert told() == [(FAILED, "beat", "beat: It fails.", 1, False)]


def test_each_check_has_its_own_pace(watch: HealthWatch, clock: Clock) -> None:
    runs: list[str] = []
    often = Check("often", lambda: runs.append("often"), every=15.0)
    rarely = Check("rarely", lambda: runs.append("rarely"), every=60.0)
    for _second in range(121):
        watch.look([often, rarely])
        clock.now += 1

    assert (runs.count("often"), runs.count("rarely")) == (8, 2)
