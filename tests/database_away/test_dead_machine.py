"""A machine that answers nothing at all."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import connection

from foundation.database.leader import LastLeader
from monitoring.checks import database
from tests.backups.cluster import Cluster
from tests.database_away.bar import Bar
from tests.database_away.conftest import point_at


class Silent:
    """Takes connections and never says a word; counts them."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.taken: list[socket.socket] = []

    def callers(self) -> int:
        while True:
            try:
                self.taken.append(self.listener.accept()[0])
            except BlockingIOError:
                return len(self.taken)

    def close(self) -> None:
        for caller in [self.listener, *self.taken]:
            caller.close()


@pytest.fixture
def dead() -> Iterator[Silent]:
    machine = Silent()
    yield machine
    machine.close()


def test_at_the_head_of_the_list_it_is_tried_once_and_then_last(
    away: Cluster, dead: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LastLeader, "place", None)
    both = replace(
        away.server,
        host="127.0.0.1,127.0.0.1",
        port=f"{dead.port},{away.port}",
        options={"target_session_attrs": "read-write"},
    )
    with monkeypatch.context() as patch:
        point_at(both, patch)
        bar = Bar()
        assert dead.callers() == 1
        for _time in range(3):
            connection.close()
            assert bar.order().status_code == 201
        # A probe has a connection of its own.
        database()
        assert (dead.callers(), bar.sold()) == (1, 3)


@pytest.mark.on_linux
def test_one_that_dies_behind_a_connection_is_given_up(away: Cluster) -> None:
    """As the kernel is told: it is what notices."""
    connection.ensure_connection()
    end = socket.socket(fileno=connection.connection.fileno())
    try:
        asked = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        told = [end.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in asked]
        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    finally:
        end.detach()
    assert told == [5, 2, 2, 9_000]
