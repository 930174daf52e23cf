"""Pearls are cooked, sold and thrown away; and a drink is sold that the stock knows nothing of."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Category, Ingredient, Location, Preparation, StockDocument, StockLevel, StockMovement
from inventory.services.lines import StockLine
from inventory.services.stock import write_off_stock
from orders.models import Order
from tests.inventory.kitchen import assert_in_order, lot_of, makes, tracked
from tests.journeys.conftest import OpenPage, sign_in
from tests.journeys.test_a_day_at_the_counter import pick, place
from tests.shop import Shop
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(tea_bar: Location) -> Shop:
    return Shop(tea_bar, Category.objects.all()[0])


@pytest.fixture
def pearls(shop: Shop) -> Ingredient:
    """Nothing is left of yesterday's. A kilogram of dry ones for 100 makes 1,500 g that keep for four hours."""
    pearls = Ingredient.objects.get(name="Tapioca pearls")
    left = shop.quantity(pearls)
    write_off_stock(location=shop.location, lines=[StockLine(pearls.pk, left)], reason="spoilage", created_by_id=None)
    dry = shop.ingredient("Dry pearls", stock=2000, unit_cost="0.10")
    return makes(shop, tracked(pearls, shelf_life_hours=4), 1500, {dry: 1000})


def fits_the_phone(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_batch_of_pearls_is_cooked_sold_from_and_the_rest_thrown_away(
    open_page: OpenPage, barista: User, shop: Shop, pearls: Ingredient
) -> None:
    page = open_page(width=360, height=740)
    sign_in(page, barista)

    page.goto("/admin/inventory/preparation/prepare/")
    assert fits_the_phone(page)
    page.locator("label", has_text="Tapioca pearls").click()
    page.get_by_label("Yield").fill("1400")
    page.get_by_role("button", name="Made").click()
    expect(page.get_by_text("Made: 1,400 g Tapioca pearls.")).to_be_visible()
    made = Preparation.objects.get()
    lot = lot_of(shop, pearls)
    assert (made.quantity, made.waste, made.created_by) == (1400, 100, barista)
    assert lot.expires_at == made.expires_at

    page.goto("/admin/orders/order/add/")
    pick(page, "Assam Black Tea", "Tapioca pearls", quantity=2)
    page.locator("#pos-bar").click()
    order = place(page)
    assert order.total == Decimal("110.00")  # two teas for 45, with pearls for 10
    assert shop.quantity(pearls) == 1300

    page.goto("/admin/inventory/stocklot/expiring/")
    assert fits_the_phone(page)
    page.get_by_role("row", name="Tapioca pearls").get_by_role("link", name="Write off").click()
    expect(page.get_by_label("Quantity")).to_have_value("1300")
    assert fits_the_phone(page)
    page.get_by_role("button", name="Write off").click()
    expect(page.get_by_text("Written off: ")).to_be_visible()

    lot.refresh_from_db()
    level = StockLevel.objects.get(location=shop.location, ingredient=pearls)
    assert (lot.quantity, level.quantity, level.value) == (0, 0, 0)
    assert StockDocument.objects.latest("pk").reason == "spoilage"
    # The batch is worth what went into it, a hundred; the last gram takes what is left of that.
    assert list(
        StockMovement.objects.filter(ingredient=pearls, lot=lot).order_by("id").values_list("reason", "delta", "value")
    ) == [
        ("preparation", 1400, 100),
        ("sale", -100, Decimal("-7.142857")),
        ("write_off", -1300, Decimal("-92.857143")),
    ]
    assert_in_order()


def test_what_the_stock_knows_nothing_of_is_sold_anyway_and_corrected(
    open_page: OpenPage, barista: User, shop: Shop
) -> None:
    milk = Ingredient.objects.get(name="Fresh milk")
    page = open_page()
    sign_in(page, barista)
    page.goto("/admin/orders/order/add/")
    page.get_by_label("Sell anyway, correct the stock").check()
    pick(page, "Matcha Latte")
    order = place(page)

    assert (order.total, order.created_by) == (Decimal("80.00"), barista)
    assert order.events.get(kind="placed").details == {"sold_anyway": True}
    assert shop.ledger(milk) == [("correction", Decimal(230)), ("sale", Decimal(-230))]
    assert shop.quantity(milk) == 0
    assert Order.objects.count() == 1
    assert_in_order()
