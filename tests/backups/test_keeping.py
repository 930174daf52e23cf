"""A backup is kept for good, or deleted by a person: not one that something else needs."""

from dataclasses import replace

import pytest

from backups.engine.jobs import JobKind, JobStatus, all_jobs, carry_out
from backups.engine.manifest import Kind, State
from backups.engine.repository import Repository
from backups.engine.retention import prune
from backups.errors import BackupNeeded, UnknownBackup
from backups.models import Backup
from backups.services import requests
from backups.services.work import work_of
from tests.backups.manifests import MOMENT, stored

pytestmark = pytest.mark.django_db


def delete(repository: Repository, backup_id: str) -> JobStatus:
    """Asks for it, and does what the agent would."""
    job = requests.request_deletion(backup_id=backup_id, by="anna@samovar.example", reason="a trial")
    return carry_out(repository, job, work_of(repository), pid=1).status


def test_a_backup_that_is_kept_for_good_is_not_pruned_until_that_is_taken_back(kept: Repository) -> None:
    old, _newer = stored(kept), stored(kept)
    requests.keep_backup(backup_id=old.id, is_kept=True, by="anna@samovar.example")
    assert Backup.objects.get(pk=old.id).is_kept
    assert prune(kept, daily=0, weekly=0, monthly=0).backups == []
    requests.keep_backup(backup_id=old.id, is_kept=False)
    assert not Backup.objects.get(pk=old.id).is_kept
    assert prune(kept, daily=0, weekly=0, monthly=0).backups == [old.id]


def test_what_is_found_out_meanwhile_stays(kept: Repository) -> None:
    """A verification takes long: who marks the backup during it has marked it."""
    read_before = stored(kept)
    requests.keep_backup(backup_id=read_before.id, is_kept=True)
    kept.amend(read_before, verified_at=MOMENT)
    assert kept.get(read_before.id).state == State(verified_at=MOMENT, is_kept=True)


def test_a_person_deletes_a_backup(kept: Repository) -> None:
    one = stored(kept)
    assert delete(kept, one.id) == JobStatus.DONE
    assert kept.backups() == []
    with pytest.raises(UnknownBackup):
        requests.request_deletion(backup_id=one.id)
    assert [(job.kind, job.by, job.reason) for job in all_jobs(kept)] == [
        (JobKind.DELETE, "anna@samovar.example", "a trial")
    ]


def test_what_something_else_needs_is_not_deleted(kept: Repository) -> None:
    base = stored(kept, Kind.PHYSICAL)
    upon = stored(kept, Kind.PHYSICAL, base_id=base.id)
    with pytest.raises(BackupNeeded, match="1 backup builds upon this one"):
        requests.request_deletion(backup_id=base.id)
    requests.keep_backup(backup_id=upon.id, is_kept=True)
    with pytest.raises(BackupNeeded, match="kept for good"):
        requests.request_deletion(backup_id=upon.id)
    requests.keep_backup(backup_id=upon.id, is_kept=False)
    kept.note(upon, State(proved_at=MOMENT))
    with pytest.raises(BackupNeeded, match="the last backup that was proved"):
        requests.request_deletion(backup_id=upon.id)
    assert all_jobs(kept) == []
    assert len(kept.backups()) == 2

    # A proof of what is damaged since counts for nothing.
    kept.note(upon, replace(kept.get(upon.id).state, damage=["data/base/1 has changed."]))
    assert delete(kept, upon.id) == JobStatus.DONE
    assert delete(kept, base.id) == JobStatus.DONE


def test_what_is_marked_while_the_work_waits_stays(kept: Repository) -> None:
    one = stored(kept)
    job = requests.request_deletion(backup_id=one.id)
    requests.keep_backup(backup_id=one.id, is_kept=True)
    assert carry_out(kept, job, work_of(kept), pid=1).status == JobStatus.FAILED
    assert job.error == "The backup is kept for good. Say first that it need not be kept any longer."
    assert [stored.id for stored in kept.backups()] == [one.id]
