"""The home page of the admin: exact figures, the same number of queries for any shop, and who sees what."""

import datetime
import zoneinfo
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from inventory.models import DefaultLocation, Location
from monitoring.services.alerts import notify
from orders.models import Customer, Order
from orders.services.transitions import complete_order, prepare_order
from project.home import figures_and_chart
from tests.inventory.admin_pages import queries_of, signed_in, text_of
from tests.orders.admin_orders import verb
from tests.shop import NOBODY, Shop, user_of

HOME = "/admin/"
pytestmark = pytest.mark.django_db
# A Saturday, 15:00 in Bangkok.
NOW = datetime.datetime(2026, 3, 14, 8, 0, tzinfo=datetime.UTC)


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


def sold(shop: Shop, when: datetime.datetime, price: str) -> Order:
    product, _ = shop.category.products.get_or_create(name=f"Tea for {price}", defaults={"price": price})
    order = shop.sell(product, at=when)
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    return order


def test_todays_figures_stand_beside_those_of_a_week_ago(bar: Shop) -> None:
    hour, week = datetime.timedelta(hours=1), datetime.timedelta(days=7)
    sold(bar, NOW - hour, "90.00")
    sold(bar, NOW - 2 * hour, "60.00")
    bar.sell(bar.product("Milk tea", "70.00"), at=NOW)
    sold(bar, NOW - week - hour, "100.00")
    sold(bar, NOW - week + hour, "40.00")

    today, chart = figures_and_chart(bar.location, NOW)

    assert (today.now.orders, today.now.completed, today.now.active) == (3, 2, 1)
    assert (today.now.revenue, today.now.average) == (Decimal("150.00"), Decimal("75.00"))
    assert (today.week_ago_by_now.revenue, today.week_ago.revenue) == (Decimal("100.00"), Decimal("140.00"))
    assert today.change == 50
    assert today.comparison == "฿100 a week ago by this time, ฿140 that whole day"
    assert [(bar.day, bar.value) for bar in chart.bars if bar.value] == [
        (datetime.date(2026, 3, 7), Decimal("140.00")),
        (datetime.date(2026, 3, 14), Decimal("150.00")),
    ]
    assert len(chart.bars) == 14


def test_without_sales_a_week_ago_there_is_no_percentage(bar: Shop) -> None:
    sold(bar, NOW, "90.00")

    assert figures_and_chart(bar.location, NOW)[0].change is None


def test_a_week_ago_is_counted_by_the_clock_on_the_wall() -> None:
    """On 29 March 2026 the clocks in Warsaw went forward: a week before 12:30 is 12:30, not 11:30."""
    warsaw = Shop.open(time_zone="Europe/Warsaw")
    zone = zoneinfo.ZoneInfo("Europe/Warsaw")
    sold(warsaw, datetime.datetime(2026, 3, 24, 12, 0, tzinfo=zone), "50.00")

    today, _chart = figures_and_chart(warsaw.location, datetime.datetime(2026, 3, 31, 12, 30, tzinfo=zone))

    assert today.week_ago_by_now.revenue == Decimal("50.00")


def test_the_page_shows_the_day(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, minimum=900)
    latte = bar.product("Latte", "70.00", {milk: 200})
    ann = Customer.objects.create(name="Ann Lee")
    complete_order(order_id=bar.sell(latte).pk, actor=NOBODY, allow_unpaid=True)
    waiting = bar.sell(bar.product("Tea", "50.00"), 2, customer_id=ann.pk)

    text = text_of(signed_in("manager").get(HOME))

    assert "Revenue ฿70" in text
    assert "Orders 2 1 completed, 0 cancelled" in text
    assert "Active now 1" in text
    assert "Average check ฿70" in text
    assert f"#{waiting.number} pending" in text
    assert "2 × Tea Ann Lee ฿100 Prepare" in text
    assert "Low stock Receive Milk 800 ml / 900 ml" in text
    assert "Best sellers 7 days Tea 2 · ฿100 Latte 1 · ฿70" in text
    assert "New order" in text
    assert "Main Street" not in text


def test_the_page_takes_the_same_queries_for_any_shop(bar: Shop) -> None:
    milk, tea = bar.ingredient("Milk", "ml", stock=100_000), bar.product("Tea")
    latte = bar.product("Latte", "70.00", {milk: 200})
    client = signed_in("manager")
    bar.sell(latte)
    few = queries_of(client, HOME)
    for number in range(8):
        bar.sell(tea if number % 2 else latte, number + 1)
        bar.ingredient(f"Syrup {number}", stock=1, minimum=5)
        notify(event="inventory.low_stock", subject=f"x{number}", message=f"Syrup {number} is low")
    many = queries_of(client, HOME)
    for number in range(30):
        bar.sell(latte, number + 1)

    assert (few, many) == (few, few)
    # More orders wait than the page shows: their number is asked for.
    assert queries_of(client, HOME) == few + 1
    assert few <= 18


def test_the_location_is_the_one_asked_for_or_the_persons_own(bar: Shop) -> None:
    station = Shop.open("Station")
    client, person = Client(), user_of("manager")
    client.force_login(person)

    def shown(address: str = HOME) -> Location:
        return client.get(address).context["home"]["location"]

    assert shown() == bar.location
    DefaultLocation.objects.create(user=person, location=station.location)
    assert shown() == station.location
    assert shown(f"{HOME}?location={bar.location.pk}") == bar.location
    for unknown in ("x", "0", "9" * 30):
        assert shown(f"{HOME}?location={unknown}") == station.location
    assert "Station" in text_of(client.get(HOME))


def test_each_location_shows_its_own_figures(bar: Shop) -> None:
    station = Shop.open("Station")
    sold(bar, timezone.now(), "50.00")
    client = signed_in("barista")

    assert "Revenue ฿50" in text_of(client.get(f"{HOME}?location={bar.location.pk}"))
    assert "Revenue ฿0" in text_of(client.get(f"{HOME}?location={station.location.pk}"))


def test_alerts_are_for_those_who_see_them_and_low_stock_is_said_once(bar: Shop) -> None:
    station = Shop.open("Station")
    notify(event="inventory.low_stock", subject="a", message="Milk is low", details={"location": bar.location.pk})
    notify(event="inventory.low_stock", subject="b", message="Oats are low", details={"location": station.location.pk})
    notify(event="inventory.low_stock", subject="c", message="Something is low")

    client = signed_in("manager")
    here, barista = text_of(client.get(f"{HOME}?location={bar.location.pk}")), text_of(signed_in("barista").get(HOME))

    assert "Milk is low" not in here
    assert "Oats are low Station ·" in here
    assert "Something is low" in here
    assert "Alerts" not in barista


def test_the_next_step_of_a_waiting_order_comes_back_home(bar: Shop) -> None:
    order = bar.sell(bar.product("Tea"))

    response = signed_in("barista").post(
        f"{verb(order, 'prepare')}?next=list", headers={"referer": "http://testserver/admin/?location=1"}
    )

    assert response.url == "http://testserver/admin/?location=1"
    assert Order.objects.get().status == "preparing"


def test_who_may_not_advance_orders_gets_no_button_for_it(bar: Shop) -> None:
    prepare_order(order_id=bar.sell(bar.product("Tea")).pk, actor=NOBODY)
    client, looker = Client(), user_of("barista")
    looker.groups.get().permissions.remove(Permission.objects.get(codename="advance_order"))
    client.force_login(looker)

    assert "formaction" not in client.get(HOME).content.decode()


def test_who_has_no_role_gets_a_friendly_page(bar: Shop) -> None:
    client, nobody = Client(), user_of("barista")
    nobody.groups.clear()
    client.force_login(nobody)

    response = client.get(HOME)

    assert response.status_code == 200
    assert "nobody has given it a role yet" in text_of(response)


def test_who_may_not_see_orders_is_shown_what_they_may() -> None:
    client, keeper = Client(), user_of("barista")
    keeper.groups.clear()
    keeper.user_permissions.add(Permission.objects.get(codename="view_stocklevel"))
    client.force_login(keeper)

    response = client.get(HOME)

    assert "Here is what you can do:" in text_of(response)
    assert 'href="/admin/inventory/stocklevel/"' in response.content.decode()


def test_a_shop_without_a_location_says_what_to_do() -> None:
    assert "Add the first location" in text_of(signed_in("manager").get(HOME))
    assert "Add the first location" not in text_of(signed_in("barista").get(HOME))


def test_the_home_page_needs_a_sign_in() -> None:
    assert Client().get(HOME).status_code == 302
    assert signed_in("customer").get(HOME).status_code == 302
