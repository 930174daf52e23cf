"""Two workers, a killed one, and a database that goes away: every order is kept once, and nothing is read twice."""

import datetime
import os
import signal
from typing import Any

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from marketplaces.choices import Marketplace
from marketplaces.errors import SyncRunning
from marketplaces.models import (
    MarketplaceOrder,
    MarketplaceOrderLine,
    MarketplaceOrderRevision,
    OperationLog,
    StockOperation,
    SyncCursor,
    SyncRun,
    SyncState,
)
from marketplaces.services.mirror import store_page
from marketplaces.services.order_sync import sync_orders
from marketplaces.services.partitions import ensure_partitions, existing_months
from marketplaces.services.stock_import import import_stock
from tests.marketplaces.market import Network, line, page, row, seller, stock_page, told
from tests.races.test_faults import cut_after, die_after
from tests.races.threads import at_once, kinds

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = datetime.timedelta(minutes=1)
NEVER = 10_000
WRITTEN = (MarketplaceOrder, MarketplaceOrderLine, MarketplaceOrderRevision, StockOperation, OperationLog, SyncCursor)


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that a page is written to."""
    return {model.__name__: list(model._default_manager.order_by("pk").values_list()) for model in WRITTEN}


@pytest.fixture
def network(monkeypatch):
    return Network.installed(monkeypatch.setattr)


def test_two_syncs_of_one_account_at_the_same_moment_are_one(network):
    account = seller()
    client = network.tells(account, page(told("A1"), cursors={"c": 1}))

    outcomes = at_once([lambda: sync_orders(account_id=account.pk, is_due_only=True)] * 4)

    assert kinds(outcomes) == {"SyncRun": 1, "SyncRunning": 3}
    assert len(client.asked) == 1
    assert SyncRun.objects.get().status == "success"


def test_a_page_that_is_stored_twice_at_the_same_moment_is_stored_once():
    account = seller(Marketplace.ALLEGRO)
    store_page(account_id=account.pk, page=page(told("known", lines=[line("k")])), at=timezone.now())
    names = [f"A{number}" for number in range(20)]
    orders = [told(name) for name in names]
    joint = told("joint", lines=[line("k"), line("j")])

    outcomes = at_once(
        [
            lambda one=one: store_page(
                account_id=account.pk, page=page(joint, *one, cursors={"c": 1, "d": 2}), at=timezone.now()
            )
            for one in (orders, orders[::-1], orders[10:], orders)
        ]
    )

    assert kinds(outcomes) == {"StoredPage": 4}
    assert sum(one.stored for one in outcomes) == 21
    assert sum(len(one.created_operations) for one in outcomes) == 21
    assert MarketplaceOrder.objects.filter(external_id__in=[*names, "joint"]).count() == 21
    assert MarketplaceOrderRevision.objects.count() == 22
    assert StockOperation.objects.count() == 22


def counted(call) -> int:
    """How many statements this takes."""
    statements = []

    def count(execute, *arguments):
        statements.append(1)
        return execute(*arguments)

    with connection.execute_wrapper(count):
        call()
    return len(statements)


@pytest.mark.parametrize("fault", [die_after, cut_after])
def test_a_page_that_is_interrupted_at_any_statement_has_never_been(fault):
    account = seller(Marketplace.ALLEGRO)

    def store(*orders, **fields) -> None:
        store_page(account_id=account.pk, page=page(*orders, cursors={"c": 2}, **fields), at=timezone.now())

    store(told("old", lines=[line("a")]), told("gone"))
    again = [told("old", lines=[line("b")]), told("new", lines=[line("a")])]
    practice = seller(Marketplace.ALLEGRO, name="Practice")
    store_page(account_id=practice.pk, page=page(told("old", lines=[line("a")]), told("gone")), at=timezone.now())
    statements = counted(
        lambda: store_page(
            account_id=practice.pk, page=page(*again, cursors={"c": 2}, vanished=["gone"]), at=timezone.now()
        )
    )
    before = everything()

    for statement in range(1, statements):
        fault(statement, lambda: store(*again, vanished=["gone"]))
        assert everything() == before, f"after statement {statement}"

    store(*again, vanished=["gone"])
    assert MarketplaceOrder.objects.filter(account=account).count() == 3


def test_a_run_that_is_killed_between_pages_is_gone_on_with_when_its_lease_is_over(network):
    account = seller()
    pages = [page(told(f"A{number}"), cursors={"c": number}) for number in range(3)]
    network.tells(account, *pages[:2], lambda: os.kill(os.getpid(), signal.SIGKILL), pages[2])

    die_after(NEVER, lambda: sync_orders(account_id=account.pk))

    assert MarketplaceOrder.objects.count() == 2
    assert SyncRun.objects.get().status == "running"
    with pytest.raises(SyncRunning):
        sync_orders(account_id=account.pk)
    SyncState.objects.update(leased_until=timezone.now() - MINUTE)
    client = network.tells(account, pages[2])
    run = sync_orders(account_id=account.pk)
    assert client.asked[0]["cursors"] == {"c": 1}
    assert (run.status, MarketplaceOrder.objects.count(), StockOperation.objects.count()) == ("success", 3, 3)
    assert sorted(SyncRun.objects.values_list("status", "error_kind")) == [("failed", "killed"), ("success", "")]


def end_this_connection() -> None:
    """What a restart of the database does to whoever is connected."""
    parameters = connection.get_connection_params()
    other = psycopg2.connect(**{key: parameters[key] for key in parameters if key != "cursor_factory"})
    with other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.connection.info.backend_pid])
    other.close()


@pytest.mark.parametrize("what", ["orders", "stock"])
def test_a_database_that_is_restarted_in_mid_run_costs_five_minutes_and_loses_nothing(network, what):
    account = seller()
    if what == "orders":
        network.tells(account, page(told("A1"), cursors={"c": 1}), end_this_connection, page(told("A2")))
        run = sync_orders(account_id=account.pk)
    else:
        network.tells(account, stock_page(row("A"), is_last=False), end_this_connection, stock_page(row("B")))
        run = import_stock(account_id=account.pk)

    run = SyncRun.objects.get(pk=run.pk)
    assert (run.status, run.error_kind, run.processed) == ("failed", "database", 1)
    state = SyncState.objects.get()
    assert (state.leased_until, state.failures) == (None, 1)
    assert 3 * MINUTE < state.next_due_at - timezone.now() < 7 * MINUTE


def test_two_who_make_the_months_of_the_runs_make_each_once():
    now = datetime.datetime(2031, 5, 5, tzinfo=datetime.UTC)
    try:
        outcomes = at_once([lambda: ensure_partitions(now=now)] * 3)

        made = [name for names in outcomes for name in names]
        assert sorted(made) == [f"marketplaces_syncrun_y2031m0{month}" for month in (5, 6, 7)]
    finally:
        with connection.cursor() as cursor:
            for month in existing_months():
                cursor.execute(f"DROP TABLE {month.table}")
