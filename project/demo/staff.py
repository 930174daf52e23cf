"""What the demo's people are paid, and the PINs by which they say at the counter that it is them."""

import datetime
from decimal import Decimal

from inventory.models import Location
from orders.models import Employee, Salary
from orders.services.payroll import draft_payroll
from orders.services.pins import set_pin
from orders.services.salaries import give_salary
from project.demo.people import WORKERS
from project.demo.places import SIAM

RAISED = datetime.timedelta(days=180)


def pay_people(*, admin_id: int, now: datetime.datetime) -> None:
    """Writes salaries and raises, PINs, and a draft of last month's payroll, in which the hours are still missing."""
    employees = {employee.name: employee for employee in Employee.objects.all()}
    today = Location.objects.get(name=SIAM).today(now)
    for worker in WORKERS:
        employee = employees[worker.name]
        steps = [(employee.hired_on, worker.before), (today - RAISED, worker.pay)] if worker.before else []
        for valid_from, amount in steps or [(employee.hired_on, worker.pay)]:
            give_salary(
                employee_id=employee.pk,
                amount=Decimal(amount),
                per=Salary.Per.HOUR if worker.by_the_hour else Salary.Per.MONTH,
                valid_from=valid_from,
                valid_to=employee.left_on,
                created_by_id=admin_id,
            )
        if worker.pin:
            set_pin(employee_id=employee.pk, pin=worker.pin, set_by_id=admin_id, now=now)
    last_month = today.replace(day=1) - datetime.timedelta(days=1)
    draft_payroll(month=last_month, created_by_id=admin_id, at=now)
