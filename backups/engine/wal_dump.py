"""pg_waldump: whether the checksums of records are right, and when the last of them was committed."""

import contextlib
import datetime
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from backups.engine import files
from backups.engine.children import failure_of, run_tool
from backups.engine.programs import Programs, find_programs
from backups.engine.wal_names import Segment, format_lsn, parse_lsn
from backups.errors import WrongVersion

# Where a record is broken its message names the place; the part before it names the last good record.
PLACE = re.compile(r"\b(?:at|after|LSN) ([0-9A-F]+/[0-9A-F]+)")
# The moment of a transaction's end, as its record says it.
ENDED = re.compile(r"desc: (?:COMMIT|ABORT)(?:_PREPARED)? (?:\d+: )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) ")
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """Where a record is broken, and pg_waldump's words for it."""

    lsn: int
    words: str


def waldump_for(server_version: int) -> Programs:
    """The programs that read the WAL of this server: they have to be of the same version. Raises NoPrograms,
    WrongVersion."""
    major = server_version // 10_000
    programs = find_programs(server_major=major)
    if programs.major != major:
        raise WrongVersion(
            _(
                "The WAL is of PostgreSQL %(wal)d, and pg_waldump in %(folder)s reads that of %(tools)d only: name the "
                "folder of version %(wal)d in PG_PROGRAMS."
            )
            % {"wal": major, "folder": programs.folder, "tools": programs.major}
        )
    return programs


@contextmanager
def linked(segments: Mapping[Segment, Path], *, timeline: int) -> Iterator[Path]:
    """A folder in which these files have the names of complete segments of one timeline: pg_waldump reads one timeline
    alone, and nothing that is still being received. Raises DiskIsFull, NotWritable."""
    with contextlib.ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="samovar-wal-")))
            for segment, path in segments.items():
                # What was being received may be complete by now.
                there = path if path.exists() else path.with_name(segment.name)
                (folder / segment.on(timeline).name).symlink_to(there.resolve())
        except OSError as error:
            raise files.trouble(error, Path(tempfile.gettempdir())) from error
        yield folder


def broken_record(
    programs: Programs,
    folder: Path,
    *,
    timeline: int,
    start: int,
    end: int,
    is_stopped: Callable[[], bool] = lambda: False,
) -> BrokenRecord | None:
    """The first broken record between two positions, None if there is none. Raises Interrupted, ToolFailed."""
    command = [
        programs.path("pg_waldump"),
        "--quiet",
        f"--path={folder}",
        f"--timeline={timeline}",
        f"--start={format_lsn(start)}",
        f"--end={format_lsn(end)}",
    ]
    ended = run_tool(command, environment=ENVIRONMENT, folder=folder, is_stopped=is_stopped, accept=(0, 1))
    if ended.code == 0:
        return None
    places = PLACE.findall(ended.words)
    if not places:
        raise failure_of(command, ended, folder)
    words = ended.lines[-1].removeprefix("pg_waldump: error: ")
    return BrokenRecord(parse_lsn(places[-1]), words)


def last_commit(
    programs: Programs, path: Path, segment: Segment, *, is_stopped: Callable[[], bool] = lambda: False
) -> datetime.datetime | None:
    """When the last transaction of a segment ended, None if none did. It may be one that is still being received.
    Raises Interrupted, ToolFailed."""
    found: datetime.datetime | None = None

    def look(line: str) -> None:
        nonlocal found
        if match := ENDED.search(line):
            found = datetime.datetime.fromisoformat(match[1]).replace(tzinfo=datetime.UTC)

    with linked({segment: path}, timeline=segment.timeline) as folder:
        run_tool(
            [
                programs.path("pg_waldump"),
                "--rmgr=Transaction",
                f"--path={folder}",
                f"--timeline={segment.timeline}",
                f"--start={format_lsn(segment.start)}",
                f"--end={format_lsn(segment.end)}",
            ],
            environment=ENVIRONMENT,
            folder=folder,
            is_stopped=is_stopped,
            on_line=look,
            # It fails where the WAL ends.
            accept=(0, 1),
        )
    return found
