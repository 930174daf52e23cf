"""The watchdog as a program: alerts arrive without Celery, once each and in order, whenever it is killed."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from django.db import connection

from inventory.services.low_stock import LOW_STOCK
from monitoring.models import Alert, Delivery
from monitoring.services.alerts import notify, resolve
from monitoring.spool import Spool
from tests.backups import cluster
from tests.marketplaces.faulty_server import Received
from tests.monitoring.watchdog.program import Hook, Program, running_hook
from tests.monitoring.watching import channel, rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


# Starting a program takes its time on a machine that is busy.
wait_until = partial(cluster.wait_until, seconds=120.0)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with running_hook() as running:
        yield running


@pytest.fixture
def program(transactional_db: None, spool: Spool, hook: Hook, tmp_path: Path) -> Iterator[Program]:
    """Not started yet. One channel, to which everything goes at once."""
    rule(channel(address=hook.url), events=[LOW_STOCK], group_seconds=0)
    program = Program(tmp_path / "log")
    yield program
    if program.process is not None and program.process.poll() is None:
        program.kill()


def happen(subject: str) -> None:
    notify(event=LOW_STOCK, subject=subject, message=f"{subject} is low")


def all_is_sent() -> bool:
    is_planned = not Alert.objects.filter(dispatched_at=None).exists()
    return is_planned and not Delivery.objects.exclude(status="sent").exists()


def told(hook: Hook) -> list[str]:
    """What a receiver has heard of that knows keys, in order."""
    unique = {request.headers["Idempotency-Key"]: request.json for request in hook.server.received}
    return [alert["subject"] for body in unique.values() for alert in body["data"]["alerts"]]


def test_without_a_worker_and_a_broker_alerts_arrive_in_order(program: Program, hook: Hook) -> None:
    happen("milk")
    program.start()
    wait_until(lambda: len(hook.texts) == 1)
    happen("tea")
    wait_until(lambda: len(hook.texts) == 2)
    resolve(event=LOW_STOCK, subjects=["milk"])
    wait_until(lambda: len(hook.texts) == 3)

    assert [text.partition(" after ")[0] for text in hook.texts] == ["milk is low", "tea is low", "Back to normal"]
    assert len(set(hook.keys)) == len(hook.keys) == 3
    assert program.stop() == 0
    assert Delivery.objects.filter(status="sent").count() == 3


def test_a_second_one_refuses_in_a_sentence(program: Program, spool: Spool, tmp_path: Path) -> None:
    program.start()
    wait_until(lambda: "watchdog_begins" in program.words)
    second = Program(tmp_path / "second")
    second.start()

    assert second.process is not None
    assert second.process.wait(timeout=60) == 1
    assert (
        second.words
        == f"CommandError: The watchdog runs already: another one has {spool.folder}. Stop that one first.\n"
    )


@pytest.mark.parametrize("moment", ["planned", "received", "answered", "noted"])
def test_it_may_be_killed_at_any_moment(program: Program, hook: Hook, moment: str) -> None:
    killed = threading.Event()

    def kill() -> None:
        program.kill()
        killed.set()

    def kill_while_it_waits_for_the_answer(request: Received) -> None:
        if not killed.is_set():
            kill()

    if moment == "received":
        hook.before = kill_while_it_waits_for_the_answer
    program.start()
    happen("milk")
    match moment:
        case "planned":
            wait_until(lambda: Alert.objects.filter(dispatched_at__isnull=False).exists())
            kill()
        case "answered":
            wait_until(lambda: hook.texts)
            kill()
        case "noted":
            wait_until(lambda: Delivery.objects.filter(status="sent").exists())
            kill()
    wait_until(killed.is_set)
    happen("tea")
    program.start()
    wait_until(all_is_sent)

    assert told(hook) == ["milk", "tea"]
    # Twice is only what nobody can know of.
    assert len(hook.keys) - len(set(hook.keys)) in {"received": {1}, "noted": {0}}.get(moment, {0, 1})
    assert sorted(set(hook.keys)) == sorted(str(key) for key in Delivery.objects.values_list("key", flat=True))
    connection.close()


def test_killed_again_and_again_nothing_is_lost_and_nothing_out_of_order(program: Program, hook: Hook) -> None:
    """Alerts arise all the time, and it is killed whenever one has arrived, before the answer."""
    seen: list[str] = []
    over = threading.Event()

    def kill_now_and_then(request: Received) -> None:
        if len(seen) < 4 and request.headers["Idempotency-Key"] not in seen:
            seen.append(request.headers["Idempotency-Key"])
            program.kill()
            program.start()

    hook.before = kill_now_and_then
    program.start()
    for number in range(40):
        happen(f"{number:02}")
        over.wait(0.2)
    wait_until(all_is_sent)

    assert told(hook) == [f"{number:02}" for number in range(40)]
