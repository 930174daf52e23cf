"""What people are told about backups without looking, and when it is over."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from backups.engine.jobs import Job, JobKind, JobStatus, request_job, save
from backups.engine.manifest import Kind, Manifest, State
from backups.engine.repository import Repository, Stored
from backups.metrics import backup_ages
from backups.services.alarms import DONE, EVENT, look_after_backups
from backups.watching import all_is_backed_up
from monitoring.errors import CheckFailed
from monitoring.models import Alert
from tests.backups.test_jobs import asked

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 11, 1, 12, 30, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def kept(tmp_path: Path, settings: Any) -> Repository:
    settings.BACKUP_DIR = tmp_path / "backups"
    return Repository.of_the_shop()


def stored(repository: Repository, kind: Kind, *, age: datetime.timedelta) -> Stored:
    backup_id, partial = repository.begin(kind)
    at = NOW - age
    manifest = Manifest(
        id=backup_id,
        kind=kind,
        started_at=at,
        completed_at=at,
        server_version=180006,
        system_identifier="7",
        database="shop",
        size=1,
    )
    return repository.finish(partial, manifest)


def ended(repository: Repository, kind: JobKind, status: JobStatus, *, error: str = "", **more: Any) -> Job:
    job = request_job(repository, kind, arguments=more.pop("arguments", {}))
    job.status, job.error, job.ended_at, job.result = status, error, job.requested_at, more
    save(repository, job)
    return job


def told(repository: Repository, now: datetime.datetime = NOW) -> list[str]:
    """The open alerts' sentences after a look."""
    look_after_backups(repository=repository, now=now)
    return sorted(Alert.objects.filter(event=EVENT, resolved_at=None).values_list("message", flat=True))


def test_a_shop_without_backups_is_told_nothing(kept: Repository) -> None:
    asked(kept)
    assert told(kept) == []
    all_is_backed_up()


def test_a_backup_that_failed_is_told_once_and_is_over_when_one_succeeds(kept: Repository) -> None:
    arguments = {"kind": "logical"}
    ended(kept, JobKind.BACKUP, JobStatus.FAILED, error="The disk is full.", arguments=arguments)
    for _time in range(2):
        assert told(kept) == ["The last logical backup failed: The disk is full."]
    assert Alert.objects.get(event=EVENT).count == 1
    with pytest.raises(CheckFailed, match=r"The last logical backup failed: The disk is full\."):
        all_is_backed_up()
    ended(kept, JobKind.BACKUP, JobStatus.STOPPED, arguments=arguments)
    assert len(told(kept)) == 1
    ended(kept, JobKind.BACKUP, JobStatus.DONE, arguments=arguments)
    assert told(kept) == []


def test_age_proof_and_wal_are_watched(kept: Repository) -> None:
    backup = stored(kept, Kind.LOGICAL, age=36 * HOUR)
    assert told(kept) == []
    assert told(kept, NOW + HOUR) == ["The newest logical backup is of 2026-10-31 00:30 UTC."]
    late = NOW + datetime.timedelta(days=14)
    assert told(kept, late)[0] == "No backup was restored for proof since 2026-10-31 00:30 UTC."
    kept.note(backup, State(proved_at=late))
    assert told(kept, late) == ["The newest logical backup is of 2026-10-31 00:30 UTC."]

    stored(kept, Kind.PHYSICAL, age=HOUR)
    stored(kept, Kind.LOGICAL, age=HOUR)
    not_received = "The WAL is not received: nothing after the last backup can be recovered."
    assert told(kept) == [not_received]
    finding = {"segment": "000000010000000000000002", "kind": "missing", "sentence": "It is missing."}
    ended(kept, JobKind.CHECK_WAL, JobStatus.DONE, segments=3, findings=[finding])
    with kept.lock("wal", doing="The receiver of WAL"):
        assert told(kept) == ["The WAL that was received has 1 faults: It is missing."]
    assert {labels["kind"] for labels, _age in backup_ages()} == {"logical", "physical"}


def test_a_drill_that_failed_is_told_in_the_readers_language(kept: Repository) -> None:
    ended(kept, JobKind.DRILL, JobStatus.FAILED, error="data/base/1 has changed.")
    with translation.override("ru"):
        (sentence,) = told(kept)
    assert sentence.endswith("data/base/1 has changed.")
    assert sentence != "The last drill failed, so no backup is proved: data/base/1 has changed."


def test_a_backup_is_told_once_when_it_is_complete_and_not_when_the_tables_are_rebuilt(kept: Repository) -> None:
    """It is news: there is nothing to be seen to, so the alert is closed from the start."""
    stored(kept, Kind.LOGICAL, age=2 * HOUR)
    stored(kept, Kind.PHYSICAL, age=HOUR / 2)
    assert told(kept) == ["The WAL is not received: nothing after the last backup can be recovered."]
    told(kept, NOW + HOUR / 4)
    done = Alert.objects.get(event=DONE)
    assert (done.text, done.count) == (
        "The physical backup of 2026-11-01 12:00 UTC is complete: 1\N{NO-BREAK SPACE}byte.",
        1,
    )
    assert done.resolved_at == done.created_at
