"""The list of orders: what it shows, how it is filtered and searched, and that it asks no more for more orders."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inventory.models import Location
from orders.models import Customer, Employee, Order, Position
from orders.pricing import OrderLine
from orders.services.transitions import complete_order, prepare_order, ready_order
from tests.inventory.admin_pages import queries_of, signed_in, text_of
from tests.orders.admin_orders import page
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


@pytest.fixture
def manager() -> Client:
    return signed_in("manager")


def numbers_shown(client: Client, address: str) -> list[int]:
    """The numbers of the orders that the list shows, newest first."""
    response = client.get(address)
    assert response.status_code == 200
    return [order.number for order in response.context["cl"].result_list]


def test_the_list_shows_what_an_order_is(manager: Client, bar: Shop) -> None:
    ann = Customer.objects.create(name="Ann Lee", phone="+66 81 234 5678")
    kai = Employee.objects.create(
        name="Kai", position=Position.objects.create(name="Barista"), location=bar.location, hired_on="2026-01-01"
    )
    milk_tea, slush = bar.product("Milk Tea", "60.00"), bar.product("Mango Slush", "75.50")
    order = bar.sell(milk_tea, 2, customer_id=ann.pk, employee_id=kai.pk)
    bar.edit(order, OrderLine(milk_tea.pk, 2), OrderLine(slush.pk, 1))

    text = text_of(manager.get(LIST))

    for words in (f"#{order.number}", "pending", "Ann Lee", "2 × Milk Tea, 1 × Mango Slush", "฿195.50", "Kai"):
        assert words in text
    assert "Main Street" not in text, "a single location is not shown"
    assert "Prepare" in text


def test_several_locations_are_shown_and_can_be_chosen(manager: Client, bar: Shop) -> None:
    station = Shop.open("Station")
    here, there = bar.sell(bar.product("Tea", "50.00")), station.sell(station.product("Cake", "40.00"))

    assert numbers_shown(manager, LIST) == [there.number, here.number]
    assert numbers_shown(manager, f"{LIST}?location={station.location.pk}") == [there.number]
    assert "Station" in text_of(signed_in("barista").get(LIST))


def test_the_time_of_an_order_is_that_of_its_location(manager: Client, bar: Shop) -> None:
    this_year = bar.location.today(timezone.now()).year
    bar.sell(bar.product("Tea"), at=datetime.datetime(this_year, 1, 1, 20, 30, tzinfo=datetime.UTC))

    assert "2 Jan, 03:30" in text_of(manager.get(LIST))


def test_orders_are_filtered_by_status_and_by_being_active(manager: Client, bar: Shop) -> None:
    tea = bar.product("Tea")
    pending, ready, completed, cancelled = (bar.sell(tea) for _ in range(4))
    prepare_order(order_id=ready.pk, actor=NOBODY)
    ready_order(order_id=ready.pk, actor=NOBODY)
    complete_order(order_id=completed.pk, actor=NOBODY, allow_unpaid=True)
    bar.cancel(cancelled)

    assert numbers_shown(manager, f"{LIST}?status=ready") == [ready.number]
    assert numbers_shown(manager, f"{LIST}?status=ready&status=pending") == [ready.number, pending.number]
    assert numbers_shown(manager, f"{LIST}?active=yes") == [ready.number, pending.number]
    assert numbers_shown(manager, f"{LIST}?active=no") == [cancelled.number, completed.number]


def test_orders_are_filtered_by_employee_channel_and_customer(manager: Client, bar: Shop) -> None:
    tea, ann = bar.product("Tea"), Customer.objects.create(name="Ann")
    kai = Employee.objects.create(
        name="Kai", position=Position.objects.create(name="Barista"), location=bar.location, hired_on="2026-01-01"
    )
    hers, his, theirs = (
        bar.sell(tea, customer_id=ann.pk),
        bar.sell(tea, employee_id=kai.pk),
        bar.sell(tea, channel=Order.Channel.WEB),
    )

    assert numbers_shown(manager, f"{LIST}?customer={ann.pk}") == [hers.number]
    assert numbers_shown(manager, f"{LIST}?employee={kai.pk}") == [his.number]
    assert numbers_shown(manager, f"{LIST}?channel=web") == [theirs.number]


@pytest.mark.parametrize("name", ["customer", "employee", "location"])
@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "7.5"])
def test_an_id_that_is_none_finds_nothing(manager: Client, bar: Shop, name: str, value: str) -> None:
    Shop.open("Station")
    Employee.objects.create(
        name="Kai", position=Position.objects.create(name="Barista"), location=bar.location, hired_on="2026-01-01"
    )
    bar.sell(bar.product("Tea"))

    assert numbers_shown(manager, f"{LIST}?{name}={value}") == []


def test_a_period_is_counted_in_the_locations_days(manager: Client, bar: Shop) -> None:
    warsaw = Shop.open("Warsaw", time_zone="Europe/Warsaw")
    tea, now = bar.product("Tea"), timezone.now()

    def sold(shop: Shop, days_ago: int, hour: int) -> int:
        day = shop.location.today(now) - datetime.timedelta(days=days_ago)
        start, _end = shop.location.day_bounds(day)
        return shop.sell(tea, at=start + datetime.timedelta(hours=hour)).number

    today, late_yesterday = sold(bar, 0, 0), sold(warsaw, 1, 22)
    six_days_ago, thirty_days_ago = sold(bar, 6, 1), sold(bar, 30, 1)

    assert numbers_shown(manager, f"{LIST}?period=today") == [today]
    assert numbers_shown(manager, f"{LIST}?period=yesterday") == [late_yesterday]
    assert set(numbers_shown(manager, f"{LIST}?period=7")) == {today, late_yesterday, six_days_ago}
    assert set(numbers_shown(manager, f"{LIST}?period=30")) == {today, late_yesterday, six_days_ago}
    day = bar.location.today(now) - datetime.timedelta(days=30)
    assert numbers_shown(manager, f"{LIST}?placed_to={day}") == [thirty_days_ago]
    assert numbers_shown(manager, f"{LIST}?placed_from={day}&placed_to={day}") == [thirty_days_ago]


def test_orders_are_read_from_the_one_that_was_placed_last(manager: Client, bar: Shop) -> None:
    tea, now = bar.product("Tea"), timezone.now()
    imported_later = [bar.sell(tea, at=now - datetime.timedelta(days=days)).number for days in (3, 5, 4)]

    for address in (LIST, f"{LIST}?period=7", f"{LIST}?status=pending"):
        assert numbers_shown(manager, address) == [imported_later[0], imported_later[2], imported_later[1]]


@pytest.mark.parametrize("day", ["2026-02-30", "0001-01-01", "9999-12-31", "10000-01-01", "yesterday"])
def test_a_day_that_is_none_is_said_and_filters_nothing(manager: Client, bar: Shop, day: str) -> None:
    order = bar.sell(bar.product("Tea"))

    response = manager.get(f"{LIST}?placed_from={day}&placed_to={day}")

    assert [one.number for one in response.context["cl"].result_list] == [order.number]
    assert f"“{day}” is not a day" in text_of(response)


def test_orders_are_searched_by_number_customer_and_phone(manager: Client, bar: Shop) -> None:
    tea = bar.product("Tea")
    ann = Customer.objects.create(name="Ann Lee", phone="+66 81 234 5678", email="ann@tea.example")
    plain, hers = bar.sell(tea), bar.sell(tea, customer_id=ann.pk)

    assert numbers_shown(manager, f"{LIST}?q={plain.number}") == [plain.number]
    assert numbers_shown(manager, f"{LIST}?q=%23{plain.number}") == [plain.number]
    for text in ("ann l", "234 5678", "ANN@tea.example"):
        assert numbers_shown(manager, f"{LIST}?q={text}") == [hers.number]
    for text in ("9" * 40, "nobody", "x" * 5000):
        assert numbers_shown(manager, f"{LIST}?q={text}") == []


def test_the_list_takes_the_same_queries_for_3_and_for_30_orders(manager: Client, bar: Shop) -> None:
    station, tea = Shop.open("Station"), bar.product("Tea")
    ann = Customer.objects.create(name="Ann")
    for _number in range(3):
        bar.sell(tea, customer_id=ann.pk)
    few = queries_of(manager, LIST)
    for number in range(27):
        (bar if number % 2 else station).sell(tea, number + 1, customer_id=ann.pk)

    assert queries_of(manager, LIST) == few
    assert few <= 20


def test_orders_can_not_be_deleted_by_anybody(bar: Shop) -> None:
    order = bar.sell(bar.product("Tea"))
    client = signed_in("admin")

    assert "delete_selected" not in client.get(LIST).content.decode()
    assert client.post(page("order_delete", order.pk), {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": order.pk, "post": "yes"})
    assert Order.objects.filter(pk=order.pk).exists()


def test_a_customer_has_no_way_into_the_list(bar: Shop) -> None:
    assert signed_in("customer").get(LIST).status_code == 302


def test_the_chips_keep_the_other_filters() -> None:
    Location.objects.create(name="Main Street")
    response = signed_in("barista").get(f"{LIST}?period=today&q=ann&p=1")

    status, period = (row["chips"] for row in response.context["chips"])

    assert [chip["label"] for chip in period if chip["is_chosen"]] == ["Today"]
    assert status[1]["query"] == "?period=today&q=ann&active=yes"
    assert period[0]["query"] == "?q=ann", "a chosen period is taken out when it is pressed again"


def test_an_amount_is_shown_with_the_currency(manager: Client, bar: Shop, settings: Any) -> None:
    settings.CURRENCY = "PLN"
    bar.sell(bar.product("Tea", Decimal("1234.50")))

    assert "1,234.50 zł" in text_of(manager.get(LIST))
