"""Work that takes long: asked for in a file, done by a process of its own, so that neither the broker nor the database
that is being replaced is needed for it."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext_lazy as _

from backups.engine import files
from backups.engine.manifest import Kind
from backups.engine.records import read_record, write_record
from backups.engine.repository import Repository, now
from backups.errors import BackupFailed, Interrupted, UnknownJob
from foundation.errors import Refusal
from foundation.logs import mask_text
from foundation.uuids import uuid7

# Progress is written at most so often, in seconds.
WRITE_EVERY = 0.5
KEPT_DAYS = 90
LONGEST_ERROR = 2000

Progress = Callable[[str, float | None], None]
Stopped = Callable[[], bool]
Result = dict[str, Any]
logger = structlog.get_logger("backups.jobs")


class JobKind(StrEnum):
    """What can be asked for."""

    BACKUP = "backup"
    VERIFY = "verify"
    CHECK_WAL = "check_wal"
    DRILL = "drill"
    RECOVER = "recover"
    TAKE_OVER = "take_over"
    RESTORE = "restore"
    SWAP_BACK = "swap_back"
    DISCARD = "discard"
    DELETE = "delete"
    PRUNE = "prune"
    SWITCH_OVER = "switch_over"


LABELS = {
    JobKind.BACKUP: _("backup"),
    JobKind.VERIFY: _("verification"),
    JobKind.CHECK_WAL: _("check of the WAL"),
    JobKind.DRILL: _("drill"),
    JobKind.RECOVER: _("recovery"),
    JobKind.TAKE_OVER: _("take-over"),
    JobKind.RESTORE: _("restore"),
    JobKind.SWAP_BACK: _("way back"),
    JobKind.DISCARD: _("discarding a recovered server"),
    JobKind.DELETE: _("deleting a backup"),
    JobKind.PRUNE: _("tidying up"),
    JobKind.SWITCH_OVER: _("switchover"),
}


class JobStatus(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


# What leaves a database behind that can be swapped back.
SWAPS = (JobKind.TAKE_OVER, JobKind.RESTORE, JobKind.SWAP_BACK)
ENDED = (JobStatus.DONE, JobStatus.FAILED, JobStatus.STOPPED)


@dataclass(slots=True)
class Job:
    """One piece of work. `by` is a person's e-mail, "" for the timetable; `share` how much is done, 0 to 1, where that
    is known; `result` what came of it, `error` a sentence."""

    id: str
    kind: JobKind
    requested_at: datetime.datetime
    arguments: dict[str, Any] = field(default_factory=dict)
    by: str = ""
    reason: str = ""
    status: JobStatus = JobStatus.WAITING
    stage: str = ""
    share: float | None = None
    started_at: datetime.datetime | None = None
    ended_at: datetime.datetime | None = None
    pid: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    error_kind: str = ""

    @property
    def label(self) -> str:
        """What it is, for a person."""
        return str(LABELS[self.kind])

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    def to_json(self) -> str:
        values = asdict(self)
        for name in MOMENTS:
            values[name] = values[name].isoformat() if values[name] is not None else None
        return write_record(values)

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Raises ValueError."""
        try:
            values = read_record(text)
            for name in MOMENTS:
                values[name] = datetime.datetime.fromisoformat(values[name]) if values.get(name) else None
            values["kind"], values["status"] = JobKind(values["kind"]), JobStatus(values["status"])
            known = {one.name for one in fields(cls)}
            return cls(**{name: value for name, value in values.items() if name in known})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no job: {error}") from error


MOMENTS = ("requested_at", "started_at", "ended_at")


def request_job(
    repository: Repository,
    kind: JobKind,
    *,
    arguments: Mapping[str, Any] | None = None,
    by: str = "",
    reason: str = "",
) -> Job:
    """Writes down that this is to be done; the agent does it. Raises DiskIsFull, NotWritable."""
    job = new_job(kind, arguments=arguments, by=by, reason=reason)
    save(repository, job)
    logger.info("backup_job_requested", job=job.id, kind=kind, arguments=job.arguments, by=by, reason=job.reason)
    return job


def new_job(kind: JobKind, *, arguments: Mapping[str, Any] | None = None, by: str = "", reason: str = "") -> Job:
    """A job that is written down nowhere yet: who carries it out at once needs no agent."""
    return Job(
        id=str(uuid7()), kind=kind, requested_at=now(), arguments=dict(arguments or {}), by=by, reason=reason[:300]
    )


def request_first_backup(repository: Repository) -> Job | None:
    """Asks for a physical backup where there is none, unless somebody has. Raises DiskIsFull, NotWritable."""
    asked = {"kind": Kind.PHYSICAL.value, "period": ""}
    if any(job.arguments == asked and not job.has_ended for job in all_jobs(repository)):
        return None
    return request_job(repository, JobKind.BACKUP, arguments=asked)


def save(repository: Repository, job: Job) -> None:
    files.write_whole(path_of(repository, job.id), job.to_json())


def path_of(repository: Repository, job_id: str) -> Path:
    return repository.jobs / f"{job_id}.json"


def get_job(repository: Repository, job_id: str) -> Job:
    """Raises UnknownJob."""
    path = path_of(repository, job_id)
    try:
        if path.parent != repository.jobs:
            raise UnknownJob(job_id)
        return Job.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnknownJob(job_id) from error


def all_jobs(repository: Repository) -> list[Job]:
    """All that can be read, the oldest first."""
    found = []
    for path in sorted(repository.jobs.glob("*.json")):
        try:
            found.append(Job.from_json(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            logger.warning("backup_job_unreadable", file=path.name, reason=str(error))
    return found


def ask_to_stop(repository: Repository, job_id: str) -> Job:
    """One that waits is stopped at once; one that runs, as soon as it looks. Raises UnknownJob."""
    job = get_job(repository, job_id)
    if job.status == JobStatus.WAITING:
        job.status, job.ended_at = JobStatus.STOPPED, now()
        save(repository, job)
    elif job.status == JobStatus.RUNNING:
        stop_file(repository, job_id).touch(mode=0o600)
    return job


def stop_file(repository: Repository, job_id: str) -> Path:
    return repository.jobs / f"{job_id}.stop"


def carry_out(
    repository: Repository,
    job: Job,
    work: Callable[[Job, Progress, Callable[[], bool]], dict[str, Any]],
    *,
    pid: int,
) -> Job:
    """Does it: `work` gets the job, what to tell its progress to, and what says whether somebody wants it to stop, and
    returns the result. What it comes to stands in the job afterwards; our own mistakes are raised as well."""
    job.status, job.started_at, job.pid = JobStatus.RUNNING, now(), pid
    save(repository, job)
    written = [job.started_at]

    def progress(stage: str, share: float | None) -> None:
        is_new = stage != job.stage
        job.stage, job.share = stage, share
        if is_new or (now() - written[0]).total_seconds() > WRITE_EVERY:
            written[0] = now()
            save(repository, job)

    try:
        job.result = work(job, progress, stop_file(repository, job.id).exists)
        job.status, job.share = JobStatus.DONE, 1.0
    except Interrupted as error:
        # A child that was killed, as by a machine without memory, is nothing that somebody wished.
        is_wished = stop_file(repository, job.id).exists()
        job.status = JobStatus.STOPPED if is_wished else JobStatus.FAILED
        job.error, job.error_kind = str(error), error.kind
    except BackupFailed as error:
        job.status, job.error_kind = JobStatus.FAILED, error.kind
        job.error = mask_text(str(error))[:LONGEST_ERROR]
        job.result = {"findings": list(findings)} if (findings := getattr(error, "findings", ())) else {}
    except Refusal as error:
        job.status, job.error, job.error_kind = JobStatus.FAILED, error.detail, error.code
    except Exception as error:
        job.status, job.error_kind = JobStatus.FAILED, "error"
        job.error = mask_text(f"{type(error).__name__}: {error}")[:LONGEST_ERROR]
        raise
    finally:
        job.ended_at = now()
        save(repository, job)
        stop_file(repository, job.id).unlink(missing_ok=True)
        logger.info("backup_job_ended", job=job.id, kind=job.kind, status=job.status, error=job.error, by=job.by)
    return job


def close_killed(repository: Repository, *, is_running: Callable[[int], bool]) -> list[Job]:
    """Jobs whose process is gone did not come to their end: they are closed as failed. Whoever settles a swap says
    afterwards of the one whose databases had changed places that it is done."""
    killed = [job for job in all_jobs(repository) if job.status == JobStatus.RUNNING and not is_running(job.pid)]
    for job in killed:
        job.status, job.ended_at, job.error_kind = JobStatus.FAILED, now(), Interrupted.kind
        job.error = str(
            _("Its process was killed. Look at the shop before you ask for it again: it may have been taken over.")
            if job.kind in SWAPS
            else _("Its process was killed. Nothing of it is left; ask for it again.")
        )
        save(repository, job)
        stop_file(repository, job.id).unlink(missing_ok=True)
    return killed


def say_done(repository: Repository, job_id: str, result: Result) -> None:
    """Says of a job that what it was to do is done, whatever its process came to. One of which nothing is known is left
    so. Raises DiskIsFull, NotWritable."""
    try:
        job = get_job(repository, job_id)
    except UnknownJob:
        logger.warning("backup_job_unknown", job=job_id)
        return
    of_backup = {"backup_id": job.arguments["backup_id"]} if "backup_id" in job.arguments else {}
    job.status, job.share, job.result = JobStatus.DONE, 1.0, of_backup | result
    job.error = job.error_kind = ""
    job.ended_at = now()
    save(repository, job)
    stop_file(repository, job.id).unlink(missing_ok=True)
    logger.info("backup_job_done_after_all", job=job.id, kind=job.kind, by=job.by)


def forget_old(repository: Repository, *, days: int = KEPT_DAYS) -> None:
    """Jobs that ended so many days ago."""
    before = now() - datetime.timedelta(days=days)
    for job in all_jobs(repository):
        if job.ended_at is not None and job.ended_at < before:
            path_of(repository, job.id).unlink(missing_ok=True)
