"""Backups and restores against PostgreSQL's bare tools, in turns on the same database; recovery against a copy."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from uuid import uuid4

from django.conf import settings
from django.db import connection

from backups.engine.beside import discard_leftover_recoveries
from backups.engine.children import run_tool
from backups.engine.loading import drop_database, make_database
from backups.engine.logical import restore_all, take_logical
from backups.engine.physical import take_physical
from backups.engine.programs import Programs, find_programs
from backups.engine.recovery import recover_beside
from backups.engine.repository import Repository, Stored
from backups.engine.server import Server
from backups.engine.targets import Target

Row = tuple[str, str, str, str]
AIM, AIM_RECOVERY = 1.10, 2.0
PARALLEL = "--jobs=2"
RESTORED, RESTORED_BARE = "bench_restored", "bench_restored_bare"


def measure(*, megabytes: int, rounds: int) -> Iterator[Row]:
    """The rows of the table: what, Samovar's and the bare tools' seconds, the aim and the ratio."""
    fill(megabytes)
    # The bare recovery is a plain copy; both servers' account must get to it.
    with tempfile.TemporaryDirectory(prefix="samovar-bench-") as name:
        folder = Path(name)
        settings.RECOVERY_DIR = settings.RECOVERY_DIR / "bench"
        bench = Bench(folder)
        try:
            yield bench.compare(f"logical backup of {megabytes:,} MB", bench.save, bench.bare_save, rounds)
            yield bench.compare("restored into a new database", bench.load, bench.bare_load, rounds)
            yield bench.compare("physical backup, verified", bench.copy, bench.bare_copy, rounds)
            yield bench.compare(
                "recovered beside, against a plain copy of it", bench.recover, bench.bare_recover, rounds, AIM_RECOVERY
            )
        finally:
            discard_leftover_recoveries(settings.RECOVERY_DIR)
            shutil.rmtree(settings.RECOVERY_DIR, ignore_errors=True)


def fill(megabytes: int) -> None:
    """A table of about so many megabytes, which compresses as a shop's does, and its indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TABLE filling AS
            SELECT i AS id, now() - i * interval '1 second' AS at, md5(i::text) AS word,
                   repeat(md5((i %% 1000)::text), 6) AS note, (i %% 5000)::numeric(12, 2) AS total
            FROM generate_series(1, %s) AS i
            """,
            [megabytes * 3_100],
        )
        cursor.execute("ALTER TABLE filling ADD PRIMARY KEY (id)")
        cursor.execute("CREATE INDEX ON filling (word)")
        cursor.execute("VACUUM ANALYZE filling")
        cursor.execute("CHECKPOINT")


class Bench:
    """Each side of each pair. What a side has made is cleared away before its next turn and outside of the time that is
    taken: deleting what was just synced takes as long as making it, on some file systems, and says nothing of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server.of_the_shop()
        self.programs: Programs = find_programs(server_major=self.server.facts().major)
        self.repository = Repository(folder / "backups")
        self.repository.make()
        self.bare = folder / "bare"
        self.bare.mkdir()
        self.dump: Path | None = None
        self.logical: Stored | None = None
        self.physical: Stored | None = None

    def compare(
        self, title: str, ours: Callable[[], None], bare: Callable[[], None], rounds: int, aim: float = AIM
    ) -> Row:
        """Both in turns, ours first and then last, so that a warm cache serves neither more often."""
        seconds: dict[Callable[[], None], list[float]] = {ours: [], bare: []}
        for number in range(rounds):
            for side in (ours, bare) if number % 2 else (bare, ours):
                self.clear()
                started = time.perf_counter()
                side()
                seconds[side].append(time.perf_counter() - started)
        mine, theirs = median(seconds[ours]), median(seconds[bare])
        return title, f"{mine:.1f} s", f"{theirs:.1f} s", f"{mine / theirs:.2f} (aim {aim:.2f})"

    def clear(self) -> None:
        """Removes what the turns have made, but for the newest of each kind, which restores are made from, and lets
        the disk come to rest."""
        for name in (RESTORED, RESTORED_BARE):
            drop_database(self.server, name)
        for stored in self.repository.backups():
            if stored.id not in {kept.id for kept in (self.logical, self.physical) if kept is not None}:
                self.repository.delete(stored)
        for path in self.bare.iterdir():
            if path != self.dump:
                shutil.rmtree(path)
        os.sync()

    def tool(self, name: str, *arguments: str) -> None:
        run_tool([self.programs.path(name), *arguments], environment=self.server.environment(), folder=self.folder)

    def save(self) -> None:
        self.logical = take_logical(self.repository, self.server)

    def bare_save(self) -> None:
        self.dump = self.bare / f"dump-{uuid4()}"
        self.tool("pg_dump", "--format=directory", PARALLEL, "--compress=gzip:3", f"--file={self.dump}")

    def load(self) -> None:
        assert self.logical is not None
        restore_all(self.logical, self.server, RESTORED)

    def bare_load(self) -> None:
        make_database(self.server, RESTORED_BARE, "")
        self.tool("pg_restore", PARALLEL, "--exit-on-error", f"--dbname={RESTORED_BARE}", str(self.dump))

    def copy(self) -> None:
        self.physical = take_physical(self.repository, self.server)

    def bare_copy(self) -> None:
        base = str(self.bare / "base")
        self.tool("pg_basebackup", f"--pgdata={base}", "--wal-method=stream", "--checkpoint=fast")
        self.tool("pg_verifybackup", base)

    def recover(self) -> None:
        assert self.physical is not None
        with recover_beside(
            self.repository,
            Target.as_backed_up(),
            folder=settings.RECOVERY_DIR,
            programs=self.programs,
            backup=self.physical,
        ):
            pass

    def bare_recover(self) -> None:
        assert self.physical is not None
        shutil.copytree(self.physical.data, self.bare / "copy")
