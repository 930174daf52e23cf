"""The figures of days and other periods: exact, in one query."""

import datetime
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Customer, Order
from orders.selectors import customer_figures, figures_of_periods, orders_per_day, placed_on_days
from orders.services.cancel import cancel_order
from orders.services.transitions import complete_order
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 3, 14)


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok", day_starts_at=datetime.time(4))


def at(day: datetime.date, hour: int, zone: str = "Asia/Bangkok") -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour), tzinfo=zoneinfo.ZoneInfo(zone))


def sold(shop: Shop, when: datetime.datetime, price: str = "50.00", *, complete: bool = True) -> Order:
    product, _ = shop.category.products.get_or_create(name=f"Tea for {price}", defaults={"price": price})
    order = shop.sell(product, at=when)
    if complete:
        complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    return order


def test_the_figures_of_several_days_take_one_query(bar: Shop, django_assert_num_queries: Any) -> None:
    sold(bar, at(DAY, 9), "50.00")
    sold(bar, at(DAY, 10), "70.00")
    sold(bar, at(DAY, 11), "30.00", complete=False)
    sold(bar, at(DAY + datetime.timedelta(days=2), 9), "40.00")
    days = [DAY + datetime.timedelta(days=number) for number in range(14)]

    with django_assert_num_queries(1):
        per_day = orders_per_day(location=bar.location, days=days)

    assert [day for day, _figures in per_day] == days
    figures = dict(per_day)[DAY]
    assert (figures.orders, figures.active, figures.completed, figures.cancelled) == (3, 1, 2, 0)
    assert (figures.revenue, figures.average) == (Decimal("120.00"), Decimal("60.00"))
    assert dict(per_day)[DAY + datetime.timedelta(days=2)].revenue == Decimal("40.00")
    assert sum(figures.orders for _day, figures in per_day) == 4


def test_what_is_sold_before_the_day_starts_belongs_to_the_day_before(bar: Shop) -> None:
    sold(bar, at(DAY, 3), "50.00")
    sold(bar, at(DAY, 4), "70.00")

    figures = dict(orders_per_day(location=bar.location, days=[DAY - datetime.timedelta(days=1), DAY]))

    assert [one.revenue for one in figures.values()] == [Decimal("50.00"), Decimal("70.00")]


def test_periods_may_overlap_and_need_not_touch(bar: Shop) -> None:
    for hour, price in ((9, "10.00"), (12, "20.00"), (15, "40.00")):
        sold(bar, at(DAY, hour), price)

    whole, morning, late = figures_of_periods(
        location=bar.location,
        periods=[(at(DAY, 8), at(DAY, 20)), (at(DAY, 8), at(DAY, 12)), (at(DAY, 15), at(DAY, 16))],
    )

    assert (whole.revenue, morning.revenue, late.revenue) == (Decimal("70.00"), Decimal("10.00"), Decimal("40.00"))


def test_the_orders_of_another_location_and_imported_ones_are_left_out(bar: Shop) -> None:
    other = Shop.open("Station")
    sold(other, at(DAY, 9))
    tea = bar.product("Imported tea", "5.00")
    bar.sell(tea, channel=Order.Channel.IMPORT, at=at(DAY, 9))

    [(_day, figures)] = orders_per_day(location=bar.location, days=[DAY])

    assert figures.orders == 0


def test_each_location_has_its_own_day(bar: Shop) -> None:
    warsaw = Shop.open("Warsaw", time_zone="Europe/Warsaw")
    moment = datetime.datetime(2026, 3, 14, 22, 30, tzinfo=datetime.UTC)  # the 15th in Bangkok, the 14th in Warsaw
    in_bangkok, in_warsaw = sold(bar, moment), sold(warsaw, moment)
    locations = [bar.location, warsaw.location]

    def found(day: datetime.date) -> list[Order]:
        return list(placed_on_days(Order.objects.all(), locations=locations, days=lambda _location: (day, day)))

    assert found(DAY) == [in_warsaw]
    assert found(DAY + datetime.timedelta(days=1)) == [in_bangkok]


def test_a_customers_figures_leave_cancelled_orders_out(bar: Shop) -> None:
    ann = Customer.objects.create(name="Ann")
    tea = bar.product("Tea", "60.00")
    for number in range(4):
        order = bar.sell(tea, number + 1, customer_id=ann.pk, at=at(DAY, 9 + number))
        if number < 2:
            complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
        elif number == 2:
            cancel_order(order_id=order.pk, actor=NOBODY)

    figures = customer_figures(ann)

    assert (figures.orders, figures.completed) == (3, 2)
    assert (figures.spent, figures.average) == (Decimal("180.00"), Decimal("90.00"))
    assert figures.last_placed_at == at(DAY, 12)
