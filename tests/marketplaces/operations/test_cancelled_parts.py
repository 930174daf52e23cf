"""An order of which a part is cancelled on the marketplace while the rest of it goes on."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import OperationalError

from inventory.models import Ingredient, Product
from marketplaces.choices import OrderState
from marketplaces.errors import Timeout
from marketplaces.models import StockOperation
from marketplaces.services.cancelling import request_cancellation
from marketplaces.services.retrying import retry_operation
from marketplaces.services.steps import shrink
from tests.marketplaces.selling import Market, actions, advance, ledger_of, market_offering, the_operation
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_markets")]
Status = StockOperation.Status
HOURS = datetime.timedelta(hours=2)


@pytest.fixture
def market(shop: Shop, coffee: Product) -> Market:
    return market_offering(shop, {"COFFEE": coffee, "BAG": coffee})


def ordered(market: Market, lines: dict[str, int], state: OrderState = OrderState.READY) -> StockOperation:
    market.order("A", lines, state=state)
    market.sync()
    advance()
    return the_operation("A")


def shrunk(market: Market, lines: dict[str, int], state: OrderState = OrderState.PROCESSING) -> StockOperation:
    """The order has these pieces left, as the next reading shows."""
    return ordered(market, lines, state)


def pieces_of(operation: StockOperation) -> list[tuple[str, int, int]]:
    return list(operation.lines.order_by("pk").values_list("sku", "quantity", "cancelled_quantity"))


def test_a_part_that_is_cancelled_after_the_deduction_comes_back(shop: Shop, market: Market, beans: Ingredient) -> None:
    ordered(market, {"COFFEE": 3})
    assert shop.quantity(beans) == 250

    for left, quantity in ((2, 500), (2, 500), (1, 750)):
        shrunk(market, {"COFFEE": left})
        assert shop.quantity(beans) == quantity

    operation = the_operation("A")
    first, second = operation.rollback_operations.order_by("pk")
    assert [one.status for one in (operation, first, second)] == ["completed"] * 3
    assert [one.kind for one in (first, second)] == ["adjustment", "adjustment"]
    assert pieces_of(operation) == [("COFFEE", 3, 2)]
    assert (operation.part_cancelled_at, operation.next_attempt_at) == (None, None)
    assert [delta for _name, _reason, delta in ledger_of(operation)] == [-750, 250, 250]
    told = actions(operation)
    assert told[-4:] == ["stock_rollback_started", "stock_rollback_completed"] * 2
    assert operation.log.get(pk=operation.log.order_by("-pk")[0].pk).context["pieces"] == [
        {"sku": "COFFEE", "pieces": 1}
    ]
    assert_levels_are_what_the_ledger_sums_to()


def test_the_rest_comes_back_when_all_of_it_is_cancelled(shop: Shop, market: Market, beans: Ingredient) -> None:
    ordered(market, {"COFFEE": 3})
    shrunk(market, {"COFFEE": 1})
    market.cancel("A")
    market.sync()
    advance()

    operation = the_operation("A")
    assert (operation.status, shop.quantity(beans)) == ("cancelled", 1000)
    assert [delta for _name, _reason, delta in ledger_of(operation)] == [-750, 500, 250]
    assert_levels_are_what_the_ledger_sums_to()


def test_a_line_that_is_gone_comes_back_whole(shop: Shop, market: Market, beans: Ingredient) -> None:
    ordered(market, {"COFFEE": 2, "BAG": 1})
    operation = shrunk(market, {"COFFEE": 2})

    assert shop.quantity(beans) == 500
    assert pieces_of(operation) == [("COFFEE", 2, 0), ("BAG", 1, 1)]


def test_a_part_that_is_cancelled_and_the_rest_sent_before_anybody_looks_comes_back(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    ordered(market, {"COFFEE": 3})
    shrunk(market, {"COFFEE": 2}, OrderState.SENT)
    assert shop.quantity(beans) == 500


def test_what_comes_back_of_a_parcel_that_was_sent_is_received_by_hand(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    ordered(market, {"COFFEE": 3})
    shrunk(market, {"COFFEE": 3}, OrderState.SENT)
    operation = shrunk(market, {"COFFEE": 2}, OrderState.DELIVERED)
    assert (shop.quantity(beans), operation.part_cancelled_at) == (250, None)


def test_a_part_that_is_cancelled_before_the_deduction_is_never_taken(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("A", {"COFFEE": 3})
    market.sync()
    market.order("A", {"COFFEE": 2})
    market.sync()
    advance()

    assert shop.quantity(beans) == 500
    assert not the_operation("A").rollback_operations.exists()


def test_lines_that_are_told_in_another_way_give_nothing_back(shop: Shop, market: Market, beans: Ingredient) -> None:
    """Ozon's line ids come from a field that may be missing, and sellers give their goods new SKUs."""
    ordered(market, {"COFFEE": 2, "BAG": 1})
    order = market.found["A"]
    other_ids = tuple(replace(line, external_line_id=f"new {line.sku}") for line in order.lines)
    other_skus = tuple(replace(line, sku=f"{line.sku}-2026") for line in order.lines)
    both = tuple(replace(line, external_line_id=f"new {line.sku}", sku=f"{line.sku}-2026") for line in order.lines)
    for number, lines in enumerate([other_ids, other_skus, both, order.lines]):
        market.found["A"] = replace(order, lines=lines, payload={**order.payload, "told": number})
        assert market.sync().changed == 1
        advance()
        assert shop.quantity(beans) == 250
    assert not the_operation("A").rollback_operations.exists()


def test_of_lines_that_are_told_in_another_way_only_what_is_missing_comes_back(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    ordered(market, {"COFFEE": 2, "BAG": 1})
    order = market.order("A", {"COFFEE": 1, "BAG": 1}, line_ids=["new 1", "new 2"], state=OrderState.PROCESSING)
    assert [line.quantity for line in order.lines] == [1, 1]
    market.sync()
    advance()
    assert shop.quantity(beans) == 500
    assert pieces_of(the_operation("A")) == [("COFFEE", 2, 1), ("BAG", 1, 0)]


def test_an_answer_without_lines_gives_nothing_back(shop: Shop, market: Market, beans: Ingredient) -> None:
    ordered(market, {"COFFEE": 2})
    operation = shrunk(market, {})
    assert (shop.quantity(beans), operation.part_cancelled_at) == (500, None)


def test_a_part_comes_back_of_an_operation_that_waits_for_the_marketplace(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.fail("accept", error=Timeout("No answer."))
    operation = ordered(market, {"COFFEE": 3})
    assert (operation.status, shop.quantity(beans)) == ("stock_deducted", 250)
    market.order("A", {"COFFEE": 1})
    market.sync()
    advance(later=HOURS)

    operation = the_operation("A")
    assert (operation.status, shop.quantity(beans)) == ("completed", 750)
    assert_levels_are_what_the_ledger_sums_to()


def test_a_part_comes_back_when_the_failed_operation_is_tried_again(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    operation = ordered(market, {"COFFEE": 3})
    StockOperation.objects.filter(pk=operation.pk).update(status=Status.FAILED)
    shrunk(market, {"COFFEE": 1}, OrderState.READY)
    assert shop.quantity(beans) == 250
    retry_operation(operation_id=operation.pk, user_id=None)
    advance()

    successor = the_operation("A")
    assert successor.retry_of == operation
    assert (successor.status, successor.part_cancelled_at, shop.quantity(beans)) == ("completed", None, 750)
    assert pieces_of(operation) == [("COFFEE", 3, 2)]
    assert [delta for _name, _reason, delta in ledger_of(successor)] == [-750, 500]


def test_a_part_comes_back_after_the_cancellation_of_all_of_it_was_refused(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    operation = ordered(market, {"COFFEE": 3})
    market.firm.add("A")
    request_cancellation(operation_id=operation.pk, reason="sold out", user_id=None)
    market.order("A", {"COFFEE": 2}, state=OrderState.PROCESSING)
    market.sync()
    advance()
    advance()

    operation = the_operation("A")
    assert (operation.status, operation.cancellation_requested_at) == ("completed", None)
    assert operation.cancellation_refused_at is not None
    assert (shop.quantity(beans), pieces_of(operation)) == (500, [("COFFEE", 3, 1)])


def test_a_part_that_could_not_be_given_back_is_tried_again(
    shop: Shop, market: Market, beans: Ingredient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered(market, {"COFFEE": 3})

    def fail(*_arguments: object, **_named: object) -> None:
        raise OperationalError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(shrink, "correct", fail)
        operation = shrunk(market, {"COFFEE": 2})
    assert (operation.status, operation.attempts, operation.last_error) == ("completed", 1, "the disk is full")
    assert (shop.quantity(beans), pieces_of(operation)) == (250, [("COFFEE", 3, 0)])
    assert not operation.rollback_operations.exists()
    advance(later=HOURS)

    operation = the_operation("A")
    assert (operation.status, operation.attempts, operation.last_error) == ("completed", 0, "")
    assert (operation.next_attempt_at, shop.quantity(beans)) == (None, Decimal(500))


def test_who_ordered_first_is_served_first(shop: Shop, market: Market, beans: Ingredient) -> None:
    """Their ids on the marketplace say nothing about it."""
    for name in ("Z", "M", "A", "K", "B"):
        market.order(name, {"COFFEE": 1})
    market.sync()
    advance()

    served = {name: the_operation(name).status for name in ("Z", "M", "A", "K", "B")}
    assert served == {**dict.fromkeys(("Z", "M", "A", "K"), "completed"), "B": "processing"}
    assert shop.quantity(beans) == 0
