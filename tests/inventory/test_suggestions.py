"""What should be ordered, from what is low."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from foundation.errors import InvalidInput
from inventory.errors import ChangedMeanwhile, ClosedLocation
from inventory.models import Ingredient, PreparationRecipe, PurchaseOrder, StockLevel, Supplier, SupplierPack
from inventory.purchasing_selectors import suggest_purchase_orders
from inventory.services.lines import StockLine
from inventory.services.purchasing import OrderedLine, cancel_purchase_order, order_purchase_order
from inventory.services.reordering import draft_suggested
from inventory.services.stock import write_off_stock
from tests.inventory.deliveries import Deliveries, everything
from tests.inventory.kitchen import dated
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def dairy(shop: Shop) -> Deliveries:
    return Deliveries(shop)


def suggested(shop: Shop, **more) -> dict[str, list[tuple[str, Decimal]]]:
    """{supplier: [(ingredient, packs)]}"""
    return {
        order.supplier.name: [(line.need.ingredient.name, line.packs) for line in order.lines]
        for order in suggest_purchase_orders(location=shop.location, **more).orders
    }


def test_what_nobody_used_is_filled_up_to_twice_its_minimum(shop, dairy):
    tea = shop.ingredient("Tea", stock=100, minimum=1000)
    dairy.pack(tea, 700, "10.00")

    suggestions = suggest_purchase_orders(location=shop.location)

    [order] = suggestions.orders
    [line] = order.lines
    assert (line.need.quantity, line.packs, line.quantity) == (1900, 3, 2100)
    assert (line.total, order.total) == (30, 30)
    assert suggestions.unsupplied == []


def test_what_is_used_is_filled_up_for_a_week_at_the_pace_of_four(shop, dairy):
    milk = shop.ingredient("Milk", "ml", stock=5000, minimum=2000)
    latte = shop.product("Latte", recipe={milk: 400})
    for _ in range(10):
        shop.sell(latte, allow_below_minimum=True)
    shop.cancel(shop.sell(latte, allow_below_minimum=True))
    dairy.pack(milk, 1000, "50")

    [line] = suggest_purchase_orders(location=shop.location).orders[0].lines

    # 4,000 ml in four weeks are 1,000 a week: up to 3,000 with 1,000 there.
    assert (line.need.used, line.need.there) == (4000, 1000)
    assert (line.need.quantity, line.packs) == (2000, 2)


def test_what_was_used_longer_ago_does_not_count(shop, dairy):
    milk = shop.ingredient("Milk", "ml", stock=5000, minimum=2000)
    shop.sell(shop.product("Latte", recipe={milk: 4000}))
    dairy.pack(milk, 1000, "50")
    [line] = suggest_purchase_orders(location=shop.location, at=timezone.now() + dt.timedelta(days=29)).orders[0].lines
    assert (line.need.used, line.need.quantity) == (0, 3000)


def test_what_is_written_off_is_not_used(shop, dairy):
    milk = shop.ingredient("Milk", "ml", stock=1000, minimum=2000)
    dairy.pack(milk, 1000, "50")
    write_off_stock(
        location=shop.location, lines=[StockLine(milk.pk, Decimal(500))], reason="breakage", created_by_id=None
    )
    [line] = suggest_purchase_orders(location=shop.location).orders[0].lines
    assert (line.need.used, line.need.there, line.need.quantity) == (0, 500, 3500)


def test_what_is_on_order_counts_and_a_draft_does_too(shop, dairy):
    milk = shop.ingredient("Milk", "ml", stock=100, minimum=1000)
    case = dairy.pack(milk, 800, "50")
    dairy.draft((case, 1))
    [line] = suggest_purchase_orders(location=shop.location).orders[0].lines
    assert (line.need.on_order, line.need.quantity, line.packs) == (800, 1100, 2)

    order = dairy.ordered((case, 1))
    assert suggested(shop) == {}

    cancel_purchase_order(order_id=order.pk)
    assert suggested(shop) == {"Dairy": [("Milk", 2)]}


def test_what_has_come_of_an_order_is_not_counted_twice(shop, dairy):
    milk = shop.ingredient("Milk", "ml", minimum=1000)
    order = dairy.ordered((dairy.pack(milk, 500, "50"), 2))
    assert suggested(shop) == {}
    dairy.receive(order, {milk: 1})
    assert suggested(shop) == {}
    dairy.receive(order, {milk: 3})
    assert shop.quantity(milk) == 2000


def test_an_order_for_another_location_does_not_count(shop, dairy):
    milk = shop.ingredient("Milk", "ml", minimum=1000)
    case = dairy.pack(milk, 5000, "50")
    harbour = Deliveries(Shop.open("Harbour"), "Other")
    harbour.supplier = dairy.supplier
    harbour.ordered((case, 1))
    assert suggested(shop) == {"Dairy": [("Milk", 1)]}


def test_the_preferred_pack_is_taken_else_the_cheapest_by_its_content(shop, dairy):
    farm = Deliveries(shop, "Farm")
    milk, tea = shop.ingredient("Milk", "ml", minimum=1000), shop.ingredient("Tea", minimum=1000)
    dairy.pack(milk, 1000, "40.00", name="bottle")
    farm.pack(milk, 5000, "500.00", name="can", is_preferred=True)
    dairy.pack(tea, 100, "5.00", name="tin")
    dairy.pack(tea, 50, name="sample")
    farm.pack(tea, 1000, "49.00", name="sack")

    assert suggested(shop) == {"Farm": [("Milk", 1), ("Tea", 2)]}

    Supplier.objects.filter(name="Farm").update(is_active=False)
    assert suggested(shop) == {"Dairy": [("Milk", 2), ("Tea", 20)]}


def test_what_nobody_sells_is_listed_apart_and_says_what_to_do(shop, dairy):
    shop.ingredient("Cinnamon", minimum=10)
    pearls = shop.ingredient("Pearls", minimum=100)
    PreparationRecipe.objects.create(ingredient=pearls, yield_quantity=1000)

    suggestions = suggest_purchase_orders(location=shop.location)

    assert suggestions.orders == []
    assert [(one.need.ingredient.name, str(one.sentence)) for one in suggestions.unsupplied] == [
        ("Cinnamon", "No supplier sells it. Add a pack to a supplier first."),
        ("Pearls", "It is made here. Prepare a batch."),
    ]


def test_an_absurd_minimum_is_ordered_as_far_as_a_line_goes(shop, dairy):
    tea = shop.ingredient("Tea", minimum=99_999_999)
    dairy.pack(tea, 700, "10.00")
    [order] = draft_suggested(location=shop.location, created_by_id=None)
    assert order.lines.get().quantity == 99_999_900


def test_suggestions_take_as_many_queries_for_300_ingredients_as_for_one(shop, dairy):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            suggest_purchase_orders(location=shop.location)
        return len(captured)

    dairy.pack(shop.ingredient("Tea", minimum=10), 700, "10.00")
    one = queries()
    ingredients = Ingredient.objects.bulk_create(Ingredient(name=f"Tea {place}", unit="g") for place in range(300))
    StockLevel.objects.bulk_create(
        StockLevel(location=shop.location, ingredient=ingredient, minimum=10) for ingredient in ingredients
    )
    SupplierPack.objects.bulk_create(
        SupplierPack(supplier=dairy.supplier, ingredient=ingredient, name="bag", quantity=100)
        for ingredient in ingredients
    )
    assert queries() == one <= 5


# --- drafts -------------------------------------------------------------------------------------------


def test_the_suggestions_become_a_draft_for_each_supplier_once(shop, dairy):
    farm = Deliveries(shop, "Farm")
    milk, tea = shop.ingredient("Milk", "ml", minimum=1000), shop.ingredient("Tea", minimum=1000)
    dairy.pack(milk, 1000, "40.00")
    farm.pack(tea, 1000, "49.00")

    orders = draft_suggested(location=shop.location, created_by_id=None)

    assert [(order.supplier.name, order.status, order.lines.get().packs) for order in orders] == [
        ("Dairy", "draft", 2),
        ("Farm", "draft", 2),
    ]
    before = everything()
    assert draft_suggested(location=shop.location, created_by_id=None) == []
    assert everything() == before


def test_a_person_changes_packs_and_numbers_and_leaves_some_out(shop, dairy):
    milk, tea = shop.ingredient("Milk", "ml", minimum=1000), shop.ingredient("Tea", minimum=1000)
    dairy.pack(milk, 1000, "40.00")
    can = dairy.pack(milk, 5000, "250.00", name="can")
    dairy.pack(tea, 1000, "49.00")

    [order] = draft_suggested(location=shop.location, lines=[OrderedLine(can.pk, Decimal(1))], created_by_id=None)

    assert list(order.lines.values_list("pack_id", "packs")) == [(can.pk, 1)]
    assert suggested(shop) == {"Dairy": [("Tea", 2)]}


def test_a_form_from_before_somebody_else_ordered_is_refused(shop, dairy):
    milk = shop.ingredient("Milk", "ml", minimum=1000)
    case = dairy.pack(milk, 5000, "40.00")
    draft_suggested(location=shop.location, created_by_id=None)
    order_purchase_order(order_id=PurchaseOrder.objects.get().pk)
    before = everything()

    with pytest.raises(ChangedMeanwhile):
        draft_suggested(location=shop.location, lines=[OrderedLine(case.pk, Decimal(1))], created_by_id=None)

    assert everything() == before


def test_what_is_wrong_is_said_at_the_line_as_it_was_sent(shop, dairy):
    farm = Deliveries(shop, "Farm")
    milk, tea = shop.ingredient("Milk", "ml", minimum=1000), shop.ingredient("Tea", minimum=1000)
    case, sack = dairy.pack(milk, 1000, "40.00"), farm.pack(tea, 1000, "49.00")
    before = everything()

    with pytest.raises(InvalidInput) as refusal:
        draft_suggested(
            location=shop.location,
            lines=[
                OrderedLine(sack.pk, Decimal(1)),
                OrderedLine(case.pk, Decimal(1)),
                OrderedLine(sack.pk, Decimal(0)),
            ],
            created_by_id=None,
        )

    assert set(refusal.value.errors) == {"lines[2].pack", "lines[2].packs"}
    assert everything() == before


def test_wrong_lines_and_closed_locations_are_refused(shop, dairy):
    milk = shop.ingredient("Milk", "ml", minimum=1000)
    case = dairy.pack(milk, 5000, "40.00")
    before = everything()
    for lines, field in (
        ([], "lines"),
        ([OrderedLine(0, Decimal(1))], "lines[0].pack"),
        ([OrderedLine(case.pk, Decimal(0))], "lines[0].packs"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            draft_suggested(location=shop.location, lines=lines, created_by_id=None)
        assert set(refusal.value.errors) == {field}
    shop.location.is_active = False
    with pytest.raises(ClosedLocation):
        draft_suggested(location=shop.location, created_by_id=None)
    assert everything() == before


def test_what_has_expired_is_not_there(shop, dairy):
    milk = dated(shop, "Milk", "ml", {-1: 900, 48: 600})
    StockLevel.objects.filter(ingredient=milk).update(minimum=1000)
    dairy.pack(milk, 1000, "50")

    [line] = suggest_purchase_orders(location=shop.location).orders[0].lines

    assert (line.need.there, line.need.quantity, line.packs) == (600, 1400, 2)
    assert suggested(shop, at=timezone.now() + dt.timedelta(hours=49)) == {"Dairy": [("Milk", 2)]}
    [drafted] = draft_suggested(location=shop.location, created_by_id=None)
    assert drafted.lines.get().packs == 2


def test_what_is_fresh_in_several_lots_is_there(shop, dairy):
    milk = dated(shop, "Milk", "ml", {24: 500, 48: 500})
    StockLevel.objects.filter(ingredient=milk).update(minimum=1000)
    dairy.pack(milk, 1000, "50")
    assert suggested(shop) == {}
    # A day later one of the two has expired.
    assert suggested(shop, at=timezone.now() + dt.timedelta(hours=25)) == {"Dairy": [("Milk", 2)]}
