"""What does not go back in time when an older database takes the place of the shop's."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings

from backups.engine.databases import drop, lobby, mark_as_new
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.errors import BackupFailed, Interrupted, SwapFailed, UnknownDatabase, WrongVersion
from backups.maintenance import begin_maintenance, end_maintenance, is_under_maintenance, last_swap
from backups.models import RestoreRun
from backups.services import taking_over
from backups.services.erasures import keep_erasures, kept_erasures
from backups.services.other_database import bring_up_to_date, in_database
from backups.services.taking_over import TakenOver, settle_swap, take_back, take_over
from inventory.models import Location
from marketplaces.models import (
    ApiGate,
    DeviceConnection,
    ErasedBuyer,
    Listing,
    MarketplaceOrder,
    SellerAccount,
    SyncState,
)
from marketplaces.services.erasing import erase_buyer
from marketplaces.services.switch import start_pushes, stop_pushes, the_switch
from orders.models import Customer, ErasedPerson, Order
from orders.services.customer_records import add_customer
from orders.services.erasing import erase_customer
from tests.backups.shops import closed_ones, in_a_child, kill_me, names_on, rows
from tests.marketplaces.people import account_of, order_of
from tests.shop import NOBODY, Shop, user_of
from users.choices import MailKind
from users.models import ApiToken, OutgoingMail, User
from users.services.tokens import issue_token, revoke_token

WHY = "asked for it by letter"
THEN = datetime.datetime(2026, 11, 1, 12, 0, tzinfo=datetime.UTC)


class Two:
    """The shop's database, and an older state of it that was loaded beside."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.loaded = server.of(f"{server.database}_loaded")

    def keep_this_state(self) -> None:
        """What the shop holds now is what a backup brings back later."""
        copy(self.server, self.server.database, self.loaded.database)

    def take_over(self, repository: Repository, **options: Any) -> TakenOver:
        return take_over(
            repository=repository, server=self.server, new_database=self.loaded.database, patience=1.0, **options
        )


def copy(server: Server, source: str, target: str) -> None:
    with lobby(server) as cursor:
        cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')


@pytest.fixture(scope="module")
def empty_shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    """A database with the shop's tables, to be copied: the tests' own one can't be while a test is connected to it."""
    with django_db_blocker.unblock():
        connections[DEFAULT_DB_ALIAS].close()
        server = Server.of_the_shop()
        made = server.of(f"{server.database}_empty")
        forget(made)
        copy(server, server.database, made.database)
        yield made
        forget(made)


@pytest.fixture
def two(db: None, empty_shop: Server, settings: Settings, tmp_path: Path) -> Iterator[Two]:
    """Of their own on the tests' server, so that they may change places."""
    settings.MAINTENANCE_FILE = tmp_path / "maintenance.json"
    made = Two(empty_shop.of(f"{empty_shop.database}_shop"))
    copy(empty_shop, empty_shop.database, made.server.database)
    # The test's own transaction goes on afterwards.
    of_the_test = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = of_the_test.copy()
    try:
        yield made
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections[DEFAULT_DB_ALIAS] = of_the_test
        forget(made.server)


def forget(server: Server) -> None:
    with lobby(server) as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [server.database])
        for (name,) in cursor.fetchall():
            drop(cursor, name)


@pytest.fixture(autouse=True)
def emptied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the broker's queue was emptied: the broker of this machine is not ours to empty."""
    times: list[str] = []
    monkeypatch.setattr(taking_over, "empty_queue", lambda: times.append("emptied") or 0)
    return times


# --- sellers -------------------------------------------------------------------------------------------


def test_sellers_keep_their_newest_keys_and_come_back_read_only(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        account = account_of("seller", mode="live", marketplace="allegro", tokens={"refresh_token": "old"})
        SyncState.objects.create(account=account, what="orders", last_success_at=THEN, leased_until=THEN, failures=3)
        SyncState.objects.create(account=account, what="inventory", resync_since=THEN - datetime.timedelta(days=9))
    two.keep_this_state()
    expires = timezone.now() + datetime.timedelta(hours=12)
    with in_database(two.server):
        SellerAccount.objects.update(
            tokens={"refresh_token": "new"},
            credentials={"client_id": "2", "client_secret": "s"},
            access_expires_at=expires,
            seller_name="Чайная ☕",
            refresh_leased_until=expires,
            name="Renamed since",
        )

    outcome = two.take_over(repository)

    assert (outcome.carried.accounts, outcome.carried.left_out, outcome.carried.unknown) == (["Main"], [], [])
    with in_database(two.server):
        account = SellerAccount.objects.get()
        assert (account.mode, account.is_active, account.name) == ("read_only", True, "Main")
        assert account.tokens == {"refresh_token": "new"}
        assert account.credentials == {"client_id": "2", "client_secret": "s"}
        assert (account.access_expires_at, account.seller_name) == (expires, "Чайная ☕")
        assert account.refresh_leased_until is None
        orders, stock = (SyncState.objects.get(what=what) for what in ("orders", "inventory"))
        assert (orders.resync_since, orders.leased_until, orders.failures) == (
            THEN - datetime.timedelta(hours=1),
            None,
            0,
        )
        assert orders.next_due_at <= timezone.now()
        assert stock.resync_since is not None
        assert stock.resync_since <= timezone.now() - datetime.timedelta(days=9)


def test_accounts_added_and_deleted_since(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        gone = account_of("seller", "Deleted since", mode="live")
        account_of("seller", "Main")
    two.keep_this_state()
    with in_database(two.server):
        SellerAccount.objects.filter(pk=gone.pk).delete()
        added = account_of("seller", "Added since", mode="live")
        SellerAccount.objects.filter(name="Main").update(is_active=False)
        account_of("seller", "Nowhere", location=Location.objects.create(name="Opened since"))

    outcome = two.take_over(repository)

    assert outcome.carried.accounts == ["Added since", "Deleted since", "Main"]
    assert (outcome.carried.unknown, outcome.carried.left_out) == (["Deleted since"], ["Nowhere"])
    with in_database(two.server):
        now_here = SellerAccount.objects.get(pk=added.pk)
        assert (now_here.mode, now_here.credentials) == ("read_only", {"client_id": "1001", "api_key": "key-1"})
        deleted = SellerAccount.objects.get(pk=gone.pk)
        assert (deleted.credentials, deleted.connection, deleted.is_active) == (None, "none", False)
        assert not SellerAccount.objects.get(name="Main").is_active


def test_limits_and_the_stop_of_all_writing_stay_and_what_was_shown_is_forgotten(
    two: Two, repository: Repository
) -> None:
    with in_database(two.server):
        account = account_of("seller")
        shop = Shop.open("Corner")
        Listing.objects.create(account=account, sku="1", product=shop.product("Tea"), offered=7, offered_at=THEN)
        DeviceConnection.objects.create(
            account=account, device_code="c", user_code="u", interval=5, expires_at=THEN, next_poll_at=THEN
        )
        ApiGate.objects.create(key="ozon:1", rate=50)
    two.keep_this_state()
    blocked = timezone.now() + datetime.timedelta(minutes=5)
    with in_database(two.server):
        ApiGate.objects.update(rate=2.5, blocked_until=blocked)
        ApiGate.objects.create(key="ozon:2", rate=10)
        stop_pushes(reason="wrong prices", by_id=None, at=THEN)

    two.take_over(repository)

    with in_database(two.server):
        gates = ApiGate.objects.order_by("key").values_list("key", "rate", "blocked_until")
        assert list(gates) == [("ozon:1", 2.5, blocked), ("ozon:2", 10, None)]
        assert (the_switch().pushes_stopped_at, the_switch().reason) == (THEN, "wrong prices")
        listing = Listing.objects.get()
        assert (listing.offered, listing.offered_at, listing.push_wanted_at is None) == (None, None, False)
        assert not DeviceConnection.objects.exists()


def test_writing_that_was_stopped_then_stays_stopped(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        stop_pushes(reason="then", by_id=None, at=THEN)
    two.keep_this_state()
    with in_database(two.server):
        start_pushes(by_id=None)
    two.take_over(repository)
    with in_database(two.server):
        assert the_switch().pushes_stopped_at == THEN


# --- doors, mails, numbers -----------------------------------------------------------------------------


def session_of(word: str) -> str:
    session = SessionStore()
    session["word"] = word
    session.create()
    return str(session.session_key)


def test_what_was_ended_or_revoked_since_opens_nothing(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        user = user_of("manager")
        session_of("ended since")
        revoked = issue_token(user=user, name="till")
        issue_token(user=user, name="website")
    two.keep_this_state()
    with in_database(two.server):
        Session.objects.all().delete()
        mine = session_of("who restores it")
        revoke_token(token_id=revoked.record.pk, user=user)
        issue_token(user=user, name="script")
        issue_token(user=user_of("barista"), name="of somebody new")

    outcome = two.take_over(repository)

    assert (outcome.carried.sessions, outcome.carried.tokens) == (1, 2)
    with in_database(two.server):
        assert [one.pk for one in Session.objects.all()] == [mine]
        assert SessionStore(mine)["word"] == "who restores it"
        assert sorted(ApiToken.objects.values_list("name", flat=True)) == ["script", "website"]


def test_mails_that_went_out_since_do_not_go_out_again(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        for to in ("sent@since.example", "waits@still.example"):
            OutgoingMail.objects.create(kind=MailKind.values[0], to=to, site="https://shop.example")
    two.keep_this_state()
    with in_database(two.server):
        OutgoingMail.objects.filter(to="sent@since.example").delete()
        OutgoingMail.objects.create(kind=MailKind.values[0], to="new@since.example", site="https://shop.example")
    assert two.take_over(repository).carried.mails_dropped == 1
    with in_database(two.server):
        assert [mail.to for mail in OutgoingMail.objects.all()] == ["waits@still.example"]


def test_a_number_that_customers_have_seen_is_given_to_nothing_else(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        shop = Shop.open()
        tea = shop.product("Tea")
        first = shop.sell(tea)
    two.keep_this_state()
    with in_database(two.server):
        lost = [Shop(shop.location, shop.category).sell(tea) for _number in range(3)]

    outcome = two.take_over(repository)

    assert outcome.carried.sequences > 0
    with in_database(two.server):
        assert [order.number for order in Order.objects.all()] == [first.number]
        following = Shop(shop.location, shop.category).sell(tea)
        assert following.number == max(order.number for order in lost) + 1
        assert following.pk == max(order.pk for order in lost) + 1


# --- erasures ------------------------------------------------------------------------------------------


def test_who_was_erased_since_is_erased_again(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        vera = add_customer(values={"name": "Вера", "email": "vera@mail.example", "phone": "+66812345678"})
        jan = add_customer(values={"name": "Jan", "email": "jan@mail.example"})
        mirrored = order_of(account_of("seller"), "1-1", buyer_contacts=["buyer@mail.example"])
    two.keep_this_state()
    with in_database(two.server):
        late = add_customer(values={"name": "Late", "email": "late@mail.example"})
        for person in (vera, late):
            erase_customer(customer_id=person.pk, reason=WHY, actor=NOBODY)
        erase_buyer(order_id=mirrored.pk, reason=WHY, actor=NOBODY)

    outcome = two.take_over(repository)

    assert (outcome.erased_again, outcome.erased_elsewhere, outcome.refused) == ([vera.pk], 1, {})
    with in_database(two.server):
        erased = Customer.objects.get(pk=vera.pk)
        assert (erased.name, erased.email, erased.phone) == ("erased person", "", "")
        assert Customer.objects.get(pk=jan.pk).name == "Jan"
        assert sorted(ErasedPerson.objects.values_list("pk", flat=True)) == sorted([vera.pk, late.pk])
        assert MarketplaceOrder.objects.get().buyer_contacts == []
        assert ErasedBuyer.objects.get().external_id == "1-1"
        # Whoever comes next is not taken for the one whose data were erased.
        assert add_customer(values={"name": "Next"}).pk == late.pk + 1


def test_an_erasure_that_is_refused_is_told(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        shop = Shop.open()
        vera = add_customer(values={"name": "Вера"})
        order = shop.sell(shop.product("Tea"), customer_id=vera.pk)
    two.keep_this_state()
    with in_database(two.server):
        shop.cancel(order, reason="left")
        erase_customer(customer_id=vera.pk, reason=WHY, actor=NOBODY)
    outcome = two.take_over(repository)
    assert outcome.erased_again == []
    assert list(outcome.refused) == [vera.pk]
    assert "is not finished" in outcome.refused[vera.pk]
    assert json.loads(json.dumps(outcome.to_result()))["erasures_refused"] == {str(vera.pk): outcome.refused[vera.pk]}


def test_the_list_outlives_the_database_and_is_taken_for_no_other_one(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        vera = add_customer(values={"name": "Вера"})
    two.keep_this_state()
    with in_database(two.server):
        erase_customer(customer_id=vera.pk, reason=WHY, actor=NOBODY)
        assert keep_erasures(repository=repository, system_identifier="7", database="shop") == 1
    text = (repository.root / "erased.json").read_text()
    assert "Вера" not in text
    with lobby(two.server) as cursor:
        drop(cursor, two.server.database)

    assert kept_erasures(repository=repository, system_identifier="8", database="shop") == []
    assert kept_erasures(repository=repository, system_identifier="7", database="other") == []
    people = kept_erasures(repository=repository, system_identifier="7", database="shop")
    outcome = two.take_over(repository, erased=people)

    assert (outcome.swap.kept, outcome.erased_again) == ("", [vera.pk])
    with in_database(two.server):
        assert Customer.objects.get().name == "erased person"


@pytest.mark.parametrize("text", ["", "[]", "{}", "\x00"])
def test_a_list_that_can_not_be_read_names_nobody(repository: Repository, text: str) -> None:
    (repository.root / "erased.json").write_text(text)
    assert kept_erasures(repository=repository, system_identifier="7", database="shop") == []


# --- the whole way -------------------------------------------------------------------------------------


def test_the_shop_rests_meanwhile_and_works_again_afterwards(
    two: Two, repository: Repository, emptied: list[str]
) -> None:
    two.keep_this_state()
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


def test_the_records_of_restores_are_those_of_the_folder(two: Two, repository: Repository) -> None:
    two.keep_this_state()
    with in_database(two.loaded):
        RestoreRun.objects.create(id=UUID(int=7), kind="drill", requested_at=THEN)
    two.take_over(repository)
    with in_database(two.server):
        assert not RestoreRun.objects.exists()


@pytest.mark.parametrize(
    ("moment", "is_done"),
    [
        ("preparing the swap", False),
        ("carrying over", False),
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

    assert in_a_child(lambda: two.take_over(repository, progress=fate)) == -9
    assert is_under_maintenance()

    settled = settle_swap(repository=repository, server=two.server)

    assert not is_under_maintenance()
    assert (settled is not None and settled.is_done) is is_done
    assert emptied == (["emptied"] if is_done else [])
    assert two.loaded.database not in names_on(two.server)
    with in_database(two.server):
        account = SellerAccount.objects.get()
        assert account.tokens == {"refresh_token": "new"}
        assert account.mode == ("read_only" if is_done else "live")
    assert settle_swap(repository=repository, server=two.server) is None


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
    with pytest.raises(SwapFailed, match="could not be carried over, so nothing was restored"):
        two.take_over(repository, erased=[{"customer_id": "nobody"}])
    assert not is_under_maintenance()
    with in_database(two.server):
        assert not ErasedPerson.objects.exists()


def test_it_can_be_stopped(two: Two, repository: Repository) -> None:
    two.keep_this_state()
    with pytest.raises(Interrupted):
        two.take_over(repository, is_stopped=lambda: True)
    assert not is_under_maintenance()
    assert closed_ones(two.server) & {two.server.database, two.loaded.database} == set()


# --- other versions ------------------------------------------------------------------------------------


def test_a_backup_of_an_older_shop_is_brought_up_to_date(two: Two) -> None:
    two.keep_this_state()
    rows(two.loaded, "DROP TABLE marketplaces_apigate CASCADE; DELETE FROM django_migrations WHERE app = 'backups';")
    rows(two.loaded, "DROP TABLE backups_backup, backups_restorerun, backups_walcheck")
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
