"""A logical backup is loaded beside the running shop, compared with it, and taken over: all of it, or chosen tables."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from backups.engine.jobs import Job, JobKind, JobStatus, carry_out, path_of, request_job, save
from backups.engine.repository import Repository
from backups.errors import TablesInTheWay
from backups.services import chosen, requests
from backups.services.erasures import keep_erasures
from backups.services.other_database import in_database
from backups.services.taking_over import is_to_be_settled, settle_swap
from backups.services.work import work_of
from foundation.errors import InvalidInput
from inventory.models import Location, StockLevel
from orders.models import Customer, Order
from orders.services.erasing import erase_customer
from tests.backups.shops import closed_ones, in_a_child, kill_me, names_on
from tests.backups.taking_over.test_carrying import NOBODY
from tests.backups.two_databases import Two, copy
from tests.shop import Shop

pytestmark = pytest.mark.slow


class Wizard:
    """One person before the pages of restores, and the agent that carries out what they ask for."""

    def __init__(self, two: Two, repository: Repository) -> None:
        self.two, self.repository = two, repository
        # Of the order before the backup, and of the one after it.
        self.numbers: list[int] = []

    def orders(self) -> list[int]:
        return [order.number for order in Order.objects.order_by("number")]

    def carry_out(self, job: Job) -> Job:
        return carry_out(self.repository, job, work_of(self.repository), pid=1)

    def back_up(self) -> str:
        job = self.carry_out(request_job(self.repository, JobKind.BACKUP, arguments={"kind": "logical"}))
        return str(job.result["backup_id"])

    def restore_beside(self) -> Job:
        """The newest backup."""
        newest = self.repository.backups()[-1].id
        return self.carry_out(requests.request_recovery(backup_id=newest, reason="a wrong import"))

    def take_over(self, run: Job, **more: Any) -> Job:
        return self.carry_out(requests.request_take_over(run_id=run.id, reason="a wrong import", **more))

    def beside(self) -> set[str]:
        """The databases beside the shop's that a restore has made."""
        return {name for name in names_on(self.two.server) if name.startswith(f"{self.two.server.database}_loaded_")}


@pytest.fixture
def wizard(
    two: Two, kept: Repository, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Wizard]:
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", two.server.database)
    settings.MEDIA_ROOT = tmp_path / "media"
    with in_database(two.server):
        shop = Shop.open()
        milk = shop.ingredient("Молоко", "ml", stock=10_000)
        latte = shop.product("Латте 🧋", "350.00", {milk: 200})
        made = Wizard(two, kept)
        made.numbers = [shop.sell(latte, 1).number]
        made.back_up()
        made.numbers.append(shop.sell(latte, 2).number)
        yield made


def test_a_backup_is_loaded_beside_and_says_what_came_later(wizard: Wizard) -> None:
    run = wizard.restore_beside()
    assert run.status == JobStatus.DONE, run.error
    comparison = run.result["comparison"]
    assert [(one["number"], one["total"]) for one in comparison["orders_since"]] == [(wizard.numbers[1], "700.00")]
    assert comparison["checked"]["findings"] == []
    (database,) = wizard.beside()
    assert run.result["database"] == database
    assert database in closed_ones(wizard.two.server)


def test_it_is_taken_over_once(wizard: Wizard) -> None:
    run = wizard.restore_beside()
    taken = wizard.take_over(run)
    assert taken.status == JobStatus.DONE, taken.error
    assert wizard.orders() == wizard.numbers[:1]
    assert wizard.beside() == set()
    assert taken.result["kept"] in names_on(wizard.two.server)
    again = wizard.take_over(run)
    assert (again.status, again.error) == (
        JobStatus.FAILED,
        "That recovery is not done, or was thrown away. Recover once more.",
    )
    back = wizard.carry_out(requests.request_way_back(run_id=taken.id))
    assert back.status == JobStatus.DONE, back.error
    assert wizard.orders() == wizard.numbers


def test_at_the_terminal_the_server_says_what_to_go_back_to(
    wizard: Wizard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = wizard.take_over(wizard.restore_beside())
    # As after a take-over whose process was killed: no work says that it was done.
    path_of(wizard.repository, taken.id).unlink()
    monkeypatch.setattr("builtins.input", lambda _question: "yes")
    call_command("swap_back")
    assert f"The database {taken.result['kept']}, which served until" in capsys.readouterr().out
    assert wizard.orders() == wizard.numbers


def test_what_waited_for_too_long_is_not_done(wizard: Wizard) -> None:
    run = wizard.restore_beside()

    def late(job: Job) -> Job:
        job.requested_at -= datetime.timedelta(minutes=16)
        save(wizard.repository, job)
        return wizard.carry_out(job)

    for tables in (None, ["inventory_location"]):
        refused = late(requests.request_take_over(run_id=run.id, tables=tables))
        assert (refused.status, refused.error_kind) == (JobStatus.FAILED, "asked_too_long_ago")
        assert refused.error.startswith("It was asked for too long ago: the shop went on selling since.")
    assert wizard.orders() == wizard.numbers
    taken = wizard.take_over(run)
    assert taken.status == JobStatus.DONE, taken.error
    refused = late(requests.request_way_back(run_id=taken.id))
    assert (refused.status, refused.error_kind) == (JobStatus.FAILED, "asked_too_long_ago")
    assert wizard.orders() == wizard.numbers[:1]


def test_other_work_leaves_it_alone_and_it_is_thrown_away(wizard: Wizard) -> None:
    first, second = wizard.restore_beside(), wizard.restore_beside()
    assert len(wizard.beside()) == 2
    assert wizard.take_over(first).status == JobStatus.DONE
    assert wizard.beside() == {second.result["database"]}
    assert wizard.carry_out(requests.request_discard(run_id=second.id)).status == JobStatus.DONE
    assert wizard.beside() == set()


def test_nobody_decided_for_days(wizard: Wizard, settings: Settings) -> None:
    run = wizard.restore_beside()
    tidied = wizard.carry_out(requests.request_prune())
    assert wizard.beside() == {run.result["database"]}
    settings.BACKUP_KEPT_DAYS = 0
    tidied = wizard.carry_out(requests.request_prune())
    assert tidied.result["databases"] == [run.result["database"]]
    assert wizard.beside() == set()


def test_chosen_tables_come_back_and_all_else_stays(wizard: Wizard) -> None:
    Location.objects.update(name="lost")
    run = wizard.restore_beside()
    taken = wizard.take_over(run, tables=["inventory_location"])
    assert taken.status == JobStatus.DONE, taken.error
    assert taken.result["tables"] == {"public.inventory_location": 1}
    assert Location.objects.get().name == "Main Street"
    assert wizard.orders() == wizard.numbers
    # It may be looked at and taken from again.
    assert len(wizard.beside()) == 1


def test_what_would_not_go_together_is_refused_and_nothing_changes(wizard: Wizard) -> None:
    run = wizard.restore_beside()
    stock = StockLevel.objects.get().quantity
    refused = wizard.take_over(run, tables=["inventory_stocklevel"])
    assert refused.status == JobStatus.FAILED
    assert refused.error.startswith("Stock levels that are not what their ledger sums to: 1.")
    assert refused.error.endswith("Choose inventory_stocklevel and inventory_stockmovement together.")
    assert StockLevel.objects.get().quantity == stock

    refused = wizard.take_over(run, tables=["orders_order"])
    assert refused.error.startswith("Rows would refer to rows that are not there: ")
    assert Order.objects.count() == 2
    both = wizard.take_over(run, tables=["inventory_stocklevel", "inventory_stockmovement"])
    assert both.status == JobStatus.DONE, both.error
    assert StockLevel.objects.get().quantity == 9_800


def test_keys_sessions_and_the_program_s_own_tables_go_back_only_with_everything(wizard: Wizard) -> None:
    run = wizard.restore_beside()
    for table in ("marketplaces_selleraccount", "django_session", "backups_backup", "auth_group"):
        with pytest.raises(TablesInTheWay, match=f"{table} can't go back in time alone"):
            requests.request_take_over(run_id=run.id, tables=[table, "inventory_location"])
    with pytest.raises(InvalidInput, match="Choose at least one table"):
        requests.request_take_over(run_id=run.id, tables=[])


def test_who_was_erased_since_is_erased_again(wizard: Wizard) -> None:
    anna = Customer.objects.create(name="Анна", phone="+66812345678")
    wizard.back_up()
    erase_customer(customer_id=anna.pk, reason="she asked", actor=NOBODY)
    run = wizard.restore_beside()
    taken = wizard.take_over(run, tables=["orders_customer"])
    assert taken.status == JobStatus.DONE, taken.error
    assert taken.result["erased_again"] == [anna.pk]
    erased = Customer.objects.get(pk=anna.pk)
    assert (erased.name, erased.phone) == ("erased person", "")


def test_who_was_erased_is_erased_again_though_somebody_was_killed_before(
    wizard: Wizard, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = Customer.objects.create(name="Анна", phone="+66812345678")
    wizard.back_up()
    erase_customer(customer_id=anna.pk, reason="she asked", actor=NOBODY)
    run = wizard.restore_beside()
    monkeypatch.setattr(chosen, "repeat_them", lambda people: kill_me())
    # The list itself goes back too: what the database says of who was erased is not enough.
    tables = ["orders_customer", "orders_erasedperson"]
    assert in_a_child(lambda: wizard.take_over(run, tables=tables)) == -9
    assert Customer.objects.get(pk=anna.pk).name == "Анна"
    assert is_to_be_settled(repository=wizard.repository)
    # A backup in between writes the list of the last backup anew.
    keep_erasures(repository=wizard.repository)

    settle_swap(repository=wizard.repository, server=wizard.two.server)

    erased = Customer.objects.get(pk=anna.pk)
    assert (erased.name, erased.phone) == ("erased person", "")
    assert not is_to_be_settled(repository=wizard.repository)


def test_what_a_killed_restore_left_goes_with_the_next_one(wizard: Wizard) -> None:
    run = wizard.restore_beside()
    unfinished = f"{wizard.two.server.database}_loaded_20261121_233000"
    copy(wizard.two.server, "template0", unfinished)
    assert wizard.beside() == {unfinished, run.result["database"]}
    assert wizard.take_over(run, tables=["inventory_location"]).status == JobStatus.DONE
    assert wizard.beside() == {run.result["database"]}
