"""Low stock is told once, in the transaction that caused it, and taken back when there is enough again."""

from decimal import Decimal

import pytest
from django.db import transaction

from inventory.models import StockLevel
from inventory.selectors import low_stock
from inventory.services.lines import StockLine
from inventory.services.stock import set_minimum, transfer_stock, write_off_stock
from monitoring.models import Alert
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def write_off(shop: Shop, ingredient, quantity: str) -> None:
    write_off_stock(
        location=shop.location,
        lines=[StockLine(ingredient.pk, Decimal(quantity))],
        reason="spoilage",
        created_by_id=None,
    )


def open_alerts() -> list[str]:
    return list(Alert.objects.filter(resolved_at=None).order_by("id").values_list("message", flat=True))


def test_a_sale_that_leaves_less_than_the_minimum_tells_so(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=50)
    cup = shop.product("Tea", recipe={tea: "25.5"})

    shop.sell(cup)
    assert open_alerts() == []

    shop.sell(cup)
    alert = Alert.objects.get()
    assert alert.message == "Tea at Main Street is low: 49 g left, the minimum is 50 g."
    assert (alert.event, alert.subject, alert.severity) == (
        "inventory.low_stock",
        f"{shop.location.pk}:{tea.pk}",
        "warning",
    )
    assert alert.details == {
        "location": shop.location.pk,
        "place": "Main Street",
        "ingredient": tea.pk,
        "name": "Tea",
        "unit": "g",
        "quantity": "49",
        "minimum": "50",
    }


def test_exactly_the_minimum_is_not_low(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=50)
    write_off(shop, tea, "50")
    assert open_alerts() == []
    write_off(shop, tea, "0.001")
    assert open_alerts() == ["Tea at Main Street is low: 49.999 g left, the minimum is 50 g."]


def test_it_is_told_once_while_it_stays_low(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=50)
    for _ in range(3):
        write_off(shop, tea, "20")
    write_off(shop, tea, "10")
    assert [(alert.count, alert.message) for alert in Alert.objects.all()] == [
        (1, "Tea at Main Street is low: 40 g left, the minimum is 50 g.")
    ]


def test_a_receipt_takes_it_back_and_the_next_fall_tells_anew(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=50)
    write_off(shop, tea, "60")
    shop.receive({tea: "9.999"})
    assert len(open_alerts()) == 1
    shop.receive({tea: "0.001"})
    assert open_alerts() == []
    write_off(shop, tea, "1")
    assert open_alerts() == ["Tea at Main Street is low: 49 g left, the minimum is 50 g."]
    assert Alert.objects.count() == 2


def test_each_ingredient_that_falls_is_told_of(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=100)
    milk = shop.ingredient("Milk", stock=100, minimum=100)
    sugar = shop.ingredient("Sugar", stock=100, minimum=10)
    shop.sell(shop.product("Tea", recipe={tea: 1, milk: 2, sugar: 3}))
    assert sorted(open_alerts()) == [
        "Milk at Main Street is low: 98 g left, the minimum is 100 g.",
        "Tea at Main Street is low: 99 g left, the minimum is 100 g.",
    ]


def test_a_transfer_makes_one_location_low_and_takes_it_back_of_the_other(shop):
    harbour = Shop.open("Harbour")
    tea = shop.ingredient("Tea", stock=100, minimum=50)
    harbour.ingredient("Tea", stock=60, minimum=50)
    write_off(harbour, tea, "20")
    transfer_stock(
        source=shop.location,
        destination=harbour.location,
        lines=[StockLine(tea.pk, Decimal(60))],
        created_by_id=None,
    )
    assert [alert.subject for alert in Alert.objects.filter(resolved_at=None)] == [f"{shop.location.pk}:{tea.pk}"]
    assert Alert.objects.exclude(resolved_at=None).get().subject == f"{harbour.location.pk}:{tea.pk}"


def test_a_sale_that_is_rolled_back_has_told_nothing(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=100)
    cup = shop.product("Tea", recipe={tea: 1})
    with transaction.atomic():
        shop.sell(cup)
        assert len(open_alerts()) == 1
        transaction.set_rollback(True)
    assert not Alert.objects.exists()


def test_a_cancellation_takes_it_back(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=100)
    order = shop.sell(shop.product("Tea", recipe={tea: 1}))
    assert len(open_alerts()) == 1
    shop.cancel(order)
    assert open_alerts() == []


def test_what_is_wasted_stays_low(shop):
    tea = shop.ingredient("Tea", stock=100, minimum=100)
    order = shop.sell(shop.product("Tea", recipe={tea: 1}))
    shop.cancel(order, restock=False)
    assert len(open_alerts()) == 1


def test_a_higher_minimum_tells_and_a_lower_one_takes_it_back(shop):
    shop.ingredient("Tea", stock=100)
    level = StockLevel.objects.get()
    set_minimum(level_id=level.pk, minimum=Decimal(100))
    assert open_alerts() == []
    set_minimum(level_id=level.pk, minimum=Decimal(101))
    assert open_alerts() == ["Tea at Main Street is low: 100 g left, the minimum is 101 g."]
    set_minimum(level_id=level.pk, minimum=Decimal(102))
    assert Alert.objects.get().count == 1
    set_minimum(level_id=level.pk, minimum=Decimal("99.5"))
    assert open_alerts() == []


def test_the_low_list_has_the_emptiest_first_and_no_closed_location(shop):
    closed = Shop.open("Closed")
    for name, stock, minimum in (("Tea", 90, 100), ("Milk", 0, 10), ("Sugar", 10, 10), ("Ice", 5, 10), ("Cups", 1, 0)):
        shop.ingredient(name, stock=stock, minimum=minimum)
    closed.ingredient("Straws", stock=1, minimum=2)
    closed.location.is_active = False
    closed.location.save()
    assert [level.ingredient.name for level in low_stock()] == ["Milk", "Ice", "Tea"]
    assert [level.ingredient.name for level in low_stock(location=closed.location)] == []
