"""Workers at the same stock operations at the same moment, and workers that are killed: nothing twice, nothing lost."""

import datetime
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from inventory.models import Ingredient, StockMovement
from marketplaces.choices import OrderState
from marketplaces.models import MarketplaceOrder, StockOperation
from marketplaces.services import pipeline, shrinking
from marketplaces.services.cancelling import request_cancellation
from marketplaces.services.operations import create_operations
from marketplaces.services.retrying import retry_operation
from marketplaces.services.steps import deduct, work
from tests.marketplaces.conftest import open_markets  # noqa: F401 - a fixture
from tests.marketplaces.selling import Market, advance, market_offering, the_operation
from tests.races.test_faults import cut_after, die_after
from tests.races.threads import at_once, kinds
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("open_markets")]
Status = StockOperation.Status
HOURS = datetime.timedelta(hours=2)


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def beans(shop: Shop) -> Ingredient:
    return shop.ingredient("Beans", stock=10_000)


@pytest.fixture
def market(shop: Shop, beans: Ingredient) -> Market:
    return market_offering(shop, {"COFFEE": shop.product("Coffee 250 g", recipe={beans: 250})})


def ordered(market: Market, number: int = 1) -> list[StockOperation]:
    for place in range(number):
        market.order(f"A{place}", {"COFFEE": 1})
    return market.sync().created_operations


def without_lease(operation_ids: list[Any]) -> None:
    """What a worker does whose lease is over, while another one has the operations too."""
    pipeline.advance_chunk(operation_ids, clock=timezone.now)


def test_two_workers_without_a_lease_deduct_once_and_without_the_lock_twice(
    shop: Shop, market: Market, beans: Ingredient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [one.pk for one in ordered(market, 5)]
    outcomes = at_once([lambda: without_lease(ids)] * 4)
    assert kinds(outcomes) == {"NoneType": 4}
    assert set(StockOperation.objects.values_list("status", flat=True)) == {Status.COMPLETED}
    assert shop.quantity(beans) == 10_000 - 5 * 250
    assert sorted(market.written) == [("accept", f"A{number}") for number in range(5)]
    assert StockMovement.objects.filter(reason="marketplace_sale").count() == 5

    # The danger is real: where the step does not look again under the lock, the stock leaves twice.
    (operation,) = ordered_one_more(market)
    pipeline.load_lines([operation.pk], clock=timezone.now, heard=pipeline.Heard())
    of_each_worker = [list(StockOperation.objects.filter(pk=operation.pk)) for _worker in range(2)]
    monkeypatch.setattr(work, "lock_operations", lambda ids, **conditions: of_each_worker.pop())
    deduct.deduct_some([operation.pk], at=timezone.now())
    deduct.deduct_some([operation.pk], at=timezone.now())
    assert shop.quantity(beans) == 10_000 - 7 * 250


def ordered_one_more(market: Market) -> list[StockOperation]:
    market.order("LAST", {"COFFEE": 1})
    return market.sync("LAST").created_operations


def test_cancelling_meets_deducting(shop: Shop, market: Market, beans: Ingredient) -> None:
    """Whoever comes first: at the end it is cancelled, and the ledger holds nothing of it."""
    operations = ordered(market, 6)
    ids = [one.pk for one in operations]
    calls: list[Callable[[], Any]] = [lambda: without_lease(ids), lambda: without_lease(ids)]
    calls += [partial(request_cancellation, operation_id=pk, reason="sold out", user_id=None) for pk in ids]
    outcomes = at_once(calls)
    assert kinds(outcomes) == {"NoneType": 2, "StockOperation": 6}
    advance(later=HOURS)
    assert set(StockOperation.objects.filter(kind="sale").values_list("status", flat=True)) == {Status.CANCELLED}
    assert shop.quantity(beans) == 10_000
    for operation in StockOperation.objects.filter(kind="sale"):
        assert operation.rollback_operations.count() == (operation.stock_deducted_at is not None)
    assert sum(kind == "roll_back" for kind, _order in market.written) == 6
    assert_levels_are_what_the_ledger_sums_to()


def test_cancelling_a_part_meets_deducting(
    shop: Shop, market: Market, beans: Ingredient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes first: at the end what is left of the order is what the ledger holds."""
    for number in range(6):
        market.order(f"A{number}", {"COFFEE": 3})
    ids = [one.pk for one in market.sync().created_operations]
    for number in range(6):
        market.order(f"A{number}", {"COFFEE": 2})
    told = [partial(market.sync, f"A{number}") for number in range(6)]
    outcomes = at_once([lambda: without_lease(ids), *told, lambda: without_lease(ids)])
    assert kinds(outcomes) == {"NoneType": 2, "StoredPage": 6}
    advance(later=HOURS)
    assert set(StockOperation.objects.values_list("status", flat=True)) == {Status.COMPLETED}
    assert shop.quantity(beans) == 10_000 - 6 * 2 * 250
    assert_levels_are_what_the_ledger_sums_to()

    # The danger is real: who does not wait for the one that is deducting takes it for one that has deducted nothing.
    market.order("B", {"COFFEE": 3})
    (operation,) = market.sync("B").created_operations
    not_waited_for = list(StockOperation.objects.filter(pk=operation.pk))
    without_lease([operation.pk])
    market.order("B", {"COFFEE": 2}, state=OrderState.PROCESSING)
    monkeypatch.setattr(shrinking, "lock_operations", lambda _ids: not_waited_for)
    market.sync("B")
    advance(later=HOURS)
    assert shop.quantity(beans) == 10_000 - 6 * 2 * 250 - 3 * 250


def test_several_workers_share_out_what_is_due(
    shop: Shop, market: Market, beans: Ingredient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered(market, 30)
    monkeypatch.setattr(pipeline, "CHUNK", 5)
    outcomes = at_once([advance] * 4)
    assert sum(one.worked_on for one in outcomes) == 30
    assert len({order for _call, orders in market.calls for order in orders}) == 30
    assert sum(len(orders) for call, orders in market.calls if call == "accept") == 30
    assert shop.quantity(beans) == 10_000 - 30 * 250


def test_two_who_try_again_make_one_successor(market: Market) -> None:
    (operation,) = ordered(market)
    StockOperation.objects.update(status=Status.FAILED)
    outcomes = at_once([lambda: retry_operation(operation_id=operation.pk, user_id=None)] * 4)
    assert kinds(outcomes) == {"StockOperation": 1, "TriedAgain": 3}


def test_two_pages_with_the_same_order_make_one_operation(market: Market) -> None:
    market.order("A", {"COFFEE": 1})
    market.order("B", {"COFFEE": 1})
    market.sync()
    StockOperation.objects.all().delete()
    orders = list(MarketplaceOrder.objects.all())

    @transaction.atomic
    def create(turned: bool) -> int:
        return len(create_operations(orders=orders[::-1] if turned else orders, at=timezone.now()))

    outcomes = at_once([lambda: create(False), lambda: create(True)] * 2)
    assert sum(outcomes) == 2
    assert StockOperation.objects.count() == 2
    # And the same through the door that really makes them.
    assert kinds(at_once([market.sync] * 3)) == {"StoredPage": 3}
    assert StockOperation.objects.count() == 2


# --- a worker is killed -------------------------------------------------------------------------------


class Counting:
    """How many statements a call takes."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.number += 1
        return execute(*arguments)


@pytest.mark.parametrize("fault", [die_after, cut_after])
def test_a_worker_that_dies_after_any_statement_loses_and_doubles_nothing(
    shop: Shop, market: Market, beans: Ingredient, fault: Callable[..., Any]
) -> None:
    """One order after the other, and with each the worker dies some statements later; then another one goes on. Each
    transaction has two statements at least: all of them are met."""
    ordered(market)
    advance()
    ordered_one_more(market)
    with connection.execute_wrapper(counting := Counting()):
        advance()
    assert the_operation("LAST").status == Status.COMPLETED
    sold = 2
    for statement in range(1, counting.number + 1, 2 if fault is die_after else 4):
        name = f"N{statement}"
        market.order(name, {"COFFEE": 1})
        market.sync(name)
        if fault is die_after:
            die_after(statement, advance)
        else:
            # It comes through all the same where it could go on with a new connection.
            with suppress(pytest.fail.Exception):
                cut_after(statement, advance)
        sold += 1
        assert shop.quantity(beans) == 10_000 - 250 * StockMovement.objects.filter(reason="marketplace_sale").count()
        # Nobody goes on before the lease is over; then somebody does.
        StockOperation.objects.update(leased_until=None)
        StockOperation.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=timezone.now())
        advance()
        assert the_operation(name).status == Status.COMPLETED, statement
        assert shop.quantity(beans) == 10_000 - 250 * sold, statement
        assert market.written.count(("accept", name)) <= 1
    assert StockOperation.objects.filter(kind="sale").count() == sold
    assert_levels_are_what_the_ledger_sums_to()


@pytest.mark.parametrize("stage", ["pending", "completed"])
def test_a_worker_that_dies_while_it_gives_back_gives_back_once(
    shop: Shop, market: Market, beans: Ingredient, stage: str
) -> None:
    def cancelled(name: str) -> None:
        market.order(name, {"COFFEE": 1})
        market.sync(name)
        if stage == "completed":
            advance()
        request_cancellation(operation_id=the_operation(name).pk, reason="sold out", user_id=None)

    cancelled("FIRST")
    advance()
    cancelled("SECOND")
    with connection.execute_wrapper(counting := Counting()):
        advance()
    for statement in range(1, counting.number + 1, 2):
        cancelled(f"N{statement}")
        die_after(statement, advance)
        StockOperation.objects.update(leased_until=None)
        advance()
        operation = the_operation(f"N{statement}")
        assert operation.status == Status.CANCELLED, statement
        assert shop.quantity(beans) == 10_000, statement
        assert operation.rollback_operations.count() == (stage == "completed")
    assert not StockOperation.objects.filter(kind="sale", next_attempt_at__isnull=False).exclude(
        status=Status.CANCELLED
    )
    assert_levels_are_what_the_ledger_sums_to()


@pytest.mark.parametrize("call", ["orders", "accept", "roll_back"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_in_a_call_leaves_it_to_another(
    shop: Shop, market: Market, beans: Ingredient, call: str, when: str
) -> None:
    (operation,) = ordered(market)
    if call == "roll_back":
        advance()
        request_cancellation(operation_id=operation.pk, reason="sold out", user_id=None)

    def die(name: str, _orders: Any) -> None:
        if name == call:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(market, when, die)
    process = os.fork()
    if process == 0:
        try:
            connection.connection = None
            advance()
        finally:
            os._exit(1)
    _process, status = os.waitpid(process, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    setattr(market, when, lambda name, orders: None)
    # What the other process told its marketplace is not in this one's memory: only what the shop did counts here.
    assert advance().worked_on == 0, "the lease still holds"
    StockOperation.objects.update(leased_until=F("leased_until") - pipeline.LEASE)
    advance()
    operation = the_operation("A0")
    assert operation.status == (Status.CANCELLED if call == "roll_back" else Status.COMPLETED)
    assert shop.quantity(beans) == (10_000 if call == "roll_back" else 9_750)
    assert_levels_are_what_the_ledger_sums_to()
