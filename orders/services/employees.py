"""Who works here, from their first day to their last.

Somebody who comes back is hired anew, with a record of their own; only a last day that was a mistake is taken back.
What a closed payroll was computed from stays as it was.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from foundation.services.records import add_record, check_record
from inventory.models import Location
from orders.models import Employee, Position
from orders.payroll_selectors import closed_month
from orders.proration import Period
from orders.staff_errors import PayrollIsClosed
from orders.staff_locks import lock_employee
from users.models import User

ONE_DAY = datetime.timedelta(days=1)


@transaction.atomic
def hire_employee(
    *,
    name: str,
    position: Position,
    location: Location,
    hired_on: datetime.date,
    left_on: datetime.date | None = None,
    user: User | None = None,
) -> Employee:
    """Writes down somebody who works here from a day on. Raises InvalidInput at its fields."""
    return add_record(
        record=Employee(name=name, position=position, location=location, hired_on=hired_on, left_on=left_on, user=user)
    )


@transaction.atomic
def change_employee(*, employee_id: int, changes: Mapping[str, Any]) -> Employee:
    """Changes these fields of an employee, by name, and no others.

    Raises UnknownEmployee, InvalidInput at its fields, and PayrollIsClosed where other days would count than in a
    payroll that is closed.
    """
    employee = lock_employee(employee_id)
    before = Period(employee.hired_on, employee.left_on)
    for name, value in changes.items():
        setattr(employee, name, value)
    check_record(employee)
    for days in changed_days(before, Period(employee.hired_on, employee.left_on)):
        month = closed_month(employee=employee, days=days, is_employment=True)
        if month is not None:
            raise PayrollIsClosed(month)
    employee.save(update_fields=list(changes))
    return employee


def let_go(*, employee_id: int, left_on: datetime.date) -> Employee:
    """Somebody works here until that day, the last one. Their PIN stops with it; what they do now they finish.

    Raises what `change_employee` raises.
    """
    return change_employee(employee_id=employee_id, changes={"left_on": left_on})


def keep(*, employee_id: int) -> Employee:
    """Takes a last day back that was a mistake: somebody works here as if they had never left.

    Raises what `change_employee` raises.
    """
    return change_employee(employee_id=employee_id, changes={"left_on": None})


def changed_days(before: Period, after: Period) -> list[Period]:
    """The days that belong to one of the two periods and not to the other."""
    changed = []
    if before.first != after.first:
        earlier, later = sorted((before.first, after.first))
        changed.append(Period(earlier, later - ONE_DAY))
    if before.last != after.last:
        ends = sorted(last for last in (before.last, after.last) if last is not None)
        changed.append(Period(ends[0] + ONE_DAY, ends[1] if len(ends) == 2 else None))
    return changed
