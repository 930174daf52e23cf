"""Whichever child is killed, and whenever: what needed it ends in a sentence that names it, leaves nothing behind, and
works the next time. Others have their own tests: the receiver, servers that recover, who swaps, and the process of a
job itself."""

import random
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from backups.engine import children
from backups.engine.logical import restore_all, take_logical
from backups.engine.physical import take_physical
from backups.engine.place_wal import is_wal
from backups.engine.repository import Repository
from backups.engine.targets import Target
from backups.engine.wal_check import check_wal
from backups.engine.wal_refetch import mend_wal
from backups.errors import Interrupted
from tests.backups import dumped
from tests.backups.archive import catch_up, receiving
from tests.backups.cluster import Cluster, wait_until
from tests.backups.dumped import databases
from tests.backups.recovering import clock, folder_of, recover

pytestmark = pytest.mark.slow

Act = Callable[[], object]
START = children.start_tool
# Some tools are done before anybody could kill them: this one never begins.
KILLED = ["/bin/sh", "-c", "kill -KILL $$"]


@dataclass
class Killer:
    """Sees each child that is started; kills the one of this name, at its so many-th start, at once or a moment
    later."""

    name: str = ""
    turn: int = 1
    after: float = 0.0
    started: list[str] = field(default_factory=list)

    def start(self, command: Any, **options: Any) -> "subprocess.Popen[str]":
        # In front of a tool that forks stands its guard.
        name = Path(command[4] if command[0] == "/bin/sh" else command[0]).name
        self.started.append(name)
        if (name, self.started.count(name)) != (self.name, self.turn):
            return START(command, **options)
        if not self.after:
            return START(KILLED, **options)
        process = START(command, **options)
        threading.Timer(self.after, kill, [process.pid]).start()
        return process


def kill(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Cluster:
    cluster.sql("CREATE DATABASE shop")
    dumped.fill(cluster, "shop")
    # What was received is still there, to be fetched again.
    cluster.sql("ALTER SYSTEM SET wal_keep_size = '1GB'")
    cluster.sql("SELECT pg_reload_conf()")
    return cluster


@pytest.fixture
def received(repository: Repository, shop: Cluster) -> Iterator[Repository]:
    """With a full backup and two segments of WAL behind it."""
    with receiving(repository, shop):
        take_physical(repository, shop.server)
        for _number in range(2):
            shop.switch_wal()
        catch_up(shop)
        yield repository
    shop.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def everything(repository: Repository, cluster: Cluster, scratch: Path) -> list[object]:
    """All that an act may leave behind, here, on the server and in the system's folder for such things."""
    recoveries = folder_of(cluster)
    return [
        sorted(path.name for kind in ("physical", "logical") for path in (repository.root / kind).iterdir()),
        # More of the WAL comes in all the time.
        sorted(path.name for path in repository.wal.iterdir() if not is_wal(path.name)),
        list(recoveries.iterdir()) if recoveries.is_dir() else [],
        sorted(databases(cluster.server)),
        sorted(cluster.sql("SELECT slot_name FROM pg_replication_slots WHERE NOT temporary")),
        list(scratch.iterdir()),
        tools_that_run(),
    ]


def tools_that_run() -> list[str]:
    """Of our children, whoever starts them. One that ends while it is asked for its name runs no longer."""
    names = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            names.append(child.name())
    return [name for name in names if name.startswith("pg_")]


def is_as_it_was(before: list[object], repository: Repository, cluster: Cluster, scratch: Path) -> bool:
    return everything(repository, cluster, scratch) == before


def kill_each(
    act: Act,
    repository: Repository,
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """Carries it out with a child of each name killed in turn, and once more with a later one, of which nobody knows
    how far it is. Returns the names."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    seen = Killer()
    monkeypatch.setattr(children, "start_tool", seen.start)
    act()
    names = list(dict.fromkeys(seen.started))
    for name in names:
        monkeypatch.setattr(children, "start_tool", Killer(name).start)
        before = everything(repository, cluster, scratch)
        with pytest.raises(Interrupted, match=rf"^{name} was killed \(SIGKILL\)\.$"):
            act()
        wait_until(partial(is_as_it_was, before, repository, cluster, scratch))

    seed = random.randrange(10**9)
    chance = random.Random(seed)
    for name in names:
        late = Killer(name, turn=chance.randint(1, seen.started.count(name)), after=chance.uniform(0.001, 0.1))
        monkeypatch.setattr(children, "start_tool", late.start)
        # It may have been done by then.
        with suppress(Interrupted):
            act()
    monkeypatch.setattr(children, "start_tool", START)
    act()
    assert cluster.value("SELECT count(*) FROM drinks", database="shop") == 6, f"seed {seed}"
    return names


def test_of_a_logical_backup(
    repository: Repository, shop: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = kill_each(lambda: take_logical(repository, shop.server.of("shop")), repository, shop, tmp_path, monkeypatch)
    assert set(names) == {"pg_dump", "pg_restore"}


def test_of_its_restore(repository: Repository, shop: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = take_logical(repository, shop.server.of("shop"))

    def act() -> None:
        restore_all(stored, shop.server, "restored")
        shop.sql("DROP DATABASE restored")

    assert set(kill_each(act, repository, shop, tmp_path, monkeypatch)) == {"pg_restore"}


def test_of_an_incremental_backup(
    received: Repository, shop: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (full,) = received.backups()
    names = kill_each(lambda: take_physical(received, shop.server, base=full), received, shop, tmp_path, monkeypatch)
    assert set(names) == {"pg_basebackup", "pg_verifybackup"}


def test_of_a_recovery_from_one(
    received: Repository, shop: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_physical(received, shop.server, base=received.backups()[0])
    shop.switch_wal()
    moment = clock(shop)

    def act() -> None:
        recover(received, shop, Target(time=moment), server=shop.server).discard()

    names = kill_each(act, received, shop, tmp_path, monkeypatch)
    assert {"pg_waldump", "pg_combinebackup"} <= set(names)


def test_of_a_check_of_the_wal(
    received: Repository, shop: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = sorted(path for path in received.wal.iterdir() if path.suffix != ".partial")[-1]
    whole = damaged.read_bytes()

    def act() -> None:
        (received.root / "wal.json").unlink(missing_ok=True)
        assert check_wal(received, server=shop.server).findings == ()

    assert set(kill_each(act, received, shop, tmp_path, monkeypatch)) == {"pg_waldump"}
    damaged.write_bytes(bytes(len(whole)))
    monkeypatch.setattr(children, "start_tool", (killer := Killer("pg_receivewal")).start)
    with pytest.raises(Interrupted, match=r"^pg_receivewal was killed \(SIGKILL\)\.$"):
        mend_wal(received, shop.server)
    assert killer.started[-1] == "pg_receivewal"
    assert damaged.read_bytes() == bytes(len(whole))
    monkeypatch.setattr(children, "start_tool", START)
    assert mend_wal(received, shop.server)[1].fetched == [damaged.name]
    assert damaged.read_bytes() == whole
    assert [path.name for path in received.wal.iterdir() if not is_wal(path.name)] == []
