"""Trying failed operations again: a successor inherits what was deducted, and never deducts twice."""

import datetime
from decimal import Decimal

import pytest

from inventory.models import Ingredient
from marketplaces.errors import OperationStatusWrong, Timeout, TriedAgain
from marketplaces.models import StockOperation
from marketplaces.services.backoff import MOST_ATTEMPTS
from marketplaces.services.cancelling import request_cancellation
from marketplaces.services.retrying import retry_operation, retry_operations
from monitoring.models import Alert
from tests.marketplaces.selling import Market, actions, advance, ledger_of, nothing, the_operation
from tests.shop import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_markets")]
Status = StockOperation.Status
HOURS = datetime.timedelta(hours=2)


def failed_at(market: Market, call: str) -> StockOperation:
    """An order of one coffee whose operation has failed because this call never came through."""
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.fail(call, error=Timeout("No answer."), times=100)
    for attempt in range(MOST_ATTEMPTS):
        advance(later=attempt * HOURS)
    operation = the_operation("A")
    assert operation.status == Status.FAILED
    market.before = nothing
    return operation


def test_a_successor_inherits_the_deduction(shop: Shop, market: Market, beans: Ingredient) -> None:
    failed = failed_at(market, "accept")
    assert shop.quantity(beans) == 750
    successor = retry_operation(operation_id=failed.pk, user_id=7)
    assert (successor.deduction_id, successor.status) == (failed.pk, Status.PENDING)
    assert not Alert.objects.filter(event="marketplaces.operation_failed", resolved_at=None).exists()
    advance()
    successor = the_operation("A")
    assert (successor.status, successor.retry_of_id, shop.quantity(beans)) == (Status.COMPLETED, failed.pk, 750)
    assert ledger_of(successor) == [("Beans", "marketplace_sale", Decimal(-250))]
    assert "stock_deduction_started" not in actions(successor)

    request_cancellation(operation_id=successor.pk, reason="sold out", user_id=None)
    advance()
    assert (the_operation("A").status, shop.quantity(beans)) == (Status.CANCELLED, 1000)


def test_a_successor_of_one_that_took_nothing_deducts_by_itself(shop: Shop, market: Market, beans: Ingredient) -> None:
    failed = failed_at(market, "orders")
    assert shop.quantity(beans) == 1000
    retry_operation(operation_id=failed.pk, user_id=None)
    advance()
    successor = the_operation("A")
    assert (successor.status, successor.deduction_id, shop.quantity(beans)) == (Status.COMPLETED, successor.pk, 750)


def test_an_order_that_was_cancelled_meanwhile_is_not_sent_by_a_successor(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    failed = failed_at(market, "orders")
    market.cancel("A")
    market.sync()
    retry_operation(operation_id=failed.pk, user_id=None)
    advance()
    assert (the_operation("A").status, shop.quantity(beans), market.written) == (Status.CANCELLED, 1000, [])


def test_only_what_has_failed_and_has_no_successor_is_tried_again(market: Market) -> None:
    failed = failed_at(market, "orders")
    successor = retry_operation(operation_id=failed.pk, user_id=None)
    with pytest.raises(TriedAgain):
        retry_operation(operation_id=failed.pk, user_id=None)
    with pytest.raises(OperationStatusWrong):
        retry_operation(operation_id=successor.pk, user_id=None)
    assert StockOperation.objects.count() == 2


def test_many_are_tried_again_at_once(shop: Shop, market: Market, beans: Ingredient) -> None:
    failed = failed_at(market, "orders")
    market.order("B", {"COFFEE": 1})
    market.sync("B")
    advance()
    results = retry_operations(operation_ids=[failed.pk, the_operation("B").pk, market.account.pk], user_id=None)
    assert [one.as_json().get("error", {}).get("type") for one in results] == [None, "wrong_status", "not_found"]
    assert results[0].successor_id == the_operation("A").pk
    advance()
    assert the_operation("A").status == Status.COMPLETED
    assert shop.quantity(beans) == 500
