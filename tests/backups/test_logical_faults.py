"""What may go wrong while a database is saved or loaded: it is said, the shop is as it was, nothing half is left."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg2
import pytest

from backups.engine.logical import discard_unfinished, restore_all, take_logical, verify_logical
from backups.engine.manifest import Kind
from backups.engine.repository import Repository, Stored
from backups.errors import BackupFailed, DiskIsFull, Interrupted, NotWritable, ServerGone, TablesInUse
from tests.backups import dumped
from tests.backups.assembled import fill, small_disk
from tests.backups.cluster import Cluster, wait_until

pytestmark = pytest.mark.slow

SHOP = "shop"


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Cluster:
    """The server with a shop's database on it."""
    cluster.sql("CREATE DATABASE shop", database="postgres")
    dumped.fill(cluster, SHOP)
    return cluster


@pytest.fixture(autouse=True)
def nothing_else_is_touched(shop: Cluster, large: str) -> Iterator[None]:
    """Whatever a test does, the shop is as it was, and only its databases are there."""
    before, names = dumped.look(shop, SHOP), dumped.databases(shop.server)
    yield
    assert dumped.look(shop, SHOP) == before
    assert dumped.databases(shop.server) == names


def left_in(repository: Repository) -> list[Path]:
    return list((repository.root / Kind.LOGICAL).iterdir())


@pytest.fixture(scope="module")
def large(shop: Cluster) -> str:
    """A database that takes a while to save and to load."""
    shop.sql("CREATE DATABASE large", database="postgres")
    shop.sql(
        "CREATE TABLE noise AS SELECT id, sha256(id::text::bytea) || sha256((-id)::text::bytea) AS data"
        " FROM generate_series(1, 150000) AS id",
        database="large",
    )
    return "large"


@pytest.fixture(scope="module")
def saved(shop: Cluster, large: str, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A backup of it, which no test changes."""
    repository = Repository(tmp_path_factory.mktemp("saved") / "backups")
    repository.make()
    return take_logical(repository, shop.server.of(large))


def children(name: str) -> list[psutil.Process]:
    """Our tools of this name, and what they started."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.name() == name:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.mark.parametrize("which", [0, -1], ids=["the tool", "its worker"])
def test_a_killed_dump_leaves_nothing(shop: Cluster, large: str, repository: Repository, which: int) -> None:
    killed = kill_soon("pg_dump", which, at_least=3)
    with pytest.raises((Interrupted, BackupFailed)):
        take_logical(repository, shop.server.of(large))
    assert killed.is_set()
    assert left_in(repository) == []
    assert children("pg_dump") == []


@pytest.mark.parametrize("which", [0, -1], ids=["the tool", "its worker"])
def test_a_killed_restore_leaves_no_database(shop: Cluster, saved: Stored, which: int) -> None:
    killed = kill_soon("pg_restore", which, at_least=3)
    with pytest.raises((Interrupted, BackupFailed)):
        restore_all(saved, shop.server, "restored")
    assert killed.is_set()
    assert children("pg_restore") == []
    assert verify_logical(saved) == []


def kill_soon(name: str, which: int, *, at_least: int) -> threading.Event:
    """Kills one of our tools as soon as it and its workers run."""
    killed = threading.Event()

    def kill() -> None:
        found = wait_until(lambda: len(some := children(name)) >= at_least and sorted(some, key=lambda one: one.pid))
        found[which].send_signal(signal.SIGKILL)
        killed.set()

    threading.Thread(target=kill, daemon=True).start()
    return killed


def test_who_stops_it_stops_it(
    shop: Cluster, large: str, saved: Stored, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Asked often, or a tool that is quick is done before.
    monkeypatch.setattr("backups.engine.children.LOOK_EVERY", 0.005)
    with pytest.raises(Interrupted):
        take_logical(repository, shop.server.of(large), is_stopped=lambda: bool(children("pg_dump")))
    assert left_in(repository) == []
    with pytest.raises(Interrupted):
        restore_all(saved, shop.server, "restored", is_stopped=lambda: bool(children("pg_restore")))
    assert children("pg_dump") + children("pg_restore") == []


def test_what_a_killed_process_was_at_is_found_and_dropped(
    shop: Cluster, large: str, saved: Stored, repository: Repository
) -> None:
    kill_when_at_it(lambda: take_logical(repository, shop.server.of(large)), "pg_dump")
    (partial,) = left_in(repository)
    assert repository.backups() == []
    assert repository.discard_leftovers() == [partial.name.removesuffix(".partial")]

    kill_when_at_it(lambda: restore_all(saved, shop.server, "half ½"), "pg_restore")
    assert "half ½" not in dumped.databases(shop.server)
    (left,) = discard_unfinished(shop.server)
    assert left.startswith("samovar_unfinished_")
    assert discard_unfinished(shop.server) == []


def kill_when_at_it(work: Callable[[], object], name: str) -> None:
    """Does the work in a process of its own, which is killed in the middle; its tools go with it."""
    process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(1)
    tools = wait_until(lambda: len(some := children(name)) >= 3 and some)
    os.kill(process, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    wait_until(lambda: not any(tool.is_running() and tool.status() != psutil.STATUS_ZOMBIE for tool in tools))


def test_a_table_that_is_locked_is_not_waited_for_forever(
    shop: Cluster, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups.engine.counting.LOCK_PATIENCE", "100ms")
    with shop.server.connected(database=SHOP) as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE drinks IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TablesInUse, match="Somebody holds a table locked, as a migration does"):
            take_logical(repository, shop.server.of(SHOP))
        connection.rollback()
    assert left_in(repository) == []


def test_a_server_that_is_gone_says_so(shop: Cluster, saved: Stored, repository: Repository) -> None:
    nowhere = replace(shop.server, port="1")
    with pytest.raises(ServerGone, match=r"The database server at 127\.0\.0\.1:1 does not answer: "):
        take_logical(repository, nowhere)
    with pytest.raises(ServerGone, match=r"The database server at 127\.0\.0\.1:1 does not answer: "):
        restore_all(saved, nowhere, "restored")
    assert left_in(repository) == []


@pytest.mark.parametrize("name", ["pg_dump", "pg_restore"])
def test_a_server_that_goes_away_in_the_middle_leaves_nothing(
    shop: Cluster, large: str, saved: Stored, repository: Repository, name: str
) -> None:
    is_restore = name == "pg_restore"

    def kill_server() -> None:
        wait_until(lambda: len(children(name)) >= 3)
        shop.kill()

    killer = threading.Thread(target=kill_server, daemon=True)
    killer.start()
    try:
        with pytest.raises(ServerGone, match=r"went away|does not answer"):
            restore_all(saved, shop.server, "restored") if is_restore else take_logical(
                repository, shop.server.of(large)
            )
    finally:
        killer.join()
        shop.start()
    assert left_in(repository) == []
    # The server could not be told to drop what was half loaded: the next one does.
    assert "restored" not in dumped.databases(shop.server)
    assert len(discard_unfinished(shop.server)) == (1 if is_restore else 0)


def test_a_user_who_may_not_make_databases_is_told(shop: Cluster, saved: Stored) -> None:
    shop.sql("CREATE ROLE clerk LOGIN PASSWORD 'x'", database="postgres")
    clerk = replace(shop.server, user="clerk", password="x")
    with pytest.raises(BackupFailed, match=r"may not do this \(permission denied to create database\): give clerk"):
        restore_all(saved, clerk, "restored")
    shop.sql("DROP ROLE clerk", database="postgres")


@pytest.mark.as_root
def test_a_disk_without_room_is_refused_before_anything_is_written(shop: Cluster, large: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=40) as disk:
        small = Repository(disk / "backups")
        small.make()
        with pytest.raises(DiskIsFull, match=r"has (39|40) MB left and 5\d MB are needed\. Make room on it"):
            take_logical(small, shop.server.of(large))
        assert left_in(small) == []


@pytest.mark.as_root
def test_a_disk_that_gets_full_meanwhile_leaves_no_half_backup(shop: Cluster, large: str, tmp_path: Path) -> None:
    full: list[Path] = []

    def fill_it(stage: str, share: float | None) -> None:
        if not full:
            full.append(fill(disk, leave=5 * 1024**2))

    with small_disk(tmp_path / "disk", megabytes=150) as disk:
        small = Repository(disk / "backups")
        small.make()
        with pytest.raises(DiskIsFull, match=r"The disk that holds .+ is full\. Make room on it, then try again\.$"):
            take_logical(small, shop.server.of(large), progress=fill_it)
        assert left_in(small) == []
        full[0].unlink()
        assert verify_logical(take_logical(small, shop.server.of(large))) == []


@pytest.mark.as_root
def test_a_server_whose_disk_gets_full_says_whose_it_is(shop: Cluster, saved: Stored) -> None:
    with small_disk(shop.home / "disk", megabytes=8, options=",mode=0777") as disk:
        (disk / "space").mkdir()
        shutil.chown(disk / "space", psutil.Process(shop.programs[-1].pid).uids().real)
        shop.sql(f"CREATE TABLESPACE small LOCATION '{disk / 'space'}'", database="postgres")
        shop.sql("ALTER SYSTEM SET default_tablespace = small", database="postgres")
        shop.sql("SELECT pg_reload_conf()", database="postgres")
        wait_until(lambda: shop.value("SHOW default_tablespace") == "small")
        try:
            with pytest.raises(DiskIsFull, match=r"The disk that holds the database server at 127\.0\.0\.1:.+ is full"):
                restore_all(saved, shop.server, "restored")
        finally:
            shop.sql("ALTER SYSTEM RESET default_tablespace", database="postgres")
            shop.sql("SELECT pg_reload_conf()", database="postgres")
            wait_until(lambda: shop.value("SHOW default_tablespace") == "")
            shop.sql("DROP TABLESPACE small", database="postgres")


@pytest.mark.as_root
def test_a_folder_that_can_not_be_written_to_says_so(shop: Cluster, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", megabytes=100, options=",ro") as disk,
        pytest.raises(NotWritable, match=r"can't be written to \(Read-only file system\)"),
    ):
        take_logical(Repository(disk), shop.server.of(SHOP))


def test_the_shop_goes_on_while_it_is_saved(shop: Cluster, large: str, repository: Repository) -> None:
    written: list[int] = []

    def write(stage: str, share: float | None) -> None:
        with shop.server.connected(database=large) as connection, connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
            try:
                cursor.execute("INSERT INTO noise VALUES (0, '') RETURNING 1")
                written.extend(one for (one,) in cursor.fetchall())
            except psycopg2.Error as error:
                pytest.fail(str(error))

    stored = take_logical(repository, shop.server.of(large), progress=write)
    assert len(written) >= 3
    # One was written before the snapshot was taken.
    assert stored.manifest.tables == {"public.noise": 150_001}
