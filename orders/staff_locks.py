"""The locks of what concerns employees. The documented order: who may begin payrolls, a payroll, employees by id.

Who holds them takes none of `orders.locks`, and the other way round.
"""

from collections.abc import Collection

from django.db import connection

from orders.models import Employee, Payroll, WrongPins
from orders.staff_errors import UnknownEmployee, UnknownPayroll

# An advisory lock of its own; the number says nothing.
PAYROLLS = 7_236_002


def lock_payrolls() -> None:
    """Holds up everybody else who begins or calculates a payroll until the end of the transaction: who is in which of
    a month does not change meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PAYROLLS])


def lock_payroll(payroll_id: int) -> Payroll:
    """Locks the payroll until the end of the transaction and returns it as it is now. Raises UnknownPayroll."""
    payroll = Payroll.objects.select_for_update(of=("self",), no_key=True).filter(pk=payroll_id).first()
    if payroll is None:
        raise UnknownPayroll(payroll_id)
    return payroll


def lock_employees(employee_ids: Collection[int]) -> list[Employee]:
    """Locks these employees in the order of their ids: when they work here and what they are paid does not change
    meanwhile. Unknown ones are left out."""
    rows = Employee.objects.select_for_update(of=("self",), no_key=True)
    return list(rows.filter(pk__in=employee_ids).order_by("pk"))


def lock_employee(employee_id: int) -> Employee:
    """Locks one employee and returns them as they are now. Raises UnknownEmployee."""
    employees = lock_employees([employee_id])
    if not employees:
        raise UnknownEmployee(employee_id)
    return employees[0]


def lock_wrong_pins(*, employee_id: int, address: str) -> list[WrongPins]:
    """Locks what is counted of wrong PINs from this address and for this employee, in this order. Who holds them takes
    no other lock."""
    by = WrongPins.CountedBy
    keys = [(by.ADDRESS, address[:64]), (by.EMPLOYEE, str(employee_id))]
    WrongPins.objects.bulk_create([WrongPins(counted_by=one, key=key) for one, key in keys], ignore_conflicts=True)
    return list(WrongPins.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("counted_by"))
