"""The embedded Redis, really started, and the files that take its place where there is none."""

import importlib.util
import io
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from celery import Celery
from kombu import Connection, Exchange, Queue
from kombu.exceptions import OperationalError
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from foundation.programs.account import Account
from foundation.programs.program import Program
from project.embedded.console import Console
from project.embedded.errors import CannotStart
from project.embedded.leftovers import Record
from project.embedded.redis_server import Redis, file_broker, find_server
from project.embedded.supervisor import Supervisor
from project.settings import CELERY_TASK_PUBLISH_RETRY_POLICY, PATIENCE_WITH_REDIS
from tests.broker_in_files import new_broker

PASSWORD = "correct-horse"


@pytest.fixture
def server(home: Path, account: Account | None) -> Redis:
    return Redis(server=find_server(), home=home, log=home / "redis.log", password=PASSWORD, account=account)


@pytest.fixture
def port(server: Redis, launch) -> int:
    return server.start(launch, time.sleep)


def test_nobody_gets_in_without_the_password(server: Redis, port: int):
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port, retry=None).ping()
    assert redis.Redis.from_url(server.url(port, 0)).ping() is True


def test_neither_command_line_nor_other_accounts_see_the_password(server: Redis, port: int):
    assert (server.data / "redis.conf").stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o777 == 0o700
    process = next(
        connection.pid
        for connection in psutil.net_connections("tcp4")
        if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
    )
    assert PASSWORD not in " ".join(psutil.Process(process).cmdline())


def test_what_waits_in_the_queue_survives_kill_9_and_emptying_the_cache_does_not_touch_it(server: Redis):
    programs: list[Program] = []

    def launch(program: Program) -> None:
        programs.append(program)
        program.start()

    environment = server.environment(server.start(launch, time.sleep))
    broker = redis.Redis.from_url(environment["CELERY_BROKER_URL"])
    broker.lpush("celery", "a task")
    redis.Redis.from_url(environment["REDIS_URL"]).flushdb()
    # What was acknowledged is in the file; kill -9 loses no more than a power cut does within the second.
    programs[-1].kill()
    port = server.start(launch, time.sleep)
    again = redis.Redis.from_url(server.url(port, 0))
    assert again.lrange("celery", 0, -1) == [b"a task"]
    programs[-1].stop()


def test_who_hands_a_task_to_a_server_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery would prefer it to the address below
    with socket.create_server(("127.0.0.1", 0)) as hangs:  # it takes connections and never answers
        sender = Celery(broker=f"redis://127.0.0.1:{hangs.getsockname()[1]}/0", set_as_current=False)
        sender.conf.broker_transport_options = PATIENCE_WITH_REDIS
        sender.conf.task_publish_retry_policy = CELERY_TASK_PUBLISH_RETRY_POLICY
        with pytest.raises(OperationalError, match="Timeout"):
            sender.send_task("coffee")


def test_killed_it_comes_back_with_what_was_in_the_queue(server: Redis, tmp_path: Path):
    supervisor = Supervisor(Console(io.StringIO(), io.StringIO()), Record(tmp_path / "processes.json"))
    port = server.start(supervisor.launch, supervisor.pause)
    patient = Retry(ConstantBackoff(0.05), 200)
    broker = redis.Redis.from_url(
        server.url(port, 0), retry=patient, retry_on_error=[redis.ConnectionError, redis.BusyLoadingError]
    )
    broker.lpush("celery", "a task")
    (program,) = supervisor.programs
    program.process.kill()
    program.process.wait()
    supervisor.check()
    assert broker.lrange("celery", 0, -1) == [b"a task"]
    supervisor.stop()


@pytest.mark.as_root
def test_as_root_it_runs_under_an_account_without_rights(server: Redis, account: Account):
    programs: list[Program] = []
    server.start(lambda program: (programs.append(program), program.start()), time.sleep)
    uids = psutil.Process(programs[-1].pid).uids()
    programs[-1].stop()
    assert uids == (account.uid,) * 3


def test_a_server_that_does_not_start_is_quoted(server: Redis, home: Path, launch):
    (server.data / "appendonly.aof").write_text("this is no such file\n")
    with pytest.raises(CannotStart, match="Redis did not start: Bad file format reading the append only file"):
        server.start(launch, time.sleep)


def test_a_redis_server_on_the_path_is_the_second_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server() is None
    (tmp_path / "redis-server").write_text("#!/bin/sh\n")
    (tmp_path / "redis-server").chmod(0o755)
    assert find_server() == tmp_path / "redis-server"


@pytest.fixture
def broker_in_files(tmp_path: Path) -> Iterator[Connection]:
    variables = new_broker(tmp_path / "Чайная лавка")
    options = json.loads(variables["CELERY_BROKER_TRANSPORT_OPTIONS"])
    with Connection(variables["CELERY_BROKER_URL"], transport_options=options) as connection:
        yield connection


def test_without_redis_messages_pass_through_files(broker_in_files: Connection):
    exchange = Exchange("celery", type="direct")
    queue = Queue("celery", exchange, routing_key="celery")
    received = []
    with broker_in_files.Producer() as producer:
        producer.publish({"drink": "улун"}, declare=[queue], routing_key="celery", exchange=exchange)
    with broker_in_files.Consumer([queue], callbacks=[lambda body, message: (received.append(body), message.ack())]):
        broker_in_files.drain_events(timeout=5)
    assert received == [{"drink": "улун"}]


def test_the_folder_of_messages_is_closed_to_others(tmp_path: Path):
    file_broker(tmp_path)
    assert (tmp_path / "broker" / "queue").stat().st_mode & 0o777 == 0o700
