"""What people, programs and the timetable ask for. Each verb writes a job, which the agent carries out."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from backups.engine.jobs import SWAPS, Job, JobKind, JobStatus, all_jobs, ask_to_stop, get_job, request_job
from backups.engine.manifest import Kind
from backups.engine.repository import Repository
from backups.errors import NothingRecovered, NothingTakenOver, WrongTarget
from backups.services.index import refresh_index
from foundation.errors import InvalidInput

LONGEST_REASON = 300


def ask(kind: JobKind, *, arguments: dict[str, Any], by: str, reason: str) -> Job:
    """Writes the job and shows it. Raises DiskIsFull, NotWritable."""
    repository = Repository.of_the_shop()
    job = request_job(repository, kind, arguments=arguments, by=by, reason=reason.strip())
    refresh_index(repository=repository)
    return job


def request_backup(*, kind: str, by: str = "", reason: str = "", period: str = "") -> Job:
    """A logical or physical backup. Raises InvalidInput, DiskIsFull, NotWritable."""
    if kind not in list(Kind):
        raise InvalidInput.at("kind", _("Choose logical or physical."))
    if len(reason) > LONGEST_REASON:
        raise InvalidInput.at("reason", _("At most %(most)d characters.") % {"most": LONGEST_REASON})
    return ask(JobKind.BACKUP, arguments={"kind": kind, "period": period}, by=by, reason=reason)


def request_backup_by_timetable(*, kind: str, period: str) -> Job | None:
    """A backup of the timetable; None while the last one of its kind still waits. Raises DiskIsFull, NotWritable."""
    asked = {"kind": kind, "period": period}
    for job in all_jobs(Repository.of_the_shop()):
        if job.kind == JobKind.BACKUP and job.status == JobStatus.WAITING and job.arguments == asked:
            return None
    return request_backup(**asked)


def request_verification(*, backup_id: str, by: str = "") -> Job:
    """Looking whether its files are whole. Raises UnknownBackup."""
    Repository.of_the_shop().get(backup_id)
    return ask(JobKind.VERIFY, arguments={"backup_id": backup_id}, by=by, reason="")


def request_drill(*, backup_id: str = "", by: str = "", reason: str = "") -> Job:
    """Restoring a backup beside (the newest one without an id), looking whether the shop in it is right, and throwing
    it away. Raises UnknownBackup."""
    if backup_id:
        Repository.of_the_shop().get(backup_id)
    return ask(JobKind.DRILL, arguments={"backup_id": backup_id}, by=by, reason=reason)


def request_wal_check(*, by: str = "") -> Job:
    """A look at the WAL."""
    return ask(JobKind.CHECK_WAL, arguments={}, by=by, reason="")


def request_prune(*, by: str = "") -> Job:
    """Deleting what is too old to be kept."""
    return ask(JobKind.PRUNE, arguments={}, by=by, reason="")


def request_recovery(*, time: Any, by: str = "", reason: str = "") -> Job:
    """Recovering beside the running server to a moment (aware). Raises WrongTarget where it lies in the future."""
    if time > timezone.now():
        raise WrongTarget.at("time", _("That moment lies in the future."))
    return ask(JobKind.RECOVER, arguments={"target": time.isoformat()}, by=by, reason=reason)


def request_take_over(*, run_id: str, by: str = "", reason: str = "") -> Job:
    """Putting what was recovered in the place of the shop's database. Raises UnknownJob, NothingRecovered."""
    return ask(JobKind.TAKE_OVER, arguments=recovered(run_id), by=by, reason=reason)


def request_discard(*, run_id: str, by: str = "") -> Job:
    """Throwing away what was recovered. Raises UnknownJob, NothingRecovered."""
    return ask(JobKind.DISCARD, arguments=recovered(run_id), by=by, reason="")


def recovered(run_id: str) -> dict[str, str]:
    """The arguments of work about a recovery that is done."""
    job = get_job(Repository.of_the_shop(), run_id)
    if job.kind != JobKind.RECOVER or job.status != JobStatus.DONE:
        raise NothingRecovered
    return {"recovery": job.id, "target": str(job.arguments.get("target", ""))}


def request_way_back(*, run_id: str, by: str = "", reason: str = "") -> Job:
    """Putting the database from before a take-over back in its place. Raises UnknownJob, NothingTakenOver."""
    job = get_job(Repository.of_the_shop(), run_id)
    if job.kind not in SWAPS or not job.result.get("kept"):
        raise NothingTakenOver
    return ask(JobKind.SWAP_BACK, arguments={"take_over": job.id}, by=by, reason=reason)


def stop_job(*, job_id: str) -> Job:
    """Raises UnknownJob."""
    repository = Repository.of_the_shop()
    job = ask_to_stop(repository, job_id)
    refresh_index(repository=repository)
    return job
