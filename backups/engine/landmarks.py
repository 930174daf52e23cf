"""Where in the received WAL something stands: a transaction's end, a named point, the WAL's own end."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import structlog

from backups.engine.children import run_tool
from backups.engine.programs import Programs
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.engine.wal_dump import ENVIRONMENT, PLACE, linked
from backups.engine.wal_names import Archive, Segment, format_lsn, parse_lsn
from backups.errors import ServerGone

ENDED = re.compile(r"lsn: ([0-9A-F]+/[0-9A-F]+),.* desc: (?:COMMIT|ABORT)")
NAMED = re.compile(r"lsn: ([0-9A-F]+/[0-9A-F]+),.* desc: RESTORE_POINT (.*)")
XIDS = 2**32
# The receiver is behind the server by milliseconds, if it runs.
PATIENCE = 10.0
LOOK_EVERY = 0.1

logger = structlog.get_logger("backups.recovery")


class EarlierWal(Repository):
    """The same backups, with WAL that was set aside when the shop got a new server."""

    def __init__(self, repository: Repository, wal: Path) -> None:
        super().__init__(repository.root)
        self._wal = wal

    @property
    def wal(self) -> Path:
        return self._wal


def with_each_wal(repository: Repository) -> list[Repository]:
    """The repository with the WAL that is being received, and with what was set aside."""
    folders = sorted(path for path in repository.root.glob("wal-*") if path.is_dir())
    return [repository, *(EarlierWal(repository, folder) for folder in folders)]


def unbroken(archive: Archive) -> Iterator[list[Segment]]:
    """The segments in pieces that belong together, each of one timeline and without a hole."""
    piece: list[Segment] = []
    there = {*archive.complete.values(), *archive.partial.values()}
    for segment in sorted(there, key=lambda one: (one.timeline, one.number)):
        if piece and segment != piece[-1].next():
            yield piece
            piece = []
        piece.append(segment)
    if piece:
        yield piece


def end_of_transaction(programs: Programs, archive: Archive, xid: int) -> int | None:
    """The position of the record that ends a transaction, None if it is not there."""
    found: list[str] = []

    def look(line: str) -> None:
        if match := ENDED.search(line):
            found.append(match[1])

    _search(programs, archive, ["--rmgr=Transaction", f"--xid={xid % XIDS}"], look)
    return parse_lsn(found[-1]) if found else None


def place_of_point(programs: Programs, archive: Archive, name: str) -> int | None:
    """The position of a restore point, the last one of this name; None if it is not there."""
    found: list[str] = []

    def look(line: str) -> None:
        if (match := NAMED.search(line)) and match[2] == name:
            found.append(match[1])

    _search(programs, archive, ["--rmgr=XLOG"], look)
    return parse_lsn(found[-1]) if found else None


def _search(programs: Programs, archive: Archive, options: list[str], look: Callable[[str], None]) -> None:
    for piece in unbroken(archive):
        first, last = piece[0], piece[-1]
        with linked({one: archive.path(one) for one in piece}, timeline=first.timeline) as folder:
            run_tool(
                [
                    programs.path("pg_waldump"),
                    *options,
                    f"--path={folder}",
                    f"--timeline={first.timeline}",
                    f"--start={format_lsn(first.start)}",
                    f"--end={format_lsn(last.end)}",
                ],
                environment=ENVIRONMENT,
                folder=folder,
                on_line=look,
                # It fails where the WAL ends.
                accept=(0, 1),
            )


def end_of_wal(programs: Programs, archive: Archive) -> int:
    """The position up to which WAL was received; 0 if there is none."""
    newest = max((*archive.complete.values(), *archive.partial.values()), default=None)
    if newest is None:
        return 0
    with linked({newest: archive.path(newest)}, timeline=newest.timeline) as folder:
        ended = run_tool(
            [
                programs.path("pg_waldump"),
                "--quiet",
                f"--path={folder}",
                f"--timeline={newest.timeline}",
                f"--start={format_lsn(newest.start)}",
                f"--end={format_lsn(newest.end)}",
            ],
            environment=ENVIRONMENT,
            folder=folder,
            accept=(0, 1),
        )
    if ended.code == 0:
        return newest.end
    places = PLACE.findall(ended.words)
    return parse_lsn(places[-1]) if places else newest.start


def pass_the_moment(repository: Repository, server: Server, programs: Programs) -> bool:
    """Has the running server commit something that changes nothing, and waits until the archive holds it: so the WAL
    shows that a moment has passed in which nothing else was committed. Returns False if it does not get there: the
    server is gone or somebody's replica, or the receiver does not run."""
    try:
        server.ask("SELECT pg_logical_emit_message(true, 'samovar', 'The moment has passed')")
        ((lsn, size),) = server.ask(
            "SELECT pg_current_wal_insert_lsn(), pg_size_bytes(current_setting('wal_segment_size'))"
        )
    except (ServerGone, psycopg2.Error) as error:
        logger.info("moment_not_passed", reason=str(error).strip())
        return False
    deadline = time.monotonic() + PATIENCE
    while end_of_wal(programs, Archive.read(repository.wal, segment_size=size)) < parse_lsn(lsn):
        if time.monotonic() > deadline:
            logger.info("moment_not_passed", reason="the WAL was not received")
            return False
        time.sleep(LOOK_EVERY)
    return True
