"""What may come between an order that is ready and an operation that is completed: shortages, failures, the switch,
others at the same order."""

import datetime
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import Ingredient, Product
from marketplaces.choices import OrderState
from marketplaces.errors import BadAnswer, BreakerOpen, NotAuthorised, RateLimited, Refused, ServerError, Timeout
from marketplaces.models import SellerAccount, StockOperation
from marketplaces.services import pipeline
from marketplaces.services.alarms import close_shortages
from marketplaces.services.anomalies import watch_marketplaces
from marketplaces.services.backoff import MOST_ATTEMPTS
from marketplaces.services.switch import start_pushes, stop_pushes
from monitoring.models import Alert
from tests.marketplaces.selling import (
    Market,
    actions,
    advance,
    ledger_of,
    market_offering,
    mirrored,
    the_operation,
)
from tests.marketplaces.shelf import listed
from tests.shop import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_markets")]
Status = StockOperation.Status
HOURS = datetime.timedelta(hours=2)


def test_a_shortage_fails_after_the_last_attempt_with_an_alert_and_stops_nobody_else(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("BIG", {"COFFEE": 5})
    market.order("SMALL", {"COFFEE": 1})
    market.sync()
    for attempt in range(MOST_ATTEMPTS):
        advance(later=attempt * HOURS)
    failed, done = the_operation("BIG"), the_operation("SMALL")
    assert (failed.status, failed.attempts, failed.stock_deducted_at) == (Status.FAILED, MOST_ATTEMPTS, None)
    assert done.status == Status.COMPLETED
    assert shop.quantity(beans) == 750
    assert ledger_of(failed) == []
    told = failed.log.filter(action="stock_validation_failed")[0].context
    assert told["shortages"][0]["name"] == "Beans"
    assert actions(failed)[-4:] == [
        "stock_validation_failed",
        "max_retries_reached",
        "status_transition",
        "operation_failed",
    ]
    assert Alert.objects.get(event="marketplaces.operation_failed").subject == str(failed.pk)
    assert market.written == [("accept", "SMALL")]


def test_a_shortage_is_told_at_the_first_attempt_and_taken_back_when_there_is_enough(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("BIG", {"COFFEE": 5})
    market.sync()
    for attempt in range(2):
        advance(later=attempt * HOURS)
    close_shortages()
    alert = Alert.objects.get(event="marketplaces.stock_short", resolved_at=None)
    assert (alert.subject, alert.count) == (str(the_operation("BIG").pk), 1)
    assert alert.text.startswith("Order BIG of ")
    assert "Beans" in alert.text
    shop.receive({beans: 1000})
    advance(later=2 * HOURS)
    watch_marketplaces(now=timezone.now())
    assert the_operation("BIG").status == Status.COMPLETED
    assert not Alert.objects.filter(event="marketplaces.stock_short", resolved_at=None).exists()


def test_marketplaces_may_sell_below_the_minimum_and_never_what_has_expired(shop: Shop, market: Market) -> None:
    milk = shop.ingredient("Milk", "ml", stock=100, minimum=90)
    listed(market.account, shop.product("Bottle", recipe={milk: 100}), "MILK")
    market.order("A", {"MILK": 1})
    market.sync()
    advance()
    assert the_operation("A").status == Status.COMPLETED
    assert shop.quantity(milk) == 0


def test_an_order_that_vanishes_is_looked_for_until_it_fails(shop: Shop, market: Market, beans: Ingredient) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.vanish("A")
    for attempt in range(MOST_ATTEMPTS):
        advance(later=attempt * HOURS)
    assert the_operation("A").status == Status.FAILED
    assert mirrored("A").vanished_at is not None
    assert shop.quantity(beans) == 1000


@pytest.mark.parametrize("call", ["orders", "accept"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        Timeout("No answer in time."),
        ServerError("500", status=500),
        BadAnswer("No JSON."),
        ZeroDivisionError("a fault of the client"),
    ],
)
def test_a_call_that_fails_is_made_again_later_and_nothing_is_done_twice(
    shop: Shop, market: Market, beans: Ingredient, call: str, late: bool, error: Exception
) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.fail(call, error=error, late=late)
    before = timezone.now()
    advance()
    operation = the_operation("A")
    assert operation.status == {"orders": Status.PENDING, "accept": Status.STOCK_DEDUCTED}[call]
    assert operation.attempts == 1
    assert operation.next_attempt_at is not None
    waits = operation.next_attempt_at - before
    base = datetime.timedelta(minutes=10 if isinstance(error, Timeout) else 1)
    assert base * 0.79 <= waits <= base * 1.21 + datetime.timedelta(seconds=30)
    assert actions(operation)[-2:] == [
        {"orders": "line_items_load_failed", "accept": "microservice_sync_failed"}[call],
        "retry_scheduled",
    ]

    advance(later=HOURS)
    assert the_operation("A").status == Status.COMPLETED
    assert market.written == [("accept", "A")]
    assert shop.quantity(beans) == 750


def test_one_answer_that_cannot_be_read_does_not_hold_up_the_others(shop: Shop, market: Market) -> None:
    market.order("BAD", {"COFFEE": 1})
    market.order("GOOD", {"COFFEE": 1})
    market.sync()

    def trouble(call: str, orders: Any) -> None:
        if call == "orders" and "BAD" in orders:
            raise BadAnswer("A field is missing: lineItems")

    market.before = trouble
    advance()
    assert (the_operation("BAD").status, the_operation("GOOD").status) == (Status.PENDING, Status.COMPLETED)


@pytest.mark.parametrize(
    "error",
    [
        NotAuthorised("The key is refused.", status=401),
        RateLimited("Slower.", retry_after=30),
        BreakerOpen("Left alone.", until=timezone.now() + datetime.timedelta(minutes=5)),
    ],
)
def test_what_only_has_to_wait_uses_up_no_attempt(shop: Shop, market: Market, error: Exception) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.fail("orders", error=error, times=20)
    for attempt in range(12):
        advance(later=attempt * HOURS)
    operation = the_operation("A")
    assert (operation.status, operation.attempts) == (Status.PENDING, 0)
    assert operation.last_error == str(error)
    assert actions(operation).count("retry_scheduled") == 1  # said once


def test_the_switch_stops_at_the_write_and_the_account_at_the_read(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    stop_pushes(reason="stock-taking", by_id=None, at=timezone.now())
    market.order("A", {"COFFEE": 1})
    market.sync()
    advance()
    operation = the_operation("A")
    assert (operation.status, operation.attempts, market.written) == (Status.STOCK_DEDUCTED, 0, [])
    assert shop.quantity(beans) == 750

    start_pushes()
    SellerAccount.objects.update(is_active=False)
    advance(later=HOURS)
    assert the_operation("A").status == Status.STOCK_DEDUCTED

    SellerAccount.objects.update(is_active=True)
    advance(later=2 * HOURS)
    assert the_operation("A").status == Status.COMPLETED


def test_an_outdated_revision_is_read_again_and_written_once_more(shop: Shop, market: Market) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.outdated = {"A"}
    advance()
    assert the_operation("A").status == Status.COMPLETED
    assert [call for call, _orders in market.calls] == ["orders", "accept", "orders", "accept"]


def test_a_buyer_who_cancels_between_deduction_and_acceptance_gets_the_stock_back_at_once(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()

    def cancel(call: str, _orders: Any) -> None:
        if call == "accept":
            market.cancel("A")

    market.before = cancel
    advance()
    operation = the_operation("A")
    assert (operation.status, operation.is_cancelled_there) == (Status.CANCELLED, True)
    assert shop.quantity(beans) == 1000
    assert market.written == []
    assert mirrored("A").state == OrderState.CANCELLED


def test_a_refusal_for_good_fails_at_once_and_the_stock_stays_deducted(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.fail("accept", error=Refused("Not allowed.", status=422))
    advance()
    operation = the_operation("A")
    assert (operation.status, shop.quantity(beans)) == (Status.FAILED, 750)
    assert Alert.objects.get(event="marketplaces.operation_failed").details["deducted"] is True


def test_a_database_error_undoes_the_step_and_on_repetition_somebody_is_told(
    shop: Shop, market: Market, beans: Ingredient, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()

    def broken(execute: Any, sql: str, *arguments: Any) -> Any:
        if "inventory_stocklevel" in sql and "inventory_stockmovement" in sql:
            raise OperationalError("could not write to file: No space left on device")
        return execute(sql, *arguments)

    for attempt in (0, 1):
        assert not Alert.objects.filter(event="marketplaces.database_errors").exists()
        before = timezone.now() + attempt * HOURS
        with connection.execute_wrapper(broken):
            advance(later=attempt * HOURS)
        operation = the_operation("A")
        assert (operation.status, operation.attempts) == (Status.PROCESSING, attempt + 1)
        assert shop.quantity(beans) == 1000
        assert operation.next_attempt_at is not None
        waits = operation.next_attempt_at - before
        assert datetime.timedelta(minutes=3.9) <= waits <= datetime.timedelta(minutes=6.5)
    assert operation.log.filter(action="stock_deduction_failed", error_details__kind="database").count() == 2
    assert Alert.objects.filter(event="marketplaces.database_errors").count() == 1

    advance(later=3 * HOURS)
    assert the_operation("A").status == Status.COMPLETED


def test_an_order_that_is_paid_together_waits_until_the_older_one_has_given_back(shop: Shop, coffee: Product) -> None:
    market = market_offering(shop, {"COFFEE": coffee}, marketplace="allegro")
    beans = Ingredient.objects.get(name="Beans")
    market.order("OLD", {"COFFEE": 2}, line_ids=["l-1"])
    market.sync()
    advance()
    assert shop.quantity(beans) == 500

    market.vanish("OLD")
    market.order("NEW", {"COFFEE": 2, "COFFEE ": 1}, line_ids=["l-1", "l-2"])
    listed(market.account, coffee, "COFFEE ")
    market.sync("NEW", vanished=["OLD"])
    # The new one comes first: 750 g are wanted, and there are 500 until the old one has given back.
    advance(the_operation("NEW"))
    waiting = the_operation("NEW")
    assert (waiting.status, waiting.attempts) == (Status.PROCESSING, 0)

    advance(the_operation("OLD"))
    advance(later=HOURS)
    assert the_operation("OLD").status == Status.CANCELLED
    assert the_operation("NEW").status == Status.COMPLETED
    assert shop.quantity(beans) == 250
    assert market.written == [("accept", "OLD"), ("accept", "NEW")]


def test_a_chunk_is_claimed_by_one_worker(shop: Shop, market: Market) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    now = timezone.now()
    assert len(pipeline.claim(None, now=now)) == 1
    assert pipeline.claim(None, now=now) == []
    # The worker was killed: after its lease somebody goes on.
    assert len(pipeline.claim(None, now=now + pipeline.LEASE)) == 1


@pytest.mark.parametrize("changes", [{"mode": "read_only"}, {"is_active": False}])
def test_an_account_that_somebody_stops_while_its_order_is_read_is_not_written_to(
    shop: Shop, market: Market, beans: Ingredient, changes: dict[str, Any]
) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.fail("accept", error=ServerError("Broken.", status=503))
    advance()
    # The next attempt reads the order first.

    def stop(call: str, _orders: Any) -> None:
        if call == "orders":
            SellerAccount.objects.update(**changes)

    market.after = stop
    advance(later=HOURS)

    operation = the_operation("A")
    assert (operation.status, operation.attempts, shop.quantity(beans)) == (Status.STOCK_DEDUCTED, 1, 750)
    market.after = lambda _call, _orders: None
    advance(later=HOURS * 2)
    assert the_operation("A").status == (Status.COMPLETED if "mode" in changes else Status.STOCK_DEDUCTED)
    assert market.written == []


def test_a_lease_is_taken_and_given_back_in_the_order_in_which_all_others_lock(market: Market) -> None:
    market.order("A", {"COFFEE": 1})
    market.order("B", {"COFFEE": 1})
    ids = [one.pk for one in market.sync().created_operations]

    with CaptureQueriesContext(connection) as queries:
        pipeline.keep_hold(ids, now=timezone.now())
        pipeline.let_go(ids)

    statements = [query["sql"] for query in queries if "stockoperation" in query["sql"]]
    assert [one.split()[0] for one in statements] == ["SELECT", "UPDATE"] * 2
    assert all("ORDER BY" in one and "FOR NO KEY UPDATE" in one for one in statements[::2])
    assert not StockOperation.objects.filter(leased_until__isnull=False).exists()
