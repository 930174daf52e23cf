"""The counter's queue: what waits, told once and then only when it changes, and one tap for each step."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Product
from orders.models import Customer, Order, Payment
from orders.pricing import OrderLine
from orders.queue_selectors import call_number, queue_of, queue_version
from orders.services.edit import edit_order
from orders.services.transitions import prepare_order
from tests.orders.counter import Counter, card, cash, figures
from tests.orders.money import assert_money_adds_up, complete_unpaid, open_till, pay
from tests.shop import NOBODY, Shop, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea_bar() -> Shop:
    return Shop.open()


@pytest.fixture
def tea(tea_bar: Shop) -> Product:
    return tea_bar.product("Tea", "60.00")


def version(shop: Shop) -> str:
    return queue_version(location_id=shop.location.pk)


def test_it_is_called_out_by_the_last_three_digits() -> None:
    assert [call_number(number) for number in (7, 1042, 999_000)] == ["007", "042", "000"]


def test_the_longest_waiting_stands_first_with_all_that_is_to_be_made(tea_bar: Shop) -> None:
    size = tea_bar.group("Size")
    large = tea_bar.option(size, "Large", "15.00")
    latte = tea_bar.product("Latte", "70.00", groups=[size])
    ann = Customer.objects.create(name="Ann")
    first = tea_bar.sell(latte, 3, [large], customer_id=ann.pk, comment="no lid")
    second = tea_bar.sell(latte)
    tea_bar.cancel_part(first, 1)
    complete_unpaid(tea_bar.sell(latte))
    Shop.open("Riverside").sell(latte)

    card_of_first, card_of_second = Counter.of(tea_bar).queue().json()["orders"]

    assert card_of_first == {
        "id": first.pk,
        "number": first.number,
        "call": call_number(first.number),
        "status": "pending",
        "channel": "counter",
        "customer": "Ann",
        "comment": "no lid",
        "placed_at": first.placed_at.isoformat(),
        "total": "170.00",
        "due": "170.00",
        "lines": [[2, "Latte", ["Large"]]],
    }
    assert card_of_second["id"] == second.pk


def test_while_nothing_changes_one_small_query_says_so(tea_bar: Shop, tea: Product) -> None:
    order, counter = tea_bar.sell(tea), Counter.of(tea_bar)
    fresh = counter.queue()

    with CaptureQueriesContext(connection) as captured:
        idle = counter.queue(fresh["ETag"])

    assert (idle.status_code, idle.content) == (304, b"")
    asked = [one["sql"] for one in captured if "orders_" in one["sql"]]
    assert len(asked) == 1
    # The session, the account, and what it may do, twice.
    assert len(captured) <= 5

    prepare_order(order_id=order.pk, actor=NOBODY)
    assert counter.queue(fresh["ETag"]).json()["orders"][0]["status"] == "preparing"


def line(product: Product, quantity: int) -> OrderLine:
    return OrderLine(product.pk, quantity)


@pytest.mark.django_db(transaction=True)
def test_each_transaction_that_touches_an_order_changes_the_version() -> None:
    tea_bar = Shop.open()
    tea, other = tea_bar.product("Tea", "60.00"), tea_bar.product("Other tea", "60.00")
    order = tea_bar.sell(tea, 2)
    seen = [version(tea_bar)]
    tea_bar.edit(order, line(other, 2))  # the same total
    seen.append(version(tea_bar))
    pay(order, "60.00")
    seen.append(version(tea_bar))
    edit_order(order_id=order.pk, comment="no sugar", actor=NOBODY)
    seen.append(version(tea_bar))
    prepare_order(order_id=order.pk, actor=NOBODY)
    seen.append(version(tea_bar))

    assert len(set(seen)) == 5
    assert version(tea_bar) == seen[-1]


def test_two_hundred_orders_take_as_many_queries_as_one(tea_bar: Shop, tea: Product) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            queue_of(location_id=tea_bar.location.pk)
        return len(captured)

    for _order in range(3):
        tea_bar.sell(tea)
    few = queries()
    for _order in range(20):
        tea_bar.place(line(tea, 1), line(tea_bar.product(f"Tea {_order}"), 2))
    assert queries() == few == 2

    counter = Counter.of(tea_bar)
    with CaptureQueriesContext(connection) as captured:
        assert len(counter.queue().json()["orders"]) == 23
    assert len(captured) <= 8


def test_a_tap_carries_an_order_one_step_and_a_second_tap_none(tea_bar: Shop, tea: Product) -> None:
    order, counter = tea_bar.sell(tea), Counter.of(tea_bar)

    assert counter.send(f"orders/{order.pk}/prepare/", {}).json() == {"status": "preparing"}
    again = counter.send(f"orders/{order.pk}/prepare/", {})

    assert (again.status_code, again.json()["type"], again.json()["status"]) == (409, "wrong_status", "preparing")
    assert counter.send(f"orders/{order.pk}/ready/", {}).json() == {"status": "ready"}
    assert list(order.events.values_list("kind", "door")) == [
        ("placed", "command"),
        ("prepare", "counter"),
        ("ready", "counter"),
    ]


def test_what_is_not_paid_is_paid_first_and_handed_over_with_that(tea_bar: Shop, tea: Product) -> None:
    shift, order, counter = open_till(tea_bar), tea_bar.sell(tea), Counter.of(tea_bar)
    before = figures(tea_bar)

    refused = counter.send(f"orders/{order.pk}/complete/", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "not_paid")
    assert counter.send(f"orders/{order.pk}/complete/", {"unpaid": True}).status_code == 403
    short = counter.send(f"orders/{order.pk}/pay/", {"tenders": [card("10.00")], "hands_over": True})
    assert (short.status_code, short.json()["type"]) == (409, "not_paid")
    assert figures(tea_bar) == before

    body = {"tenders": [cash("60.00", "100.00")], "shift": shift.pk, "hands_over": True}
    done = counter.send(f"orders/{order.pk}/pay/", body, once="one tap")
    assert done.json() == counter.send(f"orders/{order.pk}/pay/", body, once="one tap").json()
    assert (done.json()["status"], done.json()["change"]) == ("completed", "40.00")
    assert Payment.objects.get().amount == Decimal(60)
    assert_money_adds_up()


def test_a_manager_hands_over_unpaid_only_when_they_say_so(tea_bar: Shop, tea: Product) -> None:
    order, counter = tea_bar.sell(tea), Counter.of(tea_bar, "manager")

    assert counter.send(f"orders/{order.pk}/complete/", {}).json()["type"] == "not_paid"
    assert counter.send(f"orders/{order.pk}/complete/", {"unpaid": True}).json() == {"status": "completed"}


def test_the_page_takes_the_same_queries_for_a_full_queue(tea_bar: Shop, tea: Product) -> None:
    counter = Counter.of(tea_bar)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert counter.browser.get("/counter/").status_code == 200
        return len(captured)

    tea_bar.sell(tea)
    few = queries()
    for _order in range(10):
        tea_bar.sell(tea)
    assert queries() == few <= 25


def test_who_is_signed_out_is_told_and_comes_back_after_signing_in(tea_bar: Shop, tea: Product) -> None:
    counter = Counter.of(tea_bar)
    counter.browser.logout()

    assert counter.browser.get("/counter/").headers["Location"] == "/admin/login/?next=/counter/"
    assert (counter.queue().status_code, counter.queue().json()["type"]) == (401, "not_authenticated")
    assert counter.sell(tea).status_code == 401
    assert not Order.objects.exists()


def test_a_guest_of_the_shop_does_not_come_behind_the_counter(tea_bar: Shop, tea: Product) -> None:
    counter = Counter(tea_bar, user_of("customer"))
    assert counter.browser.get("/counter/").status_code == 403
    assert counter.sell(tea).status_code == 403
    assert not Order.objects.exists()


def test_a_shop_without_a_location_says_so() -> None:
    shop = Shop.open(is_active=False)
    assert "no open location" in Counter.of(shop).browser.get("/counter/").content.decode()
