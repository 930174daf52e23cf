"""Synchronising because somebody asks for it."""

import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from marketplaces.models import SyncRun
from marketplaces.services.runs import begin_run


def request_sync(
    *,
    account_id: UUID,
    what: str,
    since: datetime.datetime | None,
    requested_by_id: int | None,
    at: datetime.datetime,
) -> SyncRun:
    """Begins a run that somebody wants now; whoever calls hands its id to a task. `since`: all orders that changed from
    that moment on are read again.

    Raises UnknownAccount, NotConnected, SyncRunning, and InvalidInput at `since`.
    """
    if since is not None:
        if what != SyncRun.What.ORDERS:
            raise InvalidInput.at("since", _("Only orders can be read again from a moment. Stock is read whole."))
        if since > at:
            raise InvalidInput.at("since", _("Give a moment that has passed."))
    return begin_run(account_id=account_id, what=SyncRun.What(what), since=since, requested_by_id=requested_by_id)
