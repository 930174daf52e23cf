"""Questions about salaries and payrolls."""

import datetime
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from orders.models import Employee, Payroll, PayrollLine, Salary
from orders.proration import Pay, Period, earned, month_of, pay_in


def salaries_of(employee_id: int) -> QuerySet[Salary]:
    """The salaries of an employee, the latest first."""
    return Salary.objects.filter(employee_id=employee_id).order_by("-valid_from")


def with_totals(payrolls: QuerySet[Payroll]) -> QuerySet[Any]:
    """With `people` and `total` of each."""
    return payrolls.annotate(people=Count("lines"), total=Sum("lines__total", default=Decimal("0.00")))


def lines_of(payroll: Payroll) -> QuerySet[PayrollLine]:
    """The lines of a payroll by name, with who they are about."""
    return payroll.lines.select_related("employee__position", "employee__location").order_by(
        "employee__name", "employee_id"
    )


def closed_month(*, employee: Employee, days: Period, is_employment: bool = False) -> datetime.date | None:
    """The first month with some of the days whose payroll is closed and has the employee in it; None without one.

    With `is_employment` also one that they would have been in.
    """
    who = Q(pk__in=PayrollLine.objects.filter(employee=employee).values("payroll_id"))
    if is_employment:
        who |= Q(location=None) | Q(location_id=employee.location_id)
    closed = Payroll.objects.filter(who, status=Payroll.Status.CLOSED, month__gte=days.first.replace(day=1))
    if days.last is not None:
        closed = closed.filter(month__lte=days.last)
    return closed.order_by("month").values_list("month", flat=True).first()


@dataclass(frozen=True, slots=True)
class Computed:
    """What a month's line says of somebody before hours and adjustments: their days and their pay in it."""

    employee: Employee
    days_employed: int
    days_in_month: int
    pays: tuple[Pay, ...]

    def base(self, hours: Decimal) -> Decimal:
        return earned(pays=self.pays, hours=hours, days_in_month=self.days_in_month)

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The pay as a line keeps it."""
        return [
            {
                "first": pay.period.first.isoformat(),
                "last": pay.period.last.isoformat() if pay.period.last else None,
                "days": pay.period.days,
                "amount": str(pay.amount),
                "per": pay.per,
            }
            for pay in self.pays
        ]


def compute(*, month: datetime.date, employees: Collection[Employee]) -> dict[int, Computed]:
    """What the month comes to for each of these employees, by id. One query."""
    whole = month_of(month)
    salaries: dict[int, list[Pay]] = defaultdict(list)
    for salary in Salary.objects.filter(employee__in=employees):
        period = Period(salary.valid_from, salary.valid_to)
        salaries[salary.employee_id].append(Pay(salary.amount, salary.per, period))
    computed = {}
    for employee in employees:
        days = Period(employee.hired_on, employee.left_on).within(whole)
        computed[employee.pk] = Computed(
            employee=employee,
            days_employed=days.days if days else 0,
            days_in_month=whole.days,
            pays=tuple(pay_in(days, salaries[employee.pk])) if days else (),
        )
    return computed


def employed_in(payroll: Payroll) -> QuerySet[Employee]:
    """Who belongs into the payroll: employed in its month, at its location, and in no other payroll of that month."""
    month = month_of(payroll.month)
    elsewhere = PayrollLine.objects.filter(month=payroll.month).exclude(payroll=payroll)
    employees = Employee.objects.filter(
        Q(left_on=None) | Q(left_on__gte=month.first), hired_on__lte=month.last
    ).exclude(pk__in=elsewhere.values("employee_id"))
    if payroll.location_id is not None:
        employees = employees.filter(location_id=payroll.location_id)
    return employees.order_by("pk")
