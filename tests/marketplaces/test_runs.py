"""What follows when a run fails: when it is tried again, with how much patience, and who is told."""

import datetime

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplaces.errors import BreakerOpen, NotAuthorised, RateLimited, ServerError, Timeout
from marketplaces.models import SellerAccount, SyncRun, SyncState
from marketplaces.services.order_sync import sync_orders
from monitoring.models import Alert
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


def minutes_until_due(account: SellerAccount) -> float:
    return (state_of(account).next_due_at - timezone.now()) / MINUTE


def fails(account: SellerAccount, network: Network, error: Exception) -> SyncRun:
    network.tells(account, error)
    run = sync_orders(account_id=account.pk)
    assert run.status == "failed"
    return run


def test_after_a_timeout_the_marketplace_has_twice_the_time_up_to_two_minutes_and_ten_minutes_of_rest(account, network):
    for _attempt in range(4):
        fails(account, network, Timeout("no answer"))
        assert 9.5 < minutes_until_due(account) <= 10
    network.tells(account, page(told("A1")))
    sync_orders(account_id=account.pk)

    assert network.timeouts == [30, 60, 120, 120, 120]
    assert state_of(account).read_timeout == 30


def test_after_an_error_of_the_database_it_is_tried_in_five_minutes_and_said_when_it_repeats_itself(account, network):
    fails(account, network, OperationalError("the disk is full"))
    assert 3.9 < minutes_until_due(account) < 6.1
    assert not Alert.objects.exists()

    run = fails(account, network, OperationalError("the disk is full"))

    alert = Alert.objects.get()
    assert (alert.event, alert.severity, run.error_kind) == ("marketplaces.database_errors", "critical", "database")
    network.tells(account, page())
    sync_orders(account_id=account.pk)
    assert Alert.objects.filter(resolved_at=None).count() == 0


def test_failures_that_go_on_are_told_once_and_the_alert_ends_with_them(account, network):
    for _attempt in range(2):
        fails(account, network, ServerError("broken", status=503))
    assert not Alert.objects.exists()
    for _attempt in range(2):
        fails(account, network, ServerError("broken", status=503))

    alert = Alert.objects.get()
    assert (alert.event, alert.count) == ("marketplaces.sync_failed", 2)
    assert "4" in alert.message
    network.tells(account, page())
    sync_orders(account_id=account.pk)
    alert.refresh_from_db()
    assert alert.resolved_at is not None


def test_the_marketplace_says_itself_how_long_it_wants_to_be_left_alone(account, network):
    fails(account, network, RateLimited("too many", retry_after=1800))
    assert 29 < minutes_until_due(account) <= 30

    fails(account, network, BreakerOpen("open", until=timezone.now() + 40 * MINUTE))
    assert 39 < minutes_until_due(account) <= 40


def test_refused_keys_are_the_end_of_the_connection(account, network):
    fails(account, network, NotAuthorised("401"))

    account.refresh_from_db()
    assert account.connection == "lost"
    assert 59 < minutes_until_due(account) <= 60
    assert Alert.objects.get().event == "marketplaces.connection_lost"


def test_refused_keys_lock_the_account_first_as_a_connection_that_is_just_being_made_does(account, network):
    with CaptureQueriesContext(connection) as queries:
        fails(account, network, NotAuthorised("401"))

    locked = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    tables = [
        table for sql in locked for table in ("selleraccount", "syncstate") if f'FROM "marketplaces_{table}"' in sql
    ]
    ending = tables[tables.index("syncstate") + 1 :]
    assert ending[0] == "selleraccount"


def test_the_message_of_a_failed_run_holds_no_secret(account, network):
    run = fails(account, network, ServerError("Authorization: Bearer abcdefghijklmnop0123456789 was refused\x00"))

    run.refresh_from_db()
    assert "abcdefghijklmnop" not in run.message
