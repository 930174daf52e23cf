"""Recovery beside the running server: exactly what was committed by then, and nothing of the running one touched."""

import datetime
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backups.engine.physical import take_physical
from backups.engine.repository import Repository
from backups.engine.targets import Target
from backups.errors import WrongTarget
from tests.backups.archive import receiving
from tests.backups.cluster import Cluster, running_cluster, wait_until
from tests.backups.recovering import clock, left_nothing, numbers, recover, written

SECOND = datetime.timedelta(seconds=1)


@pytest.fixture(scope="module")
def cluster(cluster: Cluster) -> Cluster:
    """Nothing but the tests commits anything."""
    cluster.sql("ALTER SYSTEM SET autovacuum = off")
    cluster.sql("SELECT pg_reload_conf()")
    cluster.sql("CREATE TABLE sales (id bigserial PRIMARY KEY, what text NOT NULL)")
    return cluster


@pytest.fixture
def archive(repository: Repository, cluster: Cluster) -> Iterator[Repository]:
    """A repository whose WAL is being received."""
    with receiving(repository, cluster):
        yield repository
    cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def sell(cluster: Cluster, what: str = "Чай 🍵") -> int:
    number: int = cluster.value("INSERT INTO sales (what) VALUES (%s) RETURNING id", what)
    return number


def test_a_table_that_was_dropped_is_there_again(archive: Repository, cluster: Cluster) -> None:
    cluster.sql("CREATE TABLE guests (id int PRIMARY KEY, name text)")
    backup = take_physical(archive, cluster.server)
    cluster.sql("INSERT INTO guests VALUES (1, 'Жанна 🧋'), (2, 'Ян')")
    moment = clock(cluster)
    cluster.sql("DROP TABLE guests")

    with left_nothing(cluster), recover(archive, cluster, Target(time=moment), server=cluster.server) as beside:
        assert beside.server.ask("SELECT id, name FROM guests ORDER BY id") == [(1, "Жанна 🧋"), (2, "Ян")]
        assert beside.recovered.backup_id == backup.id
        assert beside.recovered_to is not None
        assert beside.recovered_to <= moment
        assert beside.recovered.warnings == ()
    assert cluster.value("SELECT to_regclass('guests')") is None


class Seller(threading.Thread):
    """Sells without a pause, each row committed on its own. `acknowledged`: {id: when the server had said that it is
    committed}, by the clock of this machine."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self.cluster = cluster
        self.acknowledged: dict[int, datetime.datetime] = {}
        self.ends = threading.Event()

    def run(self) -> None:
        with self.cluster.server.connected() as connection, connection.cursor() as cursor:
            while not self.ends.is_set():
                cursor.execute("INSERT INTO sales (what) VALUES ('Ананасовый чай 🍍') RETURNING id")
                row = cursor.fetchone()
                assert row is not None
                self.acknowledged[row[0]] = datetime.datetime.now(datetime.UTC)


@contextmanager
def selling(cluster: Cluster, sellers: int) -> Iterator[list[Seller]]:
    """Sellers at work; at the end of the block they have stopped, and each had sold something in it."""
    team = [Seller(cluster) for _number in range(sellers)]
    for seller in team:
        seller.start()
    try:
        wait_until(lambda: all(seller.acknowledged for seller in team))
        yield team
    finally:
        for seller in team:
            seller.ends.set()
            seller.join()


def committed(cluster: Cluster) -> list[tuple[int, datetime.datetime]]:
    """The rows of the running server, with the time of their commit."""
    return [
        (number, at) for number, at in cluster.sql("SELECT id, pg_xact_commit_timestamp(xmin) FROM sales ORDER BY id")
    ]


def test_while_somebody_sells_each_moment_has_exactly_what_was_committed_by_then(
    archive: Repository, cluster: Cluster
) -> None:
    with selling(cluster, 1):
        full = take_physical(archive, cluster.server)
        second = take_physical(archive, cluster.server, base=full)
        cluster.switch_wal()
        third = take_physical(archive, cluster.server)
        enough = len(committed(cluster)) + 200
        wait_until(lambda: len(committed(cluster)) > enough)
        last = clock(cluster)
    sold = committed(cluster)

    first = full.manifest.consistent_at
    assert first is not None
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    moments = [first + (last - first) * chance.random() for _number in range(4)]
    begun_from = set()
    for moment in [*moments, first, last]:
        with left_nothing(cluster), recover(archive, cluster, Target(time=moment), server=cluster.server) as beside:
            expected = [number for number, at in sold if at <= moment]
            assert numbers(beside.server.ask) == expected, f"seed {seed}, moment {moment}"
            assert beside.recovered_to == max(at for _number, at in sold if at <= moment) or not expected
            begun_from.add(beside.recovered.backup_id)
    assert {full.id, third.id} <= begun_from <= {full.id, second.id, third.id}


def test_of_several_sellers_nothing_acknowledged_before_is_missing_and_nothing_later_is_there(
    archive: Repository, cluster: Cluster
) -> None:
    with selling(cluster, 3) as team:
        take_physical(archive, cluster.server)
        begin = clock(cluster)
        wait_until(lambda: all(max(seller.acknowledged.values()) > begin + SECOND / 2 for seller in team))
        moment = begin + SECOND / 4
    acknowledged = {number: at for seller in team for number, at in seller.acknowledged.items()}
    with recover(archive, cluster, Target(time=moment), server=cluster.server) as beside:
        there = set(numbers(beside.server.ask))
    assert {number for number, at in acknowledged.items() if at <= moment} <= there
    assert there <= {number for number, at in committed(cluster) if at <= moment}


def test_a_database_that_was_dropped_is_there_before_and_not_after(repository: Repository, cluster: Cluster) -> None:
    cluster.sql("CREATE DATABASE annex", database="postgres")
    cluster.sql("CREATE TABLE sales (id int)", database="annex")
    annex = cluster.server.of("annex")
    with receiving(repository, cluster):
        take_physical(repository, annex)
        cluster.sql("INSERT INTO sales VALUES (77)", database="annex")
        moment = clock(cluster)
        cluster.sql("DROP DATABASE annex", database="postgres")
        written(cluster)
    cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    with recover(repository, cluster, Target(time=moment)) as beside:
        assert numbers(beside.server.ask) == [77]
    with pytest.raises(WrongTarget, match=r"^There was no database annex at that moment: the end of the WAL\.$"):
        recover(repository, cluster, Target.latest())


def test_a_moment_on_either_side_of_a_new_timeline(repository: Repository, tmp_path: Path) -> None:
    """The server is promoted in between, as the one that takes over after a failure."""
    with running_cluster(tmp_path) as cluster:
        cluster.sql("ALTER SYSTEM SET autovacuum = off")
        cluster.sql("CREATE TABLE sales (id int)")
        with receiving(repository, cluster):
            first = take_physical(repository, cluster.server)
            cluster.sql("INSERT INTO sales VALUES (1)")
            before = clock(cluster)
            cluster.sql("INSERT INTO sales VALUES (2)")
            written(cluster)
        cluster.stop()
        (cluster.data / "standby.signal").touch()
        cluster.start()
        assert cluster.value("SELECT pg_promote()")
        with receiving(repository, cluster):
            cluster.sql("INSERT INTO sales VALUES (3)")
            after = clock(cluster)
            second = take_physical(repository, cluster.server)
            cluster.sql("INSERT INTO sales VALUES (4)")
            later = clock(cluster)
            cluster.sql("INSERT INTO sales VALUES (5)")
            written(cluster)
        assert (first.manifest.timeline, second.manifest.timeline) == (1, 2)
        for moment, backup, sales in [(before, first, [1]), (after, first, [1, 2, 3]), (later, second, [1, 2, 3, 4])]:
            with recover(repository, cluster, Target(time=moment)) as beside:
                assert numbers(beside.server.ask) == sales
                assert beside.recovered.backup_id == backup.id


def test_what_is_still_being_received_is_ahead_of_what_the_backup_brought_along(
    archive: Repository, cluster: Cluster
) -> None:
    with selling(cluster, 1):
        backup = take_physical(archive, cluster.server)
        wait_until(lambda: clock(cluster) > (backup.manifest.consistent_at or clock(cluster)) + SECOND / 10)
        moment = clock(cluster)
    (partial,) = archive.wal.glob("*.partial")
    # The copy goes on a little behind the end of the backup, into the segment that nobody has completed yet.
    beginning = backup.data / "pg_wal" / partial.name.removesuffix(".partial")
    beginning.write_bytes(partial.read_bytes()[:8192].ljust(backup.manifest.segment_size, b"\0"))
    with recover(archive, cluster, Target(time=moment), server=cluster.server) as beside:
        assert numbers(beside.server.ask) == [number for number, at in committed(cluster) if at <= moment]
