"""Physical backups: pg_basebackup's copy of the whole cluster, with the WAL that makes it consistent.

The copy is a plain folder with PostgreSQL's own manifest. What that one leaves out (the WAL, the settings of
ALTER SYSTEM, the manifest itself, our media) stands in our manifest with its SHA-256.
"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine import files
from backups.engine.assembling import assemble
from backups.engine.children import run_tool
from backups.engine.incremental import check_base
from backups.engine.manifest import Kind, Manifest, State
from backups.engine.media import pack_media
from backups.engine.origin import NAME, Origin, read_origin
from backups.engine.programs import find_programs
from backups.engine.replication import identify
from backups.engine.repository import Repository, Stored, now
from backups.engine.server import Facts, Server
from backups.engine.verifying import unlisted_files, verify_physical
from backups.errors import BackupFailed, Damaged, ToolFailed

__all__ = ["assemble", "take_physical", "verify_physical"]

Progress = Callable[[str, float | None], None]

# A copy may grow while it is made, and brings WAL along.
ROOM_FOR_GROWTH = 1.2
SPARE_MB = 200
# The media are added and everything is read once more after it.
SHARE_OF_COPYING = 0.8
PERCENT = re.compile(r"\((\d+)%\)")
# The server reads its pages' checksums while it sends them, if it has any.
BROKEN_PAGE = re.compile(r'checksum verification failed in file "\./(?P<file>[^"]+)"')

STAGE_COPYING = gettext_noop("Copying the database")
STAGE_MEDIA = gettext_noop("Packing the media")
STAGE_VERIFYING = gettext_noop("Checking the files")


def take_physical(
    repository: Repository,
    server: Server,
    *,
    period: str = "",
    by: str = "",
    reason: str = "",
    base: Stored | None = None,
    media: Path | None = None,
    max_rate_kb: int | None = None,
    backup_id: str = "",
    progress: Progress = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Stored:
    """Copies the whole cluster while it runs, and reads the copy once more.

    Args:
        base: the backup that an incremental one builds upon; without it the copy is full.
        media: the folder of the shop's uploads, packed after the copy so that no row of it lacks its file.
        max_rate_kb: at most so many kilobytes in a second, to spare a busy server.
        backup_id: that of the work that makes it, if it has one.

    Raises Interrupted, ServerGone, NoReplication, NoPrograms, WrongVersion, NoBase, DiskIsFull, NotWritable,
    ToolFailed, and Damaged if the server's own files are, or the copy is not what it sent. Nothing is left behind
    then.
    """
    progress(STAGE_COPYING, None)
    identify(server)
    facts = server.facts()
    if base is not None:
        check_base(server, facts, base)
    refuse_tablespaces(server)
    need_room_for(repository, facts, media, is_incremental=base is not None)

    started_at = now()
    backup_id, partial = repository.begin(Kind.PHYSICAL, backup_id=backup_id)
    try:
        copy(partial, server, facts, base, max_rate_kb, progress, is_stopped)
        consistent_at = server.ask("SELECT clock_timestamp()")[0][0].astimezone(started_at.tzinfo)
        origin = read_origin(partial / "data")

        media_files = 0
        if media is not None:
            progress(STAGE_MEDIA, SHARE_OF_COPYING)
            media_files = pack_media(media, partial / "media.tar", is_stopped=is_stopped)
        manifest = Manifest(
            id=backup_id,
            kind=Kind.PHYSICAL,
            started_at=started_at,
            completed_at=now(),
            server_version=facts.version,
            system_identifier=facts.system_identifier,
            database=server.database,
            size=files.size_of(partial),
            period=period,
            by=by,
            reason=reason,
            files=unlisted_files(partial, is_stopped=is_stopped),
            media_files=media_files,
            segment_size=facts.segment_size,
            base_id=base.id if base is not None else "",
            consistent_at=consistent_at,
            **positions(origin, facts),
        )
        progress(STAGE_VERIFYING, SHARE_OF_COPYING)
        with ThreadPoolExecutor(1) as threads:
            # The disk takes what was written while it is read from memory: one waits for the other's end only once.
            synced = threads.submit(files.sync_tree, partial)
            findings = verify_physical(Stored(partial, manifest, State()), is_stopped=is_stopped)
            synced.result()
        if findings:
            raise Damaged(_("The new backup is damaged: %(first)s") % {"first": findings[0]}, tuple(findings))
        stored = repository.finish(partial, manifest)
    except BaseException as error:
        repository.discard(partial)
        if isinstance(error, OSError):
            raise files.trouble(error, partial.parent) from error
        raise
    verified = State(verified_at=now())
    try:
        return repository.note(stored, verified)
    except BackupFailed:
        # The backup is complete, whether that can be written down or not.
        return replace(stored, state=verified)


def refuse_tablespaces(server: Server) -> None:
    """Their files lie outside the cluster's folder, at paths that a copy on the same machine would fall upon. Raises
    BackupFailed."""
    names = server.ask("SELECT spcname FROM pg_tablespace WHERE pg_tablespace_location(oid) LIKE '/%' ORDER BY 1")
    if names:
        raise BackupFailed(
            _(
                "The server keeps data in the tablespaces %(names)s, which a physical backup leaves out: move it into "
                "the cluster, or make logical backups."
            )
            % {"names": ", ".join(name for (name,) in names)}
        )


def need_room_for(repository: Repository, facts: Facts, media: Path | None, *, is_incremental: bool) -> None:
    """Raises DiskIsFull where the backup would not fit. What an incremental one will hold is not known before."""
    needed = SPARE_MB if is_incremental else int(facts.data_size * ROOM_FOR_GROWTH) // files.MEGABYTE + SPARE_MB
    if media is not None:
        needed += files.size_of(media) // files.MEGABYTE
    files.need_room(repository.root, needed)


def copy(
    partial: Path,
    server: Server,
    facts: Facts,
    base: Stored | None,
    max_rate_kb: int | None,
    progress: Progress,
    is_stopped: Callable[[], bool],
) -> None:
    """Runs pg_basebackup, which brings the WAL of its own time along."""

    broken: list[str] = []

    def tell(line: str) -> None:
        if match := BROKEN_PAGE.search(line):
            broken.append(match["file"])
        if match := PERCENT.search(line):
            progress(STAGE_COPYING, int(match[1]) / 100 * SHARE_OF_COPYING)

    options = [] if base is None else [f"--incremental={base.data / NAME}"]
    if max_rate_kb is not None:
        options.append(f"--max-rate={max_rate_kb}")
    command = [
        find_programs(server_major=facts.major).path("pg_basebackup"),
        f"--pgdata={partial / 'data'}",
        "--format=plain",
        "--wal-method=stream",
        # One that is spread over minutes would have everybody wait.
        "--checkpoint=fast",
        "--manifest-checksums=CRC32C",
        # Everything is synced at the end, the media too.
        "--no-sync",
        "--no-password",
        f"--dbname={server.address(replicates=True)}",
        "--progress",
        "--label=samovar",
        *options,
    ]
    try:
        run_tool(
            command,
            environment=server.environment(),
            folder=partial,
            is_stopped=is_stopped,
            on_line=tell,
            forks=True,
        )
    except ToolFailed as error:
        if not broken:
            raise
        findings = [_("%(file)s has pages with a wrong checksum.") % {"file": file} for file in dict.fromkeys(broken)]
        raise Damaged(
            _(
                "The running database is damaged, so no backup was made of it: %(first)s Keep the older backups, and "
                "recover to a moment before the damage."
            )
            % {"first": findings[0]},
            tuple(findings),
        ) from error


def positions(origin: Origin, facts: Facts) -> dict[str, Any]:
    """What the manifest says of the WAL."""
    return {
        "timeline": origin.timeline,
        "start_lsn": origin.start_lsn,
        "stop_lsn": origin.stop_lsn,
        "start_wal": origin.start_wal(facts.segment_size),
        "stop_wal": origin.stop_wal(facts.segment_size),
    }
