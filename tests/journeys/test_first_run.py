"""From an empty database to the first sale: what an owner does on the first morning, on a phone."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from foundation.models import Shop
from foundation.shop import forget_shop
from inventory.models import Location, Product
from orders.models import Employee
from project.first_run import gate
from project.first_run.code import setup_code
from tests.journeys.conftest import OpenPage
from tests.shop import Shop as TeaBar
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def nothing_yet(transactional_db: None, settings: Any, tmp_path: Path) -> None:
    """No account, no settings, and nothing remembered of another test's."""
    settings.VAR_DIR = tmp_path
    forget_shop()
    gate.look_again()


def go_on(page: Page, button: str = "Save and go on") -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_empty_shop_is_set_up_step_by_step_until_it_sells(nothing_yet: None, open_page: OpenPage) -> None:
    page = open_page(width=360, height=800)
    page.goto("/")
    expect(page).to_have_url(re.compile("/setup/account/$"))
    page.get_by_label("Setup code").fill("AAAA-BBBB-CCCC")
    page.get_by_label("E-mail").fill("ada@shop.example")
    page.locator("input[name=password]").fill("correct horse battery 7")
    go_on(page)
    expect(page.get_by_text("This is not the setup code.")).to_be_visible()
    fits(page)
    page.get_by_label("Setup code").fill(setup_code())
    page.locator("input[name=password]").fill("correct horse battery 7")
    go_on(page)

    page.get_by_label("Name of the shop").fill("Tea & Co")
    page.get_by_label("Currency").fill("PLN")
    page.locator("li[role=option]", has_text="PLN").click()
    page.get_by_label("Time zone").fill("warsaw")
    page.locator("li[role=option]", has_text="Europe/Warsaw").click()
    fits(page)
    go_on(page)
    page.get_by_label("Name of the location").fill("Main Street")
    page.get_by_label("The day begins at").fill("04:00")
    go_on(page)

    page.locator("[name=lines-0-category]").fill("Tea")
    page.locator("[name=lines-0-name]").fill("Jasmine Green Tea")
    page.locator("[name=lines-0-price]").fill("12,50")
    fits(page)
    go_on(page, "Put these on the menu")
    expect(page.get_by_text("1 product is on the menu.")).to_be_visible()
    # What the house's recipe needs is on the shelves.
    for quantity in page.locator(".fr-stock-row input[name^=quantity]").all():
        quantity.fill("5000")
    fits(page)
    go_on(page)

    page.goto("/setup/")
    expect(page).to_have_url(re.compile("/setup/staff/$"))
    page.locator("[name=lines-0-name]").fill("Max")
    page.locator("[name=lines-0-email]").fill("max@shop.example")
    fits(page)
    go_on(page, "Make their accounts")
    password = page.locator(".fr-passwords code").inner_text()
    page.get_by_role("link", name="I have them, go on").click()
    expect(page.get_by_text("Tea & Co is set up.")).to_be_visible()
    go_on(page, "Open the shop")
    expect(page).to_have_url(re.compile("/admin/$"))
    assert "Tea & Co" in page.title()

    assert Shop.objects.get().currency == "PLN"
    assert User.objects.get(email="max@shop.example").check_password(password)
    assert Employee.objects.get().location == Location.objects.get()
    tea = Product.objects.select_related("category").get()
    bar = TeaBar(Location.objects.get(), tea.category)
    defaults = [
        group.options.order_by("-is_default", "position").first()
        for group in (link.group for link in tea.group_links.all())
        if group.min_choices
    ]
    assert str(bar.sell(tea, options=[one for one in defaults if one]).total) == "12.50"
