"""One's own page: one's orders, points and contacts, and nobody else's."""

import datetime
import re

import pytest

from inventory.models import Product
from orders.models import Customer, LoyaltyProgram, Order
from orders.own_selectors import ORDERS_OF_A_PAGE
from orders.services.points import adjust_points
from orders.services.transitions import complete_order, prepare_order, ready_order
from tests.orders.menu_pages import by_htmx, guest, queries_of, said, visitor
from tests.shop import NOBODY, Shop, user_of
from users.models import User

pytestmark = pytest.mark.django_db
GUEST = "guest@shop.example"


@pytest.fixture
def bar() -> Shop:
    shop = Shop.open(time_zone="Asia/Bangkok")
    shop.product("Latte", "70.00", {shop.ingredient("Milk", "ml", stock=10**6): 200})
    return shop


@pytest.fixture
def vera(bar: Shop):
    """A customer with an account, signed in."""
    client = guest(GUEST)
    Customer.objects.create(user=User.objects.get(email=GUEST), name="Vera")
    return client


def me() -> Customer:
    return Customer.objects.get(user__email=GUEST)


def sell(bar: Shop, **more) -> Order:
    return bar.sell(Product.objects.get(name="Latte"), customer_id=me().pk, **more)


def test_who_has_not_signed_in_is_sent_there_and_back(db: None) -> None:
    for path in ("/profile/", "/profile/active/", "/profile/points/", "/profile/orders/1/"):
        assert visitor().get(path)["Location"] == f"/accounts/login/?next={path}"


def test_somebody_without_an_order_sees_an_empty_page_and_no_record_is_made(bar: Shop) -> None:
    for role in ("customer", "barista"):
        page = visitor(user_of(role)).get("/profile/")
        assert page.status_code == 200
        assert "What you order stands here." in said(page)
        assert "no-store" in page["Cache-Control"]
    assert not Customer.objects.exists()


def test_somebody_without_a_name_reads_their_email_once(bar: Shop) -> None:
    page = said(guest(GUEST).get("/profile/"))
    assert f"<h1>{GUEST}</h1>" in page
    assert f'<p class="muted">{GUEST}</p>' not in page


def test_an_active_order_shows_its_call_number_and_how_far_it_is(bar: Shop, vera) -> None:
    order = sell(bar)
    page = said(vera.get("/profile/"))
    assert f"{order.number % 1000:03d}" in page
    assert "We have your order" in page
    assert 'hx-get="/profile/active/" hx-trigger="every 5s"' in page
    prepare_order(order_id=order.pk, actor=NOBODY)
    part = said(vera.get("/profile/active/", headers=by_htmx("active-orders")))
    assert "It is being made" in part
    assert 'class="step-done">Pending</li><li class="step-now" aria-current="step">Preparing</li><li>Ready</li>' in part
    ready_order(order_id=order.pk, actor=NOBODY)
    assert "Ready: come and get it" in said(vera.get(f"/profile/orders/{order.number}/"))


def test_asking_stops_when_nothing_is_active_any_more(bar: Shop, vera) -> None:
    order = sell(bar)
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    answer = vera.get("/profile/active/", headers=by_htmx("active-orders"))
    assert (answer.status_code, answer["HX-Refresh"]) == (286, "true")
    assert "hx-get" not in said(answer)
    answer = vera.get(f"/profile/orders/{order.number}/", headers=by_htmx("order-state"))
    assert answer.status_code == 286
    assert "<html" not in said(answer)


def test_old_orders_are_paged_newest_first(bar: Shop, vera) -> None:
    numbers = []
    for _ in range(ORDERS_OF_A_PAGE + 2):
        order = sell(bar)
        complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
        numbers.append(order.number)
    first = said(vera.get("/profile/"))
    shown = [number for number in numbers if f">Order #{number}<" in first]
    assert shown == numbers[2:]
    last_id = Order.objects.get(number=numbers[2]).pk
    assert f"/profile/?before={last_id}" in first
    rest = said(vera.get(f"/profile/?before={last_id}", headers=by_htmx("older-orders")))
    assert [number for number in numbers if f">Order #{number}<" in rest] == numbers[:2]


def test_nobody_sees_the_order_of_somebody_else(bar: Shop, vera) -> None:
    order = sell(bar, comment="For Vera's eyes")
    for role in ("customer", "barista", "manager", "admin"):
        other = visitor(user_of(role))
        assert other.get(f"/profile/orders/{order.number}/").status_code == 404
        assert "Latte" not in said(other.get("/profile/"))
        assert "Latte" not in other.get("/profile/active/").content.decode()
    assert vera.get(f"/profile/orders/{order.number}/").status_code == 200


@pytest.mark.parametrize("number", [0, 999999, 10**30])
def test_an_order_that_is_not_there_is_404(vera, number: int) -> None:
    assert vera.get(f"/profile/orders/{number}/").status_code == 404


def test_the_order_of_somebody_else_is_told_as_one_that_does_not_exist(bar: Shop, vera) -> None:
    order = sell(bar, comment="For Vera's eyes")
    other = guest("other@shop.example")
    pages = []
    for number in (order.number, 999999):
        answer = other.get(f"/profile/orders/{number}/")
        assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (404, True)
        pages.append(re.sub(r'value="[^"]*"', "", said(answer)))
    assert "This order is not among yours" in pages[0]
    assert pages[0] == pages[1]


def test_the_receipt_says_what_was_taken_back_and_what_is_left_to_pay(bar: Shop, vera) -> None:
    order = bar.sell(Product.objects.get(), 3, customer_id=me().pk, comment="No ice")
    bar.cancel_part(order, 1)
    page = said(vera.get(f"/profile/orders/{order.number}/"))
    assert all(text in page for text in ("2 ×", "1 taken back", "฿140", "“No ice”", "To pay when you pick it up"))


def test_points_and_their_history_are_shown(bar: Shop, vera) -> None:
    LoyaltyProgram.objects.create(is_active=True)
    adjust_points(customer_id=me().pk, points=25, reason="Sorry for the wait", actor=NOBODY)
    assert '<p class="points">25</p>' in said(vera.get("/profile/"))
    page = said(vera.get("/profile/points/"))
    assert "+25" in page
    assert "Sorry for the wait" in page


def test_contacts_are_saved_as_the_shop_keeps_them(bar: Shop) -> None:
    client = guest(GUEST)
    form = {"name": "  Vera  Holm ", "phone": "+66 81 234 5678", "birthday": "1990-05-01", "consent": "on"}
    assert client.post("/profile/", form)["Location"] == "/profile/"
    vera = me()
    assert (vera.name, vera.phone, vera.consent) == ("Vera Holm", "+66812345678", True)
    assert vera.birthday == datetime.date(1990, 5, 1)
    assert vera.email == GUEST


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 151),
        ("phone", "call me"),
        ("birthday", "2190-01-01"),
        ("birthday", "yesterday"),
        ("name", "a\0b"),
    ],
)
def test_wrong_contacts_are_told_at_their_field_and_nothing_changes(vera, field: str, value: str) -> None:
    answer = vera.post("/profile/", {"name": "Vera", "phone": "", "birthday": "", field: value})
    assert answer.status_code == 400
    assert answer.context["form"].errors[field]
    assert me().name == "Vera"
    assert me().phone == ""


def test_a_customer_can_not_change_what_is_not_theirs_to_change(vera) -> None:
    vera.post("/profile/", {"name": "Vera", "points": "999", "email": "other@shop.example", "notes": "VIP"})
    assert (me().points, me().email, me().notes) == (0, "", "")


def test_takes_as_many_queries_for_one_order_as_for_many(bar: Shop, vera) -> None:
    complete_order(order_id=sell(bar).pk, actor=NOBODY, allow_unpaid=True)
    sell(bar)
    few = [queries_of(vera, path) for path in ("/profile/", "/profile/active/", "/profile/points/")]
    for _ in range(5):
        complete_order(order_id=sell(bar).pk, actor=NOBODY, allow_unpaid=True)
        sell(bar)
    assert [queries_of(vera, path) for path in ("/profile/", "/profile/active/", "/profile/points/")] == few
    assert few[0] <= 14
