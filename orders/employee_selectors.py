"""What employees sell."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Sum
from django.utils.translation import gettext as _

from foundation.decimals import round_money
from foundation.errors import InvalidInput
from inventory.models import Location
from orders.models import EveryOrder, Order, Refund
from orders.models.finding import OrderQuerySet
from orders.selectors import placed_on_days

ZERO = Decimal("0.00")
# Days outside these years are a slip of the finger.
YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class EmployeeSales:
    """What somebody sold in a period: completed orders, the items in them that were kept, and the money for these.

    `revenue` is net: what discounts took off and refunds took back is not in it. `refunds` is the money that went back
    for these orders. `employee_id` is None for what nobody in particular sold.
    """

    employee_id: int | None
    name: str
    orders: int = 0
    items: int = 0
    revenue: Decimal = ZERO
    refunds: Decimal = ZERO

    @property
    def average(self) -> Decimal:
        """The average check, 0 without an order."""
        return round_money(self.revenue / self.orders) if self.orders else ZERO


def sales_by_employee(
    *, locations: Iterable[Location], first: datetime.date, last: datetime.date, employee_id: int | None = None
) -> list[EmployeeSales]:
    """The sales of each employee who sold something on these days of the locations, the most revenue first; with
    `employee_id` of that one only. Imported sales are left out. Three queries."""
    check_days(first, last)
    orders = completed_on(locations, first, last)
    if employee_id is not None:
        orders = orders.filter(employee_id=employee_id)
    by_employee = orders.order_by().values("employee_id")
    items = dict(
        by_employee.annotate(number=Sum(F("items__quantity") - F("items__cancelled_quantity"))).values_list(
            "employee_id", "number"
        )
    )
    refunds = dict(
        Refund.objects.filter(order__in=orders.order_by().values("pk"))
        .order_by()
        .values("order__employee_id")
        .annotate(money=Sum("amount"))
        .values_list("order__employee_id", "money")
    )
    rows = by_employee.annotate(orders=Count("pk"), revenue=Sum("total")).values_list(
        "employee_id", "employee__name", "orders", "revenue"
    )
    sales = [
        EmployeeSales(pk, name or "", number, items.get(pk) or 0, revenue, refunds.get(pk, ZERO))
        for pk, name, number, revenue in rows
    ]
    return sorted(sales, key=lambda one: (-one.revenue, -one.orders, one.name, one.employee_id or 0))


def sales_of_employee(
    *, employee_id: int, locations: Iterable[Location], first: datetime.date, last: datetime.date
) -> EmployeeSales:
    """The sales of one employee on these days of the locations. Three queries."""
    found = sales_by_employee(locations=locations, first=first, last=last, employee_id=employee_id)
    return found[0] if found else EmployeeSales(employee_id, "")


def total_of(sales: Sequence[EmployeeSales]) -> EmployeeSales:
    """All of them together."""
    return EmployeeSales(
        employee_id=None,
        name="",
        orders=sum(one.orders for one in sales),
        items=sum(one.items for one in sales),
        revenue=sum((one.revenue for one in sales), ZERO),
        refunds=sum((one.refunds for one in sales), ZERO),
    )


def completed_on(locations: Iterable[Location], first: datetime.date, last: datetime.date) -> OrderQuerySet:
    """The orders that were placed on these days, in days of their own location, and completed since."""
    orders = EveryOrder.objects.filter(status=Order.Status.COMPLETED).exclude(channel=Order.Channel.IMPORT)
    return placed_on_days(orders, locations=locations, days=lambda location: (first, last))


def check_days(first: datetime.date, last: datetime.date) -> None:
    """Raises InvalidInput at the day that makes no sense."""
    for name, day in (("first_day", first), ("last_day", last)):
        if day.year not in YEARS:
            raise InvalidInput.at(name, _("Give a day of this century."))
    if first > last:
        raise InvalidInput.at("last_day", _("The last day is before the first."))


def month_before(day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """The first and the last day of the calendar month before the day's."""
    last = day.replace(day=1) - datetime.timedelta(days=1)
    return last.replace(day=1), last
