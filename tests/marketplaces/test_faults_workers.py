"""Workers that do the same at the same moment, and workers that are killed around any call: each order is taken from
the shelf once and told once, on each marketplace.

What dies between two statements of a step is tried in tests/races/test_operations.py.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connection

from marketplaces.choices import Marketplace
from marketplaces.errors import SyncRunning
from marketplaces.models import SyncRun
from marketplaces.services import pipeline
from tests.marketplaces.edge import Edge
from tests.marketplaces.standin import Standin
from tests.marketplaces.trading import GRAMS, Trade, assert_nothing_is_lost_or_doubled
from tests.races.threads import at_once, kinds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    return Edge.around(monkeypatch)


@pytest.fixture(params=list(Marketplace))
def trade(request: pytest.FixtureRequest, standin: Standin) -> Trade:
    standin.is_checking = False
    trade = Trade.begin(standin, request.param)
    trade.go_round()
    return trade


def killed(call: Callable[[], object]) -> bool:
    """Runs `call` in a process of its own; whether it was killed by SIGKILL before it came to its end."""
    process = os.fork()
    if process == 0:
        try:
            # The parent's connection stays the parent's: psycopg2 does not close it in another process.
            connection.connection = None
            call()
        finally:
            os._exit(0)
    _process, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("happens", [pytest.param("before", marks=pytest.mark.slow), "after"])
def test_a_worker_that_is_killed_around_each_call_of_a_round_leaves_it_to_the_next(
    standin: Standin, trade: Trade, edge: Edge, happens: str
) -> None:
    """One worker after the other, each killed one call later than the one before, with an order more to look after."""

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    number = 1
    trade.buy()
    trade.shop.receive({trade.beans: 2 * GRAMS})
    edge.strike(happens, number, kill)
    while killed(trade.go_round):
        assert_no_order_is_doubled(trade)
        trade.wait()
        number += 1
        trade.buy()
        # More than what is sold: so there is a quantity to write.
        trade.shop.receive({trade.beans: 2 * GRAMS})
        edge.strike(happens, number, kill)
    # Each call of a whole round has been the last one of somebody.
    assert number > 8
    edge.forget()
    trade.recover()
    assert trade.statuses() == {"completed": number}
    assert_nothing_is_lost_or_doubled(standin, trade.account)
    runs = trade.runs()
    assert ("failed", "killed") in runs
    assert not SyncRun.objects.filter(account_id=trade.account.pk, status="running").exists()


def assert_no_order_is_doubled(trade: Trade) -> None:
    """What may be said at any moment, whoever has just died."""
    done = trade.operations().exclude(stock_deducted_at=None).count()
    received = sum(delta for reason, delta in trade.shop.ledger(trade.beans) if reason == "receipt")
    assert trade.shop.quantity(trade.beans) == received - done * GRAMS


@pytest.mark.parametrize("has_lease", [True, False], ids=["leased", "without leases"])
def test_several_workers_at_everything_at_once_do_it_once(
    standin: Standin, trade: Trade, monkeypatch: pytest.MonkeyPatch, has_lease: bool
) -> None:
    orders = trade.buy(8)
    if not has_lease:
        # As if each worker's lease were over while it works: all have all operations in hand.
        monkeypatch.setattr(pipeline, "LEASE", -pipeline.LEASE)

    def work() -> None:
        with suppress(SyncRunning):
            trade.sync()
        trade.advance()
        trade.push()

    assert kinds(at_once([work] * 3)) == {"NoneType": 3}
    trade.recover()
    assert trade.statuses() == {"completed": len(orders)}
    assert_nothing_is_lost_or_doubled(standin, trade.account)
