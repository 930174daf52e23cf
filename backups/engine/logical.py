"""Logical backups: pg_dump's directory of one database with the media beside it, and loading it again.

They are read by the same or a newer PostgreSQL, on any machine, and single tables can be taken from them.
"""

import datetime
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine import files
from backups.engine.children import run_tool
from backups.engine.chosen_tables import Refuse, load_tables, restore_tables
from backups.engine.counting import Snapshot, snapshot
from backups.engine.loading import KEEPS_STATISTICS, MAINTENANCE, discard_unfinished, load_dump, refuse_older
from backups.engine.manifest import NAME, STATE_NAME, Kind, Manifest
from backups.engine.media import pack_media
from backups.engine.programs import Programs, find_programs
from backups.engine.repository import Repository, Stored, now
from backups.engine.server import Facts, Server
from backups.engine.toc import data_file, read_toc
from backups.errors import Damaged, Interrupted, TablesInUse, ToolFailed

__all__ = [
    "Dumped",
    "TableContents",
    "contents",
    "copy_tables",
    "discard_unfinished",
    "dump_database",
    "load_dump",
    "load_tables",
    "restore_all",
    "restore_tables",
    "take_logical",
    "verify_logical",
]

# Gzip, because every PostgreSQL can read it, which isn't so for zstd and lz4; this level takes half the time of the
# usual one for a few per cent more.
COMPRESSION = 3
# What a dump takes beyond its rows: the table of contents, and room to write a manifest.
SPARE_MB = 50

DUMPING = gettext_noop("Saving the tables")
COUNTING = gettext_noop("Counting the rows")
PACKING = gettext_noop("Packing the media")
CHECKING = gettext_noop("Checking the files")
FINISHED = re.compile(r"pg_dump: finished item \d+ TABLE DATA (.+)")


@dataclass(frozen=True, slots=True)
class Dumped:
    """What a dump shows: the rows by table, and a moment up to which it holds everything."""

    tables: dict[str, int]
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class TableContents:
    """A table in a backup: its rows, and the bytes that they take there, compressed."""

    name: str
    rows: int
    size: int


def take_logical(
    repository: Repository,
    server: Server,
    *,
    period: str = "",
    by: str = "",
    reason: str = "",
    media: Path | None = None,
    backup_id: str = "",
    jobs: int = 2,
    progress: Callable[[str, float | None], None] = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Stored:
    """Saves the server's database, and the media after it: what rows name was uploaded before.

    Raises DiskIsFull, NotWritable, NoPrograms, ServerGone, ToolFailed, BackupFailed, Interrupted; nothing is left of
    it then.
    """
    started_at = now()
    facts = server.facts()
    programs = find_programs(server_major=facts.major)
    need_room(repository, server, media)
    backup_id, partial = repository.begin(Kind.LOGICAL, backup_id=backup_id)
    try:
        dumped = dump_database(
            server, programs, facts, partial / "dump", jobs=jobs, progress=progress, is_stopped=is_stopped
        )
        media_files = 0
        if media is not None:
            progress(PACKING, None)
            media_files = pack_media(media, partial / "media.tar", is_stopped=is_stopped)
        progress(CHECKING, None)
        read_toc(programs, partial / "dump", is_stopped=is_stopped)
        digests = digests_below(partial, is_stopped=is_stopped)
        manifest = Manifest(
            id=backup_id,
            kind=Kind.LOGICAL,
            started_at=started_at,
            completed_at=now(),
            consistent_at=dumped.at,
            server_version=facts.version,
            system_identifier=facts.system_identifier,
            timeline=facts.timeline,
            database=server.database,
            size=sum(one["size"] for one in digests.values()),
            period=period,
            by=by,
            reason=reason,
            tables=dumped.tables,
            files=digests,
            media_files=media_files,
        )
        stored = repository.finish(partial, manifest)
    except BaseException as error:
        repository.discard(partial)
        if isinstance(error, OSError):
            raise files.trouble(error, repository.root) from error
        raise
    return repository.note(stored, replace(stored.state, verified_at=now()))


def need_room(repository: Repository, server: Server, media: Path | None) -> None:
    """Raises DiskIsFull if the backup will surely find no room: compressed, rows take at least a tenth of theirs
    here, and mostly a third."""
    with snapshot(server) as seen:
        rows = sum(table.size for table in seen.tables) // 3
    packed = files.size_of(media) if media is not None else 0
    files.need_room(repository.root, (rows + packed) // files.MEGABYTE + SPARE_MB)


def dump_database(
    server: Server,
    programs: Programs,
    facts: Facts,
    target: Path,
    *,
    jobs: int = 2,
    progress: Callable[[str, float | None], None] = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Dumped:
    """Dumps the database into a new folder and counts its rows meanwhile, in the same snapshot. Raises the same errors
    as `take_logical`; what is left of the folder then is the caller's to delete."""
    progress(DUMPING, 0.0)
    with snapshot(server) as seen, ThreadPoolExecutor(1) as other:
        counting = other.submit(seen.count)
        try:
            run_tool(
                dump_command(server, programs, facts, target, seen, jobs),
                environment=server.environment(),
                folder=target.parent,
                is_stopped=is_stopped,
                on_line=Progress(seen, lambda share: progress(DUMPING, share)).on_line,
            )
            progress(COUNTING, None)
            while not counting.done():
                if is_stopped():
                    raise Interrupted(_("It was stopped."))
                with suppress(TimeoutError):
                    counting.exception(timeout=0.2)
            return Dumped(counting.result(), seen.at)
        except ToolFailed as error:
            if "lock timeout" in str(error):
                raise TablesInUse from error
            raise
        finally:
            if not counting.done():
                seen.cancel()


def dump_command(
    server: Server, programs: Programs, facts: Facts, target: Path, seen: Snapshot, jobs: int
) -> list[str]:
    """pg_dump with what it is told. Owners and grants are in the dump; who loads it decides on them."""
    command = [
        programs.path("pg_dump"),
        "--format=directory",
        f"--jobs={jobs}",
        f"--compress={COMPRESSION}",
        "--encoding=UTF8",
        f"--snapshot={seen.id}",
        f"--lock-wait-timeout={seen.lock_patience}",
        "--no-password",
        # The whole backup is synced at its end.
        "--no-sync",
        "--verbose",
        f"--file={target}",
        f"--dbname={server.address()}",
    ]
    if programs.major >= KEEPS_STATISTICS and facts.major >= KEEPS_STATISTICS:
        # So that the planner knows the tables as soon as they are loaded.
        command.append("--statistics")
    return command


class Progress:
    """How much of the rows is saved, from pg_dump's words."""

    def __init__(self, seen: Snapshot, tell: Callable[[float], None]) -> None:
        self.sizes = {table.name.partition(".")[2]: table.size for table in seen.tables}
        self.total, self.sum, self.tell = sum(self.sizes.values()), 0, tell
        self.lock = threading.Lock()

    def on_line(self, line: str) -> None:
        if match := FINISHED.match(line):
            with self.lock:
                self.sum += self.sizes.pop(match[1], 0)
            self.tell(self.sum / self.total if self.total else 1.0)


# --- what is in one, and whether it is whole ---------------------------------------------------------


def digests_below(folder: Path, *, is_stopped: Callable[[], bool] = lambda: False) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file, by its path in the folder."""
    digests = {}
    for path in files.files_below(folder):
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        digests[path.relative_to(folder).as_posix()] = {
            "size": path.stat().st_size,
            "sha256": files.sha256_of(path),
        }
    return digests


def verify_logical(
    stored: Stored,
    *,
    progress: Callable[[str, float | None], None] = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Looks at every file of the backup and returns a sentence for each that is not as it was written; none if the
    backup is whole. Raises NoPrograms, WrongVersion, Interrupted."""
    findings: list[str] = []
    expected = stored.manifest.files
    for number, (name, digest) in enumerate(sorted(expected.items())):
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        progress(CHECKING, number / len(expected))
        if finding := what_is_wrong(stored.folder / name, name, digest):
            findings.append(finding)
    found = {path.relative_to(stored.folder).as_posix() for path in files.files_below(stored.folder)}
    foreign = found - expected.keys() - {NAME, STATE_NAME}
    findings += [_("%(name)s does not belong to the backup.") % {"name": name} for name in sorted(foreign)]
    if not findings:
        try:
            read_toc(find_programs(), stored.data, is_stopped=is_stopped)
        except ToolFailed as error:
            findings.append(_("pg_restore can't read the dump: %(why)s") % {"why": error})
    return findings


def what_is_wrong(path: Path, name: str, digest: dict[str, Any]) -> str:
    """A sentence about one file, "" if it is as it was written."""
    try:
        size = path.stat().st_size
        if size != digest["size"]:
            return _("%(name)s has %(found)d bytes instead of %(expected)d.") % {
                "name": name,
                "found": size,
                "expected": digest["size"],
            }
        if files.sha256_of(path) != digest["sha256"]:
            return _("%(name)s is not what was written: its checksum is another.") % {"name": name}
    except FileNotFoundError:
        return _("%(name)s is missing.") % {"name": name}
    except OSError as error:
        return _("%(name)s can't be read: %(why)s.") % {"name": name, "why": error.strerror}
    return ""


def contents(stored: Stored) -> list[TableContents]:
    """The tables of the backup by name, a partitioned one as one. Raises NoPrograms, ToolFailed, WrongVersion."""
    toc = read_toc(find_programs(), stored.data)
    rows_of = {need: entry for entry in toc.entries if entry.kind == "TABLE DATA" for need in entry.needs}
    found = []
    for name, rows in sorted(stored.manifest.tables.items()):
        parts = toc.partitions_of(toc.tables[name]) if name in toc.tables else []
        paths = [data_file(stored.data, rows_of[part.id]) for part in parts if part.id in rows_of]
        found.append(TableContents(name, rows, sum(path.stat().st_size for path in paths if path is not None)))
    return found


# --- back --------------------------------------------------------------------------------------------


def restore_all(
    stored: Stored,
    server: Server,
    database: str,
    *,
    jobs: int = 2,
    progress: Callable[[str, float | None], None] = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Loads the whole backup into a new database of the server, and counts the rows there. Its files are looked at
    first.

    Raises Damaged, and what `load_dump` raises; there is no such database then.
    """
    # Before its files: tools as old as the server can't read them.
    refuse_older(server.of(MAINTENANCE).facts(), stored.manifest.server_version)
    if findings := verify_logical(stored, progress=progress, is_stopped=is_stopped):
        raise Damaged(_("The backup is damaged: %(findings)s") % {"findings": " ".join(findings[:5])}, tuple(findings))
    load_dump(
        stored.data,
        server,
        database,
        expected=stored.manifest.tables,
        version=stored.manifest.server_version,
        jobs=jobs,
        progress=progress,
        is_stopped=is_stopped,
    )


def copy_tables(
    source: Server,
    server: Server,
    database: str,
    tables: Sequence[str],
    *,
    folder: Path,
    replace: bool = False,
    refuse: Refuse = lambda _cursor: None,
    jobs: int = 2,
    progress: Callable[[str, float | None], None] = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Puts tables of another server's database (one that was recovered beside) into an existing one, by way of a dump
    in a new folder below `folder`, and returns their rows. Raises what `dump_database` and `load_tables` raise; nothing
    has changed then, and nothing is left of the dump."""
    facts = source.facts()
    programs = find_programs(server_major=facts.major)
    files.make_folder(folder)
    # What begins so is found and deleted when we are killed.
    with TemporaryDirectory(prefix="loading-", dir=folder) as name:
        dump = Path(name) / "dump"
        dumped = dump_database(source, programs, facts, dump, jobs=jobs, progress=progress, is_stopped=is_stopped)
        return load_tables(
            dump,
            server,
            database,
            tables,
            expected=dumped.tables,
            version=facts.version,
            replace=replace,
            refuse=refuse,
            progress=progress,
            is_stopped=is_stopped,
        )
