"""The PIN by which somebody says at the counter that it is them.

The counter knows who is asked: a person is chosen first, then the PIN is given. After so many wrong ones in a row
nobody is let in for a while, not even with the right one; each further round of wrong ones makes the wait longer. The
counts live in PostgreSQL, so that they hold for all processes and machines.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from foundation.errors import InvalidInput
from monitoring.services.alerts import notify
from orders.models import CounterPin, Employee, WrongPins
from orders.staff_errors import HasLeft, NoPin, TooManyPins, UnknownEmployee, WrongPin
from orders.staff_locks import lock_employee, lock_wrong_pins

PIN_LOCKED = "orders.pin_locked"
PIN = re.compile(r"[0-9]{4,6}", re.ASCII)
# So many in a row; a till serves several people, so that an address has more.
MOST_WRONG = {WrongPins.CountedBy.EMPLOYEE: 5, WrongPins.CountedBy.ADDRESS: 20}
WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1))
KEPT_FOR = timedelta(days=2)
ROWS = "0123456789", "9876543210"


@sensitive_variables("pin")
@transaction.atomic
def set_pin(*, employee_id: int, pin: str, set_by_id: int | None, now: datetime | None = None) -> bool:
    """Gives somebody a PIN for the counter, in the place of the one they had; what was counted against them is
    forgotten. Says whether it is easily guessed, like 1234: allowed, but worth a warning.

    Raises UnknownEmployee, HasLeft, InvalidInput at "pin".
    """
    employee = lock_employee(employee_id)
    refuse_who_has_left(employee, now=now or timezone.now())
    if not PIN.fullmatch(pin):
        raise InvalidInput.at("pin", _("A PIN has 4 to 6 digits."))
    CounterPin.objects.update_or_create(
        employee=employee,
        defaults={"hash": make_password(pin), "set_by_id": set_by_id, "set_at": now or timezone.now()},
    )
    WrongPins.objects.filter(counted_by=WrongPins.CountedBy.EMPLOYEE, key=str(employee_id)).delete()
    return is_easily_guessed(pin)


@transaction.atomic
def clear_pin(*, employee_id: int) -> None:
    """Takes somebody's PIN away; nobody is told if there was none. Raises UnknownEmployee."""
    lock_employee(employee_id)
    CounterPin.objects.filter(employee_id=employee_id).delete()


@sensitive_variables("pin")
def check_pin(*, employee_id: int, pin: str, address: str, now: datetime | None = None) -> Employee:
    """Returns the employee if this is their PIN; `address` is the network address that it is given at.

    A wrong one counts whatever becomes of the request, so this must not be called inside a transaction. Guesses for
    one person, or from one address, wait for each other: many at once are not more than many in a row.

    Raises UnknownEmployee, HasLeft, NoPin, WrongPin, and TooManyPins before the PIN is looked at.
    """
    moment = now or timezone.now()
    employee = Employee.objects.filter(pk=employee_id).first()
    if employee is None:
        raise UnknownEmployee(employee_id)
    refuse_who_has_left(employee, now=moment)
    with transaction.atomic(durable=True):
        counts = lock_wrong_pins(employee_id=employee_id, address=address)
        waits = [count.waits_until for count in counts if count.waits_until and count.waits_until > moment]
        if waits:
            raise TooManyPins(retry_after=max(1, ceil((max(waits) - moment).total_seconds())))
        # Read under the lock: one that was taken away meanwhile lets nobody in.
        kept = CounterPin.objects.filter(employee_id=employee_id).first()
        if kept is None:
            raise NoPin(employee)
        is_right = check_password(pin, kept.hash)
        if is_right:
            WrongPins.objects.filter(pk__in=[count.pk for count in counts], number__gt=0).update(
                number=0, waits_until=None
            )
        else:
            _count_wrong(counts, employee=employee, address=address, now=moment)
    if not is_right:
        raise WrongPin
    return employee


def has_pin(employee_id: int) -> bool:
    """Whether somebody has a PIN at all."""
    return CounterPin.objects.filter(employee_id=employee_id).exists()


def is_easily_guessed(pin: str) -> bool:
    """Whether it is what many take: one digit again and again, or digits in a row."""
    return len(set(pin)) == 1 or any(pin in row for row in ROWS)


def refuse_who_has_left(employee: Employee, *, now: datetime) -> None:
    """Raises HasLeft for whose last day is over where they worked."""
    if employee.left_on is not None and employee.left_on < employee.location.today(now):
        raise HasLeft(employee)


def pin_locked_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return _("%(number)s wrong PINs in a row for %(employee)s, the last one from %(address)s.") % {
        **details,
        "address": details["address"] or _("an unknown address"),
    }


def forget_old_wrong_pins(*, now: datetime) -> int:
    """Deletes what nobody has added to for long; returns how many."""
    return WrongPins.objects.filter(last_at__lt=now - KEPT_FOR).delete()[0]


def _count_wrong(counts: list[WrongPins], *, employee: Employee, address: str, now: datetime) -> None:
    """One more wrong PIN; the last one of a round begins a wait, and tells the staff."""
    for count in counts:
        most = MOST_WRONG[WrongPins.CountedBy(count.counted_by)]
        count.number += 1
        count.last_at = now
        if count.number % most == 0:
            count.waits_until = now + WAITS[min(count.number // most, len(WAITS)) - 1]
            details = {"employee": employee.name, "address": address, "number": count.number}
            notify(event=PIN_LOCKED, subject=employee.name, message=pin_locked_sentence(details), details=details)
        WrongPins.objects.filter(pk=count.pk).update(
            number=count.number, last_at=count.last_at, waits_until=count.waits_until
        )
