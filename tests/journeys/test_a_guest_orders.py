"""A guest on a phone: searches with a mistake, chooses, signs in at the cart, orders, waits, sees the points."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from inventory.models import Location
from orders.models import LoyaltyProgram, LoyaltyTier, Order
from orders.services.transitions import complete_order, prepare_order
from tests.journeys.conftest import PASSWORD, OpenPage
from tests.shop import NOBODY, user_of

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_guest_finds_a_drink_orders_it_and_waits_for_it(tea_bar: Location, open_page: OpenPage) -> None:
    user = user_of("customer")
    LoyaltyProgram.objects.create(is_active=True)
    LoyaltyTier.objects.create(name="Leaf", spending_from=0, points_per_hundred=10)
    page = open_page(width=360, height=740)
    page.goto("/")
    page.get_by_label("Search the menu").fill("golden bubbel milk")
    expect(page.locator(".found")).to_contain_text("golden bubble milk")
    page.get_by_role("link", name=re.compile("^Golden Bubble Milk Tea")).click()
    sheet = page.locator("#sheet")
    sheet.get_by_role("radio", name="L +฿15").check()
    expect(sheet.locator("#product-price")).to_contain_text("฿85")
    sheet.get_by_role("button", name="One more").click()
    expect(sheet.locator("#product-price")).to_contain_text("฿170")
    sheet.get_by_role("button", name="Add to cart").click()
    expect(sheet).to_be_hidden()
    expect(page.locator("#cart-count")).to_have_text("2")

    page.get_by_role("link", name="Cart").click()
    page.get_by_role("button", name="One less").click()
    expect(page.locator(".sum-total")).to_contain_text("฿85")
    expect(page.locator("#cart-count")).to_have_text("1")
    page.get_by_role("link", name="Sign in to order").click()
    page.get_by_label("E-mail").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Order for ฿85").click()

    expect(page.locator(".message")).to_contain_text("is placed: ฿85")
    order = Order.objects.get()
    assert (order.total, order.location) == (Decimal(85), tea_bar)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    expect(page.locator(".call")).to_contain_text(f"{order.number % 1000:03d}")
    page.get_by_role("link", name="← Profile").click()
    expect(page.get_by_role("heading", name="We have your order")).to_be_visible()

    prepare_order(order_id=order.pk, actor=NOBODY)
    expect(page.get_by_role("heading", name="It is being made")).to_be_visible()
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    expect(page.locator(".points")).to_have_text("8")
    expect(page.get_by_role("link", name=f"Order #{order.number}")).to_be_visible()
