"""Restores by programs: everything that the pages can do, with the same refusals."""

import datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from backups.engine.jobs import JobKind, all_jobs, carry_out, get_job
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.models import DeletedOrder
from backups.services.work import work_of
from tests.backups.manifests import MOMENT, stored
from tests.shop import user_of

pytestmark = pytest.mark.django_db
RESTORES, BACKUPS = "/api/v1/restores/", "/api/v1/backups/"
WHY = "a wrong import"


@pytest.fixture
def api(kept: Repository) -> APIClient:
    client = APIClient()
    client.force_authenticate(user_of("admin"))
    return client


def refused(answer: Any, status: int) -> str:
    """What is said to whom something is refused."""
    assert answer.status_code == status, answer.json()
    return str(answer.json())


def test_a_recovery_is_asked_for_by_a_moment_a_transaction_an_order_or_a_backup(
    api: APIClient, kept: Repository
) -> None:
    backup = stored(kept)
    system = Server.of_the_shop().facts().system_identifier
    DeletedOrder.objects.create(order_id=7, number=7, deleted_at=MOMENT, transaction=4711, server=system)
    for body in (
        {"time": "2026-11-01T19:30:00+07:00"},
        {"before_transaction": 800},
        {"order": 7},
        {"backup": backup.id},
    ):
        answer = api.post(RESTORES, {**body, "reason": WHY}, format="json")
        assert answer.status_code == 202, answer.json()
    assert [(job.kind, job.arguments) for job in all_jobs(kept)] == [
        (JobKind.RECOVER, {"target": "2026-11-01T12:30:00+00:00"}),
        (JobKind.RECOVER, {"xid": 800, "is_before": True, "target": "just before transaction 800"}),
        (JobKind.RECOVER, {"xid": 4711, "is_before": True, "target": "just before order 7 was deleted"}),
        (JobKind.RECOVER, {"backup_id": backup.id}),
    ]


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({}, 400, "Name one thing to recover to"),
        ({"order": 7, "before_transaction": 800}, 400, "Name one thing to recover to"),
        ({"order": 8}, 400, "There is no order 8, and none of this number was deleted"),
        ({"before_transaction": 2**64}, 400, "This number is too large."),
        ({"time": "2999-01-01T00:00:00Z"}, 400, "lies in the future"),
        ({"backup": "01900000-0000-7000-8000-000000000000"}, 404, "There is no backup"),
        ({"moment": "now"}, 400, "moment"),
    ],
)
def test_what_can_t_be_recovered_to_is_refused(
    api: APIClient, kept: Repository, body: dict[str, Any], status: int, sentence: str
) -> None:
    assert sentence in refused(api.post(RESTORES, {**body, "reason": WHY}, format="json"), status)
    assert all_jobs(kept) == []


def test_what_was_recovered_is_taken_over_swapped_back_and_thrown_away(api: APIClient, kept: Repository) -> None:
    asked = api.post(RESTORES, {"before_transaction": 800, "reason": WHY}, format="json").json()
    run = f"{RESTORES}{asked['id']}/"
    assert "Recover once more" in refused(api.post(f"{run}discard/"), 409)
    carry_out(kept, get_job(kept, asked["id"]), lambda *_: {"comparison": {}}, pid=1)

    assert "can't go back in time alone" in refused(
        api.post(f"{run}take-over/", {"reason": WHY, "tables": ["django_session"]}, format="json"), 409
    )
    refused(api.post(f"{run}take-over/", {"reason": WHY, "tables": []}, format="json"), 400)
    refused(api.post(f"{run}take-over/", {}, format="json"), 400)
    of_tables = api.post(f"{run}take-over/", {"reason": WHY, "tables": ["inventory_location"]}, format="json").json()
    assert get_job(kept, of_tables["id"]).arguments["tables"] == ["inventory_location"]
    assert "Take-over is under way" in refused(api.post(f"{run}take-over/", {"reason": WHY}, format="json"), 409)
    carry_out(kept, get_job(kept, of_tables["id"]), lambda *_: {"tables": {}}, pid=1)
    taken = api.post(f"{run}take-over/", {"reason": WHY}, format="json").json()
    carry_out(kept, get_job(kept, taken["id"]), lambda *_: {"kept": "shop_before"}, pid=1)
    assert api.post(f"{RESTORES}{taken['id']}/swap-back/", {"reason": WHY}, format="json").status_code == 202
    assert api.post(f"{run}discard/").status_code == 202
    assert [job.kind for job in all_jobs(kept)][1:] == [
        JobKind.TAKE_OVER,
        JobKind.TAKE_OVER,
        JobKind.SWAP_BACK,
        JobKind.DISCARD,
    ]


def test_a_backup_is_kept_and_deleted(api: APIClient, kept: Repository) -> None:
    backup = stored(kept, started_at=MOMENT - datetime.timedelta(days=1))
    address = f"{BACKUPS}{backup.id}/"
    assert api.post(f"{address}keep/", {"is_kept": True}, format="json").json()["is_kept"] is True
    assert "kept for good" in refused(api.post(f"{address}delete/", {"reason": WHY}, format="json"), 409)
    assert api.post(f"{address}keep/", {"is_kept": False}, format="json").json()["is_kept"] is False
    job = api.post(f"{address}delete/", {"reason": WHY}, format="json").json()
    assert api.get(address).json()["stage"] == "is about to be deleted"
    carry_out(kept, get_job(kept, job["id"]), work_of(kept), pid=1)
    assert kept.backups() == []
    assert api.delete(address).status_code == 405
