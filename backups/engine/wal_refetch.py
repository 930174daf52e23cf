"""Getting a missing or damaged segment again: from a backup that brings it along, or from the server."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import structlog
from django.utils.translation import gettext as _

from backups.engine import files
from backups.engine import manifest as manifests
from backups.engine.children import run_tool
from backups.engine.programs import find_programs
from backups.engine.replication import replicating
from backups.engine.repository import Repository
from backups.engine.server import Facts, Server
from backups.engine.wal_check import check_wal
from backups.engine.wal_dump import broken_record, linked, waldump_for
from backups.engine.wal_memory import digest, remembered
from backups.engine.wal_mended import note_mended
from backups.engine.wal_names import HISTORY_NAME, PARTIAL, Archive, Lineage, Segment, format_lsn, read_history
from backups.engine.wal_pages import walk
from backups.engine.wal_report import WalReport
from backups.errors import Damaged, ToolFailed

# In the folder of WAL itself, so that a file is moved and not copied at the end.
WORK = ".refetch-"

logger = structlog.get_logger("backups.wal")


@dataclass(slots=True)
class Refetched:
    """`fetched`: what is sound in the archive again; `failed`: {name: why it could not be got}."""

    fetched: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def refetch(
    repository: Repository,
    server: Server,
    segments: Iterable[str],
    *,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Refetched:
    """Gets segments again, or histories of timelines, by their names. What is in the archive is replaced only by a copy
    that is sound. Whoever receives WAL may go on: these segments are behind it.

    Raises ServerGone, Interrupted, DiskIsFull, NotWritable, NoPrograms, WrongVersion.
    """
    facts = server.facts()
    done = Refetched()
    for left in repository.wal.glob(f"{WORK}*"):
        _clear(left)
    for name in segments:
        work = Path(tempfile.mkdtemp(prefix=WORK, dir=repository.wal))
        try:
            if HISTORY_NAME.fullmatch(name):
                _take_history(repository, server, name, work)
            else:
                _take_segment(repository, server, facts, name, work, is_stopped)
            done.fetched.append(name)
            logger.info("wal_refetched", segment=name)
        except (Damaged, ToolFailed, ValueError, psycopg2.Error) as error:
            done.failed[name] = str(error).strip() or _("It is not there any more.")
            logger.warning("wal_not_refetched", segment=name, reason=done.failed[name])
        finally:
            _clear(work)
    return done


def mend_wal(
    repository: Repository,
    server: Server,
    *,
    progress: Callable[[str, float | None], None] = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> tuple[WalReport, Refetched]:
    """Checks the WAL, gets again what is missing or damaged, and checks once more if anything was got. Raises as
    `check_wal` and `refetch`."""
    report = check_wal(repository, server=server, progress=progress, is_stopped=is_stopped)
    if not report.refetchable or report.slot is None:
        return report, Refetched()
    done = refetch(repository, server, report.refetchable, is_stopped=is_stopped)
    if done.fetched:
        report = check_wal(repository, server=server, progress=progress, is_stopped=is_stopped)
    return report, done


def _take_segment(
    repository: Repository, server: Server, facts: Facts, name: str, work: Path, is_stopped: Callable[[], bool]
) -> None:
    segment = Segment.named(name, size=facts.segment_size)
    failure: Damaged | None = None
    for get in (
        lambda: _from_backup(repository, facts, segment, work),
        lambda: _from_server(server, facts, segment, work, is_stopped),
    ):
        try:
            copy = get()
            if copy is not None:
                _need_sound(repository, facts, segment, copy, is_stopped)
                _put(repository, copy, name)
                return
        except Damaged as error:
            failure = error
    raise failure or Damaged(_("Neither a backup nor the server has the WAL segment %(name)s.") % {"name": name})


def _from_backup(repository: Repository, facts: Facts, segment: Segment, work: Path) -> Path | None:
    """A copy of what a backup of this cluster brings along."""
    for stored in repository.backups():
        manifest = stored.manifest
        path = stored.data / "pg_wal" / segment.name
        is_ours = manifest.kind == manifests.Kind.PHYSICAL and manifest.system_identifier == facts.system_identifier
        if is_ours and path.is_file():
            copy = work / "from-backup"
            _write(copy, path.read_bytes())
            return copy
    return None


def _from_server(
    server: Server, facts: Facts, segment: Segment, work: Path, is_stopped: Callable[[], bool]
) -> Path | None:
    """Has pg_receivewal fetch it. That one goes on behind the newest segment that it finds, so it finds an empty one
    with the name of this."""
    _write(work / f"{segment.name}{PARTIAL}", b"")
    run_tool(
        [
            find_programs(server_major=facts.major).path("pg_receivewal"),
            f"--directory={work}",
            f"--endpos={format_lsn(segment.end - 1)}",
            "--no-loop",
            "--no-password",
            f"--dbname={server.address(replicates=True)}",
        ],
        environment=server.environment(),
        folder=work,
        is_stopped=is_stopped,
    )
    fetched = work / segment.name
    return fetched if fetched.is_file() else None


def _need_sound(
    repository: Repository, facts: Facts, segment: Segment, copy: Path, is_stopped: Callable[[], bool]
) -> None:
    """Raises Damaged, if the copy is no better."""
    data = copy.read_bytes()
    memory = remembered(repository, facts.system_identifier)
    if memory.digests.get(segment.name) == digest(data):
        return
    archive = Archive.read(repository.wal, segment_size=facts.segment_size)
    lineage: Lineage | None = None
    with contextlib.suppress(Damaged):
        lineage = archive.lineage(segment.timeline)
    walked = walk(data, segment, system_identifier=facts.system_identifier, lineage=lineage)
    why = walked.flaw.sentence if walked.flaw is not None else ""
    if not why and walked.first is not None:
        programs = waldump_for(facts.version)
        with linked({segment: copy}, timeline=segment.timeline) as folder:
            broken = broken_record(
                programs,
                folder,
                timeline=segment.timeline,
                start=walked.first,
                end=segment.end,
                is_stopped=is_stopped,
            )
        why = broken.words if broken is not None else ""
    if why:
        raise Damaged(_("The copy of %(name)s is damaged too: %(why)s.") % {"name": segment.name, "why": why})


def _take_history(repository: Repository, server: Server, name: str, work: Path) -> None:
    with replicating(server) as connection, connection.cursor() as cursor:
        cursor.execute(f"TIMELINE_HISTORY {int(name[:8], 16):d}")
        row = cursor.fetchone()
    if row is None:
        raise Damaged(_("The server has no %(name)s.") % {"name": name})
    _write(work / name, row[1].encode() if isinstance(row[1], str) else bytes(row[1]))
    read_history(work / name)
    _put(repository, work / name, name)


def _write(path: Path, data: bytes) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
    except OSError as error:
        raise files.trouble(error, path.parent) from error


def _put(repository: Repository, copy: Path, name: str) -> None:
    """Replaces a file of the archive. Other places are to get it too, which is noted before: a death in between costs
    one copy too many."""
    note_mended(repository, name)
    try:
        handle = os.open(copy, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        copy.replace(repository.wal / name)
        files.sync_folder(repository.wal)
    except OSError as error:
        raise files.trouble(error, repository.wal) from error


def _clear(work: Path) -> None:
    for path in work.iterdir():
        path.unlink()
    work.rmdir()
