"""Ten thousand orders at once: page by page, chunk by chunk, none is missing, and nothing grows with their number."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from marketplaces.choices import Marketplace
from marketplaces.models import MarketplaceOrder, MarketplaceOrderRevision
from marketplaces.services import pipeline
from tests.marketplaces.edge import Edge
from tests.marketplaces.standin import Standin
from tests.marketplaces.trading import Trade, assert_nothing_is_lost_or_doubled

# With real commits: in one long transaction PostgreSQL can neither tidy up nor learn how much there is.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
FEW, MANY = 250, 10_000
# Statements for each order, all in all, gates included; and calls: pages and packets are shared, what a marketplace
# wants to be told singly is not.
MOST_STATEMENTS = 3.0
MOST_CALLS = {Marketplace.ALLEGRO: 2.3, Marketplace.OZON: 1.2, Marketplace.WILDBERRIES: 0.3}


@pytest.fixture(autouse=True)
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    return Edge.around(monkeypatch)


class Counting:
    """How many statements are executed."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.number += 1
        return execute(*arguments)


@pytest.mark.parametrize(
    ("marketplace", "number"),
    [
        *((marketplace, FEW) for marketplace in Marketplace),
        # Minutes each. What all three have in common is tried with all of them, what each has of its own with less.
        pytest.param(Marketplace.ALLEGRO, MANY, marks=pytest.mark.slow),
        pytest.param(Marketplace.OZON, MANY // 4, marks=pytest.mark.slow),
        pytest.param(Marketplace.WILDBERRIES, MANY // 4, marks=pytest.mark.slow),
    ],
)
def test_very_many_orders_at_once_are_all_done_at_a_price_that_does_not_grow(
    standin: Standin, edge: Edge, marketplace: Marketplace, number: int
) -> None:
    standin.is_checking = False
    trade = Trade.begin(standin, marketplace, pieces=2 * number)
    trade.go_round()
    orders = trade.buy(number)
    edge.forget()
    with connection.execute_wrapper(counting := Counting()):
        run = trade.sync()
        assert (run.status, run.updated) == ("success", number)
        rounds = 1
        while trade.advance().is_more_due:
            rounds += 1
        trade.push()
    # A call of the driver does a thousand at most, so that a worker comes round to other things.
    assert rounds == number // pipeline.MOST + 1
    assert counting.number / number < MOST_STATEMENTS
    assert len(edge.calls) / number < MOST_CALLS[marketplace]

    assert set(MarketplaceOrder.objects.values_list("external_id", flat=True)) == set(orders)
    assert MarketplaceOrderRevision.objects.filter(source="read").count() == 0
    assert trade.statuses() == {"completed": number}
    assert_nothing_is_lost_or_doubled(standin, trade.account)


@pytest.mark.parametrize(
    ("marketplace", "path"), [(Marketplace.ALLEGRO, r"/order/checkout-forms$"), (Marketplace.OZON, r"/fbs/list$")]
)
def test_a_fault_between_two_pages_keeps_the_first_one_and_the_next_run_goes_on_behind_it(
    standin: Standin, marketplace: Marketplace, path: str
) -> None:
    standin.is_checking = False
    trade = Trade.begin(standin, marketplace, pieces=400)
    trade.go_round()
    orders = trade.buy(250)
    standin.misbehave(path, times=0, skip=1, truncate=True)
    run = trade.sync()
    assert (run.status, run.error_kind, run.updated) == ("failed", "data", 100)
    assert MarketplaceOrder.objects.count() == trade.statuses().total() == 100
    trade.recover()
    assert trade.statuses() == {"completed": len(orders)}
    assert_nothing_is_lost_or_doubled(standin, trade.account)
