"""What the first-run page refuses."""

from django.utils.translation import gettext as _

from foundation.errors import Conflict


class HasAccounts(Conflict):
    """The first account is there: everybody else is let in by it."""

    code = "has_accounts"

    def __init__(self) -> None:
        super().__init__(_("This shop has an account already. Sign in with it, or ask its owner for one."))


class StockPosted(Conflict):
    """There is stock, and with it a ledger: more of it comes in by its ordinary door."""

    code = "stock_posted"

    def __init__(self) -> None:
        super().__init__(_("The shop has stock already. Use “Receive” for what comes in from now on."))


class NoLocation(Conflict):
    """Stock and people belong to a location, and there is none."""

    code = "no_location"

    def __init__(self) -> None:
        super().__init__(_("The shop has no open location. Add one first."))
