"""Answers that are JSON and wrong, orders that nobody knows what to make of, and what the shop lacks: what can go on
does, what can't is said, and nothing is lost when it is put right."""

from collections.abc import Mapping

import pytest

from marketplaces.choices import Marketplace, OrderState
from marketplaces.models import Listing, MarketplaceOrder, StockOperation, SyncRun
from marketplaces.services.backoff import MOST_ATTEMPTS
from marketplaces.standin.trade import READY
from monitoring.models import Alert
from tests.marketplaces.edge import Edge
from tests.marketplaces.standin import Standin
from tests.marketplaces.trading import GRAMS, Trade, assert_nothing_is_lost_or_doubled

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
Status, What = StockOperation.Status, SyncRun.What

# What the way from an order to the quantities needs of the answers: where, and the field.
NEEDED: Mapping[Marketplace, list[tuple[str, str]]] = {
    Marketplace.ALLEGRO: [
        (r"/order/checkout-forms$", "checkoutForms"),
        (r"/order/checkout-forms", "checkoutForms.id"),
        (r"/order/checkout-forms", "checkoutForms.lineItems.quantity"),
        (r"/order/checkout-forms/[^/]+$", "status"),
        (r"/order/checkout-forms/[^/]+$", "lineItems.quantity"),
        (r"/sale/offers$", "offers.stock.available"),
    ],
    Marketplace.OZON: [
        (r"/fbs/list$", "postings"),
        (r"/fbs/list$", "postings.posting_number"),
        (r"/fbs/list$", "postings.products.quantity"),
        (r"/fbs/list$", "postings.products.sku"),
        (r"/products/stocks$", "result"),
        (r"/stocks-by-warehouse/fbs$", "products.present"),
    ],
    Marketplace.WILDBERRIES: [
        # First, as a supply that is open is used again.
        (r"/api/v3/supplies$", "id"),
        (r"/api/v3/orders(/new)?$", "orders"),
        (r"/api/v3/orders(/new)?$", "orders.chrtId"),
        (r"/api/v3/orders/status$", "orders.supplierStatus"),
        (r"/api/v3/orders/status$", "orders.id"),
        (r"/api/v3/stocks/\d+$", "stocks.amount"),
    ],
}
NUMBERS: Mapping[Marketplace, list[tuple[str, str]]] = {
    Marketplace.ALLEGRO: [
        (r"/order/checkout-forms$", "checkoutForms.lineItems.quantity"),
        (r"/order/checkout-forms/[^/]+$", "lineItems.quantity"),
        (r"/sale/offers$", "offers.stock.available"),
    ],
    Marketplace.OZON: [
        (r"/fbs/list$", "postings.products.quantity"),
        (r"/fbs/list$", "postings.products.sku"),
        (r"/stocks-by-warehouse/fbs$", "products.present"),
    ],
    Marketplace.WILDBERRIES: [
        (r"/api/v3/orders(/new)?$", "orders.chrtId"),
        (r"/api/v3/orders(/new)?$", "orders.id"),
        (r"/api/v3/orders/status$", "orders.id"),
        (r"/api/v3/stocks/\d+$", "stocks.amount"),
    ],
}


@pytest.fixture(autouse=True)
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    return Edge.around(monkeypatch)


@pytest.fixture(params=list(Marketplace))
def marketplace(request: pytest.FixtureRequest) -> Marketplace:
    found: Marketplace = request.param
    return found


@pytest.fixture
def trade(standin: Standin, marketplace: Marketplace) -> Trade:
    standin.is_checking = False
    trade = Trade.begin(standin, marketplace)
    trade.go_round()
    return trade


def what_was_said(trade: Trade) -> str:
    """All that runs and operations say is wrong."""
    texts = [run.message + str(run.problems) for run in trade.all_runs() if run.status != "success"]
    return " ".join([*texts, *trade.operations().values_list("last_error", flat=True)])


def test_a_field_that_is_missing_is_named_and_what_lacked_it_comes_later(
    standin: Standin, trade: Trade, marketplace: Marketplace
) -> None:
    for path, name in NEEDED[marketplace]:
        (order,) = trade.buy()
        # More than what is sold: so there is a quantity to write.
        trade.shop.receive({trade.beans: 2 * GRAMS})
        rule = standin.misbehave(path, times=0, drop=name)
        trade.go_round()
        assert rule.hits, name
        is_done = trade.operations().filter(order__external_id=order, status=Status.COMPLETED).exists()
        is_shown = trade.keeper.shown("700") == trade.shop.quantity(trade.beans) // GRAMS
        assert (is_done and is_shown) or name.rpartition(".")[2] in what_was_said(trade), name
        trade.recover()
        assert_nothing_is_lost_or_doubled(standin, trade.account)
    assert trade.statuses() == {"completed": len(NEEDED[marketplace])}


def test_a_number_that_comes_as_text_is_the_number(standin: Standin, trade: Trade, marketplace: Marketplace) -> None:
    orders = trade.buy(2)
    trade.shop.receive({trade.beans: GRAMS})
    for path, name in NUMBERS[marketplace]:
        standin.misbehave(path, times=0, as_text=name)
    run = trade.go_round()
    assert (run.status, run.problems) == ("success", [])
    assert trade.statuses() == {"completed": len(orders)}
    assert_nothing_is_lost_or_doubled(standin, trade.account)


def test_a_quantity_that_can_not_be_read_back_is_not_taken_for_nothing(
    standin: Standin, trade: Trade, marketplace: Marketplace
) -> None:
    """The shelf is empty, the write is lost, and what is shown can't be read: that is no proof that it shows 0."""
    path, name = NEEDED[marketplace][-1]
    trade.shop.sell(trade.coffee, 100)
    standin.misbehave(path, times=0, drop=name)
    standin.misbehave(r"/sale/product-offers/|/products/stocks$", times=0, status=500)
    trade.push()
    listing = Listing.objects.get(account=trade.account)
    assert (listing.offered, trade.keeper.shown("700")) in ((None, 0), (None, 100))
    assert trade.runs(What.TRANSACTIONS)[-1][0] == "failed" or name.rpartition(".")[2] in what_was_said(trade)
    trade.recover()
    assert trade.keeper.shown("700") == 0
    assert_nothing_is_lost_or_doubled(standin, trade.account)


def test_a_status_that_nobody_has_seen_is_told_and_nothing_is_done_until_it_is_known(
    standin: Standin, trade: Trade, marketplace: Marketplace
) -> None:
    strange, _plain = trade.buy(2)
    trade.keeper.change(strange, status="NEVER_SEEN")
    trade.go_round()
    assert MarketplaceOrder.objects.get(external_id=strange).state == OrderState.UNKNOWN
    assert trade.statuses() == {"completed": 1}
    alert = Alert.objects.get(event="marketplaces.order_unknown_status")
    assert "NEVER_SEEN" in alert.message

    # And one that becomes so between its mirroring and its operation.
    later = trade.buy()[0]
    trade.sync()
    trade.keeper.change(later, status="NEVER_SEEN")
    trade.advance()
    operation = trade.operation(later)
    assert (operation.status, operation.stock_deducted_at) == (Status.PENDING, None)
    assert "NEVER_SEEN" in operation.last_error
    assert operation.log.order_by("-id")[0].action == "retry_scheduled"

    for order_id in (strange, later):
        trade.keeper.change(order_id, status=READY[marketplace])
    trade.recover()
    assert trade.statuses() == {"completed": 3}
    assert_nothing_is_lost_or_doubled(standin, trade.account)


def test_what_the_shop_lacks_stops_nobody_else_and_goes_on_when_it_is_there(standin: Standin, trade: Trade) -> None:
    """A SKU that nobody has matched, a listing whose product has no recipe, and a shortage, beside a plain order."""
    tea = trade.shop.ingredient("Tea leaves", stock=10)
    tin = trade.shop.product("Tin", recipe={tea: 20})
    trade.offer("701", None)
    trade.offer("702", trade.shop.product("Voucher"))
    trade.offer("703", tin)
    orders = {sku: trade.buy(1, sku)[0] for sku in ("700", "701", "702", "703")}
    trade.go_round()

    found = {sku: trade.operation(order_id) for sku, order_id in orders.items()}
    assert {sku: one.status for sku, one in found.items()} == {
        "700": Status.COMPLETED,
        "701": Status.PROCESSING,
        "702": Status.COMPLETED,
        "703": Status.PROCESSING,
    }
    assert trade.errors(orders["701"], "stock_validation_failed") == ["unmatched"]
    assert found["702"].log.get(action="stock_deduction_completed").context["untracked"] == ["Voucher"]
    short = found["703"].log.get(action="stock_validation_failed").context["shortages"]
    assert [(one["name"], one["needed"], one["available"]) for one in short] == [("Tea leaves", "20.000", "10.000")]
    assert trade.shop.quantity(tea) == 10

    Listing.objects.create(account=trade.account, product=trade.coffee, sku="701")
    trade.shop.receive({tea: 30})
    trade.recover()
    assert trade.statuses() == {"completed": 4}
    assert_nothing_is_lost_or_doubled(standin, trade.account)
    assert trade.shop.quantity(tea) == 20


def test_what_is_never_put_right_fails_with_an_alert_and_takes_nothing(standin: Standin, trade: Trade) -> None:
    tea = trade.shop.ingredient("Tea leaves", stock=10)
    trade.offer("701", None)
    trade.offer("703", trade.shop.product("Tin", recipe={tea: 20}))
    (fine,), (unmatched,), (short,) = trade.buy(1), trade.buy(1, "701"), trade.buy(1, "703")
    trade.sync()
    for _attempt in range(MOST_ATTEMPTS):
        trade.advance()
        trade.wait()
    trade.recover()
    for order_id in (unmatched, short):
        operation = trade.operation(order_id)
        actions = list(operation.log.order_by("id").values_list("action", flat=True))
        assert actions.count("stock_validation_failed") == MOST_ATTEMPTS
        assert actions[-3:] == ["max_retries_reached", "status_transition", "operation_failed"]
    assert trade.operation(fine).status == Status.COMPLETED
    assert trade.shop.quantity(tea) == 10
    assert_nothing_is_lost_or_doubled(standin, trade.account, failed=[unmatched, short])
