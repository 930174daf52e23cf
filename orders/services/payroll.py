"""The pay of a month: drafted, filled in, closed, exported.

A draft is computed anew whenever somebody writes in it; hours and adjustments stay. Closing freezes what is shown, and
is refused where a salary has changed since: nobody closes figures that they have not seen. One that was closed by
mistake is reopened with a reason; a small correction goes into the next month as an adjustment.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import can_proceed

from foundation.errors import InvalidInput
from inventory.models import Location
from orders.models import Payroll, PayrollLine
from orders.payroll_selectors import Computed, compute, employed_in
from orders.proration import most_hours
from orders.staff_errors import PayrollExists, PayrollOutdated, WrongPayrollStatus
from orders.staff_locks import lock_employees, lock_payroll, lock_payrolls

EARLIEST_YEAR = 2000
LONGEST_REASON = 300
LARGEST_MONEY = Decimal("9999999999.99")
WRITTEN = ["days_employed", "days_in_month", "hours", "base", "adjustment", "adjustment_reason", "total", "parts"]
ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class LineEntry:
    """What somebody writes into a line; None leaves as it is what stands there."""

    line_id: int
    hours: Decimal | None = None
    adjustment: Decimal | None = None
    adjustment_reason: str | None = None


@transaction.atomic
def draft_payroll(
    *,
    month: datetime.date,
    location: Location | None = None,
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> Payroll:
    """Begins the payroll of the month that the day belongs to, for a location or for everybody who is in no other
    payroll of that month, and calculates it.

    Raises InvalidInput at "month", PayrollExists.
    """
    moment = at or timezone.now()
    first = month.replace(day=1)
    # On the far side of the date line a month begins a day earlier.
    if first.year < EARLIEST_YEAR or first > (moment + datetime.timedelta(days=1)).date():
        raise InvalidInput.at("month", _("Choose a month that has begun, from the year 2000 on."))
    lock_payrolls()
    known = Payroll.objects.filter(month=first, location=location).first()
    if known is not None:
        raise PayrollExists(known)
    payroll = Payroll.objects.create(
        month=first, location=location, created_by_id=created_by_id, created_at=moment, calculated_at=moment
    )
    calculate(payroll)
    return payroll


@transaction.atomic
def recalculate_payroll(*, payroll_id: int, at: datetime.datetime | None = None) -> Payroll:
    """Computes a draft from the employees and salaries as they are now; hours and adjustments stay.

    Raises UnknownPayroll, WrongPayrollStatus, and InvalidInput if an adjustment takes off more than is left.
    """
    return written(payroll_id, (), at=at)


@transaction.atomic
def fill_in_payroll(*, payroll_id: int, entries: Sequence[LineEntry], at: datetime.datetime | None = None) -> Payroll:
    """Writes hours and adjustments into the lines of a draft, and computes it anew.

    Raises UnknownPayroll, WrongPayrollStatus, and InvalidInput at "lines[2].hours": the third entry's field.
    """
    return written(payroll_id, entries, at=at)


@transaction.atomic
def close_payroll(*, payroll_id: int, closed_by_id: int | None, at: datetime.datetime | None = None) -> Payroll:
    """draft → closed: it is paid so.

    Raises UnknownPayroll, WrongPayrollStatus, PayrollOutdated, and InvalidInput for one with nobody in it.
    """
    lock_payrolls()
    payroll = lock_payroll(payroll_id)
    if not can_proceed(payroll.close):
        raise WrongPayrollStatus(payroll)
    lines = list(payroll.lines.select_related("employee"))
    if not lines:
        raise InvalidInput(_("Nobody is in this payroll: there is nothing to close."))
    # Whoever changes a salary holds the employee, and waits for us, or we for them.
    lock_employees({line.employee_id for line in lines} | {one.pk for one in employed_in(payroll)})
    if is_outdated(payroll, lines):
        raise PayrollOutdated(payroll)
    payroll.close(by_id=closed_by_id, at=at)
    payroll.save(update_fields=["status", "closed_at", "closed_by"])
    return payroll


@transaction.atomic
def reopen_payroll(
    *, payroll_id: int, reason: str, reopened_by_id: int | None, at: datetime.datetime | None = None
) -> Payroll:
    """closed → draft, with the reason. Raises UnknownPayroll, WrongPayrollStatus, InvalidInput at "reason"."""
    payroll = lock_payroll(payroll_id)
    if not can_proceed(payroll.reopen):
        raise WrongPayrollStatus(payroll)
    if not reason.strip():
        raise InvalidInput.at("reason", _("Say why it is reopened."))
    if len(reason) > LONGEST_REASON:
        raise InvalidInput.at("reason", too_long())
    payroll.reopen(by_id=reopened_by_id, reason=reason.strip(), at=at)
    payroll.save(update_fields=["status", "closed_at", "closed_by", "reopened_at", "reopened_by", "reopen_reason"])
    return payroll


@transaction.atomic
def discard_payroll(*, payroll_id: int) -> Payroll:
    """Deletes a draft with its lines, and returns it as it was. Raises UnknownPayroll, WrongPayrollStatus."""
    payroll = lock_payroll(payroll_id)
    require_draft(payroll)
    Payroll.objects.filter(pk=payroll_id).delete()
    return payroll


def written(payroll_id: int, entries: Sequence[LineEntry], *, at: datetime.datetime | None) -> Payroll:
    lock_payrolls()
    payroll = lock_payroll(payroll_id)
    require_draft(payroll)
    calculate(payroll, entries)
    payroll.calculated_at = at or timezone.now()
    payroll.save(update_fields=["calculated_at"])
    return payroll


def require_draft(payroll: Payroll) -> None:
    if payroll.status != Payroll.Status.DRAFT:
        raise WrongPayrollStatus(payroll)


def calculate(payroll: Payroll, entries: Sequence[LineEntry] = ()) -> None:
    """Brings the lines up to the employees and salaries as they are now, with what is written into them.

    Somebody who no longer belongs into the month goes, unless an adjustment is to be paid to them.
    """
    lines = {line.employee_id: line for line in payroll.lines.select_related("employee")}
    places = enter(entries, {line.pk: line for line in lines.values()})
    employees = {one.pk: one for one in employed_in(payroll)}
    computed = compute(
        month=payroll.month, employees=[*employees.values(), *(line.employee for line in lines.values())]
    )
    gone = [line for pk, line in lines.items() if pk not in employees and not line.adjustment]
    kept = [line for line in lines.values() if line not in gone]
    new = [
        PayrollLine(payroll=payroll, month=payroll.month, employee=employee)
        for pk, employee in employees.items()
        if pk not in lines
    ]
    errors: dict[str, list[str]] = {}
    for line in (*kept, *new):
        compute_line(line, computed[line.employee_id])
        for field, sentence in faults_of(line, computed[line.employee_id]):
            place = places.get(line.pk)
            name = "non_field_errors" if place is None else f"lines[{place}].{field}"
            errors.setdefault(name, []).append(f"{line.employee}: {sentence}" if place is None else sentence)
    if errors:
        raise InvalidInput(" ".join(sentence for lines in errors.values() for sentence in lines), errors=errors)
    PayrollLine.objects.filter(pk__in=[line.pk for line in gone]).delete()
    PayrollLine.objects.bulk_update(kept, WRITTEN, batch_size=500)
    PayrollLine.objects.bulk_create(new)


def enter(entries: Sequence[LineEntry], lines: dict[int, PayrollLine]) -> dict[int, int]:
    """Writes the entries into the lines in memory; {line id: which entry it was}."""
    places: dict[int, int] = {}
    for place, entry in enumerate(entries):
        line = lines.get(entry.line_id)
        if line is None or entry.line_id in places:
            raise InvalidInput.at(f"lines[{place}].id", _("This payroll has no such line, or it stands here twice."))
        places[entry.line_id] = place
        if entry.hours is not None:
            line.hours = entry.hours
        if entry.adjustment is not None:
            line.adjustment = entry.adjustment
        if entry.adjustment_reason is not None:
            line.adjustment_reason = entry.adjustment_reason.strip()
    return places


def compute_line(line: PayrollLine, computed: Computed) -> None:
    line.days_employed, line.days_in_month = computed.days_employed, computed.days_in_month
    line.parts = computed.parts
    line.base = computed.base(line.hours)
    line.total = line.base + line.adjustment


def faults_of(line: PayrollLine, computed: Computed) -> list[tuple[str, str]]:
    """What is wrong with a line: (field, sentence)."""
    faults: list[tuple[str, str]] = []
    most = most_hours(computed.pays)
    if line.hours < 0:
        faults.append(("hours", _("Hours can't be below 0.")))
    elif line.hours and not most:
        faults.append(("hours", _("Nothing is paid by the hour in this month. Leave the hours at 0.")))
    elif line.hours > most:
        faults.append(
            ("hours", _("The days that are paid by the hour have %(most)s hours. Check the number.") % {"most": most})
        )
    if abs(line.adjustment) > LARGEST_MONEY or line.total > LARGEST_MONEY:
        faults.append(("adjustment", _("The amount is too large.")))
    elif line.total < 0 <= line.hours:
        faults.append(("adjustment", _("It takes off more than is earned. Take off the rest in the next month.")))
    if line.adjustment and not line.adjustment_reason:
        faults.append(("adjustment_reason", _("Say why it is adjusted.")))
    if len(line.adjustment_reason) > LONGEST_REASON:
        faults.append(("adjustment_reason", too_long()))
    return faults


def is_outdated(payroll: Payroll, lines: Sequence[PayrollLine]) -> bool:
    """Whether calculating the payroll now would change it."""
    employees = {one.pk: one for one in employed_in(payroll)}
    computed = compute(month=payroll.month, employees=[*employees.values(), *(line.employee for line in lines)])
    if not employees.keys() <= {line.employee_id for line in lines}:
        return True

    def said(line: PayrollLine) -> tuple[Any, ...]:
        return (line.days_employed, line.base, line.parts)

    return any(
        said(line) != (now.days_employed, now.base(line.hours), now.parts)
        or (line.employee_id not in employees and not line.adjustment)
        for line in lines
        for now in [computed[line.employee_id]]
    )


def too_long() -> str:
    return _("Write at most %(most)d characters.") % {"most": LONGEST_REASON}
