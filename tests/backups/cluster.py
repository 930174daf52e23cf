"""A PostgreSQL server of a test's own, which may be backed up, broken, stopped and killed."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backups.engine.server import Server
from foundation.programs.program import Program
from project.embedded.account import services_account
from project.embedded.home import new_home
from project.embedded.postgres import DATABASE, SUPERUSER, PostgreSQL

PASSWORD = "correct-horse"


class Cluster:
    """A running server; `server` is how the shop would reach it."""

    def __init__(self, home: Path, *, make: Callable[..., PostgreSQL] = PostgreSQL) -> None:
        self.home = home
        self.programs: list[Program] = []
        self.postgres = make(home=home, log=home / "log", password=PASSWORD, account=services_account(), scratch=True)
        self.postgres.initialise()
        self.port = 0
        self.start()

    @property
    def server(self) -> Server:
        return Server("127.0.0.1", str(self.port), SUPERUSER, PASSWORD, DATABASE)

    @property
    def data(self) -> Path:
        return self.postgres.data

    def start(self) -> None:
        """Starts it, at the same port as before."""
        self.port = self.postgres.start(self._launch, time.sleep, self.port)

    def stop(self) -> None:
        self.programs[-1].stop()

    def kill(self) -> None:
        """As if the power went."""
        self.programs[-1].kill()

    def _launch(self, program: Program) -> None:
        self.programs.append(program)
        program.start()

    def sql(self, query: str, *values: Any, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Runs statements and returns the rows of the last one."""
        with self.server.connected(database=database) as connection, connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, query: str, *values: Any, database: str = DATABASE) -> Any:
        return self.sql(query, *values, database=database)[0][0]

    def switch_wal(self) -> None:
        """Ends the current segment, also where nothing was written to it."""
        self.sql("CREATE TABLE IF NOT EXISTS ticks (at timestamptz DEFAULT now()); INSERT INTO ticks DEFAULT VALUES")
        self.sql("SELECT pg_switch_wal()")


@contextmanager
def running_cluster(owner: Path, *, make: Callable[..., PostgreSQL] = PostgreSQL) -> Iterator[Cluster]:
    """A new cluster, thrown away afterwards. `owner` is the test's own folder; `make` makes another sort of server."""
    account = services_account()
    home = owner / "cluster" if account is None else new_home(account, owner=owner, prefix="samovar-test-")
    home.mkdir(exist_ok=True)
    cluster = None
    try:
        cluster = Cluster(home, make=make)
        yield cluster
    finally:
        for program in cluster.programs if cluster else []:
            program.stop_signal = signal.SIGQUIT
            program.stop()
        shutil.rmtree(home, ignore_errors=True)


def wait_until(is_so: Callable[[], Any], *, seconds: float = 30.0) -> Any:
    """Waits until something is so, and returns it; fails after that many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)
    return found
