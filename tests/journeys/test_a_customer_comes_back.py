"""A stranger becomes a regular: finds a drink, makes an account, orders, collects points and drinks them up."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Ingredient, Location, StockMovement
from orders.models import (
    Customer,
    LoyaltyEntry,
    LoyaltyProgram,
    LoyaltyTier,
    Order,
    PromoCode,
    PromoRedemption,
    Promotion,
)
from tests.journeys.conftest import OpenPage, sign_in
from tests.orders.money import assert_money_adds_up, now
from tests.shop import assert_levels_are_what_the_ledger_sums_to
from tests.users.letters import delivered, link_in
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

EMAIL = "nina@example.com"
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def offers(tea_bar: Location) -> None:
    """Every second drink at half price, a code for newcomers, ten points for every hundred."""
    Promotion.objects.create(name="Second drink at half price", kind="percent", value=50, every=2)
    PromoCode.objects.create(code="HELLO10", kind="percent", value=10, per_customer_limit=1)
    LoyaltyProgram.objects.create(is_active=True, point_value=Decimal("0.50"))
    LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=10)


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def choose(page: Page, drink: str, *options: str, more: int = 0) -> None:
    """Puts a drink of the menu into the cart from its sheet."""
    page.locator(".product-link", has_text=drink).first.click()
    sheet = page.locator("#sheet")
    for option in options:
        sheet.locator("label.option", has_text=re.compile(rf"^{option}(?![a-z])")).click()
    for _time in range(more):
        sheet.get_by_role("button", name="One more").click()
    sheet.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text(f"{drink} is in your cart.")).to_be_visible()


def expect_sums(page: Page, *rows: str) -> None:
    """What the cart or the receipt adds up, a line for each."""
    expect(page.locator(".sums > div")).to_have_text(list(rows), use_inner_text=True)


def sign_up(page: Page) -> None:
    """From the cart by e-mail and back to it."""
    page.get_by_role("link", name="Sign in to order").click()
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Name").fill("Nina")
    page.locator("input[name=password1]").fill("Kettle-on-the-boil-42")
    fits(page)
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    page.goto(link_in(delivered()[0]))
    page.get_by_role("button", name="Yes, confirm it").click()
    page.wait_for_url("**/cart/")


def at_the_counter(page: Page, verb: str) -> None:
    page.locator(".card", has_text="Nina").get_by_role("button", name=verb).click()


def five_seconds_later(page: Page) -> None:
    """The page's own clock goes on, so that nobody waits for its next question."""
    page.clock.fast_forward(5_000)


def test_a_stranger_orders_earns_points_and_pays_with_them(
    open_page: OpenPage, barista: User, tea_bar: Location, offers: None
) -> None:
    page, counter = open_page(**PHONE), open_page(1280, 800)
    page.clock.install()

    page.goto("/")
    fits(page)
    page.get_by_label("Search the menu").fill("jasmin gren tee")
    expect(page.locator("#shelves")).to_contain_text("jasmin gren tee")
    choose(page, "Jasmine Green Tea", "L", "Tapioca pearls", more=1)
    expect(page.locator("#cart-count")).to_have_text("2")
    page.get_by_role("link", name="Cart").click()
    # 45, 15 for the large cup, 10 for the pearls; the second one costs half.
    expect_sums(page, "Sum ฿140", "Second drink at half price −฿35", "Total ฿105")
    fits(page)
    sign_up(page)
    expect(page.get_by_label("How many Jasmine Green Tea")).to_have_value("2")
    page.get_by_label("Promo code").fill("hello10")
    page.get_by_label("Promo code").press("Tab")
    order_button = page.get_by_role("button", name="Order for ฿94.50")
    expect(order_button).to_be_enabled()
    expect_sums(page, "Sum ฿140", "Second drink at half price −฿35", "Promo code HELLO10 −฿10.50", "Total ฿94.50")
    assert not Order.objects.exists()
    fits(page)
    order_button.click()

    expect(page.get_by_text("is placed: ฿94.50. Pay when you pick it up.")).to_be_visible()
    fits(page)
    order = Order.objects.get()
    nina = Customer.objects.get()
    assert (order.subtotal, order.discount, order.total) == (140, Decimal("45.50"), Decimal("94.50"))
    assert (order.customer, order.channel, nina.email) == (nina, "web", EMAIL)
    redemption = PromoRedemption.objects.get()
    assert (redemption.order_id, redemption.amount) == (order.pk, Decimal("10.50"))

    # On the profile the order goes along by itself.
    page.get_by_role("link", name="Profile").first.click()
    active = page.locator("#active-orders")
    expect(active.get_by_role("heading")).to_have_text("We have your order")
    fits(page)
    sign_in(counter, barista)
    counter.goto("/counter/")
    for verb, sentence in (("Prepare", "It is being made"), ("Ready", "Ready: come and get it")):
        at_the_counter(counter, verb)
        five_seconds_later(page)
        expect(active.get_by_role("heading")).to_have_text(sentence)
    at_the_counter(counter, "Hand over")
    expect(counter.locator("#pay-due")).to_have_text("฿94.50")
    counter.locator("[data-pays=card]").click()
    expect(counter.locator(".card")).to_have_count(0)
    five_seconds_later(page)
    # A tenth of 94.50, in whole points.
    expect(page.locator("p.points")).to_have_text("9")
    expect(active.get_by_role("heading")).to_have_count(0)
    assert (now(order).status, now(order).paid) == ("completed", Decimal("94.50"))
    fits(page)

    # The next day: the same again, and the points pay for what they are worth.
    page.get_by_role("link", name="Menu").or_(page.locator(".brand")).first.click()
    choose(page, "Jasmine Green Tea", "L", "Tapioca pearls")
    page.get_by_role("link", name="Cart").click()
    page.get_by_label("Pay with points").fill("10")
    page.get_by_label("Pay with points").press("Tab")
    expect(page.get_by_text("You have 9 points.")).to_be_visible()
    expect_sums(page, "Total ฿70")
    page.get_by_label("Promo code").fill("HELLO10")
    page.get_by_label("Pay with points").fill("9")
    page.get_by_label("Pay with points").press("Tab")
    expect(page.locator(".cart-order .error")).to_have_text(["HELLO10 has been used as often as one customer may."])
    page.get_by_label("Promo code").fill("")
    page.get_by_label("Promo code").press("Tab")
    expect(page.locator(".cart-order .error")).to_have_count(0)
    expect_sums(page, "Sum ฿70", "9 points −฿4.50", "Total ฿65.50")
    fits(page)
    page.get_by_role("button", name="Order for ฿65.50").click()
    expect(page.get_by_text("is placed: ฿65.50.")).to_be_visible()

    again = Order.objects.latest("pk")
    nina.refresh_from_db()
    assert (again.total, again.discount) == (Decimal("65.50"), Decimal("4.50"))
    assert (again.points_redeemed, nina.points) == (9, 0)
    assert list(LoyaltyEntry.objects.order_by("pk").values_list("kind", "points", "order_id")) == [
        ("earned", 9, order.pk),
        ("redeemed", -9, again.pk),
    ]
    assert PromoRedemption.objects.count() == 1
    # Three large ones with 50 g of pearls each.
    pearls = StockMovement.objects.filter(ingredient=Ingredient.objects.get(name="Tapioca pearls"), reason="sale")
    assert sum(pearls.values_list("delta", flat=True)) == -150
    assert_money_adds_up()
    assert_levels_are_what_the_ledger_sums_to()
