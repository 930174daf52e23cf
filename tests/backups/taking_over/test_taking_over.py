"""A loaded database is taken over: everybody waits, and whoever is killed is caught up with."""

import datetime
import json
import os
from typing import Any
from uuid import UUID

import pytest
from django.contrib.sessions.models import Session
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from backups.engine.databases import lobby, mark_as_new
from backups.engine.jobs import Job, JobKind, JobStatus, carry_out, close_killed, get_job, request_job
from backups.engine.kept_databases import old_databases
from backups.engine.repository import Repository
from backups.errors import BackupFailed, DiskIsFull, SwapFailed, UnknownDatabase, WrongVersion
from backups.maintenance import begin_maintenance, end_maintenance, is_under_maintenance, last_swap
from backups.models import RestoreRun
from backups.services import taking_over
from backups.services.erasures import this_shop
from backups.services.other_database import bring_up_to_date, in_database
from backups.services.taking_over import is_to_be_settled, settle_swap, take_back
from marketplaces.models import (
    ApiGate,
    SellerAccount,
)
from orders.models import ErasedPerson
from tests.backups.shops import closed_ones, in_a_child, kill_me, names_on, rows
from tests.backups.two_databases import Two, session_of
from tests.marketplaces.people import account_of
from users.models import User

THEN = datetime.datetime(2026, 11, 1, 12, 0, tzinfo=datetime.UTC)


def test_the_shop_rests_meanwhile_and_works_again_afterwards(
    two: Two, repository: Repository, emptied: list[str]
) -> None:
    two.keep_this_state()
    with in_database(two.loaded):
        RestoreRun.objects.create(id=UUID(int=7), kind="drill", requested_at=THEN)
    rested: list[tuple[str, bool]] = []
    before_it = last_swap()
    outcome = two.take_over(
        repository,
        reason="a wrong price list",
        sentence="Back soon",
        progress=lambda stage, share: rested.append((stage, is_under_maintenance())),
    )
    assert rested
    assert {is_resting for _stage, is_resting in rested} == {True}
    assert not is_under_maintenance()
    assert last_swap() > before_it
    assert emptied == ["emptied"]
    assert closed_ones(two.server) >= {outcome.swap.kept}
    assert outcome.to_result()["kept"] == outcome.swap.kept
    with in_database(two.server):
        # The folder of backups knows nothing of it.
        assert not RestoreRun.objects.exists()


def test_a_rest_that_somebody_began_by_hand_is_theirs_to_end(two: Two, repository: Repository) -> None:
    two.keep_this_state()
    begin_maintenance("By hand")
    two.take_over(repository)
    settle_swap(repository=repository, server=two.server)
    assert is_under_maintenance()
    assert end_maintenance()


def test_the_way_back_carries_over_too(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        account_of("seller", marketplace="allegro", tokens={"refresh_token": "first"})
    two.keep_this_state()
    kept = two.take_over(repository).swap.kept
    with in_database(two.server):
        SellerAccount.objects.update(tokens={"refresh_token": "third"}, mode="live")
        session_of("who goes back")
    with pytest.raises(UnknownDatabase):
        take_back(repository=repository, server=two.server, kept="postgres")

    take_back(repository=repository, server=two.server, kept=kept, patience=1.0)

    with in_database(two.server):
        account = SellerAccount.objects.get()
        assert (account.tokens, account.mode) == ({"refresh_token": "third"}, "read_only")
        assert Session.objects.count() == 1


def asked(repository: Repository) -> Job:
    return request_job(repository, JobKind.TAKE_OVER, reason="a wrong price list")


def carried_out(two: Two, repository: Repository, job: Job, **options: Any) -> Job:
    """The take-over, by the process of its job."""
    return carry_out(
        repository,
        job,
        lambda job, *_told: two.take_over(repository, job=job.id, reason=job.reason, **options).to_result(),
        pid=os.getpid(),
    )


def assert_done_with_a_way_back(two: Two, repository: Repository, job: Job) -> None:
    """As if nobody had been killed."""
    done = get_job(repository, job.id)
    (old,) = old_databases(two.server)
    assert (done.status, done.error, done.error_kind) == (JobStatus.DONE, "", "")
    assert done.result["database"] == two.server.database
    assert (done.result["kept"], done.result["at"]) == (old.name, old.at.isoformat())
    assert done.result["erasures_refused"] == {}
    take_back(repository=repository, server=two.server, kept=done.result["kept"], patience=1.0)


@pytest.mark.parametrize(
    ("moment", "is_done"),
    [
        ("preparing the swap", False),
        ("changing places", False),
        ("the new database is in its place", True),
        ("tidying up after the swap", True),
    ],
)
def test_whoever_is_killed_is_caught_up_with(
    two: Two, repository: Repository, emptied: list[str], moment: str, is_done: bool
) -> None:
    with in_database(two.server):
        account_of("seller", marketplace="allegro", mode="live", tokens={"refresh_token": "old"})
    two.keep_this_state()
    mark_as_new(two.server, two.loaded.database)
    with in_database(two.server):
        SellerAccount.objects.update(tokens={"refresh_token": "new"})

    def fate(stage: str, share: float | None) -> None:
        if stage == moment:
            kill_me()

    job = asked(repository)
    assert in_a_child(lambda: carried_out(two, repository, job, progress=fate)) == -9
    assert is_under_maintenance()
    assert is_to_be_settled(repository=repository)
    close_killed(repository, is_running=lambda pid: False)
    assert "Nothing of it is left" not in get_job(repository, job.id).error

    settled = settle_swap(repository=repository, server=two.server)

    assert not is_under_maintenance()
    assert not is_to_be_settled(repository=repository)
    assert (settled is not None and settled.is_done) is is_done
    assert emptied == (["emptied"] if is_done else [])
    assert two.loaded.database not in names_on(two.server)
    with in_database(two.server):
        account = SellerAccount.objects.get()
        assert account.tokens == {"refresh_token": "new"}
        assert account.mode == ("read_only" if is_done else "live")
    assert settle_swap(repository=repository, server=two.server) is None
    if is_done:
        assert_done_with_a_way_back(two, repository, job)
    else:
        assert get_job(repository, job.id).status == JobStatus.FAILED


def test_whoever_is_killed_when_all_is_done_has_said_so(
    two: Two, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.keep_this_state()
    monkeypatch.setattr(taking_over, "end_maintenance", kill_me)
    job = asked(repository)
    assert in_a_child(lambda: carried_out(two, repository, job)) == -9
    monkeypatch.undo()
    close_killed(repository, is_running=lambda pid: False)
    settle_swap(repository=repository, server=two.server)
    assert not is_under_maintenance()
    assert_done_with_a_way_back(two, repository, job)


def test_what_a_full_disk_had_no_room_for_is_said_later(
    two: Two, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise DiskIsFull(repository.root)

    two.keep_this_state()
    job = asked(repository)
    with monkeypatch.context() as patch:
        patch.setattr(taking_over, "say_done", full)
        two.take_over(repository, job=job.id)
        assert not is_under_maintenance()
        assert is_to_be_settled(repository=repository)
        with pytest.raises(DiskIsFull):
            settle_swap(repository=repository, server=two.server)
    settle_swap(repository=repository, server=two.server)
    assert not is_to_be_settled(repository=repository)
    assert_done_with_a_way_back(two, repository, job)


def test_a_failure_leaves_the_shop_as_it_was(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        account_of("seller", mode="live")
    two.keep_this_state()
    rows(two.loaded, "ALTER TABLE marketplaces_apigate ADD CONSTRAINT none_at_all CHECK (key = '')")
    with in_database(two.server):
        ApiGate.objects.create(key="ozon:1", rate=50)
    with pytest.raises(BackupFailed, match="none_at_all"):
        two.take_over(repository)
    assert not is_under_maintenance()
    with in_database(two.server):
        assert SellerAccount.objects.get().mode == "live"
    with in_database(two.loaded):
        assert SellerAccount.objects.get().mode == "live"


def test_a_list_of_erased_persons_that_can_not_be_carried_over_stops_it(two: Two, repository: Repository) -> None:
    two.keep_this_state()
    with in_database(two.server):
        shop = this_shop()
    said = {"shop": shop, "people": [{"customer_id": "nobody"}]}
    (repository.root / "erased.json").write_text(json.dumps(said))
    with pytest.raises(SwapFailed, match="could not be carried over, so nothing was restored"):
        two.take_over(repository)
    assert not is_under_maintenance()
    with in_database(two.server):
        assert not ErasedPerson.objects.exists()


# --- other versions ------------------------------------------------------------------------------------


def test_a_backup_of_an_older_shop_is_brought_up_to_date(two: Two) -> None:
    two.keep_this_state()
    rows(two.loaded, "DROP TABLE marketplaces_apigate CASCADE; DELETE FROM django_migrations WHERE app = 'backups';")
    of_backups = "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE starts_with(tablename, 'backups_')"
    rows(
        two.loaded,
        f"DROP TABLE {rows(two.loaded, of_backups)[0][0]}; DROP FUNCTION backups_note_deleted_orders CASCADE",
    )
    bring_up_to_date(two.loaded)
    assert rows(two.loaded, "SELECT count(*) FROM backups_backup") == [(0,)]


def test_a_backup_of_a_newer_shop_is_refused(two: Two, repository: Repository) -> None:
    two.keep_this_state()
    with in_database(two.loaded):
        MigrationRecorder(connection).record_applied("orders", "9999_from_the_future")
    with pytest.raises(WrongVersion, match=r"^The backup was made by a newer Samovar \(it has orders.9999_from_the_fu"):
        two.take_over(repository)
    assert not is_under_maintenance()


def test_a_database_without_a_shop_is_refused(two: Two, repository: Repository) -> None:
    with lobby(two.server) as cursor:
        cursor.execute(f'CREATE DATABASE "{two.loaded.database}"')
    with pytest.raises(WrongVersion, match="holds no shop of Samovar"):
        two.take_over(repository)


def test_no_transaction_goes_on_in_another_database(two: Two) -> None:
    with (
        in_database(two.server),
        transaction.atomic(),
        pytest.raises(RuntimeError, match="go on in the other"),
        in_database(two.loaded),
    ):
        pytest.fail("It went on.")


def test_afterwards_this_thread_works_where_it_worked_before(two: Two) -> None:
    usual = connections[DEFAULT_DB_ALIAS]
    with in_database(two.server):
        assert User.objects.count() == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchall() == [(two.server.database,)]
    assert connections[DEFAULT_DB_ALIAS] is usual
