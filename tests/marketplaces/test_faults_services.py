"""PostgreSQL and Redis go away in the middle of the work and come back: nothing is lost, nothing is done twice."""

import contextlib
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis
from celery import current_app
from django.db import InterfaceError, OperationalError, connection
from kombu import pools

from marketplaces import tasks
from marketplaces.choices import Marketplace
from project.embedded.redis_server import find_server
from tests.marketplaces.edge import Edge
from tests.marketplaces.standin import Standin
from tests.marketplaces.trading import GRAMS, Trade, assert_nothing_is_lost_or_doubled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    return Edge.around(monkeypatch)


@pytest.fixture(params=list(Marketplace))
def trade(request: pytest.FixtureRequest, standin: Standin) -> Trade:
    standin.is_checking = False
    trade = Trade.begin(standin, request.param)
    trade.go_round()
    return trade


# --- PostgreSQL ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def maintenance() -> Iterator[Any]:
    """A connection beside the shop's database, as whoever restarts the server has one."""
    settings = {**connection.get_connection_params(), "dbname": "postgres"}
    settings.pop("cursor_factory", None)
    other = psycopg2.connect(**settings)
    other.autocommit = True
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def shut_down() -> None:
    """What a restart does to the shop: all its connections are cut, and no new one is taken."""
    name = connection.settings_dict["NAME"]
    with maintenance() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        cursor.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])


def start_again() -> None:
    with maintenance() as cursor:
        cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" ALLOW_CONNECTIONS true')


def test_a_database_that_goes_away_in_mid_run_and_stays_away_costs_time_and_nothing_else(
    standin: Standin, trade: Trade, edge: Edge
) -> None:
    """At each call of a round in turn; the worker finds nobody there until the round is over, and then dies of it."""
    number = 0
    is_struck = True
    while is_struck:
        number += 1
        trade.buy()
        # More than what is sold: so there is a quantity to write.
        trade.shop.receive({trade.beans: 2 * GRAMS})
        edge.strike("before", number, shut_down)
        try:
            with contextlib.suppress(OperationalError, InterfaceError):
                trade.go_round()
        finally:
            start_again()
            connection.close()
        is_struck = len(edge.calls) >= number
        trade.wait()
    assert number > 8
    edge.forget()
    trade.recover()
    assert trade.statuses() == {"completed": number}
    assert_nothing_is_lost_or_doubled(standin, trade.account)


@pytest.mark.slow
def test_a_database_that_was_restarted_is_gone_on_with_at_once_where_that_is_possible(
    standin: Standin, trade: Trade, edge: Edge
) -> None:
    """It is back by the time that anybody asks it again."""

    def restart() -> None:
        shut_down()
        start_again()

    calls = 0
    for number in range(1, 12):
        trade.buy()
        trade.shop.receive({trade.beans: 2 * GRAMS})
        edge.strike("after", number, restart)
        with contextlib.suppress(OperationalError, InterfaceError):
            trade.go_round()
        connection.close()
        calls = max(calls, len(edge.calls))
        trade.wait()
    assert calls >= 8
    edge.forget()
    trade.recover()
    assert trade.statuses() == {"completed": 11}
    assert_nothing_is_lost_or_doubled(standin, trade.account)
    assert ("failed", "database") in trade.runs()


# --- Redis --------------------------------------------------------------------------------------------


def quiet_port() -> int:
    """A free one that the system gives to nobody by itself: it is free too while the broker is stopped."""
    while True:
        port = random.randint(20_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Broker:
    """A Redis of this test's own, which can be stopped and started, and one worker that takes what it is sent."""

    def __init__(self, folder: Path) -> None:
        self.port = quiet_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([str(find_server()), *options], stdout=subprocess.DEVNULL)
        client = redis.Redis(port=self.port)
        for _attempt in range(200):
            with contextlib.suppress(redis.ConnectionError, redis.BusyLoadingError):
                client.ping()
                return
            time.sleep(0.05)
        raise AssertionError("Redis did not start")

    def stop(self) -> None:
        """Without a word, and what was in its queue is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def work_off(self) -> list[str]:
        """Does what was sent so far, and what that sends, and returns the names of the tasks."""
        done: list[str] = []
        with current_app.connection_for_read(self.url) as link, link.SimpleQueue("celery") as queue:
            while True:
                try:
                    message = queue.get(block=False)
                except queue.Empty:
                    return done
                name, (arguments, keywords, _embedded) = message.headers["task"], message.payload
                message.ack()
                current_app.tasks[name](*arguments, **keywords)
                done.append(name.removeprefix("marketplaces.tasks."))


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    broker.start()
    before = current_app.conf.broker_url, current_app.conf.broker_write_url
    # Celery would prefer it to the address below.
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    use_broker(broker.url, broker.url)
    yield broker
    use_broker(*before)
    broker.stop()


def use_broker(url: str | None, write_url: str | None) -> None:
    current_app.conf.broker_url, current_app.conf.broker_write_url = url, write_url
    # What was opened leads to the other one.
    pools.reset()
    current_app._pool = current_app.amqp._producer_pool = None


def beat() -> None:
    """What beat sends every half a minute, as far as it comes."""
    for task in (tasks.start_due_syncs, tasks.carry_on_operations, tasks.push_changed_quantities):
        with contextlib.suppress(Exception):
            task()


@pytest.mark.parametrize("trade", [Marketplace.OZON, Marketplace.WILDBERRIES], indirect=True)
def test_while_redis_is_gone_orders_are_read_and_kept_and_afterwards_beat_finds_all_again(
    standin: Standin, trade: Trade, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    # With Redis: an order goes all its way by messages.
    trade.buy()
    trade.wait()
    tasks.start_due_syncs()
    sent = broker.work_off()
    assert {"sync_orders", "import_stock", "run_operations", "push_quantities"} <= set(sent)
    assert trade.statuses() == {"completed": 1}

    # A message is on its way when Redis dies with it; a run is going on, whose messages nobody takes.
    trade.buy(2)
    trade.wait()
    tasks.start_due_syncs()
    broker.stop()
    tasks.sync_orders(str(trade.account.pk))
    # The log says that the message could not be sent, and why.
    assert any("on_commit" in record.getMessage() and "refused" in record.getMessage() for record in caplog.records)
    assert trade.statuses() == {"completed": 1, "pending": 2}
    # Beat itself goes on with what is due, without any message; quantities have to wait.
    trade.buy(1)
    trade.wait()
    beat()
    assert trade.statuses() == {"completed": 3}

    broker.start()
    trade.wait()
    for _half_a_minute in range(2):
        beat()
        broker.work_off()
        trade.wait()
    assert trade.statuses() == {"completed": 4}
    assert {status for status, _kind in trade.runs()} == {"success"}
    assert_nothing_is_lost_or_doubled(standin, trade.account)
