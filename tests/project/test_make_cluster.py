"""`make cluster`: opened, used, stopped and opened again, and what is left when it is killed."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from project.embedded.places import BASE_DIR
from tests.backups.cluster import wait_until
from tests.cluster.nodes import TURN
from tests.project.conftest import NOT_COPIED, OF_THE_RUN
from tests.project.started import Started

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
OPEN = "the data is kept for the next start."


class Opened(Started):
    """A cluster that was started in a checkout."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        environment = {name: value for name, value in os.environ.items() if name not in OF_THE_RUN}
        command = [sys.executable, "-m", "project.embedded", "cluster"]
        super().__init__(command, folder=checkout, environment=environment, open_words=OPEN)

    def variables(self) -> dict[str, str]:
        """What `set -a; . var/cluster/env` makes of the file."""
        said = subprocess.run(
            ["/bin/sh", "-c", "set -a; . var/cluster/env; env"],
            cwd=self.checkout,
            env={},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        return dict(line.split("=", 1) for line in said.splitlines())

    def sql(self, query: str) -> list[tuple]:
        with psycopg2.connect(self.variables()["DATABASE_URL"]) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project, and the only cluster on this machine. These tests are not in the folder of the cluster's:
    while those have theirs, this one would wait for ever."""
    folder = tmp_path / "Чайная лавка"
    shutil.copytree(BASE_DIR, folder, ignore=NOT_COPIED)
    shutil.copytree(BASE_DIR / "deploy" / "cluster", folder / "deploy" / "cluster")
    with TURN.open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield folder
        for process in family_of(folder):
            process.kill()
        for home in homes_of(folder):
            shutil.rmtree(home)


@pytest.fixture
def start(checkout: Path) -> Iterator[Callable[[], Opened]]:
    started: list[Opened] = []

    def start_cluster() -> Opened:
        started.append(Opened(checkout))
        return started[-1]

    yield start_cluster
    for one in started:
        if one.process.poll() is None:
            one.press_ctrl_c()
        one.process.stdout.close()


def homes_of(checkout: Path) -> list[Path]:
    """Root's folders of its nodes."""
    files = Path("/var/lib").glob("samovar-cluster-*/belongs-to") if os.geteuid() == 0 else ()
    return [file.parent for file in files if file.read_text().strip() == str(checkout / "var" / "cluster")]


def family_of(checkout: Path) -> list[psutil.Process]:
    """All that runs for it, wherever it was started from."""
    places = [str(home) for home in (*homes_of(checkout), checkout / "var" / "cluster")]
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd().startswith(tuple(places)):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_it_opens_is_used_stops_and_leaves_nothing_running(checkout: Path, start: Callable[[], Opened]):
    cluster = start()
    for words in ("node1", "node2", "node3", "set -a; . var/cluster/env; set +a; make run"):
        assert words in cluster.words
    assert "against nothing else: not against this machine's end, not against a broken disk" in cluster.words
    variables = cluster.variables()
    assert set(variables) >= {"DATABASE_URL", "PATRONI_URLS", "PATRONI_USER", "PATRONI_PASSWORD"}
    assert set(variables) >= {"PG_PROGRAMS", "RECOVERY_DIR", "BACKUP_DIR"}
    assert (checkout / "var" / "cluster" / "env").stat().st_mode & 0o777 == 0o600
    cluster.sql("CREATE TABLE kept AS SELECT 'чай' AS what")
    assert len(family_of(checkout)) > 20

    # Another start in the same folder is refused.
    second = subprocess.run(
        [sys.executable, "-m", "project.embedded", "cluster"], cwd=checkout, capture_output=True, encoding="utf-8"
    )
    assert second.returncode == 1
    assert "is already running in this folder" in second.stderr

    assert cluster.press_ctrl_c() == 0
    assert cluster.words.endswith("Stopping …\nThe cluster is stopped; its data is kept.\n")
    assert family_of(checkout) == []

    # At the next start everything is there, at the same addresses.
    cluster = start()
    assert cluster.variables() == variables
    assert cluster.sql("SELECT what FROM kept") == [("чай",)]

    # A killed one takes everything with it, in its own time; the next start works at once.
    cluster.process.kill()
    cluster.process.wait()
    cluster = start()
    assert cluster.sql("SELECT what FROM kept") == [("чай",)]
    assert cluster.press_ctrl_c() == 0
    wait_until(lambda: family_of(checkout) == [])
