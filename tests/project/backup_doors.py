"""The doors of backups: only the admin has any, since a backup holds everything."""

import datetime
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from backups.engine.jobs import SWAPS, JobKind, all_jobs, ask_to_stop, carry_out, request_job
from backups.engine.manifest import Kind, Manifest
from backups.engine.repository import Repository, now
from backups.models import Backup, ClusterEvent, RestoreRun, WalCheck
from backups.services.index import refresh_index
from foundation.uuids import uuid7
from tests.project.admin_doors import ADMINS, NOBODY, Attempt, deed, page, records, verb

YESTERDAY = datetime.timedelta(days=1)


def backups_of() -> dict[str, Any]:
    """A complete backup, one that is kept for good, one that waits, a recovery that is done and a look at the WAL."""
    # The folder of other tests' backups would bring them all along.
    settings.BACKUP_DIR = Path(tempfile.mkdtemp(dir=settings.BACKUP_DIR.parent))
    repository = Repository.of_the_shop()
    at = now() - YESTERDAY
    backup, kept, spare = (
        repository.finish(
            partial,
            Manifest(
                id=backup_id,
                kind=Kind.LOGICAL,
                started_at=at,
                completed_at=at,
                server_version=180006,
                system_identifier="7",
                database="shop",
                size=1024,
            ),
        )
        for backup_id, partial in (repository.begin(Kind.LOGICAL) for _number in range(3))
    )
    repository.amend(kept, is_kept=True)
    waiting = request_job(repository, JobKind.BACKUP, arguments={"kind": "physical"})
    recovery = request_job(repository, JobKind.RECOVER, arguments={"target": at.isoformat()})
    comparison = {
        "tables": [
            {"name": "public.inventory_location", "recovered": 1, "running": 1, "written_since": 1},
            {"name": "public.orders_order", "recovered": 3, "running": 5, "written_since": 2},
        ],
        "checked": {"findings": []},
    }
    carry_out(repository, recovery, lambda *_arguments: {"comparison": comparison}, pid=1)
    running = request_job(repository, JobKind.RECOVER, arguments={"target": at.isoformat()})
    taken = request_job(repository, JobKind.TAKE_OVER, arguments={"recovery": recovery.id})
    carry_out(repository, taken, lambda *_arguments: {"kept": "shop_before"}, pid=1)
    check = request_job(repository, JobKind.CHECK_WAL)
    finding = {"segment": "000000010000000000000003", "kind": "missing", "sentence": "It is missing."}
    carry_out(repository, check, lambda *_arguments: {"segments": 4, "findings": [finding]}, pid=1)
    refresh_index(repository=repository)
    ClusterEvent.objects.create(id=uuid7(), at=at, kind=ClusterEvent.Kind.MEMBER_LOST, member="node2", leader="node1")
    restores = {str(run.pk): run for run in RestoreRun.objects.all()}
    return {
        "backup": Backup.objects.get(pk=backup.id),
        "spare_backup": Backup.objects.get(pk=spare.id),
        "kept_backup": Backup.objects.get(pk=kept.id),
        "waiting_backup": Backup.objects.get(pk=waiting.id),
        "recovery": restores[recovery.id],
        "waiting_recovery": restores[running.id],
        "take_over": restores[taken.id],
        "wal_check": WalCheck.objects.get(pk=check.id),
        "cluster_event": ClusterEvent.objects.get(),
    }


SWITCH_OVER = "backups/clusterevent/switch-over/"
LIST, RESTORES, CHECKS = "backups/backup/", "backups/restorerun/", "backups/walcheck/"
BACKUP, WAITING = f"{LIST}{{backup}}/", f"{LIST}{{waiting_backup}}/"
RECOVERY, TAKEN = f"{RESTORES}{{recovery}}/", f"{RESTORES}{{take_over}}/"


def forget_swaps() -> None:
    """One take-over is asked for at a time, and the folder remembers those of other doors."""
    repository = Repository.of_the_shop()
    for job in all_jobs(repository):
        if job.kind in SWAPS and not job.has_ended:
            ask_to_stop(repository, job.id)


def reason(name: str) -> Any:
    def fields(it: Any) -> dict[str, Any]:
        forget_swaps()
        return {f"{name}-reason": "a wrong import"}

    return fields


def hours(it: Any) -> dict[str, Any]:
    daily, weekly = {f"at_{number}": "03:30" for number in range(6)}, {f"day_{number}": "1" for number in (1, 3, 4)}
    return daily | weekly


def moment(it: Any) -> dict[str, Any]:
    return {"until": "time", "time": f"{now() - YESTERDAY:%Y-%m-%dT%H:%M:%S}", "reason": "a wrong import"}


def tables(it: Any) -> dict[str, Any]:
    forget_swaps()
    return {"tables": ["inventory_location"], "reason": "a wrong import"}


BACKUPS = [
    page("backups/", ADMINS, refused=404),
    records("backups/backup", "backup", see=ADMINS),
    records("backups/restorerun", "recovery", see=ADMINS),
    records("backups/walcheck", "wal_check", see=ADMINS),
    page(
        f"{LIST}new/",
        ADMINS,
        deed(f"{LIST}new/", ADMINS, "back up", lambda it: {"kind": "logical", "reason": ""}, then=LIST),
    ),
    page(f"{LIST}hours/", ADMINS, deed(f"{LIST}hours/", ADMINS, "set the hours", hours, then=LIST)),
    page(
        f"{RESTORES}recover/",
        ADMINS,
        deed(f"{RESTORES}recover/", ADMINS, "recover", moment, then=f"{RESTORES}*/change/"),
    ),
    records("backups/clusterevent", "cluster_event", see=ADMINS),
    # There is no cluster here, so nobody can take its lead.
    page(SWITCH_OVER, ADMINS, Attempt(address=SWITCH_OVER, may=NOBODY, see=ADMINS, method="POST")),
    page(f"{CHECKS}new/", ADMINS, deed(f"{CHECKS}new/", ADMINS, "check", then=f"{CHECKS}*/change/")),
    page(
        f"{RECOVERY}tables/",
        ADMINS,
        deed(f"{RECOVERY}tables/", ADMINS, "take tables over", tables, then=f"{RESTORES}*/change/"),
    ),
    verb(BACKUP, ADMINS, "restore", reason("restore"), asks=True),
    verb(BACKUP, ADMINS, "keep", asks=True),
    verb(f"{LIST}{{spare_backup}}/", ADMINS, "delete", reason("delete"), asks=True),
    verb(f"{LIST}{{kept_backup}}/", ADMINS, "let_go"),
    verb(BACKUP, ADMINS, "verify"),
    verb(BACKUP, ADMINS, "drill"),
    verb(WAITING, ADMINS, "stop"),
    verb(RECOVERY, ADMINS, "take_over", reason("take_over"), asks=True),
    verb(RECOVERY, ADMINS, "discard"),
    verb(f"{RESTORES}{{waiting_recovery}}/", ADMINS, "stop"),
    verb(TAKEN, ADMINS, "swap_back", reason("swap_back"), asks=True),
]
