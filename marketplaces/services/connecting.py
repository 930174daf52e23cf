"""Connecting an Allegro account by the device code flow: a code is shown, the seller types it in, we ask until
Allegro says yes or no.
"""

import datetime
from uuid import UUID

from marketplaces.models import DeviceConnection


def begin_connection(*, account_id: UUID, started_by_id: int | None, at: datetime.datetime) -> DeviceConnection:
    """Asks Allegro for a code to show. An earlier attempt of the account ends with it.

    Raises UnknownAccount, NotByCode for an account of another marketplace, NotConnected without client id and
    secret, and MarketplaceError when Allegro did not give a code.
    """
    raise NotImplementedError


def check_connection(*, account_id: UUID, at: datetime.datetime) -> DeviceConnection:
    """How the attempt stands at the moment `at`: asks Allegro if it is due (`next_poll_at`), and stores the tokens
    that it gives. A check that comes too early asks nothing.

    Raises UnknownAccount, and NoConnectionInProgress if none was begun.
    """
    raise NotImplementedError
