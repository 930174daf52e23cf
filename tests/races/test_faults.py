"""A process is killed, or its connection is cut, after any statement of a service: nothing is half done.

The process is a real one (a fork with a connection of its own) and the signal is SIGKILL: no `finally` runs.
The places to die at are the statements of the service, one after the other, up to the last one before COMMIT.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.db import InterfaceError, OperationalError, connection

from orders.models import BatchRun, Order
from orders.services import batch
from orders.services.batch import run_batch_part, start_batch
from tests.orders.snapshot import everything
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)

PLACE_STATEMENTS, CANCEL_STATEMENTS = 7, 8  # as tests/orders/test_queries.py counts them


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


class AfterStatement:
    """An execute wrapper that calls `strike` once, when `number` statements have been executed."""

    def __init__(self, number: int, strike: Callable[[], None]) -> None:
        self.left, self.strike = number, strike

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        result = execute(*arguments)
        self.left -= 1
        if self.left == 0:
            self.strike()
        return result


def die_after(number: int, call: Callable[[], object]) -> None:
    """Runs `call` in a process of its own, which kills itself after so many statements."""
    process = os.fork()
    if process == 0:
        try:
            # The parent's connection stays the parent's: psycopg2 does not close it in another process.
            connection.connection = None
            with connection.execute_wrapper(AfterStatement(number, lambda: os.kill(os.getpid(), signal.SIGKILL))):
                call()
        finally:
            os._exit(1)
    _process, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status), f"there is no statement {number}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def cut_after(number: int, call: Callable[[], object]) -> None:
    """Runs `call`, whose connection the server ends after so many statements."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    parameters = connection.get_connection_params()

    def cut() -> None:
        other = psycopg2.connect(**{key: parameters[key] for key in parameters if key != "cursor_factory"})
        with other, other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
            assert cursor.fetchone() == (True,)
        other.close()

    with pytest.raises((OperationalError, InterfaceError)), connection.execute_wrapper(AfterStatement(number, cut)):
        call()


@pytest.mark.parametrize("fault", [die_after, cut_after])
@pytest.mark.parametrize("statement", range(1, PLACE_STATEMENTS + 1))
def test_an_order_that_is_interrupted_has_never_been(shop, fault, statement):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", stock=100)
    size = shop.group("Size")
    large = shop.scales(shop.option(size, "Large"), 2)
    cup = shop.product("Cup", recipe={tea: 10, milk: 20}, scales=[milk], groups=[size])
    before = everything()

    fault(statement, lambda: shop.sell(cup, 2, [large]))

    assert everything() == before
    shop.sell(cup, 2, [large])
    assert (shop.quantity(tea), shop.quantity(milk)) == (80, 20)
    assert Order.objects.count() == 1
    assert_levels_are_what_the_ledger_sums_to()


@pytest.mark.parametrize("fault", [die_after, cut_after])
@pytest.mark.parametrize("statement", range(1, CANCEL_STATEMENTS + 1))
def test_a_cancellation_that_is_interrupted_has_never_been(shop, fault, statement):
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Cup", recipe={tea: 10}), 2)
    before = everything()

    fault(statement, lambda: shop.cancel(order))

    assert everything() == before
    shop.cancel(order)
    assert shop.quantity(tea) == 100
    assert_levels_are_what_the_ledger_sums_to()


@pytest.mark.parametrize("fault", [die_after, cut_after])
def test_a_large_batch_whose_worker_dies_goes_on_where_it_stopped(shop, monkeypatch, fault):
    monkeypatch.setattr(batch, "PART", 2)
    tea = shop.ingredient("Tea", stock=100)
    cup = shop.product("Cup", recipe={tea: 10})
    orders = [shop.sell(cup) for _ in range(5)]
    run = start_batch(verb=BatchRun.Verb.CANCEL, order_ids=[order.pk for order in orders], actor=NOBODY)
    assert run_batch_part(run_id=run.pk)
    before = everything()

    fault(6, lambda: run_batch_part(run_id=run.pk))

    assert everything() == before
    while run_batch_part(run_id=run.pk):
        pass
    run.refresh_from_db()
    assert (run.done, run.failures) == (5, [])
    assert [order.events.filter(kind="cancel").count() for order in orders] == [1] * 5
    assert shop.quantity(tea) == 100
