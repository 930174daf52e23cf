"""From an empty milk jug to the ledger: what a manager does on the first morning."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Category, Ingredient, Location, StockLevel, StockMovement
from orders.models import Order
from orders.services.payments import take_payment
from tests.journeys.conftest import OpenPage, sign_in
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def milk_left() -> Decimal:
    return StockLevel.objects.get(ingredient__name="Fresh milk").quantity


def receive_milk(page: Page, millilitres: int) -> None:
    page.get_by_role("link", name="Receive").first.click()
    page.locator("#id_lines-0-ingredient_search").fill("fresh")
    page.locator("li[role=option]", has_text="Fresh milk").click()
    page.locator("#id_lines-0-quantity").fill(str(millilitres))
    page.locator("#id_lines-0-unit_cost").fill("0.05")
    page.locator("form button[type=submit]", has_text="Receive").click()
    expect(page.get_by_text(re.compile("receipt", re.IGNORECASE)).first).to_be_visible()


def pick(page: Page, drink: str, *options: str, quantity: int = 1) -> None:
    """Puts a drink into the new order by its tile, with options beside the default ones."""
    page.get_by_label("Find a product").fill(drink)
    page.locator("#pos-grid").get_by_role("button").filter(has_text=drink).click()
    dialog = page.locator("#pos-options")
    for option in options:
        dialog.locator("label.pos-option", has_text=re.compile(rf"^{option}(?![a-z])")).click()
    dialog.get_by_label("Quantity").fill(str(quantity))
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_be_hidden()


def place(page: Page) -> Order:
    with page.expect_navigation():
        page.locator("#pos-place").click()
    expect(page.locator(".ord-head h1")).to_be_visible()
    return Order.objects.latest("pk")


def test_milk_comes_in_two_drinks_go_out_one_comes_back(open_page: OpenPage, manager: User, tea_bar: Location) -> None:
    page = open_page()
    sign_in(page, manager)

    receive_milk(page, 1000)
    assert milk_left() == Decimal(1000)

    page.goto("/admin/orders/order/add/")
    pick(page, "Matcha Latte", "Tapioca pearls")
    kept = place(page)
    assert kept.total == Decimal("90.00")  # 80 and pearls for 10
    assert milk_left() == Decimal(770)

    page.goto("/admin/orders/order/add/")
    pick(page, "Brown Sugar Black Tea Latte", "L", "Aloe vera")
    cancelled = place(page)
    assert cancelled.total == Decimal("115.00")  # 85, 15 for the large cup, 15 for the aloe
    assert milk_left() == Decimal(602)  # the recipe's 120 ml, 1.4 times as much in the large cup

    page.goto("/admin/orders/order/add/")
    pick(page, "Matcha Latte", quantity=4)
    needed = page.locator("#pos-trouble")
    expect(needed).to_contain_text("Fresh milk")
    expect(needed).to_contain_text("920")
    expect(needed).to_contain_text("602")
    assert Order.objects.count() == 2

    page.goto(f"/admin/orders/order/{cancelled.pk}/change/")
    page.locator(".ord-buttons a", has_text="Cancel the order").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Reason").fill("The guest changed their mind")
    dialog.locator("button[type=submit]").click()
    expect(page.locator(".ord-badge").first).to_have_text("cancelled")
    assert milk_left() == Decimal(770)

    page.goto(f"/admin/inventory/ingredient/{Ingredient.objects.get(name='Fresh milk').pk}/change/")
    for change in ("+1,000 ml", "−230 ml", "−168 ml", "+168 ml"):
        expect(page.get_by_role("cell", name=change, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=f"#{kept.number}", exact=True)).to_have_count(1)
    expect(page.get_by_role("link", name=f"#{cancelled.number}", exact=True)).to_have_count(2)
    assert list(
        StockMovement.objects.filter(ingredient__name="Fresh milk").order_by("id").values_list("reason", "delta")
    ) == [("receipt", Decimal(1000)), ("sale", Decimal(-230)), ("sale", Decimal(-168)), ("cancellation", Decimal(168))]
    assert_levels_are_what_the_ledger_sums_to()


def test_two_people_cancel_one_order_one_does_and_the_other_is_told(
    open_page: OpenPage, manager: User, barista: User, tea_bar: Location
) -> None:
    shop = Shop(tea_bar, Category.objects.first())
    tea = shop.product("Plain tea", "40.00", {Ingredient.objects.get(name="Black tea, brewed"): 300})
    order = shop.sell(tea)
    first, second = open_page(), open_page(width=360)
    for page, user in ((first, manager), (second, barista)):
        sign_in(page, user)
        page.goto(f"/admin/orders/order/{order.pk}/change/")
        page.locator(".ord-buttons a", has_text="Cancel the order").click()

    first.locator("dialog[open] button[type=submit]").click()
    expect(first.locator(".ord-badge").first).to_have_text("cancelled")
    second.locator("dialog[open] button[type=submit]").click()

    expect(second.get_by_text(f"Order #{order.number} is cancelled.")).to_be_visible()
    assert order.events.filter(kind="cancel").count() == 1
    assert shop.ledger(Ingredient.objects.get(name="Black tea, brewed"))[1:] == [
        ("sale", Decimal(-300)),
        ("cancellation", Decimal(300)),
    ]


def test_a_barista_sells_on_a_phone_and_hands_the_drink_over(open_page: OpenPage, barista: User) -> None:
    page = open_page(width=360)
    sign_in(page, barista)

    page.goto("/admin/orders/order/add/")
    pick(page, "Assam Black Tea", "50 %")
    page.locator("#pos-bar").click()
    order = place(page)
    assert (order.total, order.created_by) == (Decimal("45.00"), barista)

    take_payment(order_id=order.pk, method="card", amount=order.total, actor=NOBODY)
    for verb, status in (("Prepare", "preparing"), ("Ready", "ready"), ("Complete", "completed")):
        page.locator(".ord-buttons button", has_text=verb).click()
        expect(page.locator(".ord-badge").first).to_have_text(status)
    assert list(order.events.values_list("kind", flat=True)) == ["placed", "pay", "prepare", "ready", "complete"]
