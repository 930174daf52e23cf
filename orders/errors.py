"""What orders refuse."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from foundation.errors import Conflict, InvalidInput, Missing


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
