"""Orders are read from where the last run stopped, whatever stopped it."""

import datetime

import pytest
from django.utils import timezone

from marketplaces.choices import OrderState
from marketplaces.clients.base import Problem
from marketplaces.errors import AccountSwitchedOff, BadAnswer, NotConnected, ServerError, SyncRunning, UnknownAccount
from marketplaces.models import MarketplaceOrder, SellerAccount, SyncRun, SyncState
from marketplaces.services.mirror import store_page
from marketplaces.services.order_sync import sync_orders
from marketplaces.services.runs import begin_run
from marketplaces.services.schedule import due_syncs
from tests.marketplaces.market import Network, page, seller, told

pytestmark = pytest.mark.django_db

MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def network(monkeypatch):
    return Network.installed(monkeypatch.setattr)


@pytest.fixture
def account():
    return seller()


def state_of(account: SellerAccount) -> SyncState:
    return SyncState.objects.get(account=account, what=SyncRun.What.ORDERS)


def is_about(moment: datetime.datetime, *, after: datetime.timedelta) -> bool:
    return abs(moment - timezone.now() - after) < MINUTE / 2


def test_a_run_reads_page_by_page_hands_over_what_begins_and_says_when_the_next_one_is_due(account, network):
    account.orders_every = 600
    account.save()
    client = network.tells(account, page(told("A1"), told("A2"), cursors={"c": 1}), page(told("A3"), cursors={"c": 2}))
    handed: list[list[str]] = []

    run = sync_orders(
        account_id=account.pk, hand_over=lambda created: handed.append([one.order.external_id for one in created])
    )

    assert (run.status, run.source, run.processed, run.updated, run.skipped, run.error) == (
        "success",
        "Ozon",
        3,
        3,
        0,
        0,
    )
    assert run.counts == {"list": 3}
    assert sorted(handed[0]) == ["A1", "A2"]
    assert handed[1] == ["A3"]
    assert client.asked == [{"cursors": {}, "since": None}]
    state = state_of(account)
    assert is_about(state.next_due_at, after=10 * MINUTE)
    assert (state.leased_until, state.failures, state.last_success_at) == (None, 0, run.completed_at)
    assert SyncRun.objects.get().duration == run.completed_at - run.started_at


def test_what_was_read_before_a_failure_is_kept_and_the_next_run_goes_on_there(account, network):
    network.tells(account, page(told("A1"), cursors={"c": 1}), ServerError("broken", status=503))
    failed = sync_orders(account_id=account.pk)
    client = network.tells(account, page(told("A2"), cursors={"c": 2}))

    run = sync_orders(account_id=account.pk)

    assert (failed.status, failed.error_kind, failed.processed, failed.error) == ("failed", "server_error", 1, 1)
    assert client.asked == [{"cursors": {"c": 1}, "since": None}]
    assert (run.status, run.retry_of) == ("success", failed.pk)
    assert MarketplaceOrder.objects.count() == 2


def test_only_one_run_reads_an_account_at_a_time_and_others_meanwhile_theirs(account, network):
    other = seller(name="Other")
    network.tells(other, page(told("A1")))
    refusals = []

    def somebody_else_comes() -> None:
        with pytest.raises(SyncRunning) as refusal:
            sync_orders(account_id=account.pk)
        refusals.append(refusal)
        assert sync_orders(account_id=other.pk).status == "success"

    network.tells(account, page(told("A1")), somebody_else_comes, page(told("A2")))

    assert sync_orders(account_id=account.pk).updated == 2
    assert len(refusals) == 1
    assert MarketplaceOrder.objects.count() == 3


def test_a_killed_run_is_closed_when_its_lease_is_over_and_gone_on_with_from_its_cursors(account, network):
    killed = begin_run(account_id=account.pk, what=SyncRun.What.ORDERS)
    one = page(told("A1"), cursors={"c": 1})
    store_page(account_id=account.pk, page=one, at=timezone.now(), run_id=killed.pk)
    client = network.tells(account, page(told("A2"), cursors={"c": 2}))
    with pytest.raises(SyncRunning):
        sync_orders(account_id=account.pk)
    SyncState.objects.update(leased_until=timezone.now() - MINUTE)

    run = sync_orders(account_id=account.pk)

    killed.refresh_from_db()
    assert (killed.status, killed.error_kind, killed.completed_at is not None) == ("failed", "killed", True)
    assert (run.status, run.retry_of) == ("success", killed.pk)
    assert client.asked[0]["cursors"] == {"c": 1}


def test_a_mistake_of_our_own_ends_the_run_and_is_raised(account, network):
    network.tells(account, TypeError("ours"))

    with pytest.raises(TypeError):
        sync_orders(account_id=account.pk)

    assert SyncRun.objects.get().status == "failed"


def test_a_run_that_somebody_asked_for_is_carried_out_once_by_its_task(account, network):
    since = timezone.now() - 100 * MINUTE
    asked = begin_run(account_id=account.pk, what=SyncRun.What.ORDERS, since=since, requested_by_id=7)
    client = network.tells(account, page(told("A1")))

    run = sync_orders(account_id=account.pk, run_id=asked.pk)

    assert (run.pk, run.status, run.requested_by_id, run.source) == (asked.pk, "success", 7, "Manual")
    assert client.asked == [{"cursors": {}, "since": since}]
    assert state_of(account).resync_since is None
    with pytest.raises(SyncRunning):
        sync_orders(account_id=account.pk, run_id=asked.pk)
    assert len(client.asked) == 1


def test_reading_again_that_was_asked_for_is_not_forgotten_when_its_run_fails(account, network):
    since = timezone.now() - 100 * MINUTE
    network.tells(account, ServerError("broken", status=500))
    sync_orders(account_id=account.pk, since=since)
    client = network.tells(account, page(told("A1")))

    sync_orders(account_id=account.pk)

    assert client.asked[0]["since"] == since


def test_orders_that_were_left_out_make_a_partial_run_and_one_further_run_of_the_same_time(account, network):
    left_out = page(told("A1"), problems=[Problem("A2", "no lines"), *(Problem(str(n), "bad") for n in range(150))])
    network.tells(account, page())
    sync_orders(account_id=account.pk)
    read_until = state_of(account).last_success_at
    network.tells(account, left_out)
    partial = sync_orders(account_id=account.pk)
    client = network.tells(account, left_out)

    further = sync_orders(account_id=account.pk)

    assert (partial.status, partial.skipped, len(partial.problems)) == ("partial", 151, 100)
    assert partial.problems[0] == {"item": "A2", "reason": "no lines"}
    assert (further.status, further.retry_of) == ("partial", partial.pk)
    assert client.asked[0]["since"] < read_until
    assert state_of(account).resync_since is None, "what stays damaged is not asked for again and again"


def test_corrupted_data_ask_once_for_everything_to_be_read_again(account, network):
    network.tells(account, BadAnswer("no JSON"))
    sync_orders(account_id=account.pk)
    asked_for = state_of(account).resync_since
    assert is_about(asked_for, after=-datetime.timedelta(days=30))
    sync_orders(account_id=account.pk)
    assert state_of(account).resync_since == asked_for
    network.tells(account, page(told("A1", OrderState.WAITING)))

    sync_orders(account_id=account.pk)

    assert (state_of(account).resync_since, state_of(account).failures) == (None, 0)


def test_what_is_not_to_be_read_is_refused_and_leaves_no_run(account, network):
    with pytest.raises(UnknownAccount):
        sync_orders(account_id=begin_run(account_id=account.pk, what=SyncRun.What.INVENTORY).pk)
    SellerAccount.objects.update(is_active=False)
    with pytest.raises(AccountSwitchedOff):
        sync_orders(account_id=account.pk)
    SellerAccount.objects.update(is_active=True, connection="none")
    with pytest.raises(NotConnected):
        sync_orders(account_id=account.pk)
    assert not SyncRun.objects.filter(what="orders").exists()


def test_accounts_are_due_by_themselves_and_a_task_that_comes_twice_does_nothing(account, network):
    now = timezone.now()
    seller(name="off", is_active=False)
    lost = seller(name="lost")
    SellerAccount.objects.filter(pk=lost.pk).update(connection="lost", access_expires_at=now + MINUTE)
    assert due_syncs(now=now) == [(one.pk, what) for one in (account, lost) for what in ("orders", "inventory")]
    client = network.tells(account, page(told("A1")))

    sync_orders(account_id=account.pk, is_due_only=True)
    with pytest.raises(SyncRunning):
        sync_orders(account_id=account.pk, is_due_only=True)

    assert len(client.asked) == 1
    assert due_syncs(now=timezone.now() + MINUTE / 2) == [
        (account.pk, "inventory"),
        (lost.pk, "orders"),
        (lost.pk, "inventory"),
    ]
    assert (account.pk, "orders") in due_syncs(now=timezone.now() + 2 * MINUTE)
