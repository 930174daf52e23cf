"""The admin's doors to employees, their salaries and payrolls."""

from datetime import date
from decimal import Decimal
from typing import Any

from orders.models import Employee, Position, Salary
from orders.services.payroll import close_payroll, draft_payroll
from orders.services.pins import set_pin
from tests.project.admin_bodies import employee
from tests.project.admin_doors import ADMINS, MANAGERS, NOBODY, STAFF, Attempt, Keys, action, deed, page, records, verb
from tests.shop import Shop

EMPLOYEE, FORMER = "orders/employee/{employee}/", "orders/employee/{former}/"
SALARY = "orders/salary/{salary}/"
DRAFT, CLOSED = "orders/payroll/{payroll}/", "orders/payroll/{closed_payroll}/"
FILL_IN, EXPORT = f"{DRAFT}fill-in/", f"{DRAFT}export/?format=csv"
DISCARD = f"{DRAFT}verb/discard/"
SALES = "orders/employee/sales/"


def salary_form(it: Keys) -> dict[str, Any]:
    return {"amount": "31000", "per": "month", "valid_from": "2026-01-01", "valid_to": "", "note": ""}


def filled_in(it: Keys) -> dict[str, Any]:
    line = {"id": it["payroll_line"], "hours": "", "adjustment": "5", "adjustment_reason": "bonus"}
    fields = {f"lines-0-{name}": value for name, value in line.items()}
    return {"lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 1, **fields}


STAFF_DOORS = [
    records("orders/employee", "employee", see=STAFF, add=MANAGERS, change=MANAGERS, form=employee),
    page(SALES, MANAGERS, Attempt(address=SALES, method="POST", may=MANAGERS, then=405)),
    verb(
        EMPLOYEE,
        ADMINS,
        "raise",
        lambda it: {"raise-amount": "35000", "raise-per": "month", "raise-valid_from": "2026-06-01"},
        asks=True,
    ),
    verb(EMPLOYEE, MANAGERS, "set_pin", lambda it: {"set_pin-pin": "2580", "set_pin-again": "2580"}, asks=True),
    verb(EMPLOYEE, MANAGERS, "clear_pin", asks=True),
    verb(EMPLOYEE, MANAGERS, "let_go", lambda it: {"let_go-left_on": "2026-05-31"}, asks=True),
    verb(FORMER, MANAGERS, "keep", asks=True),
    records(
        "orders/salary",
        "salary",
        see=ADMINS,
        change=ADMINS,
        without=["list"],
        form=salary_form,
        changed=f"{EMPLOYEE}change/",
    ),
    page("orders/salary/", STAFF, then="orders/employee/"),
    deed("orders/salary/", NOBODY, "delete_selected", refused="orders/employee/"),
    records("orders/payroll", "payroll", see=ADMINS, without=["add", "list"]),
    page("orders/payroll/", ADMINS, action("orders/payroll/", NOBODY, "delete_selected", "payroll", ADMINS)),
    page("orders/payroll/add/", ADMINS, then="orders/payroll/new/"),
    page(
        "orders/payroll/new/",
        ADMINS,
        deed("orders/payroll/new/", ADMINS, "begin", lambda it: {"month": "2026-02"}, then="orders/payroll/*/change/"),
    ),
    page(FILL_IN, ADMINS, deed(FILL_IN, ADMINS, "fill it in", filled_in, then=f"{DRAFT}change/")),
    # A closed one is said to be so.
    page(
        f"{CLOSED}fill-in/",
        ADMINS,
        Attempt(address=f"{CLOSED}fill-in/", method="POST", may=ADMINS),
        then=f"{CLOSED}change/",
    ),
    page(EXPORT, ADMINS, Attempt(address=EXPORT, method="POST", may=ADMINS, then=405)),
    verb(DRAFT, ADMINS, "recalculate"),
    verb(DRAFT, ADMINS, "close", asks=True),
    page(DISCARD, ADMINS, deed(DISCARD, ADMINS, "discard", then="orders/payroll/")),
    verb(CLOSED, ADMINS, "reopen", lambda it: {"reopen-reason": "a bonus"}, asks=True),
]


def staff_of(bar: Shop, position: Position) -> dict[str, Any]:
    """Somebody who works here, with a salary, a PIN and two months' payrolls; and somebody who has left."""
    vera = Employee.objects.create(name="Vera", position=position, location=bar.location, hired_on=date(2026, 1, 1))
    former = Employee.objects.create(
        name="Fred", position=position, location=bar.location, hired_on=date(2025, 1, 1), left_on=date(2025, 6, 30)
    )
    salary = Salary.objects.create(employee=vera, amount=Decimal(30_000), valid_from=date(2026, 1, 1))
    set_pin(employee_id=vera.pk, pin="4711", set_by_id=None)
    closed = draft_payroll(month=date(2025, 3, 1), created_by_id=None)
    close_payroll(payroll_id=closed.pk, closed_by_id=None)
    draft = draft_payroll(month=date(2026, 3, 1), created_by_id=None)
    return {
        "employee": vera,
        "former": former,
        "salary": salary,
        "closed_payroll": closed,
        "payroll": draft,
        "payroll_line": draft.lines.get(),
    }
