"""The database is gone altogether, or the whole machine is: the folder of the backups, or their copies elsewhere, bring
the shop back to a server that never saw it, with the commands alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from backups.engine.receiver import receiver_state
from backups.engine.repository import Repository
from tests.backups import real_shop
from tests.backups.cluster import running_cluster, wait_until
from tests.backups.terminal import Terminal, line_with

# Without it the tests' database, whose tables are taken, may not be there.
pytestmark = [pytest.mark.django_db, pytest.mark.slow]
OLD_KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(scope="module")
def left(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is left of a shop that sold four orders, the last one after its backups: its backups, and their copies on
    another disk. Its server is gone with all of its files."""
    folder = tmp_path_factory.mktemp("left")
    (folder / "elsewhere").mkdir()
    with running_cluster(folder) as cluster:
        terminal = Terminal(cluster, folder, **copies_in(folder, OLD_KEY))
        real_shop.open_on(cluster.server.of("postgres"), cluster.server.database, scratch=folder / "scratch")
        receiver = terminal.start("receive_wal")
        wait_until(lambda: cluster.value("SELECT count(*) FROM pg_replication_slots WHERE active") == 1)
        terminal.run("backup", "logical")
        terminal.run("backup", "physical")
        real_shop.run("sell", cluster.server)
        newest = cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn())")
        cluster.switch_wal()
        wait_until(lambda: list(folder.glob(f"elsewhere/wal/*/{newest}")))
        assert "Every segment is there and sound." in terminal.run("check_wal")
        receiver.terminate()
        receiver.wait(30)
        cluster.kill()
        home = cluster.home
    assert not home.exists()
    return folder


def copies_in(folder: Path, key: str) -> dict[str, str]:
    return {"BACKUP_PLACES": f"file://{folder}/elsewhere", "BACKUP_KEY": key, "BACKUP_WAL_SECONDS": "1"}


@pytest.fixture
def machine(left: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A new one with an empty server, on which nothing of the shop is yet."""
    with running_cluster(tmp_path) as cluster:
        yield Terminal(cluster, tmp_path)


def take_over_the_latest(terminal: Terminal) -> None:
    said = terminal.run("recover", "--latest")
    recovery = line_with(said, "--take-over").split()[-1]
    said = terminal.run("recover", "--take-over", recovery, "--yes")
    assert "samovar is what was restored now." in said
    assert terminal.orders() == 4
    assert real_shop.run("sell", terminal.cluster.server)["differing"] == 0
    assert terminal.orders() == 5


def test_from_the_folder_alone(left: Path, machine: Terminal) -> None:
    """To the last moment from the physical backup and its WAL; then once more from the dump, to where it was made. The
    new server's WAL is not mixed with the old one's, and the old backups can be recovered on."""
    shutil.copytree(left / "backups", machine.backups)
    assert "BACKUP_PLACES names no place" in machine.run("fetch", code=1)
    logical = line_with(machine.run("restore"), " logical ").split()[0]
    take_over_the_latest(machine)

    receiver = machine.start("receive_wal")
    sentence = wait_until(lambda: receiver_state(Repository(machine.backups)).last_error)
    assert sentence.endswith("Set the old WAL aside, where its backups find it: manage.py receive_wal --set-aside.")
    assert "The receiver of WAL runs." in machine.run("receive_wal", "--set-aside", code=1)
    receiver.terminate()
    receiver.wait(30)
    assert "Its backups find it there." in machine.run("receive_wal", "--set-aside")
    receiver = machine.start("receive_wal")
    wait_until(lambda: machine.cluster.value("SELECT count(*) FROM pg_replication_slots WHERE active") == 1)
    machine.run("backup", "physical")
    assert "Every segment is there and sound." in machine.run("check_wal")
    receiver.terminate()
    receiver.wait(30)

    machine.cluster.sql("DROP DATABASE samovar", database="postgres")
    assert "samovar is what was restored now." in machine.run("restore", logical, "--yes")
    assert machine.orders() == 3
    assert real_shop.run("sell", machine.cluster.server)["differing"] == 0


def test_from_copies_elsewhere(left: Path, machine: Terminal) -> None:
    """The folder is gone too."""
    machine.environment |= copies_in(left, OTHER_KEY)
    said = machine.run("fetch", "newest", code=1)
    assert "BACKUP_KEY" in said
    machine.environment |= copies_in(left, OLD_KEY)
    listed = machine.run("fetch")
    physical = line_with(listed, " physical ").split()[0]
    assert "There is no backup no-such." in machine.run("fetch", "no-such", code=1)
    assert list((machine.backups / "physical").iterdir()) == []

    said = machine.run("fetch", "newest")
    assert f"{physical} is here, in {machine.backups}/physical/{physical}." in said
    take_over_the_latest(machine)
    assert (machine.backups.parent / "media" / "products" / "latte.jpg").read_bytes() == b"picture"
