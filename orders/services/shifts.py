"""Shifts: opening a till, cash in and out of it, counting it, and putting right what was counted wrongly.

None of this asks for orders: a shift can always be closed, whatever is unpaid or being made.
"""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.money import money
from inventory.models import Location
from inventory.services.lines import check_open
from monitoring.services.alerts import notify, resolve
from orders.errors import ShiftClosed, ShiftOpen, TillOpen, WrongAmount
from orders.locks import lock_shift
from orders.models import CashMovement, Shift, ShiftCorrection
from orders.services.actor import Actor
from orders.services.amounts import LARGEST_AMOUNT, ZERO, check_amount, reason_given, short_text
from orders.shift_selectors import expected_cash

SHIFT_DIFFERENCE = "orders.shift_difference"
USUAL_TILL = "1"


@transaction.atomic
def open_shift(
    *,
    location: Location,
    opening_float: Decimal,
    actor: Actor,
    till: str = USUAL_TILL,
    at: datetime.datetime | None = None,
) -> Shift:
    """Opens a till with so much cash in it. A till has one open shift at most, and of two people who open it at the
    same moment one is told so.

    Raises ClosedLocation, WrongAmount, InvalidInput, TillOpen.
    """
    check_open(location)
    till = short_text("till", " ".join(till.split()), Shift) or USUAL_TILL
    shift = Shift(
        location=location,
        till=till,
        opening_float=check_amount("opening_float", opening_float, may_be_zero=True),
        opened_by_id=actor.user_id,
        opened_at=at or timezone.now(),
    )
    try:
        with transaction.atomic():
            shift.save(force_insert=True)
    except IntegrityError as error:
        if "shift_open_once_per_till" not in str(error):
            raise
        raise TillOpen(till=till, location=location) from error
    return shift


@transaction.atomic
def move_cash(
    *, shift_id: int, amount: Decimal, reason: str, actor: Actor, at: datetime.datetime | None = None
) -> CashMovement:
    """Puts cash into an open till, or takes it out (below 0): at most what should be there.

    Raises UnknownShift, ShiftClosed, WrongAmount, InvalidInput.
    """
    reason = reason_given(reason, CashMovement)
    size = check_amount("amount", abs(amount))
    signed = size if amount > 0 else -size
    shift = lock_shift(shift_id)
    if not shift.is_open:
        raise ShiftClosed(shift)
    there = max(expected_cash(shift), ZERO)
    if signed < 0 and size > there:
        raise WrongAmount.at("amount", _("Only %(there)s is in the till.") % {"there": money(there)})
    # More than any till holds could not be written down when it is closed.
    if signed > 0 and size > (room := max(LARGEST_AMOUNT - there, ZERO)):
        raise WrongAmount.at("amount", _("The amount can't be above %(most)s.") % {"most": money(room)})
    return CashMovement.objects.create(
        shift=shift, amount=signed, reason=reason, created_by_id=actor.user_id, created_at=at or timezone.now()
    )


@transaction.atomic
def close_shift(
    *, shift_id: int, counted: Decimal, actor: Actor, comment: str = "", at: datetime.datetime | None = None
) -> Shift:
    """Closes an open shift with what was counted. Whoever takes a payment at this moment is through before, or finds
    the till closed. A difference from what should be there raises an alert, and closes the shift all the same.

    Raises UnknownShift, ShiftClosed, WrongAmount, InvalidInput.
    """
    counted = check_amount("counted", counted, may_be_zero=True)
    comment = short_text("comment", comment, Shift)
    shift = lock_shift(shift_id)
    if not shift.is_open:
        raise ShiftClosed(shift)
    shift.expected = expected_cash(shift)
    shift.counted = counted
    shift.difference = counted - shift.expected
    shift.comment = comment
    shift.closed_by_id = actor.user_id
    shift.closed_at = at or timezone.now()
    shift.save(update_fields=["expected", "counted", "difference", "comment", "closed_by", "closed_at"])
    tell_difference(shift, shift.difference)
    return shift


@transaction.atomic
def correct_shift(
    *, shift_id: int, counted: Decimal, reason: str, actor: Actor, at: datetime.datetime | None = None
) -> ShiftCorrection:
    """Writes the second document of a closed shift: what its cash really came to. The first one stays as it is, and
    of several corrections the newest holds.

    Raises UnknownShift, ShiftOpen, WrongAmount, InvalidInput.
    """
    reason = reason_given(reason, ShiftCorrection)
    counted = check_amount("counted", counted, may_be_zero=True)
    shift = lock_shift(shift_id)
    if shift.expected is None:
        raise ShiftOpen(shift)
    correction = ShiftCorrection.objects.create(
        shift=shift,
        counted=counted,
        difference=counted - shift.expected,
        reason=reason,
        created_by_id=actor.user_id,
        created_at=at or timezone.now(),
    )
    tell_difference(shift, correction.difference)
    return correction


def tell_difference(shift: Shift, difference: Decimal) -> None:
    """Raises the alert of a closed shift whose cash is not what it should be, or takes it back once it is."""
    if not difference:
        resolve(event=SHIFT_DIFFERENCE, subjects=[str(shift.pk)])
        return
    details = {
        "shift": shift.pk,
        "location": shift.location.name,
        "till": shift.till,
        "expected": str(shift.expected),
        "difference": str(difference),
    }
    notify(event=SHIFT_DIFFERENCE, subject=str(shift.pk), message=difference_sentence(details), details=details)


def difference_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    difference = Decimal(details["difference"])
    sentence = (
        _("Shift №%(shift)s of till %(till)s at %(location)s: %(amount)s is missing.")
        if difference < 0
        else _("Shift №%(shift)s of till %(till)s at %(location)s: %(amount)s too much.")
    )
    return sentence % {**details, "amount": money(abs(difference))}
