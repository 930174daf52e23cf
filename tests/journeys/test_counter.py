"""A shift at the counter: opened, sold in, handed over from a second tablet, counted to the coin."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, expect

from inventory.models import Location
from orders.models import Order, Payment, Shift
from tests.journeys.conftest import OpenPage, sign_in
from tests.orders.money import assert_money_adds_up
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


class Taps:
    """A finger that is counted."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, *places: Locator) -> None:
        for place in places:
            place.click()
            self.number += 1


def counter(page: Page, user: User) -> Page:
    sign_in(page, user)
    page.goto("/counter/")
    return page


def sell(page: Page, tap: Taps, category: str, drink: str) -> None:
    """Puts a drink into the cart as it usually is, and asks for the money."""
    tap(page.locator(".category", has_text=category), page.locator(".tile", has_text=drink), page.locator("#pay"))


def test_a_shift_from_the_first_coin_to_the_last(open_page: OpenPage, barista: User, tea_bar: Location) -> None:
    page, other = counter(open_page(1280, 800), barista), counter(open_page(360, 740), barista)

    # Cash without a shift leads to opening one, and goes on where it was.
    page.locator("[data-shows=sell]").click()
    tap = Taps()
    sell(page, tap, "Flavored Tea", "Assam Black Tea")
    tap(page.locator("#pay-notes button", has_text="฿100"))
    assert tap.number == 4
    page.get_by_label("Cash in the drawer").fill("500")
    page.get_by_role("button", name="Open the shift").click()
    expect(page.locator(".done-change b")).to_have_text("฿55")
    order = Order.objects.get()
    assert (order.total, order.paid, order.channel) == (Decimal(45), Decimal(45), "counter")
    call = f"{order.number % 1000:03d}"
    expect(page.locator(".done-call")).to_have_text(call)

    # A plain drink by card, and one for the exact cash, in at most five taps each.
    for place in (page.locator("[data-pays=card]"), page.locator("#pay-notes button", has_text="Exactly")):
        tap = Taps()
        sell(page, tap, "Chewy Tea", "Bubble Black Tea")
        tap(place)
        expect(page.locator("#done")).to_be_visible()
        expect(page.locator(".done-words")).to_have_text("Sold. Paid.")
        assert tap.number <= 5
    assert sorted(Payment.objects.values_list("method", flat=True)) == ["card", "cash", "cash"]

    # On the phone by the door the first one appears by itself; a tap for each step.
    card = other.locator(".card", has=other.locator(".call", has_text=re.compile(f"^{call}$")))
    for verb, column in (("Prepare", "Being made"), ("Ready", "Ready"), ("Hand over", "")):
        expect(card).to_be_visible()
        card.get_by_role("button", name=verb).click()
        if column:
            other.locator(".status-tabs button", has_text=column).click()
    expect(card).to_have_count(0)
    order = Order.objects.get(pk=order.pk)
    assert order.status == "completed"
    assert list(order.events.values_list("kind", flat=True)) == ["placed", "pay", "prepare", "ready", "complete"]
    # The tablet sees it go, too.
    page.locator("[data-shows=queue]").click()
    expect(page.locator(".card")).to_have_count(2)

    page.locator("#till-button").click()
    page.get_by_label("Counted cash").fill(str(500 + 45 + int(Payment.objects.latest("pk").amount)))
    page.get_by_role("button", name="Close the shift").click()
    expect(page.locator(".verdict")).to_have_text("The cash is exactly right.")
    assert Shift.objects.get().difference == 0
    assert_money_adds_up()


def test_what_is_tapped_without_a_network_is_said_and_saved_once(open_page: OpenPage, barista: User) -> None:
    page = counter(open_page(1024, 768), barista)
    page.locator("[data-shows=sell]").click()
    sell(page, Taps(), "Flavored Tea", "Assam Black Tea")

    # The answer of the first tap is lost on its way; nobody knows whether it was saved.
    page.route("**/counter/sell/", lambda route: (route.fetch(), route.abort()))
    page.locator("[data-pays=card]").click()
    expect(page.locator("#pay-trouble")).to_have_text("Not saved, try again.")
    expect(page.locator("#banner")).to_contain_text("No connection")
    page.unroute("**/counter/sell/")
    page.locator("[data-pays=card]").click()

    expect(page.locator(".done-words")).to_have_text("Sold. Paid.")
    expect(page.locator("#banner")).to_be_hidden()
    assert (Order.objects.count(), Payment.objects.count()) == (1, 1)


def test_another_till_was_quicker_and_the_drink_is_paid_when_it_is_handed_over(
    open_page: OpenPage, barista: User, tea_bar: Location
) -> None:
    page = counter(open_page(1280, 800), barista)
    page.locator("[data-shows=sell]").click()
    page.locator(".tile", has_text="Assam Black Tea").click()
    page.get_by_label("Name or wish on the cup").fill("Mia")
    page.locator("#pay").click()
    page.locator("#pay-later").click()
    expect(page.locator(".done-words")).to_have_text("Sold. ฿45 to pay later.")
    order = Order.objects.get()

    page.locator("[data-shows=queue]").click()
    card = page.locator(".card", has_text="Mia")
    expect(card.get_by_role("button", name="Prepare")).to_be_visible()
    # This one hears nothing of it.
    page.route("**/counter/queue/*", lambda route: route.fulfill(status=304))
    page.context.request.post(
        f"/counter/orders/{order.pk}/prepare/", data={}, headers={"X-CSRFToken": csrf_of(page), "Referer": page.url}
    )
    page.context.request.post(
        f"/counter/orders/{order.pk}/ready/", data={}, headers={"X-CSRFToken": csrf_of(page), "Referer": page.url}
    )
    with page.expect_response("**/prepare/") as late:
        card.get_by_role("button", name="Prepare").click()
    assert late.value.status == 409
    page.unroute("**/counter/queue/*")
    card.get_by_role("button", name="Hand over").click()
    expect(page.locator("#pay-due")).to_have_text("฿45")
    page.locator("[data-pays=card]").click()

    expect(card).to_have_count(0)
    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.paid) == ("completed", Decimal(45))


def csrf_of(page: Page) -> str:
    return next(str(cookie["value"]) for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
