"""The pages of restores: what is lost by a take-over stands there before anybody confirms it."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from backups.engine.jobs import Job, JobKind, all_jobs, carry_out, request_job
from backups.engine.repository import Repository, now
from backups.models import RestoreRun
from backups.restore_selectors import came_in_since, left_of
from backups.services.index import refresh_index
from orders.models import Order
from tests.backups.manifests import MOMENT, stored
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db
RESTORES = "/admin/backups/restorerun/"
Made = Callable[..., RestoreRun]


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(user_of("admin"))
    return client


@pytest.fixture
def made(kept: Repository) -> Made:
    """A piece of work that is done, as the tables show it."""

    def made(kind: JobKind, result: dict[str, Any], **arguments: Any) -> RestoreRun:
        job: Job = request_job(kept, kind, arguments=arguments)
        carry_out(kept, job, lambda *_: result, pid=1)
        refresh_index(repository=kept)
        return RestoreRun.objects.get(pk=job.id)

    return made


def comparison(moment: datetime.datetime, *since: Order, **more: Any) -> dict[str, Any]:
    """What a recovery to this moment has found, with the orders that were placed since."""
    orders = [
        {"number": one.number, "placed_at": one.placed_at.isoformat(), "total": str(one.total), "status": one.status}
        for one in since
    ]
    return {
        "moment": moment.isoformat(),
        "is_running": True,
        "tables": [
            {"name": "public.backups_backup", "recovered": 1, "running": 2, "written_since": 1},
            {"name": "public.inventory_location", "recovered": 1, "running": 1, "written_since": 0},
            {"name": "public.orders_order", "recovered": 0, "running": 2, "written_since": 2},
        ],
        "orders_since": orders,
        "orders_since_number": len(orders),
        "orders_since_total": str(sum(one.total for one in since)),
        "checked": {"findings": []},
        **more,
    }


@pytest.fixture
def orders() -> list[Order]:
    shop = Shop.open()
    latte = shop.product("Латте", "350.00", {shop.ingredient("Молоко", "ml", stock=10_000): 200})
    return [shop.sell(latte, number) for number in (1, 2)]


def test_what_came_in_after_the_comparison_is_listed_too(
    admin: Client, made: Made, orders: list[Order], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    before = orders[0].placed_at - datetime.timedelta(seconds=1)
    run = made(JobKind.RECOVER, {"comparison": comparison(before, orders[0])}, target=before.isoformat())
    with django_assert_max_num_queries(25):
        page = admin.get(f"{RESTORES}{run.pk}/change/").content.decode()
    assert "1 order was placed after the moment" in page
    assert "1 more order came in after this comparison" in page
    assert "2 orders were placed since and will be gone from the shop." in page
    for order in orders:
        assert f'data-label="Order">{order.number}</td>' in page
    # The index of backups is rebuilt after a restore, and nobody's loss.
    assert "backups_backup" not in page
    assert "orders_order" in page


def test_of_a_long_list_only_what_is_newer_than_it_counts_as_new(orders: list[Order]) -> None:
    before = orders[0].placed_at - datetime.timedelta(seconds=1)
    whole = comparison(before, *orders)
    assert came_in_since(whole).number == 0
    assert came_in_since(comparison(before, orders[1], orders_since_number=2)).number == 0
    assert [one.number for one in came_in_since(comparison(before)).orders] == [orders[1].number, orders[0].number]
    assert came_in_since(comparison(before, is_running=False)).number == 0
    assert came_in_since({}).number == 0


def test_tables_are_chosen_from_those_that_may_be(admin: Client, made: Made, kept: Repository) -> None:
    run = made(JobKind.RECOVER, {"comparison": comparison(MOMENT)}, target=MOMENT.isoformat())
    address = f"{RESTORES}{run.pk}/tables/"
    page = admin.get(address).content.decode()
    assert page.index('value="orders_order"') < page.index("1 table that is the same")
    assert page.index('value="inventory_location"') > page.index("1 table that is the same")
    assert "backups_backup" not in page

    refused = admin.post(address, {"reason": "a wrong import"}).content.decode()
    assert "Choose a table." in refused
    refused = admin.post(address, {"tables": ["backups_backup"], "reason": "a wrong import"}).content.decode()
    assert "not one of the available choices" in refused
    kept_choice = admin.post(address, {"tables": ["orders_order"]}).content.decode()
    assert 'value="orders_order" checked' in kept_choice
    assert [job.kind for job in all_jobs(kept)] == [JobKind.RECOVER]

    answer = admin.post(address, {"tables": ["orders_order"], "reason": "a wrong import"})
    job = all_jobs(kept)[-1]
    assert answer.headers["Location"] == f"{RESTORES}{job.id}/change/"
    assert (job.kind, job.arguments["tables"], job.reason) == (JobKind.TAKE_OVER, ["orders_order"], "a wrong import")
    assert job.by == "admin@shop.example"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"until": "time"}, "This field is required."),
        ({"until": "order"}, "This field is required."),
        ({"until": "order", "order": "4711"}, "There is no order 4711"),
        ({"until": "order", "order": "9" * 30}, "There is no order 9"),
        ({"until": "before_transaction", "before_transaction": "2"}, "2 is no number of a transaction."),
        ({"until": "before_transaction", "before_transaction": "771", "time": "nonsense"}, "Enter a valid date/time."),
        ({"until": "yesterday"}, "Select a valid choice."),
    ],
)
def test_what_can_t_be_recovered_to_is_said_at_its_field(
    admin: Client, kept: Repository, fields: dict[str, str], sentence: str
) -> None:
    answer = admin.post(f"{RESTORES}recover/", {**fields, "reason": "a wrong import"})
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert all_jobs(kept) == []


def test_what_is_left_of_a_restore(made: Made, kept: Repository, settings: Settings) -> None:
    recovery = made(JobKind.RECOVER, {"comparison": {}}, target=MOMENT.isoformat())
    assert recovery.ended_at is not None
    fortnight = datetime.timedelta(days=14)
    assert (left_of(recovery).is_there, left_of(recovery).until) == (True, recovery.ended_at + fortnight)
    loaded = made(JobKind.RECOVER, {"database": "no-such"}, backup_id=stored(kept).id)
    assert left_of(loaded).is_there is False
    here = str(settings.DATABASES["default"]["NAME"])
    taken = made(JobKind.TAKE_OVER, {"kept": here, "at": now().isoformat()}, recovery=str(recovery.pk))
    assert (left_of(taken).is_there, left_of(taken).database) == (True, here)
    tables = made(JobKind.TAKE_OVER, {"tables": {"public.orders_order": 2}}, recovery=str(recovery.pk))
    assert left_of(tables).until is None

    made(JobKind.DISCARD, {"recovery": str(recovery.pk)}, recovery=str(recovery.pk))
    assert left_of(recovery).is_there is False
    settings.BACKUP_KEPT_DAYS = 0
    other = made(JobKind.RECOVER, {"comparison": {}}, target=MOMENT.isoformat())
    assert left_of(other).is_there is False


def test_a_restore_names_its_backup(
    admin: Client, made: Made, kept: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    backup = stored(kept)
    for _number in range(5):
        made(JobKind.DRILL, {"backup_id": backup.id}, backup_id=backup.id)
    with django_assert_max_num_queries(25):
        page = admin.get(RESTORES).content.decode()
    assert page.count("logical backup of 1 Nov 2026, ") == 5
    run = made(JobKind.TAKE_OVER, {"tables": {"public.orders_order": 2}, "erasures_refused": {"7": "not now"}})
    page = admin.get(f"{RESTORES}{run.pk}/change/").content.decode()
    assert 'data-label="Table taken over">public.orders_order</td>' in page
    assert "The customer 7 could not be erased again: not now" in page


def test_a_folder_that_can_t_be_got_at_is_told_and_breaks_no_page(
    admin: Client, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "disk").write_text("is not mounted, and this is a file")
    settings.BACKUP_DIR = tmp_path / "disk" / "backups"
    sentence = f"{settings.BACKUP_DIR} can&#x27;t be written to"
    for address in ("/admin/backups/backup/", f"{RESTORES}recover/"):
        page = admin.get(address)
        assert page.status_code == 200
        assert sentence in page.content.decode()
    asked = admin.post("/admin/backups/backup/new/", {"kind": "logical", "reason": ""})
    assert asked.status_code == 200
    assert sentence in asked.content.decode()
    answer = APIClient()
    answer.force_authenticate(user_of("admin", "rest@shop.example"))
    refused = answer.post("/api/v1/backups/", {"kind": "logical"}, format="json")
    assert (refused.status_code, refused.json()["type"]) == (409, "not_writable")
