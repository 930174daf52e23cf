"""What the shelves are worth: exact to the last digit, whatever is divided by three on the way."""

from decimal import Decimal

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.models import StockLevel, StockMovement
from inventory.services.lines import StockLine
from inventory.services.stock import transfer_stock, write_off_stock
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def level(shop: Shop) -> tuple[Decimal, Decimal, Decimal]:
    """(quantity, value, average cost)"""
    return StockLevel.objects.filter(location=shop.location).values_list("quantity", "value", "average_cost")[0]


def test_the_average_is_weighted_by_what_came_in(shop):
    tea = shop.ingredient("Tea", stock=1000, unit_cost="0.10")
    shop.receive({tea: 500}, unit_cost="0.40")
    assert level(shop) == (1500, 300, Decimal("0.2"))


def test_three_thirds_are_the_whole(shop):
    """Three grams for one coin: what leaves gram by gram leaves nothing behind."""
    tea = shop.ingredient("Tea", stock=3, unit_cost="0.333333")
    cup = shop.product("Cup", recipe={tea: 1})
    for _cup in range(3):
        shop.sell(cup)
    assert level(shop) == (0, 0, Decimal("0.333333"))
    values = StockMovement.objects.filter(reason="sale").order_by("id").values_list("value", flat=True)
    assert list(values) == [Decimal("-0.333333")] * 3


def test_lines_of_one_order_share_the_value_without_losing_a_digit(shop):
    tea = shop.ingredient("Tea", stock=7, unit_cost="0.142857")
    cup = shop.product("Cup", recipe={tea: "2.333"})
    shop.sell(cup, 3)
    assert level(shop)[:2] == (Decimal("0.001"), Decimal("0.000143"))
    assert StockMovement.objects.aggregate(Sum("value"))["value__sum"] == Decimal("0.000143")


def test_what_comes_without_a_cost_comes_at_the_average_that_is_known(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost="0.50")
    cup = shop.product("Cup", recipe={tea: 100})
    shop.sell(cup)
    assert level(shop) == (0, 0, Decimal("0.5"))
    shop.receive({tea: 10})
    assert level(shop) == (10, 5, Decimal("0.5"))


def test_a_cancelled_order_brings_back_what_it_took_though_the_price_has_moved(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost="0.50")
    order = shop.sell(shop.product("Cup", recipe={tea: 40}))
    shop.receive({tea: 40}, unit_cost="2")
    shop.cancel(order)
    assert level(shop)[:2] == (140, Decimal(30) + Decimal(80) + Decimal(20))


def test_a_part_taken_back_twice_is_the_whole(shop):
    tea = shop.ingredient("Tea", stock=100, unit_cost="0.333333")
    order = shop.sell(shop.product("Cup", recipe={tea: "3.333"}), 3)
    shop.cancel_part(order, 1)
    shop.cancel_part(order, 2)
    assert level(shop)[:2] == (100, Decimal("33.3333"))


def test_a_transfer_makes_and_loses_nothing(shop):
    harbour = Shop.open("Harbour")
    tea = shop.ingredient("Tea", stock=7, unit_cost="0.142857")
    before = StockLevel.objects.aggregate(Sum("value"))["value__sum"]
    for quantity in ("1.001", "2.002", "3.997"):
        transfer_stock(
            source=shop.location,
            destination=harbour.location,
            lines=[StockLine(tea.pk, Decimal(quantity))],
            created_by_id=None,
        )
    assert level(shop)[:2] == (0, 0)
    assert level(harbour)[:2] == (7, before)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(-5000, 5000), st.none() | st.integers(0, 999_999)).filter(lambda step: step[0]),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_comes_and_goes_the_value_is_the_ledgers_and_never_without_stock(shop, steps):
    """(thousandths of a gram, cost in millionths): what leaves more than there is, leaves what there is."""
    tea = shop.ingredient(f"Tea {StockLevel.objects.count()}")
    for delta, cost in steps:
        if delta > 0:
            shop.receive({tea: Decimal(delta) / 1000}, unit_cost=None if cost is None else Decimal(cost) / 1_000_000)
        elif quantity := min(-Decimal(delta) / 1000, shop.quantity(tea)):
            line = StockLine(tea.pk, quantity)
            write_off_stock(location=shop.location, lines=[line], reason="tasting", created_by_id=None)
        found = StockLevel.objects.filter(ingredient=tea).first()
        if found is None:
            continue
        ledger = StockMovement.objects.filter(ingredient=tea).aggregate(value=Sum("value"), quantity=Sum("delta"))
        assert (found.value, found.quantity) == (ledger["value"], ledger["quantity"])
        assert found.value >= 0
        assert found.quantity or not found.value
        assert abs(found.value - found.quantity * found.average_cost) <= Decimal("0.00001")
