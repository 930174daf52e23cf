"""The day when the site is down: one person at a terminal, a shop, its backups and the commands."""

import datetime
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backups import real_shop
from tests.backups.cluster import running_cluster, wait_until
from tests.backups.real_shop import ROOT
from tests.backups.terminal import Terminal, line_with

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("terminal")
    with running_cluster(folder) as cluster:
        it = Terminal(cluster, folder)
        it.run("migrate", "--verbosity", "0")
        real_shop.run("make", cluster.server)
        yield it


@pytest.fixture
def backed_up(terminal: Terminal) -> Terminal:
    """With a physical backup, whichever test comes first."""
    if " physical " not in terminal.run("restore"):
        terminal.run("backup", "physical")
    return terminal


def test_a_day_without_luck(terminal: Terminal) -> None:
    """The shop is backed up, sells, loses everything by a mistake, goes back to the moment before it, and once more to
    where it was."""
    cluster = terminal.cluster
    receiver = terminal.start("receive_wal")
    try:
        wait_until(lambda: cluster.value("SELECT count(*) FROM pg_replication_slots WHERE active") == 1)
        said = terminal.run("backup", "physical", "--reason", "Перед переездом")
        assert "is made and verified" in said
        assert terminal.run("drill").splitlines()[-1].startswith("Backup ")

        assert terminal.orders() == 3
        real_shop.run("sell", cluster.server)
        before: datetime.datetime = cluster.value("SELECT clock_timestamp()")
        cluster.sql("TRUNCATE orders_order CASCADE")
        assert terminal.orders() == 0

        assert "Can be recovered: " in terminal.run("recover")
        said = terminal.run("recover", "--to", before.isoformat())
        assert "public.orders_order: 4 rows, now 0" in said
        take_over = line_with(said, "--take-over").split()[-1]
        assert terminal.orders() == 0
        (terminal.backups.parent / "media" / "products" / "latte.jpg").unlink()

        refused = terminal.run("recover", "--take-over", "no-such", "--yes", code=1)
        assert "That recovery is not done, or was thrown away." in refused
        said = terminal.run("recover", "--take-over", take_over, "--yes")
        assert "The seller account Самовар only reads until you let it write again." in said
        assert terminal.orders() == 4
        assert (terminal.backups.parent / "media" / "products" / "latte.jpg").read_bytes() == b"picture"
        assert real_shop.run("sell", cluster.server)["differing"] == 0

        assert "is what was restored now" in terminal.run("swap_back", "--yes")
        assert terminal.orders() == 0
        terminal.run("swap_back", "--yes")
        assert terminal.orders() == 5
        terminal.run("recover", "--discard", take_over)
        assert list((cluster.home / "recovery").iterdir()) == []
        cluster.switch_wal()
        assert "Every segment is there and sound." in terminal.run("check_wal")
    finally:
        receiver.terminate()
        receiver.wait(30)


def test_chosen_tables_and_everything_come_back_from_a_logical_backup(terminal: Terminal) -> None:
    orders = terminal.orders()
    said = terminal.run("backup", "logical")
    backup = Path(said.splitlines()[-1].strip()).name
    assert f"public.orders_order  {orders} rows" in terminal.run("restore", backup, "--list")
    assert line_with(terminal.run("restore"), backup).split()[1] == "logical"
    terminal.cluster.sql("UPDATE inventory_location SET name = 'lost'")

    terminal.run("restore", backup, "--table", "inventory_location", "--yes")
    assert terminal.cluster.value("SELECT name FROM inventory_location") == "Чайная на Солянке 🍵"
    terminal.cluster.sql("UPDATE inventory_location SET name = 'lost'")
    assert "is what was restored now" in terminal.run("restore", backup, "--yes")
    assert terminal.cluster.value("SELECT name FROM inventory_location") == "Чайная на Солянке 🍵"
    assert "proved" in terminal.run("drill", backup)


def test_an_upgrade_has_a_way_back(terminal: Terminal) -> None:
    """The migration that breaks something is played by a statement at the terminal."""
    names = terminal.cluster.sql("SELECT name FROM inventory_product ORDER BY id")
    assert "nothing to go back to" in terminal.run("upgrade", "--back", code=1)
    said = terminal.run("upgrade")
    assert "The tables are kept in " in said
    assert "No migrations to apply." in said
    terminal.cluster.sql("UPDATE inventory_product SET name = 'spoiled by the upgrade'")

    assert "is what was restored now" in terminal.run("upgrade", "--back", "--yes")
    assert terminal.cluster.sql("SELECT name FROM inventory_product ORDER BY id") == names


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["recover", "--to", "tomorrow"], '"tomorrow" is no moment: write it as 2026-11-21 18:35:07.'),
        (["recover", "--to", "2026-13-45 10:00"], "month must be in 1..12"),
        (["recover", "--to", "2026-11-21 10:00", "--time-zone", "Mars"], "No time zone found with key Mars"),
        (["recover", "--to", "2001-01-01 10:00"], "before the first backup"),
        (["recover", "--to", "2099-01-01 10:00"], "lies in the future"),
        (["restore", "no-such", "--yes"], "There is no backup no-such."),
        (["restore", "../wal", "--list"], "There is no backup ../wal."),
        (["drill", "no-such"], "There is no backup no-such."),
        (["recover", "--discard", "no-such"], "That recovery is not done, or was thrown away."),
    ],
)
def test_nonsense_is_told_what_is_wrong(backed_up: Terminal, arguments: list[str], sentence: str) -> None:
    terminal = backed_up
    orders = terminal.orders()
    assert sentence in terminal.run(*arguments, code=1)
    assert terminal.orders() == orders


def test_without_a_database_the_folder_is_asked_all_the_same(backed_up: Terminal) -> None:
    terminal = backed_up
    there = terminal.run("restore")
    receiver = terminal.start("receive_wal")
    wait_until(lambda: terminal.cluster.value("SELECT count(*) FROM pg_replication_slots WHERE active") == 1)
    moment: datetime.datetime = terminal.cluster.value("SELECT clock_timestamp()")
    terminal.cluster.switch_wal()
    terminal.cluster.stop()
    receiver.terminate()
    receiver.wait(30)
    try:
        assert terminal.run("restore") == there
        assert "Can be recovered: " in terminal.run("recover")
        assert "segments were looked at" in terminal.run("check_wal")
        assert "does not answer" in terminal.run("backup", "logical", code=1)
        recovered = terminal.run("recover", "--to", moment.isoformat())
        assert "Recovered beside the shop" in recovered
    finally:
        terminal.cluster.start()


def test_one_thing_at_a_time(terminal: Terminal, tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "from backups.engine.repository import Repository\n"
        "with Repository(pathlib.Path(sys.argv[1])).lock('work', doing='A restore'):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    environment: Any = terminal.environment | {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(terminal.backups)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert "A restore is under way. Wait until it is done." in terminal.run("backup", code=1)
        assert other.stdin is not None
        other.stdin.close()
