"""One line of an order comes back after it was paid in two ways: every coin, point and gram is accounted for."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Category, Ingredient, Location
from orders.models import Customer, LoyaltyEntry, LoyaltyProgram, LoyaltyTier, Order, PromoCode, Refund, Shift
from orders.pricing import OrderLine
from orders.services.transitions import complete_order
from tests.journeys.conftest import OpenPage, sign_in
from tests.orders.money import assert_money_adds_up, now, open_till, pay
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(tea_bar: Location) -> Shop:
    return Shop(tea_bar, Category.objects.all()[0])


@pytest.fixture
def till(shop: Shop) -> Shift:
    return open_till(shop, opening_float=500)


@pytest.fixture
def order(shop: Shop, till: Shift) -> Order:
    """Two teas at 60 and a milk tea at 80, ten percent less: 180. First 120 in cash, then 60 by card. It has earned
    18 points."""
    LoyaltyProgram.objects.create(is_active=True)
    LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=10)
    PromoCode.objects.create(code="HELLO10", kind="percent", value=10)
    milk = shop.ingredient("Milk", "ml", stock=1000)
    lines = [
        OrderLine(shop.product("Plain tea", "60.00", {shop.ingredient("Tea", "ml", stock=1000): 300}).pk, 2),
        OrderLine(shop.product("Milk tea", "80.00", {milk: 200}).pk, 1),
    ]
    order = shop.place(*lines, customer_id=Customer.objects.create(name="Nina").pk, promo_code="HELLO10")
    pay(order, "120", "cash", tendered="150")
    pay(order, "60", "card", reference="4711")
    complete_order(order_id=order.pk, actor=NOBODY)
    return now(order)


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def ask_for_both_teas(page: Page) -> None:
    """Opens the dialog on the order's page and fills it in."""
    page.locator(".ord-money [data-opens-dialog]", has_text="Refund").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("฿180 can be paid back, the way it came.")
    dialog.get_by_label("Plain tea · ฿108").fill("2")
    dialog.get_by_label("Return to stock").check()
    dialog.get_by_label("Reason").fill("Never touched")
    fits(page)


def balance() -> int:
    return Customer.objects.get().points


def test_a_line_is_paid_back_once_the_way_it_came_and_the_till_is_right_in_the_evening(
    open_page: OpenPage, manager: User, shop: Shop, till: Shift, order: Order
) -> None:
    tea = Ingredient.objects.get(name="Tea")
    assert (order.total, order.paid, order.status, balance(), shop.quantity(tea)) == (180, 180, "completed", 18, 400)
    desk, other = open_page(), open_page(width=360, height=740)
    for page in (desk, other):
        sign_in(page, manager)
        page.goto(f"/admin/orders/order/{order.pk}/change/")
        ask_for_both_teas(page)

    desk.locator("dialog[open] button[type=submit]").click()

    expect(desk.get_by_text(f"฿108 of #{order.number} paid back.")).to_be_visible()
    expect(desk.locator(".ord-head-total")).to_have_text("฿72")
    expect(desk.locator(".ord-money")).to_contain_text("Refund: card ฿60, cash ฿48")
    fits(desk)
    refund = Refund.objects.get()
    # 120 less ten percent: the card first, as it was the last to pay, and the rest of it in cash.
    assert (refund.amount, refund.withheld, refund.reason, refund.is_restocked) == (108, 0, "Never touched", True)
    assert [
        (part.payment.method, part.amount, part.shift) for part in refund.parts.select_related("payment").order_by("pk")
    ] == [("card", 60, till), ("cash", 48, till)]
    after = now(order)
    assert (after.subtotal, after.discount, after.total, after.paid) == (80, 8, 72, 72)
    assert [(item.remaining, item.total, item.net) for item in after.items.order_by("pk")] == [(0, 0, 0), (1, 80, 72)]
    # 72 of 180 are left, and of 18 points 7.
    entries = LoyaltyEntry.objects.order_by("pk").values_list("kind", "points")
    assert (list(entries), balance()) == ([("earned", 18), ("reversed", -11)], 7)
    assert shop.ledger(tea) == [("receipt", 1000), ("sale", -600), ("cancellation", 600)]

    # The other window still shows what it was asked before.
    other.locator("dialog[open] button[type=submit]").click()
    expect(other.get_by_text("Plain tea: taken back already.")).to_be_visible()
    fits(other)
    assert (Refund.objects.count(), now(order).paid, balance(), shop.quantity(tea)) == (1, 72, 7, 1000)

    desk.goto(f"/admin/orders/shift/{till.pk}/change/")
    desk.locator("[data-opens-dialog]", has_text="Close the shift").click()
    dialog = desk.locator("dialog[open]")
    # 500 in the morning, 120 for the teas, 48 of them back.
    expect(dialog).to_contain_text("฿572 should be in the till.")
    dialog.get_by_label("Counted cash").fill("572")
    dialog.locator("button[type=submit]").click()
    expect(desk.get_by_text("is closed.")).to_be_visible()
    fits(desk)
    till.refresh_from_db()
    assert (till.expected, till.counted, till.difference) == (Decimal(572), Decimal(572), Decimal(0))
    assert_money_adds_up()
    assert_levels_are_what_the_ledger_sums_to()
