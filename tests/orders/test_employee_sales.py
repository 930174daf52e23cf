"""What employees sell."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from foundation.errors import InvalidInput
from inventory.models import Location
from orders.employee_selectors import EmployeeSales, month_before, sales_by_employee, sales_of_employee
from orders.models import Employee, Order, Refund
from orders.services.archive import archive_orders
from orders.services.transitions import complete_order
from tests.orders.staff import day, employed
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


@pytest.fixture
def kai(bar: Shop) -> Employee:
    return employed(bar)


def sold(
    bar: Shop, employee: Employee | None, number: int = 1, *, at: str = "2026-04-10T12:00", price: int = 60
) -> Order:
    """So many of a tea, placed at that moment in UTC, completed and paid."""
    tea, _made = bar.category.products.get_or_create(name=f"Tea for {price}", defaults={"price": Decimal(price)})
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    order = bar.sell(tea, number, employee_id=employee.pk if employee else None, at=moment)
    complete_order(order_id=order.pk, actor=NOBODY, at=moment, allow_unpaid=True)
    return order


def april(employee_id: int | None = None) -> list[EmployeeSales]:
    return sales_by_employee(
        locations=Location.objects.all(), first=day("2026-04-01"), last=day("2026-04-30"), employee_id=employee_id
    )


def test_sales_are_counted_by_who_sold(bar: Shop, kai: Employee) -> None:
    ann = employed(bar, "Ann")
    sold(bar, kai, 2)
    sold(bar, kai, 1, price=45)
    sold(bar, ann, 5)
    sold(bar, None)
    tea = bar.category.products.all()[0]
    bar.sell(tea, employee_id=kai.pk, at=datetime(2026, 4, 2, tzinfo=UTC))  # not completed
    bar.cancel(bar.sell(tea, employee_id=kai.pk, at=datetime(2026, 4, 2, tzinfo=UTC)))

    assert april() == [
        EmployeeSales(ann.pk, "Ann", 1, 5, Decimal("300.00")),
        EmployeeSales(kai.pk, "Kai", 2, 3, Decimal("165.00")),
        EmployeeSales(None, "", 1, 1, Decimal("60.00")),
    ]
    assert april(kai.pk)[0].average == Decimal("82.50")


def test_a_day_is_the_locations_day(bar: Shop, kai: Employee) -> None:
    for moment in ("2026-03-31T16:59", "2026-03-31T17:00", "2026-04-30T16:59", "2026-04-30T17:00"):
        sold(bar, kai, at=moment)

    assert april(kai.pk)[0].orders == 2


def test_what_was_refunded_is_not_in_the_revenue_and_said_beside_it(bar: Shop, kai: Employee) -> None:
    sold(bar, kai)
    order = sold(bar, kai, 3)
    order.items.update(cancelled_quantity=1, total=Decimal(120))
    Order.objects.filter(pk=order.pk).update(subtotal=Decimal(120), total=Decimal(120))
    Refund.objects.create(order_id=order.pk, amount=Decimal(60))

    assert april() == [EmployeeSales(kai.pk, "Kai", 2, 3, Decimal("180.00"), Decimal("60.00"))]


def test_archived_orders_count_as_before(bar: Shop, kai: Employee) -> None:
    sold(bar, kai, 2)
    before = april()
    archive_orders(before=datetime(2026, 5, 1, tzinfo=UTC))

    assert april() == before
    assert not Order.objects.exists()


def test_who_sold_nothing_has_sold_nothing(bar: Shop, kai: Employee) -> None:
    sales = sales_of_employee(
        employee_id=kai.pk, locations=[bar.location], first=day("2026-04-01"), last=day("2026-04-30")
    )

    assert (sales.orders, sales.items, sales.revenue, sales.refunds, sales.average) == (0, 0, 0, 0, 0)


def test_it_takes_three_queries_for_any_number(bar: Shop, django_assert_num_queries: Any) -> None:
    for number in range(6):
        sold(bar, employed(bar, f"Kai {number}"))
    locations = list(Location.objects.all())

    with django_assert_num_queries(3):
        sales_by_employee(locations=locations, first=day("2026-04-01"), last=day("2026-04-30"))


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2026-04-02", "2026-04-01", "last_day"),
        ("0001-01-01", "2026-04-01", "first_day"),
        ("2026-04-02", "9999-12-31", "last_day"),
    ],
)
def test_days_that_make_no_sense_are_refused(bar: Shop, first: str, last: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        sales_by_employee(locations=[bar.location], first=day(first), last=day(last))

    assert set(refused.value.errors) == {field}


def test_the_month_before_begins_where_it_should() -> None:
    assert month_before(date(2026, 3, 31)) == (date(2026, 2, 1), date(2026, 2, 28))
    assert month_before(date(2026, 1, 1)) == (date(2025, 12, 1), date(2025, 12, 31))
