"""Bringing the tables to what the folder of backups says."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction
from django.utils.translation import gettext_noop

from backups.engine.jobs import Job, JobKind, JobStatus, all_jobs
from backups.engine.repository import Repository, Stored
from backups.models import Backup, RestoreRun, WalCheck

logger = structlog.get_logger("backups.index")
DELETING = gettext_noop("is about to be deleted")
RESTORES = {JobKind(kind.value) for kind in RestoreRun.Kind}


@transaction.atomic
def refresh_index(*, repository: Repository) -> int:
    """Writes what the folder holds into the tables, and forgets rows of which it knows nothing more. Returns the number
    of complete backups."""
    stored = repository.backups()
    jobs = all_jobs(repository)
    rows = {UUID(one.id): row_of_backup(one) for one in stored}
    for job in jobs:
        if job.kind == JobKind.BACKUP and UUID(job.id) not in rows and job.status != JobStatus.DONE:
            rows[UUID(job.id)] = row_of_unfinished(job)
    say_deletions(rows, jobs)
    write(Backup, rows)
    write(RestoreRun, {UUID(job.id): row_of_restore(job) for job in jobs if job.kind in RESTORES})
    write(WalCheck, {UUID(job.id): row_of_check(job) for job in jobs if job.kind == JobKind.CHECK_WAL})
    return len(stored)


def try_to_refresh(*, repository: Repository) -> None:
    """The same, where there may be no database: then the next look at the folder makes it good."""
    try:
        refresh_index(repository=repository)
    except DatabaseError as error:
        logger.warning("backups_not_indexed", reason=str(error).strip()[:300])


def write(model: type[Any], rows: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Makes the table hold exactly these rows."""
    model.objects.exclude(pk__in=rows).delete()
    names = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    model.objects.bulk_create(
        [model(id=pk, **values) for pk, values in sorted(rows.items())],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=names,
    )


def row_of_backup(one: Stored) -> dict[str, Any]:
    manifest, state = one.manifest, one.state
    return {
        "kind": manifest.kind.value,
        "status": Backup.Status.DAMAGED if state.damage else Backup.Status.DONE,
        "period": manifest.period[:10],
        "by": manifest.by[:254],
        "reason": manifest.reason[:300],
        "requested_at": manifest.started_at,
        "started_at": manifest.started_at,
        "completed_at": manifest.completed_at,
        "consistent_at": manifest.consistent_at,
        "size": manifest.size,
        "server_version": manifest.server_version,
        "base_id": UUID(manifest.base_id) if manifest.base_id else None,
        "verified_at": state.verified_at,
        "damage": state.damage,
        "proved_at": state.proved_at,
        "restored_in": state.restored_in,
        "places": state.places,
        "is_kept": state.is_kept,
    }


def say_deletions(rows: dict[UUID, dict[str, Any]], jobs: Sequence[Job]) -> None:
    """Of a backup that somebody has asked to be deleted: that it is going to be, or why it could not be."""
    for job in jobs:
        if job.kind != JobKind.DELETE or (row := rows.get(UUID(job.arguments["backup_id"]))) is None:
            continue
        row |= {"stage": "" if job.has_ended else DELETING, "error": job.error[:2000]}


def row_of_unfinished(job: Job) -> dict[str, Any]:
    return {
        "kind": job.arguments.get("kind", Backup.Kinds.LOGICAL),
        "status": Backup.Status(job.status.value),
        "period": str(job.arguments.get("period", ""))[:10],
        **of_every_job(job),
    }


def of_every_job(job: Job) -> dict[str, Any]:
    return {
        "by": job.by[:254],
        "reason": job.reason[:300],
        "requested_at": job.requested_at,
        "started_at": job.started_at,
        "stage": job.stage[:100],
        "share": job.share,
        "error": job.error[:2000],
    }


def row_of_restore(job: Job) -> dict[str, Any]:
    return {
        "kind": job.kind.value,
        "status": job.status.value,
        "target": str(job.arguments.get("target") or job.arguments.get("backup_id") or "")[:200],
        "ended_at": job.ended_at,
        "result": job.result,
        **of_every_job(job),
    }


def row_of_check(job: Job) -> dict[str, Any]:
    return {
        "status": job.status.value,
        "ended_at": job.ended_at,
        "result": {},
        "segments": int(job.result.get("segments", 0)),
        "findings": job.result.get("findings", []),
        "recoverable_from": job.result.get("recoverable_from"),
        "recoverable_to": job.result.get("recoverable_to"),
        **of_every_job(job),
    }
