"""Ordering what is in the cart: once, by a customer, or told why not."""

import datetime
import re
from decimal import Decimal

import pytest
from django.utils import timezone

from inventory.models import Location, Product
from orders.models import Customer, LoyaltyEntry, LoyaltyProgram, Order, OrderEvent, PromoCode, PromoRedemption
from orders.pages.session_cart import CART
from orders.services.points import adjust_points
from tests.orders.menu_pages import by_htmx, guest, said, visitor
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to, user_of
from users.models import User

pytestmark = pytest.mark.django_db
GUEST = "guest@shop.example"


@pytest.fixture
def bar() -> Shop:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=1000)
    shop.product("Latte", "70.00", {milk: 200})
    return shop


def fill(client, quantity: int = 2) -> None:
    session = client.session
    session[CART] = [[Product.objects.get(name="Latte").pk, quantity, []]]
    session.save()


def form_of(client, **fields: str) -> dict[str, str]:
    """What the cart's page sends when its button is pressed."""
    page = said(client.get("/cart/"))
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("once", "shown")}  # type: ignore[index]
    return {**hidden, "comment": "", "promo_code": "", **fields}


def order_it(client, **fields: str):
    return client.post("/cart/order/", form_of(client, **fields))


def customer() -> Customer:
    return Customer.objects.get(user__email=GUEST)


def with_points(number: int) -> Customer:
    LoyaltyProgram.objects.update_or_create(pk=1, defaults={"is_active": True, "point_value": Decimal("0.50")})
    customer = Customer.objects.create(user=User.objects.get(email=GUEST), name="Vera")
    adjust_points(customer_id=customer.pk, points=number, reason="Welcome", actor=NOBODY)
    customer.refresh_from_db()
    return customer


def test_a_customer_orders_and_sees_the_order(bar: Shop) -> None:
    client = guest()
    fill(client)
    answer = order_it(client, comment="No ice, please")
    order = Order.objects.get()
    assert answer["Location"] == f"/profile/orders/{order.number}/"
    assert (order.channel, order.total, order.comment) == ("web", Decimal("140.00"), "No ice, please")
    assert order.customer == customer()
    assert OrderEvent.objects.get().door == "web"
    assert CART not in client.session
    assert f"Order #{order.number} is placed: ฿140. Pay when you pick it up." in said(client.get(answer["Location"]))
    assert_levels_are_what_the_ledger_sums_to()


def test_a_double_tap_places_one_order(bar: Shop) -> None:
    client = guest()
    fill(client)
    form = form_of(client)
    first, second = client.post("/cart/order/", form), client.post("/cart/order/", form)
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_a_repeat_leaves_alone_what_was_put_into_the_cart_since(bar: Shop) -> None:
    client = guest()
    fill(client)
    form = form_of(client)
    client.post("/cart/order/", form)
    fill(client, quantity=1)
    client.post("/cart/order/", form)
    assert Order.objects.count() == 1
    assert client.session[CART][0][1] == 1


def test_what_is_ordered_is_what_was_shown(bar: Shop) -> None:
    client = guest()
    fill(client, quantity=1)
    form = form_of(client)
    fill(client, quantity=3)
    answer = client.post("/cart/order/", form)
    assert answer.status_code == 409
    assert "Your cart has changed since this page was shown" in said(answer)
    assert not Order.objects.exists()
    assert client.session[CART][0][1] == 3


def test_it_is_ordered_at_the_chosen_location(bar: Shop) -> None:
    harbour = Shop.open("Harbour")
    harbour.ingredient("Milk", stock=400)
    client = guest()
    fill(client)
    client.post("/place/", {"place": harbour.location.pk})
    order_it(client)
    assert Order.objects.get().location == harbour.location


def test_who_has_not_signed_in_is_sent_there_and_keeps_the_cart(bar: Shop) -> None:
    client = visitor()
    fill(client)
    answer = client.post("/cart/order/", {"once": "x", "shown": "y"})
    assert answer["Location"] == "/accounts/login/?next=/cart/"
    assert client.session[CART][0][1] == 2


@pytest.mark.parametrize("role", ["barista", "manager", "admin"])
def test_staff_are_told_that_they_do_not_order_here(bar: Shop, role: str) -> None:
    client = visitor(user_of(role))
    fill(client)
    page = said(client.get("/cart/"))
    assert "You are signed in with a staff account" in page
    assert 'name="once"' not in page
    assert client.post("/cart/order/", {"once": "x", "shown": "y"}).status_code == 403
    assert not Order.objects.exists()


@pytest.mark.parametrize("fate", ["sold out", "unlisted", "not so many", "closed"])
def test_what_came_in_between_is_told_at_the_cart_and_nothing_is_ordered(bar: Shop, fate: str) -> None:
    client = guest()
    fill(client)
    form = form_of(client)
    if fate == "sold out":
        bar.ingredient("Milk", minimum=5000)
    elif fate == "unlisted":
        Product.objects.update(is_listed=False)
    elif fate == "not so many":
        bar.sell(Product.objects.get(), 4)
    else:
        Location.objects.update(is_active=False)
    orders = Order.objects.count()
    answer = client.post("/cart/order/", form)
    sentence = {
        "sold out": "Sold out now.",
        "unlisted": "This is not on the menu any more.",
        "not so many": "There is not enough left for so many.",
        "closed": "The shop takes no orders now.",
    }[fate]
    assert answer.status_code == 409
    assert sentence in said(answer)
    assert Order.objects.count() == orders
    assert client.session[CART][0][1] == 2


def test_an_empty_cart_orders_nothing(bar: Shop) -> None:
    client = guest()
    fill(client)
    form = form_of(client)
    client.post("/cart/", {"remove": str(Product.objects.get().pk)})
    assert client.post("/cart/order/", form).status_code == 409
    assert not Order.objects.exists()


def test_a_promo_code_is_tried_shown_as_a_step_and_used(bar: Shop) -> None:
    PromoCode.objects.create(code="TEA10", kind="percent", value=10)
    client = guest()
    fill(client)
    page = said(client.post("/cart/", {"promo_code": " tea10 "}, headers=by_htmx("cart-body")))
    assert "Promo code TEA10" in page
    assert "−฿14" in page
    assert "Order for ฿126" in page
    order_it(client, promo_code="tea10")
    order = Order.objects.get()
    assert (order.subtotal, order.discount, order.total) == (140, 14, 126)
    page = said(client.get(f"/profile/orders/{order.number}/"))
    assert "Promo code TEA10" in page
    assert "−฿14" in page


@pytest.mark.parametrize("code", ["NOSUCH", "'; DROP TABLE orders_order; --", "🧋", "\0", "x" * 10_000, "OLD"])
def test_a_code_that_does_not_hold_is_told_at_its_field(bar: Shop, code: str) -> None:
    yesterday = timezone.now() - datetime.timedelta(days=1)
    PromoCode.objects.create(code="OLD", kind="percent", value=10, ends_at=yesterday)
    client = guest()
    fill(client)
    answer = order_it(client, promo_code=code)
    if code == "\0":
        assert Order.objects.get().total == 140
        return
    assert answer.status_code == 400
    assert ("OLD has expired." if code == "OLD" else "There is no promo code") in said(answer)
    assert not Order.objects.exists()
    assert client.session[CART][0][1] == 2


def test_points_pay_for_a_part_and_are_gone(bar: Shop) -> None:
    client = guest()
    with_points(100)
    fill(client)
    page = said(client.post("/cart/", {"redeem_points": "40"}))
    assert "You have 100, each is worth ฿0.50." in page
    assert "40 points" in page
    assert "Order for ฿120" in page
    order_it(client, redeem_points="40")
    assert Order.objects.get().total == 120
    assert customer().points == 60
    assert "−40" in said(client.get("/profile/points/"))


@pytest.mark.parametrize("fate", ["expired", "switched off", "used up", "minimum raised"])
def test_a_code_that_ends_between_the_page_and_the_order_is_told_and_the_order_waits(bar: Shop, fate: str) -> None:
    code = PromoCode.objects.create(code="TEA10", kind="percent", value=10, usage_limit=1, per_customer_limit=1)
    client = guest()
    fill(client)
    assert "Order for ฿126" in said(client.post("/cart/", {"promo_code": "TEA10"}))
    form = form_of(client, promo_code="TEA10")
    changes, sentence = {
        "expired": ({"ends_at": timezone.now()}, "TEA10 has expired."),
        "switched off": ({"is_active": False}, "TEA10 is not valid any more."),
        "used up": ({"used_count": 1}, "TEA10 has been used as often as it may be."),
        "minimum raised": ({"minimum_total": 200}, "TEA10"),
    }[fate]
    PromoCode.objects.filter(pk=code.pk).update(**changes)

    answer = client.post("/cart/order/", form)

    page = said(answer)
    assert answer.status_code == 400
    assert re.search(rf'<p class="error">{sentence}', page)
    # What it costs now stands on the button, and the code is still there to be corrected.
    assert "Order for ฿140" in page
    assert 'value="TEA10"' in page
    assert not Order.objects.exists()
    assert client.session[CART][0][1] == 2
    assert PromoCode.objects.get().used_count == changes.get("used_count", 0)
    assert not PromoRedemption.objects.exists()


def test_a_stranger_who_tries_a_code_for_each_guest_is_told_to_sign_in(bar: Shop) -> None:
    PromoCode.objects.create(code="ONCE", kind="percent", value=10, per_customer_limit=1)
    client = visitor()
    fill(client)
    page = said(client.post("/cart/", {"promo_code": "ONCE"}))
    assert "Sign in to use this code" in page
    assert "Say who the customer is" not in page
    assert not Customer.objects.exists()


def test_a_guest_who_has_used_a_code_is_told_so(bar: Shop) -> None:
    PromoCode.objects.create(code="ONCE", kind="percent", value=10, per_customer_limit=1)
    client = guest()
    fill(client)
    order_it(client, promo_code="once")
    fill(client)
    answer = order_it(client, promo_code="once")
    assert answer.status_code == 400
    assert "once has been used as often as one customer may." in said(answer)
    assert Order.objects.count() == 1


@pytest.mark.parametrize(("spent", "left"), [(70, 30), (100, 0)])
def test_points_that_were_spent_in_another_tab_are_told_and_none_is_taken(bar: Shop, spent: int, left: int) -> None:
    client = guest()
    vera = with_points(100)
    fill(client)
    assert "Order for ฿120" in said(client.post("/cart/", {"redeem_points": "40"}))
    form = form_of(client, redeem_points="40")
    bar.sell(Product.objects.get(), 1, customer_id=vera.pk, redeem_points=spent)
    entries = LoyaltyEntry.objects.count()

    answer = client.post("/cart/order/", form)

    page = said(answer)
    assert answer.status_code == 400
    assert f'<p class="error">You have {left} points.</p>' in page
    assert "Order for ฿140" in page
    assert (Order.objects.count(), LoyaltyEntry.objects.count(), customer().points) == (1, entries, left)
    assert client.session[CART][0][1] == 2


def test_points_of_a_programme_that_was_switched_off_meanwhile_are_told_and_kept(bar: Shop) -> None:
    client = guest()
    with_points(100)
    fill(client)
    form = form_of(client, redeem_points="40")
    LoyaltyProgram.objects.update(is_active=False)
    answer = client.post("/cart/order/", form)
    assert answer.status_code == 400
    assert "The loyalty programme is switched off: points can&#x27;t be used now." in said(answer)
    assert not Order.objects.exists()
    assert customer().points == 100


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [("101", "You have 100 points."), ("-5", "Say how many points in digits"), ("x", "Say how many points in digits")],
)
def test_points_that_are_not_there_are_told_and_none_is_taken(bar: Shop, asked: str, sentence: str) -> None:
    client = guest()
    with_points(100)
    fill(client)
    answer = order_it(client, redeem_points=asked)
    assert answer.status_code == 400
    assert sentence in said(answer)
    assert not Order.objects.exists()
    assert LoyaltyEntry.objects.count() == 1


def test_a_comment_as_long_as_a_novel_is_told_at_its_field(bar: Shop) -> None:
    client = guest()
    fill(client)
    answer = order_it(client, comment="x" * 1001)
    assert answer.status_code == 400
    assert "The comment takes up to 1000 characters." in said(answer)
    assert not Order.objects.exists()


def test_no_order_comes_from_another_site(bar: Shop) -> None:
    client = visitor(user_of("customer"))
    client.handler.enforce_csrf_checks = True
    fill(client)
    assert client.post("/cart/order/", {"once": "x", "shown": "y"}).status_code == 403
    assert not Order.objects.exists()
