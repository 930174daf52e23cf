"""The database goes away under a worker: the task is begun again, and lost in no case."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.db import connection
from pytest_django import Settings

from backups import waiting
from backups.maintenance import note_swap
from backups.waiting import PatientTask
from foundation.database.waiting import absence
from inventory.models import Category
from tests.backups.cluster import Cluster, wait_until
from tests.database_away.meanwhile import send_away

pytestmark = pytest.mark.slow


class Work:
    """A worker of a test's own, whose broker is in memory. `task` makes a task of a function."""

    def __init__(self) -> None:
        self.app = Celery("test", task_cls=PatientTask, broker="memory://", set_as_current=False)
        self.app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, task_ignore_result=True)

    def task(self, work: Callable[..., Any]) -> Any:
        return self.app.task(name=work.__name__, shared=False)(work)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        with start_worker(self.app, perform_ping_check=False, pool="solo"):
            yield


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture(autouse=True)
def patient(away: Cluster, settings: Settings, tmp_path: Any) -> None:
    settings.DATABASE_PATIENCE = 30
    settings.MAINTENANCE_FILE = tmp_path / "maintenance.json"


def test_a_task_whose_server_is_killed_is_begun_again_when_it_is_back(away: Cluster, work: Work) -> None:
    begun, times = threading.Event(), []

    @work.task
    def write() -> None:
        times.append("begun")
        Category.objects.get_or_create(name="Of a task")
        begun.set()
        if len(times) == 1:
            wait_until(lambda: not away.programs[-1].is_running())
        Category.objects.filter(name="Of a task").update(position=7)

    with work.going_on():
        write.delay()
        assert begun.wait(30)
        away.kill()
        wait_until(lambda: absence.is_on)
        away.start()
        wait_until(lambda: Category.objects.filter(name="Of a task", position=7).exists())
    assert times == ["begun", "begun"]


def test_a_task_waits_for_a_server_that_is_away_when_it_comes(away: Cluster, work: Work) -> None:
    counts: list[int] = []

    @work.task
    def count() -> None:
        counts.append(Category.objects.filter(name="Nobody").count())

    away.kill()
    with work.going_on():
        count.delay()
        wait_until(lambda: absence.is_on)
        away.start()
        wait_until(lambda: counts == [0])


def test_after_its_patience_it_goes_back_to_the_broker_and_comes_again(
    away: Cluster, work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_PATIENCE = 0.1
    monkeypatch.setattr(waiting, "RETURNS_AFTER", 0.1)
    returns: list[tuple[int, float]] = []
    done: list[int] = []

    @work.app.task(name="returning", shared=False, bind=True)
    def returning(self: Any) -> None:
        returns.append((self.request.retries, self.request.sent_at))
        Category.objects.exists()
        done.append(self.request.retries)

    away.kill()
    with work.going_on():
        returning.delay()
        wait_until(lambda: len(returns) > 3)
        away.start()
        wait_until(lambda: done)
    numbers = [number for number, _sent_at in returns]
    last = numbers[-1]
    # The server may come back while the task still waits for it: then it begins again without a return.
    assert [number for number, _times in groupby(numbers)] == list(range(last + 1))
    assert done == [last]
    assert last >= 3
    assert len({sent_at for _number, sent_at in returns}) == 1, "each return is as old as the task"


def test_a_task_is_not_begun_again_in_another_database(away: Cluster, work: Work) -> None:
    begun, ended = [], threading.Event()

    @work.task
    def of_the_old_one() -> None:
        connection.ensure_connection()
        note_swap()
        # What is asked for from now on is asked of the other one.
        begun.append("begun")
        send_away()
        Category.objects.exists()

    @work.task
    def next_one() -> None:
        ended.set()

    with work.going_on():
        of_the_old_one.delay()
        wait_until(lambda: begun)
        next_one.delay()
        assert ended.wait(30)
    assert begun == ["begun"]


def test_another_error_is_the_tasks_own(work: Work) -> None:
    begun, ended = [], threading.Event()

    @work.task
    def wrong() -> None:
        begun.append("begun")
        with connection.cursor() as cursor:
            cursor.execute("SELECT nobody")

    @work.task
    def next_one() -> None:
        ended.set()

    with work.going_on():
        wrong.delay()
        next_one.delay()
        assert ended.wait(30)
    assert begun == ["begun"]


def test_a_task_that_breaks_its_connection_each_time_ends_some_time(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "RETURNS_AFTER", 0.01)
    monkeypatch.setattr(waiting, "MOST_RETURNS", 2)
    begun, ended = [], threading.Event()

    @work.task
    def breaking() -> None:
        begun.append("begun")
        connection.ensure_connection()
        send_away()
        Category.objects.exists()

    @work.task
    def next_one() -> None:
        ended.set()

    with work.going_on():
        breaking.delay()
        wait_until(lambda: len(begun) == waiting.MOST_REPEATS * (waiting.MOST_RETURNS + 1))
        next_one.delay()
        assert ended.wait(30)
    assert len(begun) == 9
