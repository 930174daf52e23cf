"""Which till money goes into, and which one it comes out of: an open one at the order's location.

Cash lies in a till. A card or a transfer is only noted at one, where it is clear which; what is paid online passes
none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from foundation.errors import InvalidInput, Refusal
from orders.errors import NoOpenShift, ShiftClosed, UnknownShift, WhichTill
from orders.locks import lock_open_shifts, lock_shift
from orders.models import Order, Payment, Shift

Method = Payment.Method


def lock_till(order: Order, method: str, shift_id: int | None) -> Shift | None:
    """Locks the open shift that a payment of the locked order goes to: `shift_id`, else the only one at its location.

    Raises UnknownShift, ShiftClosed, InvalidInput for a shift that can't be the one; NoOpenShift, WhichTill for cash
    that has none.
    """
    if shift_id is not None:
        return named_till(order, lock_shift(shift_id))
    if method == Method.ONLINE:
        return None
    shift, refusal = only_till(order, lock_open_shifts([order.location_id]))
    if refusal is not None and method == Method.CASH:
        raise refusal
    return shift


@dataclass(frozen=True, slots=True)
class Tills:
    """The locked open shifts that money goes back through; `said` is the one that somebody named, if they did."""

    open: Sequence[Shift]
    said: int | None = None

    def of(self, order: Order, payment: Payment) -> tuple[Shift | None, Refusal | None]:
        """Through which shift a payment goes back, or why through none: the one that was named, else the one that it
        came through if that is still open, else the only one at the order's location."""
        if self.said is not None:
            return self.named(order, self.said)
        if payment.method == Method.ONLINE:
            return None, None
        came_through = [one for one in self.open if one.pk == payment.shift_id]
        return (came_through[0], None) if came_through else only_till(order, self.open)

    def named(self, order: Order, shift_id: int) -> tuple[Shift | None, Refusal | None]:
        shift = (
            next((one for one in self.open if one.pk == shift_id), None) or Shift.objects.filter(pk=shift_id).first()
        )
        if shift is None:
            return None, UnknownShift(shift_id)
        try:
            return named_till(order, shift), None
        except Refusal as refusal:
            return None, refusal


def named_till(order: Order, shift: Shift) -> Shift:
    """The shift that was named, if the order's money may go through it. Raises ShiftClosed, InvalidInput."""
    if shift.location_id != order.location_id:
        raise InvalidInput.at(
            "shift",
            _("Shift %(shift)s is at another location than order #%(number)s.")
            % {"shift": shift, "number": order.number},
        )
    if not shift.is_open:
        raise ShiftClosed(shift)
    return shift


def only_till(order: Order, shifts: Sequence[Shift]) -> tuple[Shift | None, Refusal | None]:
    """The only one of these open shifts that is at the order's location, or why there is none to choose."""
    here = [shift for shift in shifts if shift.location_id == order.location_id]
    if len(here) == 1:
        return here[0], None
    if not here:
        return None, NoOpenShift(order.location)
    return None, WhichTill(order.location, [shift.till for shift in here])
