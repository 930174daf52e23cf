"""Waiting for a database that went away, as long as DATABASE_PATIENCE says, and no longer for all who come later."""

import threading
import time
from typing import Any

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

LOOK_EVERY = 0.2
# Tests have no time.
pause = time.sleep

logger = structlog.get_logger("foundation.database")


class Absence:
    """Since when the database is away, as this process has seen it.

    Who comes while it has been away for longer than anybody waits is not made to wait too: every thread of the web
    server would be taken, those that answer the probes among them.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        return self._since is not None

    def begins(self) -> float:
        """Says since when, in the seconds of `time.monotonic`."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()
            return self._since

    def goes_on(self, since: float) -> None:
        """A server that only reads has answered."""
        self._since = since

    def ends(self) -> None:
        self._since = None


absence = Absence()


def notice_connection(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """A receiver of `connection_created`."""
    if connection.alias == DEFAULT_DB_ALIAS:
        absence.ends()


connection_created.connect(notice_connection, dispatch_uid="foundation.database.waiting")


def wait_for_database(*, until: float | None = None) -> bool:
    """Waits until the database answers and takes writes, and says whether it does. Tries once at least.

    What this thread had of connections is closed first: one that was lost never comes back.

    Args:
        until: no longer than that moment of `time.monotonic`; DATABASE_PATIENCE after it went away unless given.
    """
    since = absence.begins()
    end = since + settings.DATABASE_PATIENCE
    if until is not None:
        end = min(end, until)
    let_go()
    while not takes_writes():
        absence.goes_on(since)
        if time.monotonic() + LOOK_EVERY > end:
            return False
        pause(LOOK_EVERY)
    return True


def let_go() -> None:
    """Closes this thread's connections."""
    for connection in connections.all(initialized_only=True):
        connection.close()


def takes_writes() -> bool:
    """Whether a server answers that is no standby. Of several hosts libpq looks for that one itself; of one that
    stands for several, such as a load balancer, it can't."""
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            if cursor.fetchone() == (False,):
                return True
    except Error as error:
        logger.debug("database_does_not_answer", reason=str(error))
    connection.close()
    return False
