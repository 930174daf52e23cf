"""The doors of backups: only the admin has any, since a backup holds everything."""

import datetime
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from backups.engine.jobs import JobKind, carry_out, request_job
from backups.engine.manifest import Kind, Manifest
from backups.engine.repository import Repository, now
from backups.models import Backup, RestoreRun, WalCheck
from backups.services.index import refresh_index
from tests.project.admin_doors import ADMINS, deed, page, records, verb

YESTERDAY = datetime.timedelta(days=1)


def backups_of() -> dict[str, Any]:
    """A complete backup, one that waits, a recovery that is done and a look at the WAL."""
    # The folder of other tests' backups would bring them all along.
    settings.BACKUP_DIR = Path(tempfile.mkdtemp(dir=settings.BACKUP_DIR.parent))
    repository = Repository.of_the_shop()
    at = now() - YESTERDAY
    backup_id, partial = repository.begin(Kind.LOGICAL)
    manifest = Manifest(
        id=backup_id,
        kind=Kind.LOGICAL,
        started_at=at,
        completed_at=at,
        server_version=180006,
        system_identifier="7",
        database="shop",
        size=1024,
    )
    repository.finish(partial, manifest)
    waiting = request_job(repository, JobKind.BACKUP, arguments={"kind": "physical"})
    recovery = request_job(repository, JobKind.RECOVER, arguments={"target": at.isoformat()})
    comparison = {
        "tables": [{"name": "public.orders_order", "recovered": 3, "running": 5, "written_since": 2}],
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
    restores = {str(run.pk): run for run in RestoreRun.objects.all()}
    return {
        "backup": Backup.objects.get(pk=backup_id),
        "waiting_backup": Backup.objects.get(pk=waiting.id),
        "recovery": restores[recovery.id],
        "waiting_recovery": restores[running.id],
        "take_over": restores[taken.id],
        "wal_check": WalCheck.objects.get(pk=check.id),
    }


LIST, RESTORES, CHECKS = "backups/backup/", "backups/restorerun/", "backups/walcheck/"
BACKUP, WAITING = f"{LIST}{{backup}}/", f"{LIST}{{waiting_backup}}/"
RECOVERY, TAKEN = f"{RESTORES}{{recovery}}/", f"{RESTORES}{{take_over}}/"


def reason(name: str) -> Any:
    return lambda it: {f"{name}-reason": "a wrong import"}


def moment(it: Any) -> dict[str, Any]:
    return {"time": f"{now() - YESTERDAY:%Y-%m-%dT%H:%M:%S}", "reason": "a wrong import"}


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
    page(
        f"{RESTORES}recover/",
        ADMINS,
        deed(f"{RESTORES}recover/", ADMINS, "recover", moment, then=f"{RESTORES}*/change/"),
    ),
    page(f"{CHECKS}new/", ADMINS, deed(f"{CHECKS}new/", ADMINS, "check", then=f"{CHECKS}*/change/")),
    verb(BACKUP, ADMINS, "verify"),
    verb(BACKUP, ADMINS, "drill"),
    verb(WAITING, ADMINS, "stop"),
    verb(RECOVERY, ADMINS, "take_over", reason("take_over"), asks=True),
    verb(RECOVERY, ADMINS, "discard"),
    verb(f"{RESTORES}{{waiting_recovery}}/", ADMINS, "stop"),
    verb(TAKEN, ADMINS, "swap_back", reason("swap_back"), asks=True),
]
