"""Milk is ordered, comes at another price than the last, is counted, and the latte costs more than before."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import (
    Ingredient,
    Location,
    Product,
    PurchaseOrder,
    StockCount,
    StockDocument,
    StockLevel,
    StockMovement,
    SupplierPack,
)
from inventory.services.shelves import add_shelf
from tests.inventory.deliveries import Deliveries
from tests.inventory.kitchen import assert_in_order
from tests.journeys.conftest import OpenPage, sign_in
from tests.shop import Shop
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def milk(tea_bar: Location) -> Ingredient:
    """A litre of fresh milk at 0.04 for a millilitre, on a shelf of its own; a dairy sells cases of 12 l."""
    milk = Ingredient.objects.get(name="Fresh milk")
    shop = Shop(tea_bar, Product.objects.get(name="Matcha Latte").category)
    shop.receive({milk: 1000}, unit_cost="0.04")
    add_shelf(location=tea_bar, name="Fridge", ingredient_ids=[milk.pk])
    Deliveries(shop, "Green Dairy").pack(milk, "12000", "600.00", name="case of 12 × 1 l")
    return milk


def fits_the_phone(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def expect_cost(page: Page, product: Product, cost: str) -> None:
    """What the product's page says that one portion costs. Of the other ingredients nobody knows what they cost."""
    page.goto(f"/admin/inventory/product/{product.pk}/change/")
    expect(page.locator("#product-costs [data-cell=cost]").first).to_have_text(f"at least ฿{cost}")


def test_milk_is_ordered_received_and_counted_on_a_phone_and_the_latte_costs_more(
    open_page: OpenPage, manager: User, tea_bar: Location, milk: Ingredient
) -> None:
    latte = Product.objects.get(name="Matcha Latte")
    desk, phone = open_page(), open_page(**PHONE)
    sign_in(desk, manager)
    sign_in(phone, manager)
    # 230 ml of milk are in a latte.
    expect_cost(desk, latte, "9.20")

    # At the desk: a draft for two cases, and it is sent.
    desk.goto("/admin/inventory/purchaseorder/")
    desk.locator(".sv-bar").get_by_role("link", name="New purchase order").click()
    desk.get_by_role("link", name="Green Dairy").click()
    desk.locator("#id_lines-0-pack_search").fill("case")
    desk.locator("li[role=option]", has_text="case of 12").click()
    desk.locator("#id_lines-0-packs").fill("2")
    desk.get_by_role("button", name="Save the draft").click()
    expect(desk.get_by_text("Drafted: PO-")).to_be_visible()
    order = PurchaseOrder.objects.get()
    assert order.status == "draft"
    desk.get_by_role("button", name="Mark as ordered").click()
    expect(desk.get_by_text("is ordered.")).to_be_visible()

    # At the back door, on a phone: both cases came, at 630 and not at 600.
    phone.goto("/admin/inventory/purchaseorder/")
    assert fits_the_phone(phone)
    phone.goto(f"/admin/inventory/purchaseorder/{order.pk}/change/")
    assert fits_the_phone(phone)
    phone.get_by_role("link", name="Receive the delivery").click()
    line = phone.locator("[data-line]").first
    expect(line.get_by_label("Came")).to_have_value("2")
    assert fits_the_phone(phone)
    line.get_by_label("Price of a pack").fill("630")
    phone.get_by_label("Delivery note").fill("L-77")
    phone.get_by_role("button", name="Receive").last.click()
    expect(phone.get_by_text("Received: ")).to_be_visible()
    assert fits_the_phone(phone)

    # In front of the fridge: half a litre is missing.
    phone.goto("/admin/inventory/stockcount/")
    phone.get_by_role("link", name="Start a count").click()
    phone.get_by_role("radio", name="Fridge").check()
    phone.get_by_role("button", name="Start counting").click()
    phone.wait_for_url("**/count/")
    counted = phone.locator(f"[data-line='{milk.pk}']")
    counted.get_by_role("textbox").fill("24.5 l")
    counted.get_by_role("textbox").press("Enter")
    expect(counted).to_contain_text("24,500")
    phone.get_by_role("link", name="Finish counting").click()
    phone.get_by_role("button", name="Finish counting").click()
    count = StockCount.objects.get()
    phone.wait_for_url(f"**/stockcount/{count.pk}/**")
    assert fits_the_phone(phone)
    row = phone.get_by_role("row", name="Fresh milk")
    expect(row).to_contain_text("−500 ml")
    expect(row).to_contain_text("−฿26")
    phone.get_by_role("link", name="Post the differences").click()
    phone.locator("dialog[open]").get_by_role("button", name="Post the differences").click()
    expect(phone.get_by_text("Posted: ")).to_be_visible()

    expect_cost(desk, latte, "11.96")
    expect_cost(phone, latte, "11.96")
    assert fits_the_phone(phone)

    level = StockLevel.objects.get(location=tea_bar, ingredient=milk)
    # 1,000 ml for 40 and 24,000 ml for 1,260 are 0.052 for one; half a litre of it is gone.
    assert (level.quantity, level.value, level.average_cost) == (24_500, Decimal(1274), Decimal("0.052"))
    assert list(
        StockMovement.objects.filter(ingredient=milk).order_by("id").values_list("reason", "delta", "value")
    ) == [("receipt", 1000, 40), ("receipt", 24_000, 1260), ("count", -500, -26)]
    order = PurchaseOrder.objects.get()
    assert (order.status, order.lines.get().received_quantity) == ("received", 24_000)
    receipt = StockDocument.objects.get(purchase_order=order)
    assert (receipt.delivery_note, receipt.created_by) == ("L-77", manager)
    assert SupplierPack.objects.get().price == Decimal("630.00")
    count = StockCount.objects.get()
    assert (count.status, count.posted_by) == ("posted", manager)
    assert_in_order()
