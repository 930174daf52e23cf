"""Allegro's tokens end in the middle of the work, and the worker that refreshes them dies: the work goes on."""

import datetime
import os
import signal

import pytest
from django.db import connection
from django.db.models import F

from marketplaces.choices import Marketplace
from marketplaces.clients import access
from marketplaces.models import CredentialEvent, SellerAccount
from marketplaces.services.tokens import LEASE
from tests.marketplaces.edge import Edge
from tests.marketplaces.standin import Standin
from tests.marketplaces.trading import GRAMS, Trade, assert_nothing_is_lost_or_doubled

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    return Edge.around(monkeypatch)


@pytest.fixture
def trade(standin: Standin) -> Trade:
    standin.is_checking = False
    trade = Trade.begin(standin, Marketplace.ALLEGRO)
    trade.go_round()
    return trade


def refreshes(standin: Standin) -> int:
    return sum("/allegro-auth/" in one.path for one in standin.exchanges)


def test_a_token_that_ends_before_any_call_of_a_round_is_refreshed_and_the_round_comes_through(
    standin: Standin, trade: Trade, edge: Edge
) -> None:
    def round_with_two_more(ends_before: int) -> int:
        trade.buy(2)
        # More than what is sold: so there is a quantity to write.
        trade.shop.receive({trade.beans: 3 * GRAMS})
        edge.strike("before", ends_before, trade.keeper.expire_tokens)
        # A fresh process has no token at hand that it got a moment ago.
        forget_clients()
        run = trade.go_round()
        assert (run.status, run.error_kind) == ("success", ""), run.message
        return len(edge.calls)

    calls = round_with_two_more(0)
    assert calls >= 8
    for number in range(1, calls + 1):
        before = refreshes(standin)
        round_with_two_more(number)
        assert refreshes(standin) == before + 1, number
        # All of it in this very round.
        assert set(trade.statuses()) == {"completed"}, number
        standin.advance(1)
    assert_nothing_is_lost_or_doubled(standin, trade.account)
    assert CredentialEvent.objects.filter(kind="refreshed").count() == calls


def forget_clients() -> None:
    access.kept.clear()


@pytest.mark.parametrize("happens", ["before", "after"])
def test_a_worker_that_dies_around_its_refresh_in_mid_run_costs_a_moment_and_no_connection(
    standin: Standin, trade: Trade, edge: Edge, happens: str
) -> None:
    """After: Allegro has rotated the pair, and nobody has the new one. The old token is taken for a minute more."""
    orders = trade.buy(3)
    trade.keeper.expire_tokens()
    standin.advance(1)

    def die(_number: int, _method: str, url: str) -> None:
        if "/allegro-auth/" in url:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(edge, happens, die)
    process = os.fork()
    if process == 0:
        try:
            # The parent's connection stays the parent's.
            connection.connection = None
            trade.go_round()
        finally:
            os._exit(1)
    _process, status = os.waitpid(process, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert refreshes(standin) == (1 if happens == "after" else 0)
    account = SellerAccount.objects.get()
    assert account.refresh_started_at is not None

    edge.forget()
    # The lease of the dead is over well within the minute.
    SellerAccount.objects.update(refresh_leased_until=F("refresh_leased_until") - LEASE)
    standin.advance(LEASE.total_seconds())
    trade.wait(datetime.timedelta(minutes=15))
    run = trade.go_round()
    assert (run.status, run.error_kind) == ("success", ""), run.message
    assert trade.statuses() == {"completed": len(orders)}
    account.refresh_from_db()
    assert (account.connection, account.refresh_started_at) == ("connected", None)
    assert trade.runs()[-2:] == [("failed", "killed"), ("success", "")]
    assert_nothing_is_lost_or_doubled(standin, trade.account)


def test_a_connection_that_is_lost_waits_for_somebody_and_loses_no_order(standin: Standin, trade: Trade) -> None:
    trade.buy(2)
    trade.sync()
    trade.keeper.expire_tokens()
    standin.misbehave("/allegro-auth/", times=0, status=400, body={"error": "invalid_grant"})
    trade.advance()
    trade.buy(1)
    run = trade.go_round()
    assert (run.status, run.error_kind) == ("failed", "not_authorised")
    assert trade.statuses() == {"pending": 2}
    assert set(trade.operations().values_list("attempts", flat=True)) == {0}
    assert SellerAccount.objects.get().connection == "lost"

    # Somebody connects it again.
    standin.calm()
    standin.advance(1)
    tokens = trade.keeper.tokens()
    account = SellerAccount.objects.get()
    account.tokens = {**(account.tokens or {}), **tokens}
    account.connection = SellerAccount.Connection.CONNECTED
    account.save(update_fields=["tokens", "connection"])
    forget_clients()
    trade.recover()
    assert trade.statuses() == {"completed": 3}
    assert_nothing_is_lost_or_doubled(standin, trade.account)
