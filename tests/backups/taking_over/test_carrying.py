"""What does not go back in time when an older database takes the place of the shop's."""

import datetime
import json

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_celery_beat.models import PeriodicTasks

from backups.engine.databases import drop, lobby
from backups.engine.repository import Repository
from backups.services.erasures import keep_erasures, kept_erasures, this_shop
from backups.services.other_database import in_database
from inventory.models import Location
from inventory.services.low_stock import LOW_STOCK
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
from monitoring.models import Alert, Delivery, DeliveryAlert
from monitoring.services.alerts import notify
from monitoring.services.channels import add_channel
from monitoring.services.dispatch import plan_deliveries, post_message
from monitoring.services.rules import add_rule
from orders.models import Customer, ErasedPerson, Order
from orders.services.customer_records import add_customer
from orders.services.erasing import erase_customer
from tests.backups.shops import rows
from tests.backups.two_databases import Two, session_of
from tests.marketplaces.people import account_of, order_of
from tests.shop import NOBODY, Shop, user_of
from users.choices import MailKind
from users.models import ApiToken, OutgoingMail
from users.services.tokens import issue_token, revoke_token

pytestmark = pytest.mark.slow

WHY = "asked for it by letter"
THEN = datetime.datetime(2026, 11, 1, 12, 0, tzinfo=datetime.UTC)


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


def test_messages_that_were_sent_since_are_not_sent_again(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        now = timezone.now()
        channel = add_channel(kind="webhook", name="Till", address="https://till.example/", at=now)
        add_rule(name="All", severity="info", channel_ids=[channel.pk], at=now)
        for name in ("sent", "waits"):
            post_message(channel_id=channel.pk, kind=Delivery.Kind.REPORT, title=name, text=name, at=now)
        for subject in ("told", "untold"):
            notify(event=LOW_STOCK, subject=subject, message=subject)
    two.keep_this_state()
    with in_database(two.server):
        Delivery.objects.filter(title="sent").update(status=Delivery.Status.SENT, sent_at=now)
        Alert.objects.filter(subject="told").update(dispatched_at=now)
    assert two.take_over(repository).carried.messages_dropped == 1
    with in_database(two.server):
        assert dict(Delivery.objects.values_list("title", "status")) == {"sent": "given_up", "waits": "waiting"}
        assert plan_deliveries(at=timezone.now()).alerts == 1
        assert [part.alert.subject for part in DeliveryAlert.objects.select_related("alert")] == ["untold"]


def test_who_keeps_time_reads_the_timetable_anew(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        PeriodicTasks.objects.update_or_create(ident=1, defaults={"last_update": THEN})
    two.keep_this_state()
    with in_database(two.server):
        PeriodicTasks.update_changed()
        known = PeriodicTasks.last_change()
    two.take_over(repository)
    with in_database(two.server):
        assert PeriodicTasks.last_change() > known


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


def test_the_list_outlives_the_database_and_is_taken_for_no_other_shop(two: Two, repository: Repository) -> None:
    with in_database(two.server):
        vera = add_customer(values={"name": "Вера"})
    two.keep_this_state()
    with in_database(two.server):
        erase_customer(customer_id=vera.pk, reason=WHY, actor=NOBODY)
        assert keep_erasures(repository=repository) == 1
        shop = this_shop()
    assert "Вера" not in (repository.root / "erased.json").read_text()
    with lobby(two.server) as cursor:
        drop(cursor, two.server.database)

    assert kept_erasures(repository=repository, shop="another one") == []
    assert kept_erasures(repository=repository, shop="") == []
    assert [one["customer_id"] for one in kept_erasures(repository=repository, shop=shop)] == [vera.pk]
    outcome = two.take_over(repository)

    assert (outcome.swap.kept, outcome.erased_again) == ("", [vera.pk])
    with in_database(two.server):
        assert Customer.objects.get().name == "erased person"


@pytest.mark.parametrize("text", ["", "[]", "{}", "\x00"])
def test_a_list_that_can_not_be_read_names_nobody(repository: Repository, text: str) -> None:
    (repository.root / "erased.json").write_text(text)
    assert kept_erasures(repository=repository, shop="this one") == []


def test_nothing_goes_into_the_database_of_another_shop(two: Two, repository: Repository) -> None:
    """Its customer of the same number is somebody else."""
    with in_database(two.server):
        innocent = add_customer(values={"name": "Innocent"})
        account_of("seller", mode="live")
    two.keep_this_state()
    rows(two.loaded, "UPDATE django_migrations SET applied = applied - interval '1 year'")
    with in_database(two.server):
        erase_customer(customer_id=innocent.pk, reason=WHY, actor=NOBODY)
        keep_erasures(repository=repository)
        SellerAccount.objects.all().delete()
        session_of("of the other shop")

    outcome = two.take_over(repository)

    assert not outcome.carried.is_same_shop
    assert (outcome.carried.accounts, outcome.carried.unknown, outcome.erased_again) == (["Main"], [], [])
    with in_database(two.server):
        assert Customer.objects.get().name == "Innocent"
        account = SellerAccount.objects.get()
        assert (account.mode, account.credentials) == ("read_only", {"client_id": "1001", "api_key": "key-1"})
        assert not Session.objects.exists()
        assert not ErasedPerson.objects.exists()
