"""What marketplaces refuse, and how their APIs fail."""

import datetime
from collections.abc import Iterable

from django.utils.translation import gettext as _

from foundation.errors import Conflict, InvalidInput, Missing

# --- refusals: somebody asked for what can't be done, and nothing has changed ------------------------


class UnknownAccount(Missing):
    """There is no such seller account, or not for this caller."""

    def __init__(self, account_id: object) -> None:
        super().__init__(_("There is no seller account %(id)s.") % {"id": account_id})


class UnknownOperation(Missing):
    """There is no such stock operation, or not for this caller."""

    def __init__(self, operation_id: object) -> None:
        super().__init__(_("There is no stock operation %(id)s.") % {"id": operation_id})


class UnknownListing(Missing):
    """There is no such listing, or not for this caller."""

    def __init__(self, listing_id: object) -> None:
        super().__init__(_("There is no listing %(id)s.") % {"id": listing_id})


class UnknownMarketplaceOrder(Missing):
    """There is no such mirrored order, or not for this caller."""

    def __init__(self, order_id: object) -> None:
        super().__init__(_("There is no marketplace order %(id)s.") % {"id": order_id})


class WrongCredentials(InvalidInput):
    """The keys lack what this marketplace needs, or hold what it does not know."""


class NotConnected(Conflict):
    """The account has no valid keys."""

    code = "not_connected"

    def __init__(self, name: str) -> None:
        super().__init__(_("The account %(name)s is not connected. Connect it first.") % {"name": name})


class NotByCode(Conflict):
    """The marketplace of this account knows no connecting by a code: it takes a key."""

    code = "not_by_code"

    def __init__(self, name: str) -> None:
        super().__init__(_("The account %(name)s is connected by its key. Only Allegro uses a code.") % {"name": name})


class NoConnectionInProgress(Missing):
    """Nobody has asked for a code for this account."""

    def __init__(self, name: str) -> None:
        super().__init__(_("Nobody is connecting the account %(name)s. Ask for a code first.") % {"name": name})


class CallFailed(Conflict):
    """What was asked for needs the marketplace at once, and the call failed: a MarketplaceError for a person."""

    code = "marketplace_failed"


class AccountInUse(Conflict):
    """The account has orders or operations: it can be switched off, not deleted."""

    code = "in_use"


class SyncRunning(Conflict):
    """The same is being synchronised for this account already."""

    code = "in_progress"


class NotSent(Conflict):
    """Nothing is sent to the marketplace of this account now; the sentence says why."""

    code = "not_sent"


class OperationStatusWrong(Conflict):
    """The operation's status does not allow this any more."""

    code = "wrong_status"

    def __init__(self, *, status: str, status_label: str, allowed: Iterable[str]) -> None:
        super().__init__(
            _("The operation is %(status)s. This is possible only while it is %(allowed)s.")
            % {"status": status_label, "allowed": ", ".join(allowed)},
            extra={"status": status},
        )


class AccountSwitchedOff(Conflict):
    """Nothing is read or written for an account that is not active."""

    code = "switched_off"

    def __init__(self, name: str) -> None:
        super().__init__(_("The account %(name)s is switched off. Switch it on first.") % {"name": name})


class LeaseLost(Exception):
    """The run took so long without a sign of life that another one has taken its place. It must write no more."""


class CancellationRunning(Conflict):
    """Somebody has asked for this already, and it goes on in the background."""

    code = "in_progress"

    def __init__(self) -> None:
        super().__init__(_("The cancellation of this operation is on its way already."))


class TriedAgain(Conflict):
    """The failed operation has a successor."""

    code = "wrong_status"

    def __init__(self) -> None:
        super().__init__(_("This operation has been tried again already."))


class WrongOperations(InvalidInput):
    """The list of operations is empty or too long."""


# --- failures of a call: what a client raises --------------------------------------------------------


class MarketplaceError(Exception):
    """A call of a marketplace failed. The text says what happened, and holds no secret.

    `may_have_acted`: the request may have reached the marketplace, so that a write has to be looked up before it is
    sent again. `is_final`: the same call will fail again, whenever it is made.
    """

    kind = "error"
    is_final = False
    may_have_acted = False

    def __init__(self, message: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Timeout(MarketplaceError):
    """No answer came in time."""

    kind = "timeout"
    may_have_acted = True


class Unreachable(MarketplaceError):
    """No connection, or it was cut."""

    kind = "unreachable"
    may_have_acted = True


class ServerError(MarketplaceError):
    """The marketplace answered 5xx."""

    kind = "server_error"
    may_have_acted = True


class RateLimited(MarketplaceError):
    """Too many calls; `retry_after` seconds are to be waited."""

    kind = "rate_limited"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, status=429)
        self.retry_after = retry_after


class BreakerOpen(MarketplaceError):
    """The marketplace failed so often that it is left alone until `until`."""

    kind = "breaker_open"

    def __init__(self, message: str, *, until: datetime.datetime) -> None:
        super().__init__(message)
        self.until = until


class BadAnswer(MarketplaceError):
    """The answer is no JSON, was cut off, or lacks what is needed."""

    kind = "data"
    may_have_acted = True


class NotAuthorised(MarketplaceError):
    """The marketplace does not take the keys (401, 403, or a refused token)."""

    kind = "not_authorised"
    is_final = True


class Refused(MarketplaceError):
    """The marketplace understood, and said no for good."""

    kind = "refused"
    is_final = True


class NotFound(Refused):
    """The marketplace does not have it (any more)."""

    kind = "not_found"


class Outdated(MarketplaceError):
    """It has changed meanwhile (Allegro's 409 for an old revision): read it again, then write."""

    kind = "outdated"


class WritingStopped(MarketplaceError):
    """The switch stops all writing: the call was not made."""

    kind = "stopped"
