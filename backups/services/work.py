"""What each kind of job does. Called by the process of a job, and by the commands at the terminal."""

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine.beside import discard_leftover_recoveries
from backups.engine.comparing import COMPARING, compare
from backups.engine.incremental import newest_base
from backups.engine.jobs import Job, JobKind, Progress, Result, Stopped
from backups.engine.loading import drop_database
from backups.engine.logical import restore_all, take_logical, verify_logical
from backups.engine.manifest import Kind
from backups.engine.physical import take_physical
from backups.engine.place import open_place
from backups.engine.programs import find_programs
from backups.engine.recovery import recover_beside
from backups.engine.repository import Repository, Stored, now
from backups.engine.retention import prune, prune_place, refuse_needed
from backups.engine.server import Server
from backups.engine.swapping import drop_old
from backups.engine.targets import Target
from backups.engine.verifying import verify_physical
from backups.engine.wal_check import check_wal
from backups.engine.wal_refetch import mend_wal
from backups.engine.wal_report import WalReport
from backups.errors import Damaged, ToolFailed, UnknownBackup
from backups.services.copies import check_copies, send_copies
from backups.services.erasures import keep_erasures
from backups.services.restoring import discard, recover, restore, running_server, swap_back, take_over_recovered
from backups.services.switchover import switch_over

logger = structlog.get_logger("backups.work")
Work = Callable[[Job, Progress, Stopped], Result]

VERIFYING = gettext_noop("verifying")


def doing(job: Job) -> str:
    """What somebody else is told who comes meanwhile."""
    return job.label.capitalize()


def work_of(repository: Repository, *, tell: Callable[[str], None] | None = None) -> Work:
    """What carries out any job of this repository. `tell` hears each new stage."""

    def work(job: Job, progress: Progress, is_stopped: Stopped) -> Result:
        said: list[str] = []

        def heard(stage: str, share: float | None) -> None:
            progress(stage, share)
            if tell is not None and stage not in said:
                said.append(stage)
                tell(_(stage))

        return WORKS[job.kind](repository, job, heard, is_stopped)

    return work


def back_up(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Makes a backup and verifies it. A daily physical one builds upon the newest before it, where the server can."""
    server = Server.of_the_shop()
    common: dict[str, Any] = {
        "period": job.arguments.get("period", ""),
        "by": job.by,
        "reason": job.reason,
        "media": Path(settings.MEDIA_ROOT),
        "backup_id": job.id,
        "progress": progress,
        "is_stopped": is_stopped,
    }
    if job.arguments.get("kind") == Kind.PHYSICAL:
        base = newest_base(repository, server) if job.arguments.get("period") == "daily" else None
        stored = back_up_physical(repository, server, base, common)
    else:
        stored = take_logical(repository, server, **common)
    result = {"backup_id": stored.id, "folder": str(stored.folder), "size": stored.manifest.size}
    try:
        keep_erasures(repository=repository)
    except DatabaseError as error:
        # The backup is as good without it: the list of the last one is still there.
        logger.warning("erasures_not_kept", reason=str(error).strip()[:300])
    return {**result, "copies": send_copies(repository, progress, is_stopped)}


def back_up_physical(repository: Repository, server: Server, base: Stored | None, common: dict[str, Any]) -> Stored:
    """Makes one upon `base`, or a full one where the server can't. Raises what `take_physical` does."""
    if base is not None:
        try:
            return take_physical(repository, server, base=base, **common)
        except ToolFailed as error:
            # The summaries since then are missing, for example after a node was made anew: so they would be tomorrow.
            logger.warning("incremental_backup_failed", base=base.id, reason=str(error))
    return take_physical(repository, server, **common)


def verify(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Reads every byte of a backup again, and notes what was found."""
    stored = repository.get(job.arguments["backup_id"])
    progress(VERIFYING, None)
    find = verify_physical if stored.manifest.kind == Kind.PHYSICAL else verify_logical
    findings = find(stored, is_stopped=is_stopped)
    repository.amend(stored, verified_at=now(), damage=findings)
    if findings:
        raise Damaged(_("The backup is damaged: %(first)s") % {"first": findings[0]}, tuple(findings))
    return {"backup_id": stored.id}


def look_at_wal(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Looks at the WAL, with the server's help if it is there: what is broken and the server still has is fetched
    again, and looked at once more. What the other places lack is sent then, the newest WAL too."""
    server = running_server()
    if server is None:
        result = report_of(check_wal(repository, progress=progress, is_stopped=is_stopped))
    else:
        report, done = mend_wal(repository, server, progress=progress, is_stopped=is_stopped)
        result = {**report_of(report), "fetched_again": done.fetched, "not_fetched": done.failed}
    return {**result, "copies": send_copies(repository, progress, is_stopped)}


def report_of(report: WalReport) -> Result:
    """What is kept of it: the findings as they are shown, and the spans."""
    spans = [{"start": start.isoformat(), "end": end.isoformat()} for start, end in report.recoverable]
    return {
        "segments": report.checked,
        "findings": [
            {"segment": one.segment, "kind": str(one.kind), "sentence": one.sentence} for one in report.findings
        ],
        "spans": spans,
        "recoverable_from": spans[0]["start"] if spans else None,
        "recoverable_to": spans[-1]["end"] if spans else None,
    }


def drill(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Restores a backup beside, looks whether the shop in it is right, notes that, and throws it away. Its copies in
    other places are read too."""
    stored = repository.get(wanted) if (wanted := job.arguments.get("backup_id")) else newest(repository)
    begun = time.monotonic()
    restored = beside_of_physical if stored.manifest.kind == Kind.PHYSICAL else beside_of_logical
    with restored(repository, stored, job, progress, is_stopped) as server:
        seconds = time.monotonic() - begun
        progress(COMPARING, None)
        comparison = compare(server, None, with_indexes=True, is_stopped=is_stopped)
    if faults := comparison.checked.findings:
        raise Damaged(_("What was restored is not right: %(first)s") % {"first": faults[0]}, tuple(faults))
    repository.amend(stored, proved_at=now(), restored_in=round(seconds, 3))
    copies = check_copies(repository, stored, progress, is_stopped)
    return {"backup_id": stored.id, "seconds": seconds, "comparison": comparison.as_dict(), "copies": copies}


def newest(repository: Repository) -> Stored:
    """The newest backup that was not found damaged. Raises UnknownBackup."""
    for stored in reversed(repository.backups()):
        if not stored.state.damage:
            return stored
    raise UnknownBackup(_("(there is none yet)"))


@contextmanager
def beside_of_physical(
    repository: Repository, stored: Stored, job: Job, progress: Progress, is_stopped: Stopped
) -> Iterator[Server]:
    """The backup as it is, recovered by a server of its own."""
    with recover_beside(
        repository,
        Target.as_backed_up(),
        folder=settings.RECOVERY_DIR,
        programs=find_programs(),
        backup=stored,
        name=job.id,
        progress=progress,
        is_stopped=is_stopped,
    ) as beside:
        yield beside.server


@contextmanager
def beside_of_logical(
    repository: Repository, stored: Stored, job: Job, progress: Progress, is_stopped: Stopped
) -> Iterator[Server]:
    """The backup loaded into a database of its own on the running server."""
    server = Server.of_the_shop()
    name = f"{server.database}_drill_{job.id[-12:]}"
    restore_all(stored, server, name, progress=progress, is_stopped=is_stopped)
    try:
        yield server.of(name)
    finally:
        drop_database(server, name)


def delete(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Deletes a backup that somebody has chosen. Raises UnknownBackup, BackupNeeded."""
    stored = repository.get(job.arguments["backup_id"])
    refuse_needed(stored, repository.backups())
    repository.delete(stored)
    return {"backup_id": stored.id, "size": stored.manifest.size}


def tidy_up(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Deletes backups that are too old, here and in the other places, WAL that none of the kept ones needs, recovered
    servers and replaced databases that nobody has asked about for days."""
    pruned = prune(repository, wal_days=settings.BACKUP_WAL_DAYS, progress=progress, is_stopped=is_stopped)
    for url in settings.BACKUP_PLACES:
        prune_place(open_place(url), repository, wal_days=settings.BACKUP_WAL_DAYS, is_stopped=is_stopped)
    before = now() - datetime.timedelta(days=settings.BACKUP_KEPT_DAYS)
    recoveries = discard_leftover_recoveries(settings.RECOVERY_DIR, older_than=before)
    server = running_server()
    return {
        "deleted": pruned.backups,
        "segments": len(pruned.segments),
        "size": pruned.size,
        "held_back": pruned.held_back,
        "recoveries": recoveries,
        "databases": drop_old(server, before) if server is not None else [],
    }


WORKS: dict[JobKind, Callable[[Repository, Job, Progress, Stopped], Result]] = {
    JobKind.BACKUP: back_up,
    JobKind.VERIFY: verify,
    JobKind.CHECK_WAL: look_at_wal,
    JobKind.DRILL: drill,
    JobKind.RECOVER: recover,
    JobKind.TAKE_OVER: take_over_recovered,
    JobKind.RESTORE: restore,
    JobKind.SWAP_BACK: swap_back,
    JobKind.DISCARD: discard,
    JobKind.DELETE: delete,
    JobKind.PRUNE: tidy_up,
    JobKind.SWITCH_OVER: switch_over,
}
