"""What each kind of job does. Called by the process of a job, and by the commands at the terminal."""

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine.beside import discard_leftover_recoveries, discard_recovery, open_beside
from backups.engine.chosen_tables import restore_tables
from backups.engine.comparing import compare
from backups.engine.databases import load_beside, new_name
from backups.engine.incremental import newest_base
from backups.engine.jobs import Job, JobKind, Progress, get_job
from backups.engine.loading import drop_database
from backups.engine.logical import restore_all, take_logical, verify_logical
from backups.engine.manifest import Kind
from backups.engine.media import unpack_media
from backups.engine.physical import take_physical
from backups.engine.place import open_place
from backups.engine.place_wal import send_wal
from backups.engine.places import send_missing
from backups.engine.programs import find_programs
from backups.engine.recovery import recover_beside
from backups.engine.repository import Repository, Stored, now
from backups.engine.retention import prune, prune_place
from backups.engine.server import Server
from backups.engine.swapping import drop_old
from backups.engine.targets import Target
from backups.engine.verifying import verify_physical
from backups.engine.wal_check import check_wal
from backups.engine.wal_refetch import mend_wal
from backups.engine.wal_report import WalReport
from backups.errors import BackupFailed, Damaged, Interrupted, ServerGone, UnknownBackup, WrongBackup
from backups.services.erasures import keep_erasures
from backups.services.taking_over import settle_swap, take_back, take_over

# So long a recovered server and a replaced database are kept.
KEPT_BESIDE = datetime.timedelta(days=14)

logger = structlog.get_logger("backups.work")
Stopped = Callable[[], bool]
Result = dict[str, Any]
Work = Callable[[Job, Progress, Stopped], Result]

VERIFYING = gettext_noop("verifying")
COMPARING = gettext_noop("comparing")


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
        stored = take_physical(repository, server, base=base, **common)
    else:
        stored = take_logical(repository, server, **common)
    result = {"backup_id": stored.id, "folder": str(stored.folder), "size": stored.manifest.size}
    try:
        keep_erasures(repository=repository)
    except DatabaseError as error:
        # The backup is as good without it: the list of the last one is still there.
        logger.warning("erasures_not_kept", reason=str(error).strip()[:300])
    return {**result, "copies": send_copies(repository, progress, is_stopped)}


def send_copies(repository: Repository, progress: Progress, is_stopped: Stopped) -> dict[str, str]:
    """Copies what is not there yet to every place that is configured. Returns what came of each: "" or why not; a
    place that can't be reached makes the backup itself no worse, and is tried again with the next one."""
    came_of_it = {}
    for url in settings.BACKUP_PLACES:
        name = ""
        try:
            place = open_place(url)
            name = place.name
            send_missing(repository, place, progress=progress, is_stopped=is_stopped)
            send_wal(repository, place, progress=progress, is_stopped=is_stopped)
            came_of_it[name] = ""
        except Interrupted:
            raise
        except BackupFailed as error:
            logger.warning("copy_not_sent", place=name, reason=str(error))
            came_of_it[name or _("a place of BACKUP_PLACES")] = str(error)
    return came_of_it


def verify(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Reads every byte of a backup again, and notes what was found."""
    stored = repository.get(job.arguments["backup_id"])
    progress(VERIFYING, None)
    find = verify_physical if stored.manifest.kind == Kind.PHYSICAL else verify_logical
    findings = find(stored, is_stopped=is_stopped)
    repository.note(stored, replace(stored.state, verified_at=now(), damage=findings))
    if findings:
        raise Damaged(_("The backup is damaged: %(first)s") % {"first": findings[0]}, tuple(findings))
    return {"backup_id": stored.id}


def look_at_wal(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Looks at the WAL, with the server's help if it is there: what is broken and the server still has is fetched
    again, and looked at once more."""
    server = running_server()
    if server is None:
        return report_of(check_wal(repository, progress=progress, is_stopped=is_stopped))
    report, done = mend_wal(repository, server, progress=progress, is_stopped=is_stopped)
    return {**report_of(report), "fetched_again": done.fetched, "not_fetched": done.failed}


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
    """Restores a backup beside, looks whether the shop in it is right, notes that, and throws it away."""
    stored = repository.get(wanted) if (wanted := job.arguments.get("backup_id")) else newest(repository)
    begun = time.monotonic()
    restored = beside_of_physical if stored.manifest.kind == Kind.PHYSICAL else beside_of_logical
    with restored(repository, stored, job, progress, is_stopped) as server:
        seconds = time.monotonic() - begun
        progress(COMPARING, None)
        comparison = compare(server, None, is_stopped=is_stopped)
    if faults := comparison.checked.findings:
        raise Damaged(_("What was restored is not right: %(first)s") % {"first": faults[0]}, tuple(faults))
    state = repository.get(stored.id).state
    repository.note(stored, replace(state, proved_at=now(), restored_in=round(seconds, 3)))
    return {"backup_id": stored.id, "seconds": seconds, "comparison": comparison.as_dict()}


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


def recover(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Recovers beside the running server, compares both, and keeps what was recovered, closed, until somebody decides
    about it."""
    running = running_server()
    with recover_beside(
        repository,
        target_of(job),
        folder=settings.RECOVERY_DIR,
        programs=find_programs(),
        server=running,
        name=job.id,
        progress=progress,
        is_stopped=is_stopped,
    ) as beside:
        progress(COMPARING, None)
        comparison = compare(beside.server, running, moment=beside.recovered_to, is_stopped=is_stopped)
        beside.close()
    return {
        "backup_id": beside.recovered.backup_id,
        "recovered_to": beside.recovered_to.isoformat() if beside.recovered_to else None,
        "comparison": comparison.as_dict(),
    }


def target_of(job: Job) -> Target:
    """What was asked for. Raises WrongTarget."""
    if xid := job.arguments.get("xid"):
        return Target(xid=int(xid), is_inclusive=not job.arguments.get("is_before"))
    return Target(time=datetime.datetime.fromisoformat(job.arguments["target"]))


def running_server() -> Server | None:
    """The shop's server, None while it does not answer."""
    server = Server.of_the_shop()
    try:
        server.facts()
    except ServerGone:
        return None
    return server


def discard(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Throws a recovered server away."""
    discard_recovery(settings.RECOVERY_DIR, job.arguments["recovery"])
    return {"recovery": job.arguments["recovery"]}


def take_over_recovered(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Loads what was recovered into a new database of the running server, and puts that in the place of the shop's."""
    server = Server.of_the_shop()
    settle_swap(repository=repository, server=server)
    name = new_name(server)
    beside = open_beside(settings.RECOVERY_DIR, job.arguments["recovery"], programs=find_programs())
    try:
        load_beside(beside.server, server, name, folder=settings.RECOVERY_DIR, progress=progress, is_stopped=is_stopped)
    finally:
        # It is kept: somebody may want to look at it again, or try once more.
        beside.close()
    stored = repository.get(beside.recovered.backup_id)
    return put_in_place(repository, server, name, stored, job, progress, is_stopped)


def put_in_place(
    repository: Repository,
    server: Server,
    name: str,
    stored: Stored,
    job: Job,
    progress: Progress,
    is_stopped: Stopped,
) -> Result:
    """Media that are missing come back, then the loaded database takes the place of the shop's."""
    if stored.media.is_file():
        unpack_media(
            stored.media, Path(settings.MEDIA_ROOT), expected=stored.manifest.media_files, is_stopped=is_stopped
        )
    taken = take_over(
        repository=repository,
        server=server,
        new_database=name,
        reason=job.reason,
        sentence=_("The shop is being restored. It is back in a moment."),
        progress=progress,
        is_stopped=is_stopped,
    )
    return taken.to_result()


def restore(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Restores a logical backup: chosen tables into the shop's database, in the place of what is in them, or all of it
    in the place of the database."""
    server = Server.of_the_shop()
    settle_swap(repository=repository, server=server)
    stored = repository.get(job.arguments["backup_id"])
    if stored.manifest.kind != Kind.LOGICAL:
        raise WrongBackup(stored.id)
    if tables := job.arguments.get("tables"):
        restore_tables(stored, server, server.database, tables, replace=True, progress=progress, is_stopped=is_stopped)
        return {"backup_id": stored.id, "tables": tables}
    name = new_name(server)
    restore_all(stored, server, name, progress=progress, is_stopped=is_stopped)
    return {"backup_id": stored.id, **put_in_place(repository, server, name, stored, job, progress, is_stopped)}


def swap_back(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Puts the database from before a take-over in its place again."""
    server = Server.of_the_shop()
    settle_swap(repository=repository, server=server)
    kept = get_job(repository, job.arguments["take_over"]).result["kept"]
    taken = take_back(
        repository=repository,
        server=server,
        kept=kept,
        reason=job.reason,
        sentence=_("The shop is being restored. It is back in a moment."),
        progress=progress,
        is_stopped=is_stopped,
    )
    return taken.to_result()


def tidy_up(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Deletes backups that are too old, here and in the other places, WAL that none of the kept ones needs, recovered
    servers and replaced databases that nobody has asked about for days."""
    pruned = prune(repository, wal_days=settings.BACKUP_WAL_DAYS, progress=progress, is_stopped=is_stopped)
    for url in settings.BACKUP_PLACES:
        prune_place(open_place(url), repository, wal_days=settings.BACKUP_WAL_DAYS, is_stopped=is_stopped)
    before = now() - KEPT_BESIDE
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
    JobKind.PRUNE: tidy_up,
}
