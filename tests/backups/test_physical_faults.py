"""Physical backups on bad days: what is killed, stopped, full or gone leaves no half backup that looks whole."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import django
import psutil
import pytest

from backups.engine.physical import assemble, take_physical, verify_physical
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.errors import BackupFailed, DiskIsFull, Interrupted, NotWritable, ServerGone
from tests.backups.assembled import fill, small_disk
from tests.backups.cluster import Cluster, wait_until

pytestmark = pytest.mark.slow

SLOW = 256  # kilobytes in a second: whoever interrupts comes in time


def folders(repository: Repository) -> list[Path]:
    return list((repository.root / "physical").iterdir())


def children_named(name: str) -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if child.name() == name:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def back_up_slowly(root: Path, server: Server) -> None:
    django.setup()
    take_physical(Repository(root), server, max_rate_kb=SLOW)


def test_a_killed_keeper_leaves_what_looks_half_and_can_be_cleared_away(
    cluster: Cluster, repository: Repository
) -> None:
    keeper = multiprocessing.get_context("spawn").Process(
        target=back_up_slowly, args=(repository.root, cluster.server), daemon=True
    )
    keeper.start()
    try:
        wait_until(lambda: any((repository.root / "physical").glob("*.partial/data/*/*")), seconds=60)
        family = psutil.Process(keeper.pid)
        # The guard, the copy, and its WAL, which it begins a moment later.
        tools = wait_until(lambda: len(found := family.children(recursive=True)) == 3 and found)
    finally:
        keeper.kill()
        keeper.join()
    assert psutil.wait_procs(tools, timeout=30)[1] == []
    (half,) = folders(repository)
    assert repository.backups() == []
    assert repository.discard_leftovers() == [half.name.removesuffix(".partial")]
    assert folders(repository) == []
    wait_until(lambda: cluster.sql("SELECT slot_name FROM pg_replication_slots") == [])


@pytest.mark.parametrize(
    ("which", "sentence"),
    [
        (0, r"^pg_basebackup was killed \(SIGKILL\)\.$"),
        (1, r"^pg_basebackup failed with exit code 1: .+ background process terminated unexpectedly$"),
    ],
    ids=["the-copy", "its-wal"],
)
def test_a_killed_copy_leaves_nothing_behind(
    cluster: Cluster, repository: Repository, which: int, sentence: str
) -> None:
    killed = []

    def kill(stage: str, share: float | None) -> None:
        if share is not None and not killed:
            # The one receives the files, its own child the WAL.
            killed.append(wait_until(lambda: len(found := children_named("pg_basebackup")) == 2 and found)[which])
            killed[0].kill()

    with pytest.raises(BackupFailed, match=sentence):
        take_physical(repository, cluster.server, max_rate_kb=SLOW, progress=kill)
    assert len(killed) == 1
    assert folders(repository) == []
    assert children_named("pg_basebackup") == []


def test_a_stopped_backup_leaves_nothing_behind(cluster: Cluster, repository: Repository) -> None:
    copying = []
    with pytest.raises(Interrupted, match=r"^It was stopped\.$"):
        take_physical(
            repository,
            cluster.server,
            max_rate_kb=SLOW,
            progress=lambda stage, share: copying.append(share),
            is_stopped=lambda: bool(copying and copying[-1] is not None),
        )
    assert folders(repository) == []
    wait_until(lambda: cluster.sql("SELECT slot_name FROM pg_replication_slots") == [])


def test_a_stopped_assembly_leaves_nothing_behind(cluster: Cluster, repository: Repository, tmp_path: Path) -> None:
    stored = take_physical(repository, cluster.server)
    asked = iter(range(20))
    with pytest.raises(Interrupted):
        assemble(repository, stored, tmp_path / "target", is_stopped=lambda: next(asked) == 10)
    assert not (tmp_path / "target").exists()


def test_a_server_that_is_not_there_is_named(repository: Repository) -> None:
    nobody = Server("127.0.0.1", "1", "samovar", "", "samovar")
    with pytest.raises(ServerGone, match=r"^The database server at 127\.0\.0\.1:1 does not answer: "):
        take_physical(repository, nobody)
    assert folders(repository) == []


def test_a_server_that_dies_in_the_middle_leaves_no_backup(cluster: Cluster, repository: Repository) -> None:
    dead = []

    def kill(stage: str, share: float | None) -> None:
        if share is not None and not dead:
            cluster.kill()
            dead.append(True)

    try:
        with pytest.raises(ServerGone):
            take_physical(repository, cluster.server, max_rate_kb=SLOW, progress=kill)
    finally:
        cluster.start()
    assert dead == [True]
    assert folders(repository) == []
    assert cluster.value("SELECT 1") == 1


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Repository]:
    with small_disk(tmp_path / "disk", megabytes=300) as folder:
        made = Repository(folder / "backups")
        made.make()
        yield made


@pytest.mark.as_root
def test_a_disk_without_room_is_refused_before_anything_is_copied(cluster: Cluster, disk: Repository) -> None:
    fill(disk.root, leave=150 * 1024**2)
    with pytest.raises(DiskIsFull, match=r"has 1(49|50) MB left and 2\d\d MB are needed\. Make room on it"):
        take_physical(disk, cluster.server)
    assert folders(disk) == []


@pytest.mark.as_root
def test_a_disk_that_gets_full_meanwhile_leaves_no_half_backup(cluster: Cluster, disk: Repository) -> None:
    full = []

    def fill_it(stage: str, share: float | None) -> None:
        if share is not None and not full:
            full.append(fill(disk.root))

    with pytest.raises(DiskIsFull, match=r"is full\. Make room on it, then try again\.$"):
        take_physical(disk, cluster.server, max_rate_kb=4096, progress=fill_it)
    assert folders(disk) == []
    full[0].unlink()
    assert verify_physical(take_physical(disk, cluster.server)) == []


@pytest.mark.as_root
def test_a_full_disk_stops_an_assembly(cluster: Cluster, repository: Repository, tmp_path: Path) -> None:
    stored = take_physical(repository, cluster.server)
    with small_disk(tmp_path / "disk", megabytes=100) as folder:
        with pytest.raises(DiskIsFull, match=r"has \d+ MB left and 1\d\d MB are needed"):
            assemble(repository, stored, folder / "target")
        assert list(folder.iterdir()) == []


@pytest.mark.as_root
def test_a_folder_that_can_not_be_written_to_says_so(cluster: Cluster, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", megabytes=300, options=",ro") as folder,
        pytest.raises(NotWritable, match=r"can't be written to \(Read-only file system\)"),
    ):
        take_physical(Repository(folder), cluster.server)
