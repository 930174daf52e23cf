"""Backups and the receiver of WAL follow the leader: what was backed up before a failover is recovered after it."""

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backups.engine import receiver
from backups.engine.physical import take_physical
from backups.engine.programs import programs_in
from backups.engine.receiver import receive_wal, receiver_state, slot_state
from backups.engine.recovery import Beside, recover_beside
from backups.engine.repository import Repository
from backups.engine.targets import Target
from backups.engine.wal_archive import LEFT
from backups.engine.wal_check import check_wal
from backups.engine.wal_names import Archive, Segment, parse_lsn
from backups.errors import ServerGone
from project.embedded.cluster.node import Node
from tests.backups.cluster import wait_until
from tests.cluster.nodes import Nodes, cut_off

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for the receiver's next start."""
    monkeypatch.setattr(receiver, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(receiver, "LONGEST_PAUSE", 0.5)


@pytest.fixture
def archive(repository: Repository, nodes: Nodes) -> Iterator[Repository]:
    """A repository whose WAL is being received."""
    nodes.sql("CREATE TABLE IF NOT EXISTS sales (id bigserial PRIMARY KEY, what text NOT NULL)")
    nodes.sql("TRUNCATE sales")
    with receiving(repository, nodes):
        yield repository


@contextmanager
def receiving(repository: Repository, nodes: Nodes) -> Iterator[None]:
    is_over = threading.Event()
    thread = threading.Thread(
        target=receive_wal, args=(repository, nodes.server), kwargs={"is_stopped": is_over.is_set}
    )
    thread.start()
    try:
        wait_until(lambda: slot_state(nodes.server, receiver.SLOT).active)
        yield
    finally:
        is_over.set()
        thread.join(30)
        assert not thread.is_alive()


def sell(nodes: Nodes, what: str) -> datetime.datetime:
    """Writes a row, and returns a moment at which it is there and the next one is not."""
    nodes.sql("INSERT INTO sales (what) VALUES (%s)", what)
    moment: datetime.datetime = nodes.value("SELECT clock_timestamp()")
    return moment


def received(nodes: Nodes) -> bool:
    """Whether all that the leader has written is in the archive."""
    reached = nodes.value("SELECT pg_current_wal_flush_lsn()::text")
    state = slot_state(nodes.server, receiver.SLOT)
    return state.active and parse_lsn(state.restart_lsn) >= parse_lsn(reached)


def recover(repository: Repository, nodes: Nodes, moment: datetime.datetime) -> Beside:
    return recover_beside(
        repository,
        Target(time=moment),
        folder=nodes.cluster.home / "recovery",
        programs=programs_in(nodes.programs_folder),
        server=nodes.server,
    )


def sold(beside: Beside) -> list[Any]:
    return [what for (what,) in beside.server.ask("SELECT what FROM sales ORDER BY id")]


def fail_over(nodes: Nodes) -> Node:
    """Kills the leading server and waits for the next leader."""
    killed = nodes.leader()
    nodes.kill_server(killed)
    nodes.wait_for_another(killed)
    return killed


def test_moments_before_and_after_a_failover_are_recovered(nodes: Nodes, archive: Repository):
    full = take_physical(archive, nodes.server)
    before = sell(nodes, "Чай до 🍵")
    sell(nodes, "Чай перед сбоем")
    timeline = nodes.server.facts().timeline
    fail_over(nodes)
    sell(nodes, "Чай после сбоя")
    wait_until(lambda: nodes.value("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)") != f"{timeline:08X}")
    after = sell(nodes, "Чай потом")
    sell(nodes, "Чай ещё позже")
    wait_until(lambda: received(nodes), seconds=60)

    report = check_wal(archive, server=nodes.server)
    assert [finding.sentence for finding in report.findings] == []
    with recover(archive, nodes, before) as beside:
        assert sold(beside) == ["Чай до 🍵"]
    with recover(archive, nodes, after) as beside:
        assert sold(beside) == ["Чай до 🍵", "Чай перед сбоем", "Чай после сбоя", "Чай потом"]
        assert beside.recovered.backup_id == full.id

    nodes.wait_until_whole()
    incremental = take_physical(archive, nodes.server, base=full)
    assert incremental.manifest.base_id == full.id
    last = sell(nodes, "Чай напоследок")
    sell(nodes, "Чай сверх того")
    wait_until(lambda: received(nodes), seconds=60)
    with recover(archive, nodes, last) as beside:
        assert sold(beside)[-2:] == ["Чай ещё позже", "Чай напоследок"]
        assert beside.recovered.backup_id == incremental.id
    assert check_wal(archive, server=nodes.server).findings == ()


def test_wal_that_the_next_leader_never_had_is_left_aside(nodes: Nodes, archive: Repository):
    """The receiver is not a standby that COMMIT waits for: it may be ahead of all of them when the leader dies."""
    take_physical(archive, nodes.server)
    before = sell(nodes, "Чай до 🍵")
    wait_until(lambda: received(nodes))
    with cut_off(nodes) as leader:
        writer = threading.Thread(target=write_three_segments, args=(nodes,))
        writer.start()
        first = len(complete(archive))
        wait_until(lambda: len(complete(archive)) >= first + 2, seconds=60)
        nodes.kill_server(leader)
    writer.join(60)
    nodes.wait_for_another(leader)
    after = sell(nodes, "Чай после сбоя")
    sell(nodes, "Чай потом")
    wait_until(lambda: received(nodes), seconds=60)

    assert list((archive.wal / LEFT).iterdir()) != []
    assert [finding.sentence for finding in check_wal(archive, server=nodes.server).findings] == []
    with recover(archive, nodes, before) as beside:
        assert sold(beside) == ["Чай до 🍵"]
    with recover(archive, nodes, after) as beside:
        assert sold(beside) == ["Чай до 🍵", "Чай после сбоя"]
    assert receiver_state(archive).gaps == []


def complete(repository: Repository) -> dict[str, Segment]:
    return Archive.read(repository.wal, segment_size=16 * 1024**2).complete


def write_three_segments(nodes: Nodes) -> None:
    """One transaction that reaches the archive and no standby; its COMMIT is never answered."""
    with pytest.raises(ServerGone):
        nodes.sql("INSERT INTO sales (what) SELECT repeat(md5(i::text), 3) FROM generate_series(1, 400000) AS i")
