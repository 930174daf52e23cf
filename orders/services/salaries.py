"""What people are paid, since when: never two salaries on one day, and none changed under a closed payroll."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.moments import day_of_year
from foundation.services.records import check_record
from orders.models import Employee, Salary
from orders.payroll_selectors import closed_month
from orders.proration import Period
from orders.services.employees import ONE_DAY, changed_days
from orders.staff_errors import PayrollIsClosed, UnknownSalary
from orders.staff_locks import lock_employee


@transaction.atomic
def give_salary(
    *,
    employee_id: int,
    amount: Decimal,
    per: str,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
    note: str = "",
    created_by_id: int | None,
) -> Salary:
    """Pays somebody so much from a day on. A salary without a last day, a raise, ends the running one the day before.

    Raises UnknownEmployee, PayrollIsClosed, and InvalidInput: at the amount, for days on which they do not work here,
    and for days on which they have another salary.
    """
    employee = lock_employee(employee_id)
    salary = Salary(
        employee=employee,
        amount=amount,
        per=per,
        valid_from=valid_from,
        valid_to=valid_to,
        note=note,
        created_by_id=created_by_id,
    )
    check_fields(salary)
    check_employed(employee, salary)
    running = running_before(salary) if valid_to is None else None
    refuse_overlap(salary, besides=running)
    refuse_closed(employee, Period(valid_from, valid_to))
    if running is not None:
        running.valid_to = valid_from - ONE_DAY
        running.save(update_fields=["valid_to"])
    check_record(salary)
    salary.save(force_insert=True)
    return salary


@transaction.atomic
def change_salary(*, salary_id: int, changes: Mapping[str, Any]) -> Salary:
    """Puts a salary right: its amount, per, valid_from, valid_to or note, and no others of its fields.

    Raises UnknownSalary, and what `give_salary` raises.
    """
    known = Salary.objects.filter(pk=salary_id).first()
    if known is None:
        raise UnknownSalary(salary_id)
    employee = lock_employee(known.employee_id)
    # Only who holds the employee writes their salaries: it is read anew.
    salary = Salary.objects.get(pk=salary_id)
    before, pay_before = Period(salary.valid_from, salary.valid_to), (salary.amount, salary.per)
    for name, value in changes.items():
        setattr(salary, name, value)
    after = Period(salary.valid_from, salary.valid_to)
    check_fields(salary)
    if after != before:
        check_employed(employee, salary)
        refuse_overlap(salary)
    # Another amount concerns all of its days, another end only those that it gains or loses.
    concerned = changed_days(before, after) if pay_before == (salary.amount, salary.per) else [before, after]
    for days in concerned:
        refuse_closed(employee, days)
    check_record(salary)
    salary.save(update_fields=list(changes))
    return salary


def check_fields(salary: Salary) -> None:
    """Raises InvalidInput at the fields that are wrong by themselves."""
    errors: dict[str, list[str]] = {}
    if salary.amount <= 0:
        errors["amount"] = [_("A salary is more than 0.")]
    if salary.valid_to is not None and salary.valid_to < salary.valid_from:
        errors["valid_to"] = [_("The last day lies before the first one: check both dates.")]
    if errors:
        raise InvalidInput(" ".join(lines[0] for lines in errors.values()), errors=errors)


def check_employed(employee: Employee, salary: Salary) -> None:
    """Raises InvalidInput for a salary that begins while the person does not work here."""
    if salary.valid_from < employee.hired_on:
        raise InvalidInput.at(
            "valid_from",
            _("%(name)s works here from %(day)s on. A salary can't begin before that.")
            % {"name": employee, "day": day_of_year(employee.hired_on)},
        )
    if employee.left_on is not None and salary.valid_from > employee.left_on:
        raise InvalidInput.at(
            "valid_from",
            _("%(name)s works here until %(day)s. A salary can't begin after that.")
            % {"name": employee, "day": day_of_year(employee.left_on)},
        )


def running_before(salary: Salary) -> Salary | None:
    """The salary without a last day that was valid when this one begins."""
    return Salary.objects.filter(
        employee_id=salary.employee_id, valid_to=None, valid_from__lt=salary.valid_from
    ).first()


def refuse_overlap(salary: Salary, *, besides: Salary | None = None) -> None:
    """Raises InvalidInput that says which other salary of the person is valid on some of its days."""
    others = Salary.objects.filter(
        Q(valid_to=None) | Q(valid_to__gte=salary.valid_from), employee_id=salary.employee_id
    ).exclude(pk__in=[one.pk for one in (salary, besides) if one is not None and one.pk is not None])
    if salary.valid_to is not None:
        others = others.filter(valid_from__lte=salary.valid_to)
    other = others.order_by("valid_from").first()
    if other is None:
        return
    values = {"name": salary.employee, "first": day_of_year(other.valid_from)}
    if other.valid_to is None:
        sentence = _(
            "%(name)s has a salary from %(first)s on already, and never two on one day. "
            "Begin later, or change that one."
        )
    else:
        values["last"] = day_of_year(other.valid_to)
        sentence = _(
            "%(name)s has a salary from %(first)s to %(last)s already, and never two on one day. "
            "Choose other days, or change that one."
        )
    raise InvalidInput.at("valid_from", sentence % values)


def refuse_closed(employee: Employee, days: Period) -> None:
    """Raises PayrollIsClosed if a closed payroll was computed from these days."""
    month = closed_month(employee=employee, days=days)
    if month is not None:
        raise PayrollIsClosed(month)
