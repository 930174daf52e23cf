"""Signs of life: given by programs that work, taken back by those that end, missed where somebody died."""

import datetime

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.db import connections
from django_celery_beat.models import PeriodicTasks

from monitoring.errors import CheckFailed, CheckWarning
from monitoring.heartbeat_checks import beat_lives, workers_live
from monitoring.models import Heartbeat
from monitoring.services.heartbeats import BEAT, EVERY, Pulse, PulseThread, beat, fall_silent
from monitoring.worker_step import PulseStep
from project.beat import PatientScheduler
from tests.backups.cluster import wait_until
from tests.monitoring.apart import no_signs_of_life, run_apart

__all__ = ["no_signs_of_life"]

pytestmark = pytest.mark.usefixtures("no_signs_of_life")


def names() -> list[str]:
    return list(Heartbeat.objects.values_list("name", flat=True))


def make_older(name: str, seconds: float) -> None:
    run_apart("UPDATE monitoring_heartbeat SET at = at - make_interval(secs => %s) WHERE name = %s", [seconds, name])


def test_a_program_has_one_sign_which_gets_younger() -> None:
    beat(name="beat")
    make_older("beat", 600)
    older = Heartbeat.objects.get().at

    beat(name="beat")

    assert Heartbeat.objects.get().at - older > datetime.timedelta(seconds=599)


def test_one_that_died_is_forgotten_after_an_hour() -> None:
    for name in ("worker:a", "worker:b"):
        beat(name=name)
    make_older("worker:a", 3500)
    make_older("worker:b", 3601)

    beat(name="beat")

    assert names() == ["beat", "worker:a"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_a_worker_gives_signs_while_it_works_and_takes_them_back_at_its_end() -> None:
    app = Celery("test", broker="memory://", set_as_current=False)
    app.steps["consumer"].add(PulseStep)

    with start_worker(app, perform_ping_check=False, pool="solo"):
        wait_until(lambda: bool(names()))
        (name,) = names()
        assert workers_live() == "Workers: 1."

    assert name.startswith("worker:")
    assert names() == []


def test_a_worker_whose_loop_hangs_gives_none() -> None:
    thread = PulseThread("worker:hanging")
    thread.turned_at -= thread.HANGS_AFTER + 1

    thread.look()
    assert names() == []

    thread.turn()
    thread.look()
    assert names() == ["worker:hanging"]


def test_a_pulse_asks_the_database_once_in_fifteen_seconds() -> None:
    pulse = Pulse("beat")
    pulse.give()
    make_older("beat", 100)
    given = Heartbeat.objects.get().at

    pulse.give()
    assert Heartbeat.objects.get().at == given

    assert pulse.last is not None
    pulse.last -= EVERY
    pulse.give()
    assert Heartbeat.objects.get().at > given


@pytest.mark.django_db(transaction=True)
def test_beat_gives_signs_while_it_ticks_and_takes_them_back() -> None:
    PeriodicTasks.update_changed()
    scheduler = PatientScheduler(app=Celery("test", broker="memory://", set_as_current=False), lazy=True)

    scheduler.tick()
    assert names() == ["beat"]
    beat_lives()

    scheduler.close()
    assert names() == []


def test_a_database_that_is_away_disturbs_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = Pulse(BEAT)

    with monkeypatch.context() as patch:
        patch.setitem(connections.settings["default"], "PORT", "1")
        pulse.give()
        assert pulse.is_lost
        pulse.end()


def test_no_worker_is_a_failed_check() -> None:
    with pytest.raises(CheckFailed, match=r"^No worker has given a sign of life\.$"):
        workers_live()


def test_a_shop_whose_workers_all_fell_silent_is_told_since_when() -> None:
    for name, age in (("worker:a", 120), ("worker:b", 240)):
        beat(name=name)
        make_older(name, age)
    last = Heartbeat.objects.get(name="worker:a").at

    with pytest.raises(CheckFailed, match=f"since {last:%Y-%m-%d %H:%M} UTC"):
        workers_live()


def test_one_silent_worker_of_two_is_a_warning() -> None:
    beat(name="worker:a")
    beat(name="worker:b")
    make_older("worker:b", 46)

    with pytest.raises(CheckWarning, match=r"^1 of 2 workers give no sign of life\.$"):
        workers_live()

    fall_silent(name="worker:b")
    assert workers_live() == "Workers: 1."


@pytest.mark.parametrize(("age", "is_missed"), [(30, False), (46, True)])
def test_three_missed_signs_are_a_failure(age: int, is_missed: bool) -> None:
    beat(name="beat")
    make_older("beat", age)

    if is_missed:
        with pytest.raises(CheckFailed, match="no sign of life since"):
            beat_lives()
    else:
        beat_lives()
