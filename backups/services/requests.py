"""What people, programs and the timetable ask for. Each verb writes a job, which the agent carries out, and raises
NotAsked where that can't be written."""

import datetime
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import structlog
from django.utils import timezone
from django.utils.translation import gettext as _

from backups.engine.jobs import (
    LABELS,
    SWAPS,
    Job,
    JobKind,
    JobStatus,
    all_jobs,
    ask_to_stop,
    get_job,
    request_job,
)
from backups.engine.manifest import Kind
from backups.engine.repository import Repository
from backups.engine.retention import refuse_needed
from backups.engine.targets import Target
from backups.errors import BackupFailed, Busy, NotAsked, NothingRecovered, NothingTakenOver, WrongTarget
from backups.services.chosen import refuse_alone
from backups.services.index import refresh_index
from backups.services.order_targets import before_order
from foundation.errors import InvalidInput

LONGEST_REASON = 300

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

logger = structlog.get_logger("backups.requests")


def refusing(request: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """A folder that is full or can't be written to is told to who asks as a refusal: nothing was begun."""

    @wraps(request)
    def refused(*given: Given.args, **named: Given.kwargs) -> Answer:
        try:
            return request(*given, **named)
        except BackupFailed as failure:
            raise NotAsked(failure) from failure

    return refused


def ask(kind: JobKind, *, arguments: dict[str, Any], by: str, reason: str) -> Job:
    """Writes the job and shows it. Raises DiskIsFull, NotWritable."""
    repository = Repository.of_the_shop()
    job = request_job(repository, kind, arguments=arguments, by=by, reason=reason.strip())
    refresh_index(repository=repository)
    return job


def ask_for_swap(kind: JobKind, *, arguments: dict[str, Any], by: str, reason: str) -> Job:
    """The same for what puts another database in the shop's place: what was looked at before the first of two is not
    what the second one would replace. Raises Busy while another one has not ended, DiskIsFull, NotWritable."""
    repository = Repository.of_the_shop()
    # Of two who ask at the same moment one is told to wait.
    with repository.lock("asking", doing=str(LABELS[kind]).capitalize()):
        for job in all_jobs(repository):
            if job.kind in SWAPS and not job.has_ended:
                raise Busy(job.label.capitalize())
        return ask(kind, arguments=arguments, by=by, reason=reason)


@refusing
def request_backup(*, kind: str, by: str = "", reason: str = "", period: str = "") -> Job:
    """A logical or physical backup. Raises InvalidInput."""
    if kind not in list(Kind):
        raise InvalidInput.at("kind", _("Choose logical or physical."))
    if len(reason) > LONGEST_REASON:
        raise InvalidInput.at("reason", _("At most %(most)d characters.") % {"most": LONGEST_REASON})
    return ask(JobKind.BACKUP, arguments={"kind": kind, "period": period}, by=by, reason=reason)


@refusing
def request_backup_by_timetable(*, kind: str, period: str) -> Job | None:
    """A backup of the timetable; None while the last one of its kind still waits."""
    asked = {"kind": kind, "period": period}
    for job in all_jobs(Repository.of_the_shop()):
        if job.kind == JobKind.BACKUP and job.status == JobStatus.WAITING and job.arguments == asked:
            return None
    return request_backup(**asked)


@refusing
def request_verification(*, backup_id: str, by: str = "") -> Job:
    """Looking whether its files are whole. Raises UnknownBackup."""
    Repository.of_the_shop().get(backup_id)
    return ask(JobKind.VERIFY, arguments={"backup_id": backup_id}, by=by, reason="")


@refusing
def keep_backup(*, backup_id: str, is_kept: bool, by: str = "") -> None:
    """Has a backup kept for good, or no longer. Raises UnknownBackup."""
    repository = Repository.of_the_shop()
    repository.amend(repository.get(backup_id), is_kept=is_kept)
    logger.info("backup_kept" if is_kept else "backup_not_kept", backup=backup_id, by=by)
    refresh_index(repository=repository)


@refusing
def request_deletion(*, backup_id: str, by: str = "", reason: str = "") -> Job:
    """Deleting a backup here; copies in other places are deleted when they are old. Raises UnknownBackup,
    BackupNeeded."""
    repository = Repository.of_the_shop()
    refuse_needed(repository.get(backup_id), repository.backups())
    return ask(JobKind.DELETE, arguments={"backup_id": backup_id}, by=by, reason=reason)


@refusing
def request_drill(*, backup_id: str = "", by: str = "", reason: str = "") -> Job:
    """Restoring a backup beside (the newest one without an id), looking whether the shop in it is right, and throwing
    it away. Raises UnknownBackup."""
    if backup_id:
        Repository.of_the_shop().get(backup_id)
    return ask(JobKind.DRILL, arguments={"backup_id": backup_id}, by=by, reason=reason)


@refusing
def request_wal_check(*, by: str = "") -> Job:
    """A look at the WAL."""
    return ask(JobKind.CHECK_WAL, arguments={}, by=by, reason="")


@refusing
def request_prune(*, by: str = "") -> Job:
    """Deleting what is too old to be kept."""
    return ask(JobKind.PRUNE, arguments={}, by=by, reason="")


@refusing
def request_recovery(
    *,
    time: datetime.datetime | None = None,
    before_transaction: int | None = None,
    order: int | None = None,
    backup_id: str = "",
    by: str = "",
    reason: str = "",
) -> Job:
    """Recovering beside the running server, to exactly one of: a moment (aware), just before a transaction, just before
    the order of this number was deleted or last changed, and what a backup shows.

    Raises InvalidInput, WrongTarget for a moment in the future and an order of which nothing is known, UnknownBackup.
    """
    given = [one for one in (time, before_transaction, order, backup_id or None) if one is not None]
    if len(given) != 1:
        raise InvalidInput(_("Name one thing to recover to: a moment, a transaction, an order or a backup."))
    arguments: dict[str, Any]
    if time is not None:
        if time > timezone.now():
            raise WrongTarget.at("time", _("That moment lies in the future."))
        arguments = {"target": time.isoformat()}
    elif backup_id:
        Repository.of_the_shop().get(backup_id)
        arguments = {"backup_id": backup_id}
    elif order is not None:
        found = before_order(order)
        arguments = {"xid": found.xid, "is_before": True, "target": str(found)}
    else:
        target = before(before_transaction)
        arguments = {"xid": target.xid, "is_before": True, "target": str(target)}
    return ask(JobKind.RECOVER, arguments=arguments, by=by, reason=reason)


def before(xid: int | None) -> Target:
    """Just before a transaction. Raises WrongTarget for what is no number of one."""
    try:
        return Target(xid=xid, is_inclusive=False)
    except WrongTarget as refusal:
        raise WrongTarget.at("before_transaction", refusal.detail) from refusal


@refusing
def request_take_over(*, run_id: str, tables: Sequence[str] | None = None, by: str = "", reason: str = "") -> Job:
    """Putting what was recovered in the place of the shop's database, or only these tables of it. Raises UnknownJob,
    NothingRecovered, InvalidInput for an empty choice, TablesInTheWay for what can't be taken alone, Busy while another
    take-over or way back has not ended."""
    arguments: dict[str, Any] = recovered(run_id)
    if tables is not None:
        if not tables:
            raise InvalidInput.at("tables", _("Choose at least one table."))
        refuse_alone(tables)
        arguments["tables"] = list(tables)
    return ask_for_swap(JobKind.TAKE_OVER, arguments=arguments, by=by, reason=reason)


@refusing
def request_discard(*, run_id: str, by: str = "") -> Job:
    """Throwing away what was recovered. Raises UnknownJob, NothingRecovered."""
    return ask(JobKind.DISCARD, arguments=recovered(run_id), by=by, reason="")


def recovered(run_id: str) -> dict[str, str]:
    """The arguments of work about a recovery that is done."""
    job = get_job(Repository.of_the_shop(), run_id)
    if job.kind != JobKind.RECOVER or job.status != JobStatus.DONE:
        raise NothingRecovered
    return {"recovery": job.id, "target": str(job.arguments.get("target") or job.arguments.get("backup_id", ""))}


@refusing
def request_way_back(*, run_id: str, by: str = "", reason: str = "") -> Job:
    """Putting the database from before a take-over back in its place. Raises UnknownJob, NothingTakenOver, Busy while
    another take-over or way back has not ended."""
    job = get_job(Repository.of_the_shop(), run_id)
    if job.kind not in SWAPS or not job.result.get("kept"):
        raise NothingTakenOver
    return ask_for_swap(JobKind.SWAP_BACK, arguments={"take_over": job.id}, by=by, reason=reason)


@refusing
def stop_job(*, job_id: str) -> Job:
    """Raises UnknownJob."""
    repository = Repository.of_the_shop()
    job = ask_to_stop(repository, job_id)
    refresh_index(repository=repository)
    return job
