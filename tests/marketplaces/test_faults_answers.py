"""Whatever a marketplace answers, at whatever call of the way from an order to the quantities: each order is taken
from the shelf once and told once, and the log says what happened."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from marketplaces.choices import Marketplace
from marketplaces.models import SyncRun
from tests.marketplaces.edge import Edge
from tests.marketplaces.standin import Standin
from tests.marketplaces.trading import GRAMS, Trade, assert_nothing_is_lost_or_doubled

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
What = SyncRun.What

# The calls of one round in their order: what is asked, and where. `skip`: the same address serves an earlier one, too.
CALLS: Mapping[Marketplace, Mapping[str, Mapping[str, Any]]] = {
    Marketplace.ALLEGRO: {
        "list": {"path": r"/order/checkout-forms$"},
        "read": {"path": r"/order/checkout-forms/[^/]+$"},
        "accept": {"path": r"/fulfillment$"},
        "write": {"path": r"/offer-quantity-change-commands/[^/]+$"},
        "read back": {"path": r"/sale/offers$", "skip": 1},
    },
    Marketplace.OZON: {
        "list": {"path": r"/v4/posting/fbs/list$"},
        "read": {"path": r"/v4/posting/fbs/list$", "skip": 1},
        "accept": {"path": r"/v4/posting/fbs/ship$"},
        "write": {"path": r"/v2/products/stocks$"},
        "read back": {"path": r"/stocks-by-warehouse/fbs$"},
    },
    Marketplace.WILDBERRIES: {
        "list": {"path": r"/api/v3/orders$"},
        "read": {"path": r"/api/v3/orders/status$", "skip": 1},
        "look for a supply": {"path": r"/api/v3/supplies$", "method": "GET"},
        "open a supply": {"path": r"/api/v3/supplies$", "method": "POST"},
        "accept": {"path": r"/supplies/[^/]+/orders$"},
        "write": {"path": r"/api/v3/stocks/\d+$", "method": "PUT"},
        "read back": {"path": r"/api/v3/stocks/\d+$", "method": "POST"},
    },
}
QUANTITIES = ("write", "read back")

# (what the marketplace does, what the error is called)
FAULTS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "429 with Retry-After": ({"status": 429, "headers": {"Retry-After": "7"}}, "rate_limited"),
    "429 without": ({"status": 429}, "rate_limited"),
    "500": ({"status": 500}, "server_error"),
    "500, and done": ({"status": 500, "is_applied": True}, "server_error"),
    "cut": ({"cut": "before"}, "unreachable"),
    "cut, and done": ({"cut": "before", "is_applied": True}, "unreachable"),
    "cut in mid-answer": ({"cut": "middle"}, "unreachable"),
    "truncated JSON": ({"truncate": True}, "data"),
    "HTML": ({"status": 200, "html": True}, "data"),
    "HTML, and done": ({"status": 200, "html": True, "is_applied": True}, "data"),
}

# What differs from another one only in what the marketplace has done by then.
ALIKE = ("500, and done", "cut", "HTML, and done")


@pytest.fixture(autouse=True)
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    return Edge.around(monkeypatch)


@pytest.fixture
def quiet(standin: Standin) -> Standin:
    """The stand-in; what is said here is compared with the specifications elsewhere."""
    standin.is_checking = False
    return standin


def assert_it_is_told(trade: Trade, call: str, orders: Iterable[str], kind: str) -> None:
    """What did not come through is said: by the run that read, in the operation's log, by the run that wrote."""
    kinds = (kind, "breaker_open")
    if call == "list":
        status, error_kind = trade.runs()[-1]
        assert (status, error_kind in kinds) == ("failed", True), (call, error_kind)
    elif call in QUANTITIES:
        shown, held = trade.keeper.shown("700"), trade.shop.quantity(trade.beans) // GRAMS
        status, error_kind = trade.runs(What.TRANSACTIONS)[-1]
        assert status in ("failed", "partial") or shown == held, call
        assert error_kind in ("", *kinds), call
    else:
        for order_id in orders:
            operation = trade.operation(order_id)
            if operation.status == "completed":
                continue
            assert operation.last_error, call
            entry = operation.log.order_by("-id")[0]
            assert (entry.action, entry.reason) == ("retry_scheduled", operation.last_error), call
            if operation.attempts:
                error = operation.log.filter(error_details__isnull=False).order_by("-id")[0].error_details or {}
                assert error.get("kind") in kinds, (call, error)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in ALIKE else name for name in FAULTS]
)
@pytest.mark.parametrize("marketplace", list(Marketplace))
def test_a_fault_at_one_call_after_the_other_loses_and_doubles_nothing(
    quiet: Standin, marketplace: Marketplace, name: str
) -> None:
    fault, kind = FAULTS[name]
    trade = Trade.begin(quiet, marketplace)
    trade.go_round()
    orders = trade.buy(2)
    for call, where in CALLS[marketplace].items():
        # A delivery: so there is a quantity to write.
        trade.shop.receive({trade.beans: GRAMS})
        rule = quiet.misbehave(times=0, **where, **fault)
        trade.go_round()
        is_over = call not in QUANTITIES and call != "list" and trade.statuses() == {"completed": 2}
        assert rule.hits or is_over, call
        assert_it_is_told(trade, call, orders, kind)
        quiet.calm()
        trade.wait()
    trade.recover()
    assert_nothing_is_lost_or_doubled(quiet, trade.account)
    assert trade.statuses() == {"completed": 2}


@pytest.mark.parametrize("is_applied", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("marketplace", list(Marketplace))
def test_a_write_that_times_out_is_looked_up_and_never_made_twice(
    quiet: Standin, marketplace: Marketplace, edge: Edge, is_applied: bool
) -> None:
    trade = Trade.begin(quiet, marketplace)
    trade.go_round()
    (order,) = trade.buy()
    parts = {Marketplace.ALLEGRO: "/fulfillment", Marketplace.OZON: "/ship", Marketplace.WILDBERRIES: "/supplies/"}
    quantities = {
        Marketplace.ALLEGRO: "change-commands",
        Marketplace.OZON: "/products/stocks",
        Marketplace.WILDBERRIES: "/v3/stocks/",
    }
    for call, part in (("accept", parts[marketplace]), ("write", quantities[marketplace])):
        trade.shop.receive({trade.beans: GRAMS})
        where = CALLS[marketplace][call]
        # Without an answer in time; done or not, which nobody can know.
        fault: dict[str, Any] = {"delay": 3.0} if is_applied else {"delay": 3.0, "status": 500}
        rule = quiet.misbehave(times=0, **where, **fault)
        trade.sync()
        edge.hurry[part] = 0.3
        trade.advance()
        trade.push()
        edge.hurry.clear()
        assert rule.hits, call
        assert_it_is_told(trade, call, [order], "timeout")
        quiet.calm()
        trade.wait()
    trade.recover()
    assert_nothing_is_lost_or_doubled(quiet, trade.account)


@pytest.mark.parametrize("marketplace", list(Marketplace))
def test_a_storm_over_everything_is_waited_out_and_the_breaker_spares_the_marketplace(
    quiet: Standin, marketplace: Marketplace, edge: Edge
) -> None:
    trade = Trade.begin(quiet, marketplace)
    trade.go_round()
    trade.buy(3)
    trade.sync()
    quiet.misbehave("", status=503, times=0)
    trade.buy(2)
    edge.forget()
    for _round in range(6):
        trade.go_round()
    # Five failures in a row, then nobody asks any more; what three other threads had begun by then is answered, too.
    assert 5 <= len(edge.calls) <= 8
    assert trade.statuses() == {"pending": 3}
    # While the marketplace is left alone no attempt is used up.
    assert max(trade.operations().values_list("attempts", flat=True)) <= 1
    assert {status for status, _kind in trade.runs()[2:]} == {"failed"}
    trade.recover()
    assert_nothing_is_lost_or_doubled(quiet, trade.account)
    assert trade.statuses() == {"completed": 5}


@pytest.mark.parametrize("marketplace", list(Marketplace))
def test_single_faults_are_passed_over_by_repeating_the_call(quiet: Standin, marketplace: Marketplace) -> None:
    """One after the other, at every address: what may be repeated is, and the round comes through."""
    trade = Trade.begin(quiet, marketplace)
    trade.go_round()
    trade.buy(2)
    for where in CALLS[marketplace].values():
        for fault, _kind in FAULTS.values():
            quiet.misbehave(**where, **fault)
    for _round in range(4):
        trade.shop.receive({trade.beans: GRAMS})
        trade.go_round()
        trade.wait()
    trade.recover()
    assert_nothing_is_lost_or_doubled(quiet, trade.account)
