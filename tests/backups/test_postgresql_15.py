"""The oldest PostgreSQL that the shop runs on: all that backups do, but for incremental ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backups.engine.incremental import newest_base
from backups.engine.logical import restore_all, restore_tables, take_logical, verify_logical
from backups.engine.physical import take_physical, verify_physical
from backups.engine.programs import embedded_folder, programs_in
from backups.engine.receiver import receiver_state
from backups.engine.recovery import recover_beside
from backups.engine.repository import Repository
from backups.engine.targets import Target
from backups.engine.wal_check import check_wal
from backups.engine.wal_refetch import mend_wal
from backups.errors import NoPrograms, WrongVersion
from tests.backups import dumped, real_shop
from tests.backups.archive import promote, receiving, write
from tests.backups.cluster import Cluster, running_cluster
from tests.backups.dumped import databases, look
from tests.backups.older import PostgreSQL15
from tests.backups.recovering import clock, folder_of, left_nothing, numbers, recover, written

pytestmark = [pytest.mark.postgresql15, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("older"), make=PostgreSQL15) as running:
        running.sql("ALTER SYSTEM SET autovacuum = off")
        # What was received is still there, to be fetched again.
        running.sql("ALTER SYSTEM SET wal_keep_size = '1GB'")
        running.sql("SELECT pg_reload_conf()")
        running.sql("CREATE TABLE sales (id bigserial PRIMARY KEY, what text NOT NULL)")
        yield running


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("newer")) as running:
        yield running


@pytest.fixture(autouse=True)
def its_tools(cluster: Cluster, settings: Any) -> None:
    settings.PG_PROGRAMS = cluster.postgres.programs


@pytest.fixture
def archive(repository: Repository, cluster: Cluster) -> Iterator[Repository]:
    """A repository whose WAL is being received."""
    with receiving(repository, cluster):
        yield repository
    cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def sell(cluster: Cluster) -> None:
    cluster.sql("INSERT INTO sales (what) VALUES ('Чай 🍵')")


def test_a_logical_backup_brings_everything_back(repository: Repository, cluster: Cluster) -> None:
    assert cluster.server.facts().major == 15
    cluster.sql("CREATE DATABASE shop")
    dumped.fill(cluster, "shop")
    was = look(cluster, "shop")
    stored = take_logical(repository, cluster.server.of("shop"))
    assert verify_logical(stored) == []
    assert stored.manifest.tables == dumped.ROWS
    restore_all(stored, cluster.server, "restored")
    assert look(cluster, "restored") == was

    cluster.sql("DROP TABLE lines CASCADE", database="restored")
    restore_tables(stored, cluster.server, "restored", ["lines", "orders"], replace=True)
    assert look(cluster, "restored") == was


@pytest.mark.slow
def test_the_shop_itself_runs_on_it_and_is_restored(repository: Repository, cluster: Cluster) -> None:
    cluster.sql("CREATE DATABASE cafe")
    server = cluster.server.of("cafe")
    real_shop.run("migrate", server)
    shop = real_shop.run("make", server)
    restore_all(take_logical(repository, server), cluster.server, "cafe_restored")
    assert real_shop.run("sell", cluster.server.of("cafe_restored")) == shop
    assert (len(shop["orders"]), shop["stock"], shop["differing"]) == (3, ["8800.000"], 0)


def test_a_dump_goes_to_a_newer_server_and_none_comes_back(
    repository: Repository, cluster: Cluster, newer: Cluster, settings: Any
) -> None:
    cluster.sql("CREATE DATABASE growing")
    dumped.fill(cluster, "growing")
    older = take_logical(repository, cluster.server.of("growing"))
    with pytest.raises(NoPrograms, match=r"^The server is PostgreSQL 18, and the tools in .+ are of version 15"):
        restore_all(older, newer.server, "grown")

    settings.PG_PROGRAMS = newer.postgres.programs
    restore_all(older, newer.server, "grown")
    counts = newer.sql("SELECT (SELECT count(*) FROM drinks), (SELECT count(*) FROM lines)", database="grown")
    assert counts == [(6, 5)]
    grown = take_logical(repository, newer.server.of("grown"))

    before = databases(cluster.server)
    for programs in (newer.postgres.programs, cluster.postgres.programs):
        settings.PG_PROGRAMS = programs
        with pytest.raises(WrongVersion, match="was made of PostgreSQL 18, and this server is 15"):
            restore_all(grown, cluster.server, "shrunk")
    assert databases(cluster.server) == before


def test_each_moment_is_recovered_from_a_full_backup_and_its_wal(archive: Repository, cluster: Cluster) -> None:
    backup = take_physical(archive, cluster.server)
    assert verify_physical(backup) == []
    was = numbers(cluster.sql)
    sell(cluster)
    moment = clock(cluster)
    sell(cluster)
    cluster.switch_wal()
    for target, sales in ((Target(time=moment), 1), (Target.as_backed_up(), 0)):
        with left_nothing(cluster), recover(archive, cluster, target, server=cluster.server) as beside:
            assert beside.server.facts().major == 15
            assert len(numbers(beside.server.ask)) == len(was) + sales


def test_an_incremental_backup_is_refused_and_the_daily_one_is_full(archive: Repository, cluster: Cluster) -> None:
    full = take_physical(archive, cluster.server)
    with pytest.raises(
        WrongVersion,
        match=r"^PostgreSQL 15 makes no incremental backups: version 17 is the first\. Make a full one\.$",
    ):
        take_physical(archive, cluster.server, base=full)
    assert newest_base(archive, cluster.server) is None
    assert [stored.id for stored in archive.backups()] == [full.id]


def test_the_newer_tools_copy_it_and_only_its_own_recover_it(
    archive: Repository, cluster: Cluster, settings: Any
) -> None:
    settings.PG_PROGRAMS = embedded_folder()
    backup = take_physical(archive, cluster.server)
    assert verify_physical(backup) == []
    with pytest.raises(WrongVersion, match=r"is of PostgreSQL 15,.+reads that of 18.+name the folder of version 15"):
        recover_beside(
            archive, Target.as_backed_up(), folder=folder_of(cluster), programs=programs_in(embedded_folder())
        )
    settings.PG_PROGRAMS = cluster.postgres.programs
    assert verify_physical(backup) == []
    with left_nothing(cluster), recover(archive, cluster, Target.as_backed_up()) as beside:
        assert numbers(beside.server.ask) == numbers(cluster.sql)


def test_damage_is_found_in_its_files_and_in_its_wal_and_fetched_again(archive: Repository, cluster: Cluster) -> None:
    backup = take_physical(archive, cluster.server)
    write(cluster, 50)
    cluster.switch_wal()
    name = cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn())")
    write(cluster, 50)
    cluster.switch_wal()
    write(cluster, 50)
    written(cluster)
    assert receiver_state(archive).gaps == []
    assert mend_wal(archive, cluster.server)[0].findings == ()

    flip(archive.wal / name, 8192 + 100)
    flip(backup.data / "PG_VERSION", 0)
    assert [finding.segment for finding in check_wal(archive, server=cluster.server).findings] == [name]
    assert [sentence for sentence in verify_physical(backup) if "PG_VERSION" in sentence] != []
    report, done = mend_wal(archive, cluster.server)
    assert (report.findings, done.fetched) == ((), [name])


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def test_a_moment_on_either_side_of_a_new_timeline(repository: Repository, tmp_path: Path) -> None:
    with running_cluster(tmp_path, make=PostgreSQL15) as cluster:
        cluster.sql("CREATE TABLE sales (id bigserial PRIMARY KEY, what text NOT NULL)")
        with receiving(repository, cluster):
            take_physical(repository, cluster.server)
            sell(cluster)
            before = clock(cluster)
            sell(cluster)
            written(cluster)
        promote(cluster)
        with receiving(repository, cluster):
            sell(cluster)
            after = clock(cluster)
            sell(cluster)
            written(cluster)
        for moment, sales in ((before, 1), (after, 3)):
            with recover(repository, cluster, Target(time=moment)) as beside:
                assert len(numbers(beside.server.ask)) == sales
        assert check_wal(repository).findings == ()
