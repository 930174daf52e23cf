"""Counting the fridge with a phone whose connection comes and goes, while the counter goes on selling."""

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Category, Ingredient, Location, StockCount, StockCountLine, StockLevel
from inventory.services.shelves import add_shelf
from tests.journeys.conftest import OpenPage, sign_in
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

PHONE = 360


def no_wider_than_the_phone(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_shelf_is_counted_where_there_is_no_connection_and_posted(
    tea_bar: Location, barista: User, manager: User, open_page: OpenPage
) -> None:
    oats, honey, caramel = (Ingredient.objects.get(name=name) for name in ("Oat milk", "Honey", "Caramel syrup"))
    add_shelf(location=tea_bar, name="Fridge", ingredient_ids=[oats.pk, honey.pk, caramel.pk])
    phone = open_page(width=PHONE)
    sign_in(phone, barista)

    phone.goto("/admin/inventory/stockcount/")
    phone.get_by_role("link", name="Start a count").click()
    phone.get_by_role("radio", name="Fridge").check()
    phone.get_by_role("button", name="Start counting").click()
    phone.wait_for_url("**/count/")
    assert no_wider_than_the_phone(phone)
    count = StockCount.objects.get()

    # Typed on the keypad of numbers, and meant in the larger unit.
    line = phone.locator(f"[data-line='{oats.pk}']")
    line.get_by_role("button").click()
    line.get_by_role("textbox").fill("9.5")
    line.get_by_role("textbox").press("Enter")
    expect(line).to_contain_text("9,500")
    expect(phone.locator("[data-left]")).to_have_text("2")

    # In the cellar: nothing goes through; then two portions of honey are sold.
    phone.context.set_offline(True)
    waits = phone.locator(f"[data-line='{honey.pk}']")
    waits.get_by_role("textbox").fill("10 kg")
    waits.get_by_role("textbox").press("Enter")
    expect(waits).to_contain_text("not saved yet")
    expect(phone.locator("[data-trouble]")).to_contain_text("No connection. Entries that wait to be saved: 1")
    # The moment of an entry is known as exactly as a request is quick.
    phone.wait_for_timeout(2000)
    phone.get_by_role("link", name="Finish counting").click()
    assert phone.url.endswith("/count/")
    shop = Shop(tea_bar, Category.objects.all()[0])
    shop.sell(shop.product("Honey water", recipe={honey: 100}), 2)
    phone.context.set_offline(False)
    expect(waits).to_contain_text("10,000")
    expect(phone.locator("[data-trouble]")).to_be_hidden()
    noted = StockCountLine.objects.get(count=count, ingredient=honey)
    assert (noted.counted_quantity, noted.expected_quantity) == (10_000, 10_000)

    # What was typed before the page was lost is still there.
    phone.context.set_offline(True)
    lost = phone.locator(f"[data-line='{caramel.pk}']")
    lost.get_by_role("textbox").fill("9990")
    lost.get_by_role("textbox").press("Enter")
    expect(lost).to_contain_text("not saved yet")
    address = phone.url
    phone.goto("about:blank")
    phone.context.set_offline(False)
    phone.goto(address)
    expect(lost).to_contain_text("9,990")
    expect(phone.locator("[data-left]")).to_have_text("0")

    phone.get_by_role("link", name="Finish counting").click()
    phone.get_by_role("button", name="Finish counting").click()
    expect(phone.get_by_text("Now somebody reviews it.")).to_be_visible()
    assert no_wider_than_the_phone(phone)
    expect(phone.get_by_role("button", name="Post the differences")).to_have_count(0)

    desk = open_page()
    sign_in(desk, manager)
    desk.goto(f"/admin/inventory/stockcount/{count.pk}/change/?only=differences")
    expect(desk.get_by_role("row", name="Oat milk")).to_contain_text("500")
    expect(desk.get_by_role("row", name="Honey")).to_have_count(0)
    desk.get_by_role("link", name="Post the differences").click()
    desk.get_by_role("button", name="Post the differences").click()
    expect(desk.get_by_text("Posted: ")).to_be_visible()

    levels = dict(StockLevel.objects.filter(location=tea_bar).values_list("ingredient__name", "quantity"))
    assert (levels["Oat milk"], levels["Honey"], levels["Caramel syrup"]) == (9500, 9800, 9990)
    assert_levels_are_what_the_ledger_sums_to()
