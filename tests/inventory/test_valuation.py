"""What the stock is worth at any moment, to the last decimal of the ledger."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from inventory.models import Ingredient, StockMovement
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, transfer_stock, write_off_stock
from inventory.valuation_selectors import ReasonFigures, Valuation, stock_valuation, value_by_reason
from tests.shop import Shop

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def noon() -> datetime.datetime:
    return timezone.now().replace(microsecond=0) - 100 * HOUR


def receive(shop: Shop, ingredient: Ingredient, quantity: str, cost: str | None, at: datetime.datetime) -> None:
    line = StockLine(ingredient.pk, Decimal(quantity), cost and Decimal(cost))  # type: ignore[arg-type]
    receive_stock(location=shop.location, lines=[line], created_by_id=None, at=at)


def write_off(shop: Shop, ingredient: Ingredient, quantity: str, at: datetime.datetime, why: str = "spoilage") -> None:
    line = StockLine(ingredient.pk, Decimal(quantity))
    write_off_stock(location=shop.location, lines=[line], reason=why, created_by_id=None, at=at)


def told(valuation: Valuation) -> dict[str, tuple[Decimal, Decimal]]:
    return {row.name: (row.quantity, row.value) for row in valuation.rows}


def replayed(shops: list[Shop], at: datetime.datetime | None) -> dict[str, tuple[Decimal, Decimal]]:
    """The same, from the ledger's beginning."""
    movements = StockMovement.objects.filter(location__in=[shop.location for shop in shops])
    if at is not None:
        movements = movements.filter(created_at__lte=at)
    sums = movements.values_list("ingredient__name").annotate(Sum("delta"), Sum("value")).order_by("ingredient__name")
    return {name: (quantity, value) for name, quantity, value in sums if quantity or value}


# --- exact figures ------------------------------------------------------------------------------------------


def test_the_stock_is_worth_what_came_less_what_left(bar: Shop, noon: datetime.datetime) -> None:
    tea, milk = bar.ingredient("Tea"), bar.ingredient("Milk", "ml")
    receive(bar, tea, "3", "0.333333", noon)
    receive(bar, milk, "1000", "0.046", noon + HOUR)
    write_off(bar, tea, "1", noon + 2 * HOUR)
    receive(bar, tea, "1", "1", noon + 3 * HOUR)
    write_off(bar, milk, "1000", noon + 4 * HOUR)

    now = stock_valuation(location=bar.location)
    assert told(now) == {"Tea": (Decimal(3), Decimal("1.666666"))}
    assert [row.average_cost for row in now.rows] == [Decimal("0.555555")]
    assert now.total == Decimal("1.666666")
    moments = {
        -1: {},
        0: {"Tea": (Decimal(3), Decimal("0.999999"))},
        1: {"Tea": (Decimal(3), Decimal("0.999999")), "Milk": (Decimal(1000), Decimal("46"))},
        2: {"Tea": (Decimal(2), Decimal("0.666666")), "Milk": (Decimal(1000), Decimal("46"))},
        3: {"Tea": (Decimal(3), Decimal("1.666666")), "Milk": (Decimal(1000), Decimal("46"))},
        4: {"Tea": (Decimal(3), Decimal("1.666666"))},
    }
    for hours, expected in moments.items():
        # The movements of the very moment count.
        valuation = stock_valuation(location=bar.location, at=noon + hours * HOUR)
        assert told(valuation) == expected
        assert valuation.total == sum((value for _quantity, value in expected.values()), Decimal(0))


def test_what_is_written_later_counts_from_its_own_moment(bar: Shop, noon: datetime.datetime) -> None:
    tea = bar.ingredient("Tea")
    receive(bar, tea, "10", "2", noon + 5 * HOUR)
    receive(bar, tea, "10", "4", noon)

    assert told(stock_valuation(location=bar.location, at=noon)) == {"Tea": (Decimal(10), Decimal(40))}
    assert told(stock_valuation(location=bar.location, at=noon + 5 * HOUR)) == {"Tea": (Decimal(20), Decimal(60))}


def test_locations_are_valued_by_themselves_and_together(bar: Shop, noon: datetime.datetime) -> None:
    riverside, tea = Shop.open("Riverside"), bar.ingredient("Tea")
    receive(bar, tea, "10", "2", noon)
    receive(riverside, tea, "10", "4", noon)
    transfer_stock(
        source=bar.location,
        destination=riverside.location,
        lines=[StockLine(tea.pk, Decimal(5))],
        created_by_id=None,
        at=noon + HOUR,
    )

    values = [stock_valuation(location=one, at=noon + HOUR).total for one in (bar.location, riverside.location, None)]
    before = [stock_valuation(location=one, at=noon).total for one in (bar.location, riverside.location, None)]

    assert values == [10, 50, 60]
    assert before == [20, 40, 60]
    assert told(stock_valuation(location=None)) == {"Tea": (Decimal(20), Decimal(60))}


def test_a_moment_that_has_not_been_is_refused(bar: Shop) -> None:
    with pytest.raises(InvalidInput) as refusal:
        stock_valuation(location=bar.location, at=timezone.now() + HOUR)
    assert list(refusal.value.errors) == ["at"]


def test_the_beginning_and_the_end_of_time_are_moments_too(bar: Shop) -> None:
    bar.ingredient("Tea", stock=1, unit_cost="1")
    assert stock_valuation(location=None, at=datetime.datetime(1, 1, 2, tzinfo=datetime.UTC)).rows == []
    with pytest.raises(InvalidInput):
        stock_valuation(location=None, at=datetime.datetime.max.replace(tzinfo=datetime.UTC))


def test_a_valuation_is_one_query(bar: Shop, noon: datetime.datetime) -> None:
    for number in range(20):
        receive(bar, bar.ingredient(f"Tea {number}"), "1", "1", noon)
    with CaptureQueriesContext(connection) as queries:
        stock_valuation(location=None, at=noon)
    assert len(queries) == 1


# --- the same as telling the ledger from its beginning --------------------------------------------------------

EVENTS = st.lists(
    st.tuples(
        st.integers(0, 1),  # the shop
        st.integers(0, 2),  # the ingredient
        st.sampled_from(["receive", "receive without a cost", "write off"]),
        st.decimals("0.001", "50", places=3),
        st.decimals("0", "9", places=6),
        st.integers(0, 6),  # the hour, in no order
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25)
@given(events=EVENTS)
def test_the_valuation_of_every_moment_is_what_the_ledger_sums_to_until_then(events: list) -> None:
    number = Ingredient.objects.count()
    noon = timezone.now().replace(microsecond=0) - 100 * HOUR
    shops = [Shop.open(f"Shop {number} {place}") for place in range(2)]
    things = [shops[0].ingredient(f"Thing {number} {place}") for place in range(3)]
    for place, thing, what, quantity, cost, hour in events:
        shop, ingredient, at = shops[place], things[thing], noon + hour * HOUR
        if what == "write off":
            taken = min(quantity, shop.quantity(ingredient))
            if taken:
                write_off(shop, ingredient, str(taken), at)
        else:
            receive(shop, ingredient, str(quantity), str(cost) if what == "receive" else None, at)

    for moment in [None, *(noon + hour * HOUR for hour in range(-1, 8))]:
        for shop in shops:
            assert told(stock_valuation(location=shop.location, at=moment)) == replayed([shop], moment)
    since, until = noon + HOUR, noon + 4 * HOUR
    for shop in shops:
        moved = sum(one.value for one in value_by_reason(location=shop.location, since=since, until=until))
        before, after = (stock_valuation(location=shop.location, at=moment).total for moment in (since, until))
        assert after - before == moved


# --- by reason ----------------------------------------------------------------------------------------------


def test_use_and_waste_are_told_by_reason(bar: Shop, noon: datetime.datetime) -> None:
    milk = bar.ingredient("Milk", "ml")
    receive(bar, milk, "1000", "0.05", noon)
    receive(bar, milk, "1000", "0.05", noon + HOUR)
    write_off(bar, milk, "100", noon + HOUR)
    write_off(bar, milk, "40", noon + 2 * HOUR)
    write_off(bar, milk, "60", noon + 2 * HOUR, "tasting")
    write_off(bar, milk, "60", noon + 3 * HOUR, "breakage")
    latte = bar.product("Latte", "70", {milk: 200})
    bar.sell(latte, 3)

    assert value_by_reason(location=bar.location, since=noon, until=noon + 2 * HOUR) == [
        ReasonFigures("write_off", "spoilage", "", 2, Decimal("-7")),
        ReasonFigures("write_off", "tasting", "", 1, Decimal("-3")),
        ReasonFigures("receipt", "", "", 1, Decimal("50")),
    ]
    assert value_by_reason(location=None, since=noon + 2 * HOUR) == [
        ReasonFigures("sale", "", "", 1, Decimal("-30")),
        ReasonFigures("write_off", "breakage", "", 1, Decimal("-3")),
    ]
    assert value_by_reason(location=Shop.open("Riverside").location, since=noon) == []


def test_a_drink_that_is_cancelled_and_poured_away_is_waste(bar: Shop, noon: datetime.datetime) -> None:
    milk = bar.ingredient("Milk", "ml")
    receive(bar, milk, "1000", "0.05", noon)
    latte = bar.product("Latte", "70", {milk: 200})
    bar.cancel(bar.sell(latte), restock=False)
    bar.cancel(bar.sell(latte), restock=True)

    figures = {(one.reason, one.document_type): one.value for one in value_by_reason(location=bar.location, since=noon)}

    assert sum(figures.values()) == -10
    assert figures.get(("write_off", "order")) == -10


def test_a_period_that_makes_no_sense_is_refused(bar: Shop, noon: datetime.datetime) -> None:
    for since, until in ((noon + HOUR, noon), (timezone.now() + HOUR, None)):
        with pytest.raises(InvalidInput) as refusal:
            value_by_reason(location=bar.location, since=since, until=until)
        assert list(refusal.value.errors) == ["since"]
