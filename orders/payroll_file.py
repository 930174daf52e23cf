"""A payroll as a spreadsheet."""

from decimal import Decimal
from typing import Any

from inventory.exchange.csv_file import write_csv
from inventory.exchange.xlsx_file import write_xlsx
from inventory.services.exchange import FORMATS, ExportedFile
from orders.models import Payroll, PayrollLine
from orders.payroll_selectors import lines_of

COLUMNS = (
    "month",
    "employee",
    "position",
    "location",
    "days_employed",
    "days_in_month",
    "hours",
    "base",
    "adjustment",
    "adjustment_reason",
    "total",
)


def payroll_file(payroll: Payroll, *, kind: str) -> ExportedFile:
    """The lines of a payroll as "csv" or "xlsx", by name."""
    rows = [row_of(line) for line in lines_of(payroll)]
    name = f"payroll-{payroll.month:%Y-%m}"
    content = write_csv(COLUMNS, rows) if kind == "csv" else write_xlsx(COLUMNS, rows, title=name)
    return ExportedFile(f"{name}.{kind}", FORMATS[kind], content)


def row_of(line: PayrollLine) -> list[Any]:
    figures: list[int | Decimal] = [line.days_employed, line.days_in_month, line.hours, line.base, line.adjustment]
    employee = line.employee
    return [
        f"{line.month:%Y-%m}",
        employee.name,
        employee.position.name,
        employee.location.name,
        *figures,
        line.adjustment_reason,
        line.total,
    ]
