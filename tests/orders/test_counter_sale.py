"""Selling at the counter: the order and its payments together, once, or not at all."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Product
from orders.models import Customer, Employee, LoyaltyProgram, Order, OrderEvent, Payment, Position, PromoCode
from orders.pricing import OrderLine
from orders.services.actor import Actor
from orders.services.counter_sale import Tender, sell_at_counter
from orders.services.pins import set_pin
from orders.services.points import adjust_points
from tests.orders.counter import Counter, card, cash, figures
from tests.orders.money import assert_money_adds_up, open_till
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea_bar() -> Shop:
    return Shop.open()


@pytest.fixture
def latte(tea_bar: Shop) -> Product:
    return tea_bar.product("Latte", "70.00", {tea_bar.ingredient("Milk", "ml", stock=1000): 200})


def test_an_order_and_its_cash_are_written_together(tea_bar: Shop, latte: Product) -> None:
    shift, counter = open_till(tea_bar), Counter.of(tea_bar)

    answer = counter.sell(latte, 2, tenders=[cash("140.00", "200.00", tip="10.00")], shift=shift.pk, total="140.00")

    assert answer.status_code == 200, answer.json()
    order, payment = Order.objects.get(), Payment.objects.get()
    assert answer.json()["call"] == f"{order.number:03d}"[-3:]
    assert (answer.json()["change"], answer.json()["due"]) == ("50.00", "0.00")
    assert (order.channel, order.status, order.total, order.paid) == ("counter", "pending", Decimal(140), Decimal(140))
    assert order.created_by == counter.user
    assert (payment.method, payment.amount, payment.tip, payment.tendered, payment.change, payment.shift) == (
        *("cash", Decimal(140), Decimal(10), Decimal(200), Decimal(50)),
        shift,
    )
    assert list(order.events.values_list("kind", "door")) == [("placed", "counter"), ("pay", "counter")]
    assert tea_bar.quantity(latte.recipe_lines.get().ingredient) == 600
    assert_money_adds_up()
    assert_levels_are_what_the_ledger_sums_to()


def test_one_tap_too_many_sells_once(tea_bar: Shop, latte: Product) -> None:
    counter = Counter.of(tea_bar)

    first = counter.sell(latte, once="the same tap", tenders=[card("70.00")], total="70.00")
    again = counter.sell(latte, once="the same tap", tenders=[card("70.00")], total="70.00")

    assert first.json() == again.json()
    assert (Order.objects.count(), Payment.objects.count()) == (1, 1)


def test_the_token_of_one_sale_does_not_stand_for_another(tea_bar: Shop, latte: Product) -> None:
    counter = Counter.of(tea_bar)
    counter.sell(latte, once="the same tap", tenders=[card("70.00")])

    other = counter.sell(latte, 2, once="the same tap", tenders=[card("140.00")])

    assert other.status_code == 422
    assert other.json()["once"] != "the same tap"
    assert Order.objects.get().paid == 70


def test_an_order_is_paid_in_parts_or_later(tea_bar: Shop, latte: Product) -> None:
    shift, counter = open_till(tea_bar), Counter.of(tea_bar)

    split = counter.sell(latte, tenders=[card("50.00"), cash("20.00", "100.00")], shift=shift.pk).json()
    later = counter.sell(latte).json()

    assert (split["due"], split["change"]) == ("0.00", "80.00")
    assert later["due"] == "70.00"
    assert sorted(Payment.objects.values_list("method", "amount")) == [("card", Decimal(50)), ("cash", Decimal(20))]


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        ({"tenders": [cash("70.00", "100.00")]}, 409, "no_open_shift"),
        ({"tenders": [card("70.01")]}, 400, "invalid"),
        ({"tenders": [card("70.00"), card("1.00")]}, 400, "invalid"),
        ({"tenders": [cash("70.00", "60.00")]}, 400, "invalid"),
        ({"tenders": [{"method": "online", "amount": "70.00"}]}, 400, "invalid"),
        ({"tenders": [{"method": "card", "amount": 70}]}, 400, "invalid"),
        ({"tenders": [{"method": "card", "amount": "-70.00"}]}, 400, "invalid"),
        ({"tenders": "card"}, 400, "invalid"),
        ({"tenders": [card("60.00")], "total": "60.00"}, 409, "price_changed"),
        ({"promo_code": "NEVER"}, 400, "invalid"),
        ({"redeem_points": 10}, 400, "invalid"),
        ({"redeem_points": "all"}, 400, "invalid"),
        ({"customer": 999_999}, 400, "invalid"),
        ({"shift": 999_999, "tenders": [card("70.00")]}, 404, "not_found"),
        ({"sells_below_minimum": True}, 403, "permission_denied"),
        ({"promo_code": "\x00"}, 400, "invalid"),
    ],
)
def test_what_is_refused_changes_nothing(
    tea_bar: Shop, latte: Product, more: dict[str, object], status: int, kind: str
) -> None:
    counter = Counter.of(tea_bar)
    before = figures(tea_bar)

    answer = counter.sell(latte, **more)

    assert (answer.status_code, answer.json()["type"]) == (status, kind), answer.json()
    assert figures(tea_bar) == before


@pytest.mark.parametrize("body", [{"comment": "\ud800"}, {"promo_code": "\ud800"}, {"\ud800": 1}])
def test_half_a_character_is_refused_by_a_sentence(tea_bar: Shop, latte: Product, body: dict[str, object]) -> None:
    counter, before = Counter.of(tea_bar), figures(tea_bar)

    for path in ("sell/", "quote/"):
        answer = counter.send(path, counter.sale(latte, **body))
        assert (answer.status_code, "half of a character" in answer.json()["detail"]) == (400, True)

    assert figures(tea_bar) == before


def test_what_the_stock_lacks_is_sold_anyway_by_who_holds_the_cup(tea_bar: Shop, latte: Product) -> None:
    counter = Counter.of(tea_bar)
    before = figures(tea_bar)

    refused = counter.sell(latte, 6, tenders=[card("420.00")])
    assert (refused.status_code, refused.json()["type"]) == (409, "insufficient_stock")
    assert figures(tea_bar) == before

    assert counter.sell(latte, 6, tenders=[card("420.00")], sells_anyway=True).status_code == 200
    assert tea_bar.quantity(latte.recipe_lines.get().ingredient) == 0
    assert_levels_are_what_the_ledger_sums_to()


def test_a_code_and_points_are_taken_off_as_the_quote_said(tea_bar: Shop, latte: Product) -> None:
    LoyaltyProgram.objects.create(is_active=True, point_value=Decimal(1))
    PromoCode.objects.create(code="TEN", value=Decimal(10))
    ann = Customer.objects.create(name="Ann", phone="+66812345678")
    adjust_points(customer_id=ann.pk, points=20, reason="welcome", actor=NOBODY)
    counter = Counter.of(tea_bar)
    found = counter.browser.get("/counter/customers/?q=081 234 5678").json()["customers"]
    assert found == [{"id": ann.pk, "name": "Ann", "phone": "+66812345678", "points": 20}]

    wish = {"customer": ann.pk, "promo_code": "ten", "redeem_points": 20}
    quote = counter.send("quote/", counter.sale(latte, **wish)).json()
    sold = counter.sell(latte, tenders=[card("43.00")], total="43.00", **wish).json()

    assert [(step["kind"], step["name"], step["amount"]) for step in quote["steps"]] == [
        ("code", "TEN", "7.00"),
        ("points", "", "20.00"),
    ]
    assert (quote["total"], sold["total"], sold["due"]) == ("43.00", "43.00", "0.00")
    ann.refresh_from_db()
    assert (ann.points, PromoCode.objects.get().used_count) == (0, 1)


def test_a_guest_who_is_not_known_is_written_down_by_their_phone_once(tea_bar: Shop) -> None:
    counter = Counter.of(tea_bar)

    first = counter.send("customers/", {"phone": "081 234 5678"}).json()
    again = counter.send("customers/", {"phone": "+66 (0)81-234-5678", "name": "Ann"}).json()

    assert first["id"] == again["id"]
    assert Customer.objects.get().phone == "+66812345678"


def test_who_sells_says_so_with_their_pin_where_the_shop_has_pins(tea_bar: Shop, latte: Product) -> None:
    position = Position.objects.create(name="Barista")
    there = {"position": position, "location": tea_bar.location, "hired_on": "2026-01-01"}
    counter = Counter.of(tea_bar)
    own = Employee.objects.create(name="Kanya", user=counter.user, **there)
    wei = Employee.objects.create(name="Wei", **there)

    counter.sell(latte)
    assert Order.objects.latest("pk").employee == own

    set_pin(employee_id=wei.pk, pin="4711", set_by_id=None)
    before = figures(tea_bar)
    locked = counter.sell(latte)
    assert (locked.status_code, locked.json()["type"]) == (409, "locked")
    people = counter.browser.get("/counter/").context["counter_data"]["people"]
    assert [(one["name"], one["has_pin"]) for one in people] == [("Kanya", False), ("Wei", True)]
    assert counter.send("seller/", {"employee": wei.pk, "pin": "0000"}).status_code == 400
    assert counter.sell(latte).status_code == 409
    assert figures(tea_bar) == before

    assert counter.send("seller/", {"employee": wei.pk, "pin": "4711"}).json()["seller"]["name"] == "Wei"
    counter.sell(latte)
    assert Order.objects.latest("pk").employee == wei
    assert counter.send("seller/lock/", {}).json() == {"seller": None, "is_needed": True}
    assert counter.sell(latte).status_code == 409


def test_the_lines_of_a_sale_cost_no_queries(tea_bar: Shop) -> None:
    shift = open_till(tea_bar)
    milk = tea_bar.ingredient("Milk", "ml", stock=100_000)
    teas = [tea_bar.product(f"Tea {n}", "10.00", {milk: 10}) for n in range(20)]
    actor = Actor(None, OrderEvent.Door.COUNTER)

    def queries(number: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            sell_at_counter(
                location=tea_bar.location,
                lines=[OrderLine(tea.pk, 1) for tea in teas[:number]],
                actor=actor,
                tenders=[Tender(method="cash", amount=Decimal(10 * number))],
                shift_id=shift.pk,
                expected_total=Decimal(10 * number),
            )
        return len([one for one in captured if "SAVEPOINT" not in one["sql"]])

    queries(1)
    assert queries(1) == queries(20) <= 18
