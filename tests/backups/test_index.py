"""The tables of backups say what the folder says, and are rebuilt from it; what is asked for stands in the folder."""

import datetime
from functools import partial

import pytest
from django.utils import timezone

from backups import tasks
from backups.engine.jobs import JobKind, JobStatus, all_jobs, carry_out, get_job, request_job, save
from backups.engine.manifest import Kind, State
from backups.engine.repository import Repository
from backups.errors import Busy, NothingRecovered, NothingTakenOver, UnknownBackup, UnknownJob, WrongTarget
from backups.models import Backup, RestoreRun, WalCheck
from backups.services import requests
from backups.services.index import refresh_index
from foundation.errors import InvalidInput
from tests.backups.manifests import MOMENT, stored

pytestmark = pytest.mark.django_db


def test_the_tables_are_rebuilt_from_the_folder(kept: Repository) -> None:
    first = stored(kept, by="anna@samovar.example", reason="Переезд", period="daily")
    second = stored(kept, Kind.PHYSICAL, base_id=first.id, consistent_at=MOMENT)
    kept.note(second, State(verified_at=MOMENT, damage=["data/base/1 has changed."], restored_in=1.5))
    waiting = request_job(kept, JobKind.BACKUP, arguments={"kind": "physical", "period": "daily"})
    drill = request_job(kept, JobKind.DRILL, arguments={"backup_id": first.id})
    check = request_job(kept, JobKind.CHECK_WAL)
    carry_out(kept, check, lambda *_: {"segments": 3, "findings": [], "recoverable_from": MOMENT.isoformat()}, pid=1)

    assert refresh_index(repository=kept) == 2
    rows = {str(row.pk): row for row in Backup.objects.all()}
    assert {pk: (row.kind, row.status, row.size) for pk, row in rows.items()} == {
        first.id: ("logical", "done", 2048),
        second.id: ("physical", "damaged", 2048),
        waiting.id: ("physical", "waiting", 0),
    }
    assert (rows[first.id].by, rows[first.id].reason, rows[first.id].period) == (
        "anna@samovar.example",
        "Переезд",
        "daily",
    )
    assert (str(rows[second.id].base_id), rows[second.id].damage) == (first.id, ["data/base/1 has changed."])
    assert [(str(run.pk), run.kind, run.status, run.target) for run in RestoreRun.objects.all()] == [
        (drill.id, "drill", "waiting", first.id)
    ]
    row = WalCheck.objects.get()
    assert (str(row.pk), row.status, row.segments, row.recoverable_from) == (check.id, "done", 3, MOMENT)

    Backup.objects.all().delete()
    assert refresh_index(repository=kept) == 2
    assert {str(row.pk) for row in Backup.objects.all()} == set(rows)
    kept.delete(first)
    refresh_index(repository=kept)
    assert first.id not in {str(row.pk) for row in Backup.objects.all()}


def test_a_backup_that_failed_stays_in_the_list_and_says_why(kept: Repository) -> None:
    job = requests.request_backup(kind="logical", reason="  Before the sale ", by="anna@samovar.example")
    assert Backup.objects.get().status == "waiting"
    job.status, job.error, job.stage, job.share = JobStatus.FAILED, "The disk is full.", "Saving the tables", 0.4
    save(kept, job)
    tasks.watch_backups()
    row = Backup.objects.get()
    assert (str(row.pk), row.status, row.error, row.reason) == (
        job.id,
        "failed",
        "The disk is full.",
        "Before the sale",
    )


def test_the_timetable_doubles_nothing_that_still_waits(kept: Repository) -> None:
    for _time in range(2):
        tasks.back_up("physical", "daily")
        tasks.back_up("logical", "daily")
    assert [(job.arguments["kind"], job.arguments["period"]) for job in all_jobs(kept)] == [
        ("physical", "daily"),
        ("logical", "daily"),
    ]
    tasks.check_wal()
    tasks.drill()
    tasks.prune()
    assert [job.kind for job in all_jobs(kept)][2:] == [JobKind.CHECK_WAL, JobKind.DRILL, JobKind.PRUNE]


def test_what_can_t_be_done_is_not_asked_of_the_agent(kept: Repository) -> None:
    with pytest.raises(InvalidInput, match="Choose logical or physical"):
        requests.request_backup(kind="cloud")
    with pytest.raises(InvalidInput, match="At most 300 characters"):
        requests.request_backup(kind="logical", reason="x" * 301)
    for ask in (requests.request_verification, requests.request_drill):
        with pytest.raises(UnknownBackup):
            ask(backup_id="no-such")
    with pytest.raises(WrongTarget, match="lies in the future"):
        requests.request_recovery(time=timezone.now() + datetime.timedelta(hours=1))
    with pytest.raises(UnknownJob):
        requests.request_take_over(run_id="no-such")
    drill = requests.request_drill()
    with pytest.raises(NothingRecovered):
        requests.request_take_over(run_id=drill.id)
    with pytest.raises(NothingTakenOver):
        requests.request_way_back(run_id=drill.id)
    assert [job.kind for job in all_jobs(kept)] == [JobKind.DRILL]


def test_a_recovery_is_taken_over_and_the_way_back_asked_for(kept: Repository) -> None:
    recovery = requests.request_recovery(time=MOMENT, by="anna@samovar.example", reason="a wrong import")
    carry_out(kept, recovery, lambda *_: {"comparison": {}}, pid=1)
    taken = requests.request_take_over(run_id=recovery.id, reason="yes")
    assert get_job(kept, taken.id).arguments == {"recovery": recovery.id, "target": MOMENT.isoformat()}
    carry_out(kept, taken, lambda *_: {"kept": "shop_before"}, pid=1)
    back = requests.request_way_back(run_id=taken.id, reason="no")
    for again in (
        partial(requests.request_take_over, run_id=recovery.id),
        partial(requests.request_way_back, run_id=taken.id),
    ):
        with pytest.raises(Busy, match=r"^Way back is under way\."):
            again()
    with kept.lock("asking", doing="Take-over"), pytest.raises(Busy, match=r"^Take-over is under way\."):
        requests.request_way_back(run_id=taken.id)
    assert get_job(kept, back.id).arguments == {"take_over": taken.id}
    assert {run.kind for run in RestoreRun.objects.all()} == {"recover", "take_over", "swap_back"}
    assert requests.stop_job(job_id=back.id).status == JobStatus.STOPPED
