"""What orders refuse."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from foundation.errors import Conflict, InvalidInput, Missing
from foundation.money import money


class UnknownOrder(Missing):
    """There is no such order."""

    def __init__(self, order_id: object) -> None:
        super().__init__(_("There is no order %(id)s.") % {"id": order_id})


class OrderArchived(Conflict):
    """The order is in the archive: it can be read, and nothing of it changes any more."""

    code = "archived"

    def __init__(self, number: int) -> None:
        super().__init__(
            _("Order #%(number)s is archived: it can be read, but not changed. Restore it from the archive first.")
            % {"number": number}
        )


class UnknownItem(Missing):
    """The order has no such line."""

    def __init__(self, item_id: object) -> None:
        super().__init__(_("The order has no line %(id)s.") % {"id": item_id})


class WrongStatus(Conflict):
    """The order's status does not allow this any more; often somebody else was quicker."""

    code = "wrong_status"

    def __init__(self, *, number: int, status: str, status_label: str, allowed: Iterable[str]) -> None:
        super().__init__(
            _("Order #%(number)s is %(status)s. This is possible only while it is %(allowed)s.")
            % {"number": number, "status": status_label, "allowed": ", ".join(allowed)},
            extra={"status": status},
        )


class ChangedMeanwhile(Conflict):
    """Somebody has changed the order since it was shown to who changes it now."""

    code = "changed_meanwhile"

    def __init__(self, *, number: int) -> None:
        super().__init__(
            _("Order #%(number)s has been changed by somebody else. Reload the page to see it as it is now.")
            % {"number": number}
        )


class WrongLines(InvalidInput):
    """The lines of an order can't be sold as they stand."""


class WrongQuantity(InvalidInput):
    """More is taken back than there is."""


class WrongBatch(InvalidInput):
    """A batch without orders, or with too many of them."""


class WrongSalesFile(InvalidInput):
    """A file of sales can't be read: its encoding, its header, its dates, or the order of its lines."""


class WrongLinesOfSales(InvalidInput):
    """Some lines of a file of sales are wrong, and nobody said that they are to be left out."""


class UnknownSalesImport(Missing):
    """There is no such import of sales."""

    def __init__(self, import_id: object) -> None:
        super().__init__(_("There is no import of sales %(id)s.") % {"id": import_id})


class SalesImportBegun(Conflict):
    """The import has been started or discarded already; often somebody else was quicker."""

    code = "wrong_status"

    def __init__(self, *, file_name: str, status_label: str) -> None:
        super().__init__(
            _("The import of %(file)s is not waiting any more. Its status: %(status)s.")
            % {"file": file_name, "status": status_label}
        )


class UnknownCustomer(Missing):
    """There is no such customer."""

    def __init__(self, customer_id: object) -> None:
        super().__init__(_("There is no customer %(id)s.") % {"id": customer_id})


class UnknownShift(Missing):
    """There is no such shift."""

    def __init__(self, shift_id: object) -> None:
        super().__init__(_("There is no shift %(id)s.") % {"id": shift_id})


class NotPaid(Conflict):
    """The order can't be completed before it is paid, by whoever may not say otherwise."""

    code = "not_paid"

    def __init__(self, *, number: int, due: Decimal) -> None:
        super().__init__(
            _("%(due)s of order #%(number)s is not paid yet. Take the payment, then complete it.")
            % {"number": number, "due": money(due)},
            extra={"due": str(due)},
        )


class PaidAlready(Conflict):
    """Something of the order has been paid: taking it back means paying it back, and that takes a permission."""

    code = "paid_already"

    def __init__(self, *, number: int, paid: Decimal) -> None:
        super().__init__(
            _("%(paid)s of order #%(number)s has been paid. Somebody who may refund has to do this.")
            % {"number": number, "paid": money(paid)},
            extra={"paid": str(paid)},
        )


class PaidMore(Conflict):
    """An edit would leave the order cheaper than what was paid for it."""

    code = "paid_already"

    def __init__(self, *, number: int, paid: Decimal, total: Decimal) -> None:
        super().__init__(
            _("Order #%(number)s would cost %(total)s, but %(paid)s has been paid. Refund the lines instead.")
            % {"number": number, "total": money(total), "paid": money(paid)},
            extra={"paid": str(paid), "total": str(total)},
        )


class NotEnoughPoints(InvalidInput):
    """The customer has fewer points than somebody wants to take."""

    @classmethod
    def of(cls, *, field: str, wanted: int, balance: int) -> "NotEnoughPoints":
        sentence = _("The customer has %(balance)d points, not %(wanted)d.") % {"balance": balance, "wanted": wanted}
        return cls(sentence, errors={field: [sentence]})


class PointsNotUsable(InvalidInput):
    """Points can't pay for this order: nobody is named whose they are, or the programme is switched off."""


class PromoCodeRefused(InvalidInput):
    """The promo code can't be used for this order; the sentence at `promo_code` says why."""

    @classmethod
    def because(cls, sentence: str) -> "PromoCodeRefused":
        return cls(sentence, errors={"promo_code": [sentence]})


class PromoCodeNeedsCustomer(PromoCodeRefused):
    """The promo code is limited for each customer, and nobody has said who the customer is."""


class CustomerGone(Conflict):
    """The customer was merged into another one, or erased: nothing new is written for them."""

    code = "customer_gone"

    def __init__(self, customer_id: int, *, merged_into: int | None) -> None:
        if merged_into is not None:
            sentence = _("Customer %(id)d was merged into customer %(other)d. Use that one.")
        else:
            sentence = _("The data of customer %(id)d was erased. Nothing can be written for them any more.")
        super().__init__(sentence % {"id": customer_id, "other": merged_into}, extra={"merged_into": merged_into})


class WrongAmount(InvalidInput):
    """An amount of money that can't be paid, paid back or moved."""


class NoOpenShift(Conflict):
    """Cash needs a till, and none is open at the location."""

    code = "no_open_shift"

    def __init__(self, location: object) -> None:
        super().__init__(
            _("No till is open at %(location)s: there is nowhere for cash to come from or go to. Open a shift first.")
            % {"location": location}
        )


class WhichTill(Conflict):
    """Several tills are open at the location, and nobody has said which one is meant."""

    code = "which_till"

    def __init__(self, location: object, tills: Iterable[str]) -> None:
        super().__init__(
            _("Several tills are open at %(location)s: %(tills)s. Say which shift the cash belongs to.")
            % {"location": location, "tills": ", ".join(tills)}
        )


class TillOpen(Conflict):
    """The till has an open shift already; often somebody else was quicker."""

    code = "till_open"

    def __init__(self, *, till: str, location: object) -> None:
        super().__init__(
            _("Till %(till)s at %(location)s is open already. Close its shift before you open another.")
            % {"till": till, "location": location}
        )


class ShiftClosed(Conflict):
    """The shift is closed: its cash has been counted. What was counted wrongly is corrected by a second document."""

    code = "shift_closed"

    def __init__(self, shift: object) -> None:
        super().__init__(_("Shift %(shift)s is closed already.") % {"shift": shift})


class ShiftOpen(Conflict):
    """The shift is open: there is nothing to correct yet."""

    code = "shift_open"

    def __init__(self, shift: object) -> None:
        super().__init__(_("Shift %(shift)s is still open. Close it first.") % {"shift": shift})


class PaymentAfterCancellation(Conflict):
    """The order is cancelled: nothing of it is owed."""

    code = "wrong_status"

    def __init__(self, *, number: int, status: str) -> None:
        super().__init__(
            _("Order #%(number)s is cancelled: nothing is to be paid for it.") % {"number": number},
            extra={"status": status},
        )


class OrderImported(Conflict):
    """The sale was imported: it was paid where it was made."""

    code = "imported"

    def __init__(self, number: int) -> None:
        super().__init__(_("Order #%(number)s was imported: it was paid where it was sold.") % {"number": number})


class AdjustmentLimit(InvalidInput):
    """More points than this person may give or take within a day."""

    @classmethod
    def of(cls, *, limit: int, used: int) -> "AdjustmentLimit":
        if used:
            sentence = _(
                "You may adjust %(limit)d points of a customer within a day, and have adjusted %(used)d."
                " A manager may do more."
            ) % {"limit": limit, "used": used}
        else:
            sentence = _("You may adjust %(limit)d points of a customer within a day. A manager may do more.") % {
                "limit": limit
            }
        return cls(sentence, errors={"points": [sentence]})


class CannotMerge(Conflict):
    """These two customers can't be made one."""

    code = "cannot_merge"


class CannotErase(Conflict):
    """The person's data is still needed."""

    code = "cannot_erase"


class NothingToRefund(Conflict):
    """Nothing was paid for the order, or all of it has been paid back."""

    code = "nothing_to_refund"

    def __init__(self, number: int) -> None:
        super().__init__(
            _("Nothing is left of what was paid for order #%(number)s: there is nothing to pay back.")
            % {"number": number}
        )


class PriceChanged(Conflict):
    """A price has changed since the customer was told what to pay."""

    code = "price_changed"

    def __init__(self, *, told: Decimal, total: Decimal) -> None:
        super().__init__(
            _("A price has just changed: the order now comes to %(total)s, not %(told)s. Look at it again.")
            % {"total": money(total), "told": money(told)},
            extra={"total": str(total)},
        )
