"""A real web server of two processes and a real worker: whoever answers tells what all of them did."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests
from celery import Celery
from django.conf import settings
from django.db import connection
from prometheus_client.multiprocess import MultiProcessCollector

from tests.backups.cluster import wait_until
from tests.broker_in_files import new_broker
from tests.monitoring.measuring.told import value, values
from tests.project.test_bootstrap import free_port

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TASK = "orders.tasks.carry_on_stalled_batches"
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """That of a shop with the tests' database, a broker of its own, and a folder in which it counts."""
    base = settings.DATABASES["default"]
    who = f"{base['USER']}:{base['PASSWORD']}" if base["PASSWORD"] else base["USER"]
    broker = new_broker(tmp_path)
    # Celery takes this variable before the broker that a program names: it is this process's too.
    monkeypatch.setenv("CELERY_BROKER_URL", broker["CELERY_BROKER_URL"])
    return {
        **os.environ,
        **broker,
        "DATABASE_URL": f"postgres://{who}@{base['HOST']}:{base['PORT']}/{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
        "MAINTENANCE_FILE": str(tmp_path / "maintenance.json"),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "HTTPS": "0",
    }


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts programs of the shop, and stops them afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("ab") as log:
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", *arguments],
                    cwd=settings.BASE_DIR,
                    env=environment,
                    stdout=log,
                    stderr=log,
                )
            )
        return started[-1]

    yield run
    for process in started:
        process.terminate()
    for process in started:
        process.wait(60)


class Web:
    """The shop's web server; `answered` is how often it did so with 200."""

    def __init__(self, start: Start) -> None:
        self.address, self.answered = f"http://127.0.0.1:{free_port()}", 0
        host = self.address.removeprefix("http://")
        self.process = start(
            *("gunicorn", "project.wsgi", "--bind", host, "--workers", "2", "--threads", "2", "--no-control-socket")
        )
        wait_until(self.is_open, seconds=90)

    def is_open(self) -> bool:
        try:
            return self.ask("/health/live").ok
        except requests.RequestException:
            return False

    def ask(self, path: str) -> requests.Response:
        """On a connection of its own, so that either process may answer. One who gave up too early would be counted and
        not know it."""
        response = requests.get(self.address + path, timeout=120)
        self.answered += response.ok
        return response

    def metrics(self) -> str:
        response = self.ask("/metrics")
        assert response.ok, response.text
        return response.text

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


def answered_by(folder: Path, pid: int) -> float:
    """How often this one process answered."""
    families = MultiProcessCollector.merge([str(file) for file in folder.glob(f"counter_{pid}.db")])
    samples = [sample for family in families for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == "samovar_http_responses_total")


def test_whoever_answers_tells_what_all_did_also_after_one_was_killed(start: Start, tmp_path: Path) -> None:
    folder, web = tmp_path / "metrics", Web(start)

    def both_have_answered() -> bool:
        web.ask("/health/live")
        pids = [worker.pid for worker in web.workers()]
        return len(pids) == 2 and all(answered_by(folder, pid) for pid in pids)

    def check() -> None:
        for _time in range(6):
            before = web.answered
            text = web.metrics()
            # Its own answer is counted when it has been given.
            assert value(text, "samovar_http_responses_total", "200") == before
            assert value(text, "samovar_processes", "web") == 2
            assert value(text, "samovar_process_memory_bytes", "web") > 50_000_000

    wait_until(both_have_answered)
    assert sum(answered_by(folder, worker.pid) for worker in web.workers()) == web.answered
    check()

    killed = web.workers()[0]
    killed.kill()
    wait_until(lambda: killed.pid not in [worker.pid for worker in web.workers()] and both_have_answered(), seconds=90)
    check()
    assert not list(folder.glob(f"*_{killed.pid}.db"))
    assert (folder.stat().st_mode & 0o777) == 0o700


def test_the_worker_counts_with_the_web_server(start: Start, environment: dict[str, str], tmp_path: Path) -> None:
    web = Web(start)
    app = Celery(broker=environment["CELERY_BROKER_URL"])
    app.conf.broker_transport_options = json.loads(environment["CELERY_BROKER_TRANSPORT_OPTIONS"])
    for _time in range(3):
        app.send_task(TASK)
    app.send_task("orders.tasks.nothing_of_this_name")
    assert value(web.metrics(), "samovar_queue_length", "celery") == 4
    worker = start(*("celery", "--app", "project", "--quiet", "worker", "--concurrency", "2", "--loglevel", "INFO"))

    def done() -> str:
        text = web.metrics()
        is_done = value(text, "samovar_task_seconds_count", "success", TASK) == 3
        # The length of the queue is read again when it is ten seconds old.
        return text if is_done and value(text, "samovar_queue_length", "celery") == 0 else ""

    text = wait_until(done, seconds=90)
    # The parent and its two children.
    assert value(text, "samovar_processes", "worker") == 3
    assert value(text, "samovar_task_wait_seconds_count") == 3
    # Of the task that nobody knows.
    assert {program for program, _type in values(text, "samovar_errors_total")} == {"worker"}

    worker.terminate()
    worker.wait(60)
    text = web.metrics()
    assert value(text, "samovar_processes", "worker") == 0
    assert value(text, "samovar_task_seconds_count", "success", TASK) == 3
