"""What is restored: beside the running shop first, to be looked at; then all of it, or chosen tables, in its place."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from backups.engine.beside import discard_recovery, open_beside
from backups.engine.chosen_tables import restore_tables
from backups.engine.comparing import COMPARING, compare
from backups.engine.databases import LOADED, load_beside, mark_as_loaded, new_name
from backups.engine.jobs import Job, Progress, Result, Stopped, get_job
from backups.engine.kept_databases import close_old, drop_loaded, need_loaded, opened
from backups.engine.loading import drop_database
from backups.engine.logical import copy_tables, restore_all
from backups.engine.manifest import Kind
from backups.engine.media import unpack_media
from backups.engine.programs import find_programs
from backups.engine.recovery import recover_beside
from backups.engine.repository import Repository, Stored, now
from backups.engine.server import Server
from backups.engine.targets import Target
from backups.errors import AskedTooLongAgo, ServerGone, UnknownJob, WrongBackup
from backups.services.chosen import put_tables
from backups.services.taking_over import settle_swap, take_back, take_over

# What a person has looked at before they asked for it is not so any more hours later, as after a night without the
# agent. At the terminal work begins as soon as it is asked for.
MEANT_FOR = datetime.timedelta(minutes=15)


def recover(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Restores beside what the running shop has, compares both, and keeps what was restored, closed, until somebody
    decides about it: a moment, a transaction, or what a backup shows."""
    if backup_id := job.arguments.get("backup_id"):
        stored = repository.get(backup_id)
        if stored.manifest.kind == Kind.LOGICAL:
            return load_beside_the_shop(stored, progress, is_stopped)
        return recover_to(repository, Target.as_backed_up(), stored, job, progress, is_stopped)
    return recover_to(repository, target_of(job), None, job, progress, is_stopped)


def recover_to(
    repository: Repository,
    target: Target,
    stored: Stored | None,
    job: Job,
    progress: Progress,
    is_stopped: Stopped,
) -> Result:
    """By a server of its own, from this backup, or the newest before the target."""
    running = running_server()
    with recover_beside(
        repository,
        target,
        folder=settings.RECOVERY_DIR,
        programs=find_programs(),
        backup=stored,
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


def load_beside_the_shop(stored: Stored, progress: Progress, is_stopped: Stopped) -> Result:
    """A logical backup, into a database of its own on the running server."""
    server = Server.of_the_shop()
    name = new_name(server, LOADED)
    restore_all(stored, server, name, progress=progress, is_stopped=is_stopped)
    try:
        mark_as_loaded(server, name, of_backup=stored.id)
        progress(COMPARING, None)
        moment = stored.manifest.consistent_at
        comparison = compare(server.of(name), server, moment=moment, is_stopped=is_stopped)
        close_old(server)
    except BaseException:
        drop_database(server, name)
        raise
    return {
        "backup_id": stored.id,
        "recovered_to": moment.isoformat() if moment else None,
        "comparison": comparison.as_dict(),
        "database": name,
    }


@dataclass(frozen=True, slots=True)
class Restored:
    """A shop that was restored beside: where it can be asked, which backup it is from, and the name of its database if
    that is one of the running server."""

    server: Server
    backup_id: str
    database: str = ""


def target_of(job: Job) -> Target:
    """What was asked for. Raises WrongTarget."""
    if job.arguments.get("is_latest"):
        return Target.latest()
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


@contextmanager
def restored(job: Job, repository: Repository) -> Iterator[Restored]:
    """What a recovery has left, open as long as somebody looks. Raises NothingRecovered."""
    came_of_it = result_of(repository, job.arguments["recovery"])
    if database := came_of_it.get("database"):
        server = Server.of_the_shop()
        need_loaded(server, database)
        with opened(server, database):
            yield Restored(server.of(database), came_of_it["backup_id"], database)
        return
    beside = open_beside(settings.RECOVERY_DIR, job.arguments["recovery"], programs=find_programs())
    try:
        yield Restored(beside.server, beside.recovered.backup_id)
    finally:
        # It is kept: somebody may want to look at it again, or try once more.
        beside.close()


def result_of(repository: Repository, recovery: str) -> Result:
    """What came of a recovery; nothing where its record is gone, while what was recovered may be there."""
    try:
        return get_job(repository, recovery).result
    except UnknownJob:
        return {}


def discard(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Throws away what was restored beside. Raises NothingRecovered."""
    recovery = job.arguments["recovery"]
    if database := result_of(repository, recovery).get("database"):
        drop_loaded(Server.of_the_shop(), database)
    else:
        discard_recovery(settings.RECOVERY_DIR, recovery)
    return {"recovery": recovery}


def take_over_recovered(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Puts what was restored beside in the place of the shop's: chosen tables, or the whole database. Raises
    AskedTooLongAgo, NothingRecovered, and what `put_tables` and `take_over` raise."""
    refuse_late(job)
    server = Server.of_the_shop()
    settle_swap(repository=repository, server=server)
    tables = job.arguments.get("tables")
    with restored(job, repository) as found:
        if tables:
            load = partial(
                copy_tables,
                found.server,
                server,
                server.database,
                tables,
                folder=settings.RECOVERY_DIR,
                replace=True,
                progress=progress,
                is_stopped=is_stopped,
            )
            return put_tables(
                repository=repository,
                tables=tables,
                load=lambda refuse: load(refuse=refuse),
                is_stopped=is_stopped,
            )
        name = found.database or new_name(server)
        if not found.database:
            load_beside(
                found.server, server, name, folder=settings.RECOVERY_DIR, progress=progress, is_stopped=is_stopped
            )
    stored = repository.get(found.backup_id)
    return put_in_place(repository, server, name, stored, job, progress, is_stopped)


def refuse_late(job: Job) -> None:
    """Raises AskedTooLongAgo."""
    if now() - job.requested_at > MEANT_FOR:
        raise AskedTooLongAgo


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
        job=job.id,
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
        load = partial(restore_tables, stored, server, server.database, tables, replace=True)
        done = put_tables(
            repository=repository,
            tables=tables,
            load=lambda refuse: load(refuse=refuse, progress=progress, is_stopped=is_stopped),
            is_stopped=is_stopped,
        )
        return {"backup_id": stored.id, **done}
    name = new_name(server)
    restore_all(stored, server, name, progress=progress, is_stopped=is_stopped)
    return {"backup_id": stored.id, **put_in_place(repository, server, name, stored, job, progress, is_stopped)}


def swap_back(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Puts the database from before a take-over, or the kept one that is named, in its place again. Raises
    AskedTooLongAgo, and what `take_back` raises."""
    refuse_late(job)
    server = Server.of_the_shop()
    settle_swap(repository=repository, server=server)
    kept = job.arguments.get("kept") or get_job(repository, job.arguments["take_over"]).result["kept"]
    taken = take_back(
        repository=repository,
        server=server,
        kept=kept,
        reason=job.reason,
        job=job.id,
        sentence=_("The shop is being restored. It is back in a moment."),
        progress=progress,
        is_stopped=is_stopped,
    )
    return taken.to_result()
