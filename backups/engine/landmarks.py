"""Where in the received WAL something stands: a transaction's end, a named point, the WAL's own end."""

import datetime
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import structlog

from backups.engine.children import run_tool
from backups.engine.programs import Programs
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.engine.wal_dump import ENDED as CLOCK
from backups.engine.wal_dump import ENVIRONMENT, PLACE, linked
from backups.engine.wal_names import Archive, Segment, format_lsn, parse_lsn
from backups.errors import ServerGone

ENDED = re.compile(r"lsn: ([0-9A-F]+/[0-9A-F]+),.* desc: (?:COMMIT|ABORT)")
# The numbers of its parts, in the record of a transaction's end.
PARTS = re.compile(r"; subxacts:((?: \d+)+)")
NAMED = re.compile(r"lsn: ([0-9A-F]+/[0-9A-F]+),.* desc: RESTORE_POINT (.*)")
XIDS = 2**32
PAGE, HEADERS = 8192, (24, 40)
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


def end_of_transaction(programs: Programs, archive: Archive, segments: Sequence[Segment], xid: int) -> int | None:
    """The position of the record that ends a transaction, None if it is not there. A part of one that has a number of
    its own (what was done between two savepoints) ends with the whole."""
    found: list[str] = []
    part = str(xid % XIDS)

    def look(line: str) -> None:
        if match := ENDED.search(line):
            found.append(match[1])

    def look_for_part(line: str) -> None:
        if (match := ENDED.search(line)) and (parts := PARTS.search(line)) and part in parts[1].split():
            found.append(match[1])

    _search(programs, archive, segments, ["--rmgr=Transaction", f"--xid={part}"], look)
    if not found:
        _search(programs, archive, segments, ["--rmgr=Transaction"], look_for_part)
    return parse_lsn(found[-1]) if found else None


def place_of_point(programs: Programs, archive: Archive, segments: Sequence[Segment], name: str) -> int | None:
    """The position of a restore point, the last one of this name; None if it is not there."""
    found: list[str] = []

    def look(line: str) -> None:
        if (match := NAMED.search(line)) and match[2] == name:
            found.append(match[1])

    _search(programs, archive, segments, ["--rmgr=XLOG"], look)
    return parse_lsn(found[-1]) if found else None


@dataclass(frozen=True, slots=True)
class Before:
    """The end of the last transaction before something: its record's position and its moment, None if there is none;
    and whether a later one was seen too."""

    position: int | None = None
    at: datetime.datetime | None = None
    is_passed: bool = False


NOTHING = Before()


def last_before(
    programs: Programs, archive: Archive, segments: Sequence[Segment], is_past: Callable[[int, datetime.datetime], bool]
) -> Before:
    """The last transaction that ended before the first for whose position and time `is_past` holds, as it does for all
    that come later. Of a long archive few segments are read."""

    def read(begin: int, end: int) -> Before:
        seen = NOTHING

        def look(line: str) -> None:
            nonlocal seen
            if not seen.is_passed and (match := ENDED.search(line)) and (clock := CLOCK.search(line)):
                here, at = parse_lsn(match[1]), datetime.datetime.fromisoformat(clock[1]).replace(tzinfo=datetime.UTC)
                seen = replace(seen, is_passed=True) if is_past(here, at) else Before(here, at)

        _search(programs, archive, segments[begin:end], ["--rmgr=Transaction"], look)
        return seen

    # Up to `end` there is all that matters; the segments before `low` hold nothing that comes too late.
    low, high, end = 0, len(segments), len(segments)
    while low < high:
        middle = (low + high) // 2
        # One in which no transaction ended says nothing.
        last = middle + 1
        while (before := read(middle, last)) == NOTHING and last < high:
            last += 1
        if before.is_passed:
            high, end = middle, last
        else:
            low = last
    # A record may begin in one segment and end in the next, so the last ones are read together.
    for begin in range(end - 1, -1, -1):
        if (before := read(begin, end)).position is not None:
            return before
    return read(0, end)


def _search(
    programs: Programs, archive: Archive, segments: Sequence[Segment], options: list[str], look: Callable[[str], None]
) -> None:
    """Tells `look` the records of these segments, which follow one another, as far as they can be read."""
    if not segments:
        return
    newest = max(segment.timeline for segment in segments)
    with linked({segment: archive.path(segment) for segment in segments}, timeline=newest) as folder:
        run_tool(
            [
                programs.path("pg_waldump"),
                *options,
                f"--path={folder}",
                f"--timeline={newest}",
                f"--start={format_lsn(segments[0].start)}",
                f"--end={format_lsn(segments[-1].end)}",
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
    needed = parse_lsn(lsn)
    # On a new page the next record is to stand behind the page's header, which is written with it.
    if needed % PAGE in HEADERS:
        needed -= needed % PAGE
    deadline = time.monotonic() + PATIENCE
    while end_of_wal(programs, Archive.read(repository.wal, segment_size=size)) < needed:
        if time.monotonic() > deadline:
            logger.info("moment_not_passed", reason="the WAL was not received")
            return False
        time.sleep(LOOK_EVERY)
    return True
