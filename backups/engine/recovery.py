"""Recovering a database beside the running one: a backup, the WAL up to a moment, and a server of its own on it."""

from collections.abc import Callable
from pathlib import Path

import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine import files
from backups.engine.assembling import assemble, chain
from backups.engine.beside import (
    PORT,
    Beside,
    Recovered,
    begin_beside,
    closed_recoveries,
    discard_leftover_recoveries,
    discard_recovery,
    open_beside,
)
from backups.engine.beside_account import superuser_of
from backups.engine.beside_server import configure, failure_of, last_commit, unreached
from backups.engine.choosing import Choice, choose
from backups.engine.feeding import Feeder
from backups.engine.landmarks import pass_the_moment
from backups.engine.programs import Programs
from backups.engine.repository import Repository, Stored, now
from backups.engine.server import Server
from backups.engine.targets import Target
from backups.engine.wal_names import Archive, Segment
from backups.errors import WrongTarget, WrongVersion
from foundation.uuids import uuid7

__all__ = [
    "Beside",
    "Recovered",
    "closed_recoveries",
    "discard_leftover_recoveries",
    "discard_recovery",
    "open_beside",
    "recover_beside",
]

STAGE_FETCHING = gettext_noop("Fetching the last WAL")
STAGE_COPYING = gettext_noop("Putting the cluster's files together")
STAGE_REPLAYING = gettext_noop("Replaying the WAL")
STAGE_OPENING = gettext_noop("Opening the recovered database")
# What the recovered server writes besides the backup's files.
SPARE_MB = 500

Progress = Callable[[str, float | None], None]
logger = structlog.get_logger("backups.recovery")


def recover_beside(
    repository: Repository,
    target: Target,
    *,
    folder: Path,
    programs: Programs,
    backup: Stored | None = None,
    server: Server | None = None,
    user: str = "",
    name: str = "",
    progress: Progress = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Beside:
    """Recovers to `target` beside whatever runs, and returns the server, which can be written to and is nobody's
    replica. Nothing but `folder` is changed; nothing is left in it after an error.

    Args:
        folder: where recoveries are made, RECOVERY_DIR.
        programs: of the version that the backup was made with.
        backup: begins from this one; without it from the newest one before the target.
        server: the running server, if there is one: it can tell that nothing was committed since the WAL's last
            commit, so that a later moment can be recovered to as well.
        user: an account that the recovered server knows; without it the usual ones are tried.
        name: of the recovery, which becomes its folder's; without it one is made up.

    Raises WrongTarget, WrongVersion, Damaged, Interrupted, DiskIsFull, NotWritable, NoPrograms, BackupFailed, Busy.
    """
    if server is not None and (target.time is not None or target.xid is not None):
        progress(STAGE_FETCHING, None)
        pass_the_moment(repository, server, programs)
    choice = choose(repository, target, backup=backup)
    stored = choice.stored
    if stored.manifest.server_version // 10_000 != programs.major:
        raise WrongVersion(
            _(
                "The backup is of PostgreSQL %(backup)d and the programs in %(folder)s are of version %(tools)d: only "
                "the same version can recover it. Name its folder in PG_PROGRAMS."
            )
            % {
                "backup": stored.manifest.server_version // 10_000,
                "folder": programs.folder,
                "tools": programs.major,
            }
        )
    links = chain(repository, stored)
    beside = begin_beside(
        folder,
        Recovered(
            name=name or str(uuid7()),
            backup_id=stored.id,
            target=str(target),
            at=now(),
            user=user,
            database=stored.manifest.database,
            socket="",
        ),
        programs=programs,
    )
    try:
        size = sum(files.size_of(link.data) for link in links)
        files.need_room(beside.home, size // files.MEGABYTE + SPARE_MB)
        progress(STAGE_COPYING, 0.0)
        assemble(repository, stored, beside.data, progress=progress, is_stopped=is_stopped)
        _replay(choice, target, beside, progress, is_stopped)
        progress(STAGE_OPENING, None)
        _look_in(beside, stored, target)
    except BaseException:
        beside.discard()
        raise
    logger.info("recovered", target=str(target), backup=stored.id, recovered_to=str(beside.recovered_to))
    return beside


def _replay(choice: Choice, target: Target, beside: Beside, progress: Progress, is_stopped: Callable[[], bool]) -> None:
    """Starts the server and hands it the WAL until it has got to the target."""
    manifest = choice.stored.manifest
    share = _share_of(choice)
    progress(STAGE_REPLAYING, 0.0)
    configure(
        beside.data,
        target=choice.goal,
        programs=beside.programs,
        socket=Path(beside.recovered.socket),
        port=PORT,
        folder=beside.home,
    )
    if beside.account is not None:
        beside.account.own(beside.data)
    feeder = Feeder(
        archive=choice.repository.wal,
        home=beside.home,
        data=beside.data,
        segment_size=manifest.segment_size,
        account=beside.account,
        on_segment=lambda segment: progress(STAGE_REPLAYING, share(segment)),
    )
    feeder.start()

    def raise_what_the_feeder_met() -> None:
        if feeder.error is not None:
            raise feeder.error

    try:
        beside.start()
        is_ready = beside.wait(is_stopped=is_stopped, on_look=raise_what_the_feeder_met)
        raise_what_the_feeder_met()
    finally:
        feeder.stop()
    words = beside.words()
    reached = last_commit(words) or manifest.consistent_at
    if not is_ready:
        raise failure_of(
            words,
            code=beside.exit_code() or 0,
            target=target,
            folder=beside.home,
            reached=reached,
            break_at=feeder.breaks_at(),
        )
    if target.is_latest and (break_at := feeder.breaks_at()):
        beside.note(warnings=(str(unreached(target, reached=reached, break_at=break_at)),))
    # The server does not count the record that it stops at.
    beside.note(recovered_to=choice.last or reached)


def _share_of(choice: Choice) -> Callable[[Segment], float]:
    """How much of the WAL is replayed once this segment is: of all that there is, as the target may be anywhere."""
    manifest = choice.stored.manifest
    there = Archive.read(choice.repository.wal, segment_size=manifest.segment_size)
    first = Segment.named(manifest.start_wal, size=manifest.segment_size).number
    last = max((segment.number for segment in (*there.complete.values(), *there.partial.values())), default=first)
    return lambda segment: min(max((segment.number - first + 1) / max(last - first + 1, 1), 0.0), 1.0)


def _look_in(beside: Beside, stored: Stored, target: Target) -> None:
    """Finds out who may enter, and whether the database is there. Raises BackupFailed, WrongTarget."""
    names = [beside.recovered.user, Server.of_the_shop().user, "postgres", "samovar"]
    beside.note(user=superuser_of(beside.server, names=names))
    database = stored.manifest.database
    known = beside.server.of("template1").ask("SELECT 1 FROM pg_database WHERE datname = %s AND datallowconn", database)
    if not known:
        raise WrongTarget(
            _("There was no database %(name)s at that moment: %(target)s.") % {"name": database, "target": target}
        )
