"""Lots: what expires first leaves first, what has expired is not sold, and the lots always sum to the level."""

import datetime
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone

from foundation.errors import InvalidInput
from inventory.errors import InsufficientStock, Unavailable
from inventory.lot_selectors import lots_that_differ_from_their_level
from inventory.models import Ingredient, StockLevel, StockLot, StockMovement
from inventory.services.ingredients import change_ingredient
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, transfer_stock, write_off_stock
from orders.pricing import OrderLine
from tests.rest import Rest
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db

TODAY = datetime.date(2026, 3, 14)
NOON = datetime.datetime(2026, 3, 14, 12, tzinfo=datetime.UTC)


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def milk(shop: Shop) -> Ingredient:
    return Ingredient.objects.create(name="Milk", unit="ml", tracks_expiry=True)


def receive(shop: Shop, milk: Ingredient, *lots: tuple, at: datetime.datetime = NOON) -> None:
    """Each lot is (quantity, days it keeps, unit cost)."""
    receive_stock(
        location=shop.location,
        lines=[
            StockLine(milk.pk, Decimal(quantity), Decimal(cost), expires_on=TODAY + datetime.timedelta(days=days))
            for quantity, days, cost in lots
        ],
        created_by_id=None,
        at=at,
    )


def lots(shop: Shop) -> list[tuple[str, Decimal]]:
    """(last good day or "undated", quantity) of the location's lots that hold something, the first to expire first."""
    return [
        (
            str((lot.expires_at - datetime.timedelta(seconds=1)).date()) if lot.expires_at else "undated",
            lot.quantity,
        )
        for lot in StockLot.objects.filter(location=shop.location, quantity__gt=0).order_by("expires_at", "id")
    ]


def test_each_date_is_a_lot_and_the_same_date_is_the_same_lot(shop, milk):
    receive(shop, milk, (1000, 7, "0.05"), (500, 2, "0.04"))
    receive(shop, milk, (250, 7, "0.06"))
    assert lots(shop) == [("2026-03-16", 500), ("2026-03-21", 1250)]
    assert shop.quantity(milk) == 1750


def test_what_expires_first_is_sold_first_and_the_ledger_names_the_lots(shop, milk):
    receive(shop, milk, (1000, 7, "0.05"), (500, 2, "0.05"))
    latte = shop.product("Latte", recipe={milk: 200})

    order = shop.sell(latte, 3, at=NOON)

    assert lots(shop) == [("2026-03-21", 900)]
    sold = StockMovement.objects.filter(document_type="order", document_id=str(order.pk)).order_by("id")
    assert [(one.lot.expires_at.date(), one.delta, one.value) for one in sold] == [
        (datetime.date(2026, 3, 17), Decimal(-500), Decimal("-25")),
        (datetime.date(2026, 3, 22), Decimal(-100), Decimal("-5")),
    ]
    assert {one.line_id for one in sold} == {str(order.items.get().pk)}


def test_two_lines_share_a_lot_at_its_border(shop, milk):
    receive(shop, milk, (300, 2, "0.05"), (1000, 7, "0.05"))
    small, large = shop.product("Small", recipe={milk: 200}), shop.product("Large", recipe={milk: 400})
    order = shop.place(OrderLine(small.pk, 1), OrderLine(large.pk, 1), at=NOON)

    first, second = order.items.order_by("pk")
    rows = StockMovement.objects.filter(document_type="order").values_list("line_id", "delta")
    assert sorted(rows) == [(str(first.pk), -200), (str(second.pk), -300), (str(second.pk), -100)]
    assert lots(shop) == [("2026-03-21", 700)]


def test_a_cancelled_order_goes_back_to_the_lots_it_came_from(shop, milk):
    receive(shop, milk, (300, 2, "0.05"), (1000, 7, "0.05"))
    order = shop.sell(shop.product("Latte", recipe={milk: 200}), 2, at=NOON)
    assert lots(shop) == [("2026-03-21", 900)]
    shop.cancel(order)
    assert lots(shop) == [("2026-03-16", 300), ("2026-03-21", 1000)]


def test_a_wasted_order_leaves_the_other_lots_alone(shop, milk):
    receive(shop, milk, (300, 2, "0.05"), (1000, 7, "0.05"))
    order = shop.sell(shop.product("Latte", recipe={milk: 200}), 2, at=NOON)
    shop.cancel(order, restock=False)
    assert lots(shop) == [("2026-03-21", 900)]
    assert_levels_are_what_the_ledger_sums_to()


def test_an_expired_lot_is_not_sold(shop, milk):
    """Two litres stand there, one of them is past its date: only the other one is sold."""
    receive(shop, milk, (1000, 0, "0.05"), (1000, 7, "0.05"))
    latte = shop.product("Latte", recipe={milk: 400})
    tomorrow = NOON + datetime.timedelta(days=1)

    shop.sell(latte, 2, at=tomorrow)
    assert lots(shop) == [("2026-03-14", 1000), ("2026-03-21", 200)]

    with pytest.raises(Unavailable) as refused:
        shop.sell(latte, 1, at=tomorrow)
    assert refused.value.extra["shortages"] == [
        {
            "ingredient": milk.pk,
            "name": "Milk",
            "needed": "400.000",
            "available": "200.000",
            "unit": "ml",
            "expired": "1000.000",
        }
    ]
    assert "200 there, 1000 expired" in refused.value.detail
    assert lots(shop) == [("2026-03-14", 1000), ("2026-03-21", 200)]


def test_nor_by_who_may_sell_below_the_minimum(shop, milk):
    receive(shop, milk, (1000, 0, "0.05"))
    latte = shop.product("Latte", recipe={milk: 400})
    with pytest.raises(InsufficientStock, match="400 ml needed, 0 there, 1000 expired"):
        shop.sell(latte, 1, at=NOON + datetime.timedelta(days=1), allow_below_minimum=True)
    assert lots(shop) == [("2026-03-14", 1000)]


def test_the_last_good_day_ends_with_the_locations_day(shop, milk):
    receive(shop, milk, (1000, 0, "0.05"))
    latte = shop.product("Latte", recipe={milk: 400})
    midnight = datetime.datetime(2026, 3, 15, tzinfo=datetime.UTC)
    shop.sell(latte, 1, at=midnight - datetime.timedelta(microseconds=1))
    with pytest.raises(Unavailable):
        shop.sell(latte, 1, at=midnight)


def test_a_write_off_takes_what_has_expired_first_or_the_lot_that_it_names(shop, milk):
    receive(shop, milk, (1000, 0, "0.05"), (1000, 7, "0.05"))
    fresh = StockLot.objects.order_by("expires_at").last()
    line = StockLine(milk.pk, Decimal(300))
    write_off_stock(location=shop.location, lines=[line], reason="spoilage", created_by_id=None)
    assert lots(shop) == [("2026-03-14", 700), ("2026-03-21", 1000)]
    named = StockLine(milk.pk, Decimal(300), lot_id=fresh.pk)
    write_off_stock(location=shop.location, lines=[named], reason="breakage", created_by_id=None)
    assert lots(shop) == [("2026-03-14", 700), ("2026-03-21", 700)]


def test_a_named_lot_that_does_not_cover_it_is_refused_though_the_level_would(shop, milk):
    receive(shop, milk, (1000, 0, "0.05"), (1000, 7, "0.05"))
    lot = StockLot.objects.order_by("expires_at").first()
    line = StockLine(milk.pk, Decimal("1000.001"), lot_id=lot.pk)
    with pytest.raises(InsufficientStock) as caught:
        write_off_stock(location=shop.location, lines=[line], reason="spoilage", created_by_id=None)
    assert caught.value.detail == "Not enough in stock. Milk: 1000.001 ml needed of a lot that holds 1000."
    [shortage] = caught.value.extra["shortages"]
    assert (shortage["lot"], shortage["needed"], shortage["available"]) == (lot.pk, "1000.001", "1000.000")
    harbour = Shop.open("Harbour")
    with pytest.raises(InsufficientStock) as caught:
        transfer_stock(
            source=shop.location,
            destination=harbour.location,
            lines=[line, StockLine(milk.pk, Decimal(1))],
            created_by_id=None,
        )
    assert caught.value.detail == "Not enough in stock. Milk: 1000.001 ml needed of a lot that holds 1000."
    assert lots(shop) == [("2026-03-14", 1000), ("2026-03-21", 1000)]
    assert lots(harbour) == []


def test_a_transfer_carries_dates_codes_and_values(shop, milk):
    harbour = Shop.open("Harbour")
    receive(shop, milk, (1000, 2, "0.05"), (1000, 7, "0.07"))
    transfer_stock(
        source=shop.location,
        destination=harbour.location,
        lines=[StockLine(milk.pk, Decimal(1500))],
        created_by_id=None,
    )
    assert lots(shop) == [("2026-03-21", 500)]
    assert lots(harbour) == [("2026-03-16", 1000), ("2026-03-21", 500)]
    there, here = (milk.stock_levels.get(location=one.location) for one in (harbour, shop))
    assert (here.value, there.value) == (Decimal(30), Decimal(90))
    assert_levels_are_what_the_ledger_sums_to()


def test_what_comes_back_without_a_lot_stands_in_the_undated_one(shop):
    """Sold before the ingredient had dates, cancelled after."""
    milk = shop.ingredient("Milk", "ml", stock=1000)
    order = shop.sell(shop.product("Latte", recipe={milk: 200}))
    Ingredient.objects.filter(pk=milk.pk).update(tracks_expiry=True)
    StockLot.objects.create(location=shop.location, ingredient=milk, quantity=800)
    shop.cancel(order)
    assert lots(shop) == [("undated", 1000)]


@pytest.mark.parametrize("dated_when_sold", [False, True])
def test_dates_switched_while_an_order_is_taken_back_in_parts_give_nothing_back_twice(shop, dated_when_sold):
    """One of three lattes comes back to another lot than it came from; the rest is what is left, not all three."""
    milk = Ingredient.objects.create(name="Milk", unit="ml", tracks_expiry=dated_when_sold)
    first, second = (
        {"expires_on": TODAY + datetime.timedelta(days=days)} if dated_when_sold else {} for days in (2, 3)
    )
    receive_stock(
        location=shop.location,
        lines=[StockLine(milk.pk, Decimal(300), value=Decimal(10), **first)],
        created_by_id=None,
        at=NOON,
    )
    receive_stock(
        location=shop.location,
        lines=[StockLine(milk.pk, Decimal(700), value=Decimal(90), **second)],
        created_by_id=None,
        at=NOON,
    )
    order = shop.sell(shop.product("Latte", recipe={milk: 150}), 3, at=NOON)

    change_ingredient(ingredient_id=milk.pk, changes={"tracks_expiry": not dated_when_sold})
    shop.cancel_part(order, 1)
    assert shop.quantity(milk) == 700
    shop.cancel_part(order, 1, restock=False)
    assert shop.quantity(milk) == 700
    shop.cancel(order)

    level = StockLevel.objects.get(ingredient=milk)
    # 150 ml of the second latte were wasted, at the average.
    assert (level.quantity, level.value) == (Decimal(850), Decimal(85))
    held = StockMovement.objects.filter(document_type="order", reason__in=["sale", "cancellation"])
    assert held.aggregate(delta=Sum("delta"), value=Sum("value")) == {"delta": 0, "value": 0}
    assert_levels_are_what_the_ledger_sums_to()
    assert lots_that_differ_from_their_level() == []


def test_the_undated_lot_is_used_first_and_never_expires(shop, milk):
    StockLot.objects.create(location=shop.location, ingredient=milk, quantity=0)
    Ingredient.objects.filter(pk=milk.pk).update(tracks_expiry=False)
    shop.receive({milk: 100})
    StockLot.objects.update(quantity=100)
    Ingredient.objects.filter(pk=milk.pk).update(tracks_expiry=True)
    receive(shop, milk, (1000, 0, "0.05"))
    shop.sell(shop.product("Drop", recipe={milk: 10}), 9, at=NOON)
    assert lots(shop) == [("2026-03-14", 1000), ("undated", 10)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({}, "Say until when Milk keeps."),
        ({"expires_on": TODAY - datetime.timedelta(days=1)}, "Milk has expired already."),
    ],
)
def test_a_receipt_without_a_sensible_date_is_refused_at_its_line(shop, milk, line, sentence):
    with pytest.raises(InvalidInput) as refused:
        receive_stock(
            location=shop.location, lines=[StockLine(milk.pk, Decimal(1), **line)], created_by_id=None, at=NOON
        )
    assert list(refused.value.errors) == ["lines[0].expires_on"]
    assert refused.value.errors["lines[0].expires_on"][0].startswith(sentence)
    assert not StockMovement.objects.exists()


def test_a_date_for_what_has_none_is_refused(shop):
    sugar = shop.ingredient("Sugar")
    with pytest.raises(InvalidInput) as refused:
        receive_stock(
            location=shop.location, lines=[StockLine(sugar.pk, Decimal(1), expires_on=TODAY)], created_by_id=None
        )
    assert "Sugar has no expiry date" in refused.value.errors["lines[0].expires_on"][0]


def test_without_a_date_the_shelf_life_counts_from_the_receipt(shop, milk):
    Ingredient.objects.filter(pk=milk.pk).update(shelf_life_hours=36)
    now = timezone.now()
    receive_stock(location=shop.location, lines=[StockLine(milk.pk, Decimal(1))], created_by_id=None, at=now)
    assert StockLot.objects.get().expires_at == now + datetime.timedelta(hours=36)


def test_a_lot_of_another_place_or_ingredient_is_refused_at_its_line(shop, milk):
    harbour = Shop.open("Harbour")
    receive(harbour, milk, (1000, 7, "0.05"))
    receive(shop, milk, (1000, 7, "0.05"))
    elsewhere = StockLot.objects.get(location=harbour.location)
    line = StockLine(milk.pk, Decimal(1), lot_id=elsewhere.pk)
    with pytest.raises(InvalidInput) as refused:
        write_off_stock(location=shop.location, lines=[line], reason="spoilage", created_by_id=None)
    assert list(refused.value.errors) == ["lines[0].lot"]
    assert (lots(shop), lots(harbour)) == ([("2026-03-21", 1000)], [("2026-03-21", 1000)])


def test_over_rest_a_receipt_names_its_date_and_a_write_off_its_lot(shop, milk):
    manager = Rest.of("manager")
    body = {"lines": [{"ingredient": milk.pk, "quantity": "1000", "paid": "49.99"}]}
    manager.refused("post", "stock/receive/", body, status=400, kind="invalid", at="lines[0].expires_on")
    body["lines"][0] |= {"expires_on": str(shop.location.today()), "lot_code": "L-7"}
    (received,) = manager.post("stock/receive/", body)["movements"]
    lot = StockLot.objects.get()
    assert (received["value"], received["lot"], lot.code) == ("49.990000", lot.pk, "L-7")
    thrown = {"lines": [{"ingredient": milk.pk, "quantity": "400", "lot": lot.pk}], "reason": "spoilage"}
    assert manager.post("stock/write-off/", thrown)["movements"][0]["value"] == "-19.996000"
    lot.refresh_from_db()
    assert lot.quantity == 600
