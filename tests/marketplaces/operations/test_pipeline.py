"""From an order that is ready to an operation that is completed."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Ingredient, Product, StockMovement
from marketplaces.choices import OrderState, Scheme
from marketplaces.models import Listing, SellerAccount, StockOperation
from tests.marketplaces.selling import (
    Market,
    actions,
    advance,
    ledger_of,
    market_offering,
    the_operation,
)
from tests.marketplaces.shelf import listed
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_markets")]
Status = StockOperation.Status
HOURS = datetime.timedelta(hours=2)


@pytest.fixture
def market(shop: Shop, coffee: Product) -> Market:
    market = market_offering(shop, {"COFFEE": coffee})
    listed(market.account, coffee, "TWIN", quantity=2)
    return market


def test_an_order_goes_from_ready_to_completed_and_the_log_tells_each_step(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("A", {"COFFEE": 1, "TWIN": 1})
    (created,) = market.sync().created_operations

    progress = advance()

    operation = the_operation("A")
    assert operation.pk == created.pk
    assert (operation.status, operation.attempts, operation.next_attempt_at) == (Status.COMPLETED, 0, None)
    assert operation.leased_until is None
    assert operation.deduction_id == operation.pk
    assert None not in (operation.line_items_loaded_at, operation.stock_deducted_at, operation.microservice_synced_at)
    assert ledger_of(operation) == [("Beans", "marketplace_sale", Decimal(-250)), ("Beans", "marketplace_sale", -500)]
    assert shop.quantity(beans) == 250
    assert list(operation.lines.order_by("pk").values_list("sku", "quantity", "portions")) == [
        ("COFFEE", 1, 1),
        ("TWIN", 1, 2),
    ]
    assert {str(line.pk) for line in operation.lines.all()} == set(
        StockMovement.objects.filter(document_type="stock_operation").values_list("line_id", flat=True)
    )
    assert market.written == [("accept", "A")]
    assert market.calls == [("orders", ("A",)), ("accept", ("A",))]
    assert progress.accounts_to_push == [market.account.pk]
    assert Listing.objects.filter(push_wanted_at__isnull=False).count() == 2
    assert actions(operation) == [
        "operation_created",
        "line_items_loading",
        "line_items_loaded",
        "status_transition",
        "stock_validation_started",
        "stock_validation_passed",
        "stock_deduction_started",
        "stock_deduction_completed",
        "status_transition",
        "microservice_sync_started",
        "microservice_sync_success",
        "status_transition",
    ]
    moves = operation.log.filter(action="status_transition").order_by("id").values_list("from_status", "to_status")
    assert list(moves) == [("pending", "processing"), ("processing", "stock_deducted"), ("stock_deducted", "completed")]
    assert advance().worked_on == 0
    assert_levels_are_what_the_ledger_sums_to()


def test_fifty_orders_take_as_many_queries_as_five(shop: Shop, market: Market, beans: Ingredient) -> None:
    shop.receive({beans: 100_000})

    def queries(name: str, number: int) -> int:
        for place in range(number):
            market.order(f"{name}{place}", {"COFFEE": 1})
        market.sync(*(f"{name}{place}" for place in range(number)))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert advance().worked_on == number
        return len(captured)

    queries("warm", 2)
    assert queries("few", 5) == queries("many", 50)
    assert set(StockOperation.objects.values_list("status", flat=True)) == {Status.COMPLETED}


def test_what_the_marketplaces_warehouse_sends_takes_nothing(shop: Shop, market: Market) -> None:
    market.order("F", {"COFFEE": 1}, scheme=Scheme.FBO)
    assert market.sync().created_operations == []


def test_a_read_only_account_moves_the_stock_and_writes_nothing(shop: Shop, market: Market, beans: Ingredient) -> None:
    SellerAccount.objects.update(mode="read_only")
    market.order("A", {"COFFEE": 1})
    market.sync()
    advance()
    operation = the_operation("A")
    assert operation.status == Status.COMPLETED
    assert shop.quantity(beans) == 750
    assert market.written == []
    assert operation.log.get(action="microservice_sync_success").context == {"mode": "read_only"}


def test_what_is_sent_there_already_leaves_the_stock_all_the_same(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.set_state("A", OrderState.SENT)
    advance()
    assert the_operation("A").status == Status.COMPLETED
    assert (shop.quantity(beans), market.written) == (750, [])


def test_an_order_that_is_not_ready_any_more_waits_and_goes_on_when_it_is(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("A", {"COFFEE": 1})
    market.sync()
    market.set_state("A", OrderState.WAITING)
    advance()
    operation = the_operation("A")
    assert (operation.status, operation.attempts) == (Status.PENDING, 0)
    assert shop.quantity(beans) == 1000

    market.set_state("A", OrderState.READY)
    assert market.sync().created_operations == []
    advance()
    assert the_operation("A").status == Status.COMPLETED


def test_a_product_without_a_recipe_takes_nothing_and_is_named(shop: Shop, market: Market) -> None:
    listed(market.account, shop.product("Voucher"), "VOUCHER")
    market.order("A", {"VOUCHER": 3})
    market.sync()
    advance()
    operation = the_operation("A")
    assert (operation.status, ledger_of(operation)) == (Status.COMPLETED, [])
    assert operation.log.get(action="stock_deduction_completed").context["untracked"] == ["Voucher"]


def test_a_default_option_of_a_group_that_demands_a_choice_is_deducted(shop: Shop, market: Market) -> None:
    cup, tea = shop.ingredient("Cups", "pc", stock=10), shop.ingredient("Tea", stock=100)
    size, extra = shop.group("Size", least=1), shop.group("Extra")
    shop.adds(shop.option(size, "M", is_default=True), cup, 1)
    shop.adds(shop.option(extra, "Sugar", is_default=True), shop.ingredient("Sugar", stock=50), 5)
    listed(market.account, shop.product("Set", recipe={tea: 10}, groups=[size, extra]), "SET")
    market.order("A", {"SET": 2})
    market.sync()
    advance()
    assert sorted(ledger_of(the_operation("A"))) == [
        ("Cups", "marketplace_sale", Decimal(-2)),
        ("Tea", "marketplace_sale", Decimal(-20)),
    ]


def test_a_sku_without_a_listing_is_tried_again_when_somebody_has_matched_it(
    shop: Shop, market: Market, coffee: Product, beans: Ingredient
) -> None:
    market.order("A", {"NEW": 1})
    market.sync()
    advance()
    operation = the_operation("A")
    assert (operation.status, operation.attempts) == (Status.PROCESSING, 1)
    assert operation.log.get(action="stock_validation_failed").context == {"unmatched": ["NEW"]}
    assert "NEW" in operation.last_error

    listed(market.account, coffee, "NEW")
    advance(later=HOURS)
    operation = the_operation("A")
    assert (operation.status, operation.attempts, operation.last_error) == (Status.COMPLETED, 0, "")
    assert operation.lines.get().product == coffee
    assert shop.quantity(beans) == 750


def test_a_line_that_became_smaller_before_it_was_deducted_is_deducted_as_it_is_now(
    shop: Shop, market: Market, beans: Ingredient
) -> None:
    market.order("A", {"COFFEE": 5, "TWIN": 1})
    market.sync()
    advance()
    assert (the_operation("A").status, shop.quantity(beans)) == (Status.PROCESSING, 1000)
    market.order("A", {"COFFEE": 3})
    market.sync()
    advance(later=HOURS)
    operation = the_operation("A")
    assert (operation.status, shop.quantity(beans)) == (Status.COMPLETED, 250)
    assert list(operation.lines.values_list("sku", "quantity", "portions")) == [("COFFEE", 3, 3)]
