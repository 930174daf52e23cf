"""Ending an operation at every stage: the marketplace first, then the stock, then the operation."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import Ingredient, Product
from marketplaces.choices import OrderState
from marketplaces.errors import CancellationRunning, OperationStatusWrong, Timeout, UnknownOperation, WrongOperations
from marketplaces.models import Listing, SellerAccount, StockOperation
from marketplaces.services.backoff import MOST_ATTEMPTS
from marketplaces.services.cancelling import request_cancellation, request_cancellations_of
from marketplaces.services.retrying import retry_operation
from marketplaces.services.switch import start_pushes, stop_pushes
from monitoring.models import Alert
from tests.marketplaces.selling import Market, actions, advance, ledger_of, the_operation
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_markets")]
Status = StockOperation.Status
HOURS = datetime.timedelta(hours=2)


def stop_at(market: Market, stage: str) -> StockOperation:
    """An order of one coffee whose operation stands at this stage."""
    market.order("A", {"COFFEE": 1})
    market.sync()
    if stage == "stock_deducted":
        market.fail("accept", error=Timeout("No answer."))
    if stage == "processing":
        listing = Listing.objects.filter(sku="COFFEE")
        listing.update(sku="hidden")
    if stage != "pending":
        advance()
    Listing.objects.filter(sku="hidden").update(sku="COFFEE")
    operation = the_operation("A")
    assert operation.status == stage
    return operation


def cancel(operation: StockOperation, reason: str = "sold out", **more: Any) -> StockOperation:
    return request_cancellation(operation_id=operation.pk, reason=reason, user_id=None, **more)


STAGES = ["pending", "processing", "stock_deducted", "completed"]


@pytest.mark.parametrize("stage", STAGES)
def test_an_operation_is_cancelled_at_every_stage(shop: Shop, market: Market, beans: Ingredient, stage: str) -> None:
    operation = stop_at(market, stage)
    was_deducted = stage in ("stock_deducted", "completed")
    person = user_of("manager")

    asked = request_cancellation(operation_id=operation.pk, reason=" sold out ", user_id=person.pk)
    assert asked.cancellation_requested_at is not None
    advance()

    operation = the_operation("A")
    assert (operation.status, operation.cancelled_by_id, operation.cancellation_reason) == (
        Status.CANCELLED,
        person.pk,
        "sold out",
    )
    assert operation.next_attempt_at is None
    assert market.found["A"].state == OrderState.CANCELLED
    assert shop.quantity(beans) == 1000
    corrections = list(operation.rollback_operations.all())
    assert len(corrections) == was_deducted
    if was_deducted:
        (correction,) = corrections
        assert (correction.kind, correction.status, correction.order_id) == (
            "adjustment",
            Status.COMPLETED,
            operation.order_id,
        )
        assert actions(correction) == ["operation_created", *["status_transition"] * 3]
        assert ledger_of(operation) == [
            ("Beans", "marketplace_sale", Decimal(-250)),
            ("Beans", "marketplace_rollback", Decimal(250)),
        ]
    told = actions(operation)
    end = told[told.index("cancellation_requested") :]
    assert end == [
        "cancellation_requested",
        "microservice_rollback_started",
        "microservice_rollback_completed",
        *(["stock_rollback_started", "stock_rollback_completed"] if was_deducted else []),
        "status_transition",
        "cancellation_completed",
    ]
    # The mirror hears of the cancellation that was ours; nothing more comes of it.
    market.sync()
    advance(later=HOURS)
    assert StockOperation.objects.filter(kind="sale").count() == 1
    assert shop.quantity(beans) == 1000
    assert_levels_are_what_the_ledger_sums_to()


@pytest.mark.parametrize("stage", STAGES)
def test_a_final_no_of_the_marketplace_ends_the_cancellation_and_the_stock_is_left_alone(
    shop: Shop, market: Market, beans: Ingredient, stage: str
) -> None:
    operation = stop_at(market, stage)
    market.firm = {"A"}
    cancel(operation)
    advance()
    advance(later=HOURS)
    operation = the_operation("A")
    assert operation.status == Status.COMPLETED
    assert operation.cancellation_requested_at is None
    assert operation.cancellation_refused_at is not None
    assert shop.quantity(beans) == 750
    assert Alert.objects.get(event="marketplaces.cancellation_refused").subject == str(operation.pk)
    # Somebody may ask again.
    market.firm = set()
    cancel(operation)
    advance(later=HOURS)
    assert the_operation("A").status == Status.CANCELLED
    assert shop.quantity(beans) == 1000


@pytest.mark.parametrize("late", [False, True])
def test_a_cancellation_resumes_after_a_timeout_and_is_written_once(
    shop: Shop, market: Market, beans: Ingredient, late: bool
) -> None:
    operation = stop_at(market, "completed")
    market.fail("roll_back", error=Timeout("No answer."), late=late)
    cancel(operation)
    advance()
    operation = the_operation("A")
    assert (operation.status, operation.attempts) == (Status.COMPLETED, 1)
    assert shop.quantity(beans) == 750, "the marketplace first"
    advance(later=HOURS)
    assert the_operation("A").status == Status.CANCELLED
    assert market.written.count(("roll_back", "A")) == 1
    assert shop.quantity(beans) == 1000


def test_a_cancellation_whose_attempts_are_used_up_fails_and_its_successor_goes_on_with_it(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    operation = stop_at(market, "stock_deducted")
    market.fail("roll_back", error=Timeout("No answer."), times=100)
    cancel(operation)
    for attempt in range(MOST_ATTEMPTS + 1):
        advance(later=attempt * HOURS)
    failed = the_operation("A")
    assert (failed.status, shop.quantity(beans)) == (Status.FAILED, 750)
    market.before = lambda call, orders: None
    successor = retry_operation(operation_id=failed.pk, user_id=None)
    assert successor.cancellation_requested_at is not None
    advance()
    assert the_operation("A").status == Status.CANCELLED
    assert shop.quantity(beans) == 1000


def test_a_completed_operation_stays_completed_when_its_cancellation_fails(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    operation = stop_at(market, "completed")
    market.fail("roll_back", error=Timeout("No answer."), times=100)
    cancel(operation)
    for attempt in range(MOST_ATTEMPTS + 1):
        advance(later=attempt * HOURS)
    operation = the_operation("A")
    assert (operation.status, operation.cancellation_requested_at) == (Status.COMPLETED, None)
    assert shop.quantity(beans) == 750
    assert Alert.objects.filter(event="marketplaces.operation_failed").exists()


def test_read_only_accounts_get_the_stock_back_without_a_call(shop: Shop, market: Market, beans: Ingredient) -> None:
    SellerAccount.objects.update(mode="read_only")
    operation = stop_at(market, "completed")
    market.calls.clear()
    cancel(operation)
    advance()
    operation = the_operation("A")
    assert (operation.status, shop.quantity(beans), market.calls) == (Status.CANCELLED, 1000, [])
    assert operation.log.get(action="microservice_rollback_completed").context == {"skipped": "read_only"}


def test_the_switch_holds_up_a_cancellation(shop: Shop, market: Market, beans: Ingredient) -> None:
    operation = stop_at(market, "completed")
    stop_pushes(reason="stock-taking", by_id=None, at=timezone.now())
    cancel(operation)
    advance()
    operation = the_operation("A")
    assert (operation.status, operation.attempts, shop.quantity(beans)) == (Status.COMPLETED, 0, 750)
    start_pushes()
    advance(later=HOURS)
    assert the_operation("A").status == Status.CANCELLED


@pytest.mark.parametrize("stage", STAGES)
def test_a_buyer_who_cancels_late_gets_the_stock_back_on_the_shelf(
    shop: Shop, market: Market, beans: Ingredient, stage: str
) -> None:
    stop_at(market, stage)
    market.cancel("A")
    market.calls.clear()
    assert market.sync().cancellations == 1
    assert market.sync().cancellations == 0
    advance(later=HOURS)
    operation = the_operation("A")
    assert (operation.status, operation.is_cancelled_there) == (Status.CANCELLED, True)
    assert (shop.quantity(beans), market.calls) == (1000, [])


def test_what_had_been_sent_is_not_put_back_by_a_message(shop: Shop, market: Market, beans: Ingredient) -> None:
    stop_at(market, "completed")
    market.set_state("A", OrderState.SENT)
    market.sync()
    market.cancel("A")
    assert market.sync().cancellations == 0
    advance()
    assert (the_operation("A").status, shop.quantity(beans)) == (Status.COMPLETED, 750)


def test_a_failed_operation_gives_back_what_it_holds_when_its_order_is_cancelled_there(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    stop_at(market, "stock_deducted")
    market.fail("accept", error=Timeout("No answer."), times=100)
    for attempt in range(MOST_ATTEMPTS):
        advance(later=attempt * HOURS)
    failed = the_operation("A")
    assert (failed.status, shop.quantity(beans)) == (Status.FAILED, 750)
    market.cancel("A")
    market.sync()
    market.sync()
    advance()
    successor = the_operation("A")
    assert (successor.retry_of_id, successor.status) == (failed.pk, Status.CANCELLED)
    assert (shop.quantity(beans), StockOperation.objects.filter(kind="sale").count()) == (1000, 2)


def test_what_comes_back_is_what_the_ledger_holds_whatever_the_recipe_says_by_then(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    operation = stop_at(market, "completed")
    before = shop.location.stock_levels.get(ingredient=beans).value
    Product.objects.get().recipe_lines.update(quantity=999)
    shop.receive({beans: 1000}, unit_cost="0.99")
    cancel(operation)
    advance()
    level = shop.location.stock_levels.get(ingredient=beans)
    assert level.quantity == 2000
    assert level.value == before + Decimal("990") + Decimal("17.5")


def test_who_may_not_be_cancelled_is_left_as_it_is(market: Market) -> None:
    operation = stop_at(market, "completed")
    cancel(operation)
    with pytest.raises(CancellationRunning):
        cancel(operation)
    advance()
    operation = the_operation("A")
    with pytest.raises(OperationStatusWrong):
        cancel(operation)
    with pytest.raises(OperationStatusWrong):
        cancel(operation.rollback_operations.get())
    with pytest.raises(WrongOperations):
        cancel(operation, reason="  ")
    with pytest.raises(UnknownOperation):
        request_cancellation(operation_id=operation.account_id, reason="no such", user_id=None)
    assert the_operation("A").status == Status.CANCELLED


def test_many_are_cancelled_at_once_and_each_other_one_says_why_not(
    shop: Shop, market: Market, beans: Ingredient, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(4):
        market.order(f"A{number}", {"COFFEE": 1})
    market.sync()
    advance()
    ids = [the_operation(f"A{number}").pk for number in range(4)]
    cancel(the_operation("A0"))
    with django_assert_max_num_queries(6):
        results = request_cancellations_of(
            operation_ids=[*ids, market.account.pk, ids[1]], reason="closing", user_id=None
        )
    assert [one.as_json().get("error", {}).get("type") for one in results] == [
        "in_progress",
        None,
        None,
        None,
        "not_found",
    ]
    advance()
    assert set(StockOperation.objects.filter(kind="sale").values_list("status", flat=True)) == {Status.CANCELLED}
    assert shop.quantity(beans) == 1000
    others = SellerAccount.objects.none()
    (foreign,) = request_cancellations_of(operation_ids=ids[:1], reason="x", user_id=None, accounts=others)
    assert foreign.as_json()["error"]["type"] == "not_found"


@pytest.mark.parametrize("state", [OrderState.READY, OrderState.SENT])
def test_an_order_that_is_taken_up_again_after_its_cancellation_is_taken_from_the_stock_again(
    shop: Shop, market: Market, beans: Ingredient, state: OrderState
) -> None:
    first = stop_at(market, "completed")
    market.cancel("A")
    market.sync()
    advance()
    assert (the_operation("A").status, shop.quantity(beans)) == (Status.CANCELLED, 1000)
    market.set_state("A", state)
    assert [one.retry_of_id for one in market.sync().created_operations] == [first.pk]
    assert market.sync().created_operations == []
    advance()
    assert (the_operation("A").status, shop.quantity(beans)) == (Status.COMPLETED, 750)
    market.cancel("A")
    market.sync()
    advance()
    # What had been sent by then comes back by hand.
    left = 1000 if state == OrderState.READY else 750
    assert shop.quantity(beans) == left
    assert_levels_are_what_the_ledger_sums_to()


def test_an_order_that_is_taken_up_again_while_it_is_being_cancelled_is_not_lost(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    stop_at(market, "completed")
    market.cancel("A")
    market.sync()
    market.set_state("A", OrderState.READY)
    assert market.sync().created_operations == []
    advance()
    again = the_operation("A")
    assert (again.status, shop.quantity(beans)) == (Status.COMPLETED, 750)
    assert again.retry_of is not None
    assert again.retry_of.status == Status.CANCELLED
    assert_levels_are_what_the_ledger_sums_to()


def test_what_somebody_cancelled_here_only_does_not_come_back_with_the_next_change_there(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    SellerAccount.objects.update(mode=SellerAccount.Mode.READ_ONLY)
    cancel(stop_at(market, "completed"))
    advance()
    market.set_state("A", OrderState.PROCESSING)
    assert market.sync().created_operations == []
    advance()
    assert (the_operation("A").status, shop.quantity(beans)) == (Status.CANCELLED, 1000)
