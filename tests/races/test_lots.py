"""Many people sell, receive, carry, count and cook from the same lots at the same moment."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from threading import Event, current_thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from foundation.errors import Refusal
from inventory.errors import InsufficientStock, Unavailable
from inventory.models import Ingredient, StockLevel, StockMovement
from inventory.services import ledger
from inventory.services.ledger import Guard, Movement, Verdict
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, transfer_stock
from orders.models import Order
from tests.inventory.counting import posted
from tests.inventory.kitchen import assert_in_order, cook, dated, makes, quantities, tracked
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 16
# How often what may wait in a circle is tried: one meeting proves little.
ROUNDS = 12


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def receive(shop: Shop, ingredient: Ingredient, quantity: Any, *, days: int = 2, unit_cost: Any = None) -> Any:
    """A delivery that keeps for so many days."""
    return receive_stock(
        location=shop.location,
        lines=[
            StockLine(
                ingredient.pk,
                Decimal(quantity),
                None if unit_cost is None else Decimal(unit_cost),
                expires_on=timezone.now().date() + timedelta(days=days),
            )
        ],
        created_by_id=None,
    )


def value_is_the_ledgers() -> None:
    for level in StockLevel.objects.all():
        told = StockMovement.objects.filter(location=level.location_id, ingredient=level.ingredient_id)
        assert level.value == (told.aggregate(value=Sum("value"))["value"] or 0)
        assert level.quantity or not level.value


# --- the last litre -------------------------------------------------------------------------------


def test_sixteen_sales_of_the_last_litre_over_three_lots_get_exactly_four(shop):
    milk = dated(shop, "Milk", "ml", {24: 300, 48: 300, 72: 400}, unit_cost="0.07")
    latte = shop.product("Latte", recipe={milk: 250})

    outcomes = at_once([lambda: shop.sell(latte)] * CROWD)

    refused = [one for one in outcomes if isinstance(one, InsufficientStock | Unavailable)]
    assert (len(refused), sum(isinstance(one, Order) for one in outcomes)) == (CROWD - 4, 4)
    assert quantities(shop, milk) == []
    by_lot = StockMovement.objects.filter(reason="sale").order_by("lot__expires_at").values_list("lot__expires_at")
    assert list(by_lot.annotate(sum=Sum("delta")).values_list("sum", flat=True)) == [-300, -300, -400]
    level = StockLevel.objects.get(ingredient=milk)
    assert (level.quantity, level.value) == (0, 0)
    assert_in_order()


def test_what_is_cancelled_while_others_buy_goes_back_to_its_lot_and_is_sold_once(shop):
    milk = dated(shop, "Milk", "ml", {24: 500, 48: 500}, unit_cost="0.07")
    latte = shop.product("Latte", recipe={milk: 250})
    orders = [shop.sell(latte) for _ in range(4)]

    outcomes = at_once(
        [*[lambda one=one: shop.cancel(one) for one in orders], *[lambda: shop.sell(latte)] * (CROWD - 4)]
    )

    assert all(isinstance(one, Order | Refusal) for one in outcomes)
    sold = sum(isinstance(one, Order) for one in outcomes[4:])
    assert shop.quantity(milk) == 1000 - 250 * sold
    assert sum(quantities(shop, milk)) == 1000 - 250 * sold
    assert_in_order()
    value_is_the_ledgers()


# --- a lot that is opened while somebody waits ----------------------------------------------------


def wait_until_somebody_waits() -> None:
    """Until another connection to this database waits for a row that this one has locked."""
    deadline = timezone.now() + timedelta(seconds=PATIENCE)
    while timezone.now() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")


def a_sale_that_waits_for_a_delivery(shop: Shop, milk: Ingredient, *, days: int | None = 5) -> Any:
    """Sells a latte of 250 ml; while it waits for the level, a delivery of a litre is written. What became of it."""
    latte = shop.product("Latte", recipe={milk: 250})
    is_received = Event()

    def receive_slowly() -> None:
        with transaction.atomic():
            if days is None:
                shop.receive({milk: 1000})
            else:
                receive(shop, milk, 1000, days=days)
            is_received.set()
            wait_until_somebody_waits()

    def sell() -> Order:
        assert is_received.wait(PATIENCE)
        return shop.sell(latte)

    return at_once([receive_slowly, sell])[1]


def test_a_sale_that_waits_while_a_delivery_opens_a_lot_sells_from_it(shop):
    milk = dated(shop, "Milk", "ml", {-1: 700})
    sold = a_sale_that_waits_for_a_delivery(shop, milk)
    assert isinstance(sold, Order)
    assert quantities(shop, milk) == [700, 750]
    assert_in_order()


def test_a_sale_that_waits_while_a_delivery_fills_up_its_lot_sells_from_it(shop):
    """100 ml were there when the sale began to wait, 1,100 when it went on: no constraint may see 100 − 250."""
    milk = tracked(shop.ingredient("Milk", "ml"))
    receive(shop, milk, 100, days=5)
    dated_too = dated(shop, "Milk", "ml", {1000: 400})
    assert dated_too == milk
    assert isinstance(a_sale_that_waits_for_a_delivery(shop, milk, days=5), Order)
    assert quantities(shop, milk) == [850, 400]
    assert_in_order()


def test_a_sale_that_waits_while_a_delivery_fills_up_a_level_without_lots_sells_from_it(shop):
    milk = shop.ingredient("Milk", "ml", stock=100, unit_cost="0.07")
    assert isinstance(a_sale_that_waits_for_a_delivery(shop, milk, days=None), Order)
    level = StockLevel.objects.get()
    assert (level.quantity, level.value) == (850, Decimal("59.5"))
    assert_in_order()


def test_counting_from_the_row_that_is_changed_fails_though_there_is_enough(shop, monkeypatch):
    """Counterproof: of the row that it changes, an UPDATE first sees what it was before the wait, and the CHECK
    constraint is tried on 100 − 250."""
    naive = ledger.WITHOUT_LOTS.replace("SET quantity = locked.quantity", "SET quantity = level.quantity")
    assert naive != ledger.WITHOUT_LOTS
    monkeypatch.setattr(ledger, "WITHOUT_LOTS", naive)
    # Removing the demo starts the ids anew: an ingredient of an earlier test may have had this one's, and lots.
    monkeypatch.setattr(ledger, "_seen_with_lots", set())
    milk = shop.ingredient("Milk", "ml", stock=100)
    assert isinstance(a_sale_that_waits_for_a_delivery(shop, milk, days=None), IntegrityError)
    assert shop.quantity(milk) == 1100


def test_without_the_second_look_it_is_refused_although_there_is_a_litre(shop, monkeypatch):
    """Counterproof: the statement saw the lots as they were when it began, before it waited. Nothing is oversold, but
    a guest goes away without the latte that stands there."""
    milk = dated(shop, "Milk", "ml", {-1: 700})
    monkeypatch.setattr(ledger, "execute", looking_once())
    refused = a_sale_that_waits_for_a_delivery(shop, milk)
    assert isinstance(refused, InsufficientStock | Unavailable)
    assert quantities(shop, milk) == [700, 1000]


def looking_once() -> Any:
    """The ledger's `execute`, which for the same lines only repeats in each thread what it said before."""
    said: dict[Any, list[Verdict]] = {}
    execute = ledger.execute

    def look(lines: Sequence[Movement], guards: Sequence[Guard], call: dict[str, Any]) -> list[Verdict]:
        key = (current_thread(), tuple(lines))
        if key not in said:
            said[key] = execute(lines, guards, call)
        return said[key]

    return look


# --- everything at once ---------------------------------------------------------------------------


def test_deliveries_sales_transfers_and_counts_of_the_same_lots_do_not_wait_in_a_circle(shop):
    """Both ways between two places, of two ingredients that everybody names in another order."""
    milk, pearls = dated(shop, "Milk", "ml", {24: 4000, 48: 4000}, "0.07"), dated(shop, "Pearls", "g", {24: 4000}, "3")
    harbour = Shop.open("Harbour")
    for one, cost in ((milk, "0.09"), (pearls, "5")):
        receive(harbour, one, 4000, unit_cost=cost)
    drink = shop.product("Drink", recipe={pearls: 10, milk: 100})
    everywhere = {one: shop.quantity(one) + harbour.quantity(one) for one in (milk, pearls)}

    def carry(source: Shop, destination: Shop, *ingredients: Ingredient) -> Any:
        return transfer_stock(
            source=source.location,
            destination=destination.location,
            lines=[StockLine(one.pk, Decimal("33.333")) for one in ingredients],
            created_by_id=None,
        )

    for number in range(ROUNDS):
        found = Decimal(number % 3)
        outcomes = at_once(
            [
                lambda number=number: receive(shop, milk, 500, days=3 + number, unit_cost="0.11"),
                lambda number=number: receive(shop, pearls, 50, days=3 + number),
                *[lambda: shop.sell(drink)] * 3,
                lambda: carry(shop, harbour, milk, pearls),
                lambda: carry(harbour, shop, pearls, milk),
                lambda: posted(harbour, {pearls: harbour.quantity(pearls) + 10_000}),
                lambda found=found: posted(shop, {milk: shop.quantity(milk) + found}),
            ]
        )
        counts = [one for one in outcomes[-2:] if not isinstance(one, Refusal)]
        assert kinds(outcomes[:-2]) == {"Order": 3, "StockDocument": 4}, outcomes
        assert all(type(one).__name__ == "StockCount" for one in counts)
        everywhere[milk] += 500 - 300
        everywhere[pearls] += 50 - 30
    by_counts = dict(
        StockMovement.objects.filter(reason="count").order_by().values_list("ingredient").annotate(Sum("delta"))
    )
    for one in (milk, pearls):
        assert shop.quantity(one) + harbour.quantity(one) == everywhere[one] + by_counts.get(one.pk, 0)
    carried = StockMovement.objects.filter(reason="transfer").aggregate(delta=Sum("delta"), value=Sum("value"))
    assert carried == {"delta": 0, "value": 0}
    assert_in_order()
    value_is_the_ledgers()


# --- the kitchen ----------------------------------------------------------------------------------


def test_of_cooking_and_selling_the_same_ingredient_as_much_succeeds_as_there_is(shop):
    milk = dated(shop, "Milk", "ml", {24: 500, 48: 500}, unit_cost="0.07")
    pudding = makes(shop, tracked(shop.ingredient("Pudding"), shelf_life_hours=24), 300, {milk: 200})
    latte = shop.product("Latte", recipe={milk: 200})

    outcomes = at_once([*[lambda: cook(shop, pudding)] * 8, *[lambda: shop.sell(latte)] * 8])

    done = kinds(outcomes)
    cooked, sold = done.get("Preparation", 0), done.get("Order", 0)
    assert cooked + sold == 5
    assert all(isinstance(one, InsufficientStock | Unavailable) for one in outcomes if isinstance(one, Exception))
    assert (shop.quantity(milk), shop.quantity(pudding)) == (0, 300 * cooked)
    assert StockLevel.objects.get(ingredient=pudding).value == Decimal(14) * cooked
    assert_in_order()
    value_is_the_ledgers()


def test_two_who_cook_from_what_the_other_makes_do_not_wait_for_each_other(shop):
    """No recipe can lead back to itself, but two recipes may take the same two ingredients in opposite order, and one
    be made from what the other makes."""
    tea, sugar = shop.ingredient("Tea", stock=10_000, unit_cost=1), shop.ingredient("Sugar", stock=10_000, unit_cost=2)
    syrup, jelly = shop.ingredient("Syrup", stock=1000, unit_cost=3), shop.ingredient("Jelly", stock=1000, unit_cost=4)
    makes(shop, syrup, 10, {sugar: 5, tea: 1})
    makes(shop, jelly, 10, {tea: 1, syrup: 7, sugar: 5})
    brew = shop.ingredient("Brew")
    makes(shop, brew, 10, {jelly: 3, syrup: 3})

    for _ in range(ROUNDS):
        outcomes = at_once([*[lambda one=one: cook(shop, one) for one in (syrup, jelly, brew)] * 3])
        assert kinds(outcomes) == {"Preparation": 9}

    cooked = 3 * ROUNDS
    assert shop.quantity(tea) == 10_000 - 2 * cooked
    assert shop.quantity(sugar) == 10_000 - 10 * cooked
    assert shop.quantity(syrup) == 1000 + (10 - 7 - 3) * cooked
    assert shop.quantity(jelly) == 1000 + (10 - 3) * cooked
    # All that was there is still worth what it was: cooking creates nothing.
    assert StockLevel.objects.aggregate(value=Sum("value"))["value"] == 10_000 + 20_000 + 3000 + 4000
    assert_in_order()
    value_is_the_ledgers()
