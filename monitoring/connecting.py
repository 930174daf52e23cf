"""Connections for those who watch: of their own, and given up soon."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_noop

from foundation.database.leader import leader_first
from monitoring.errors import CheckFailed

logger = structlog.get_logger(__name__)

# Shorter than a check may take in all, so that its own sentence is heard.
CONNECT_SECONDS = 2


@contextmanager
def fresh_connection() -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own that gives up soon. Raises CheckFailed for whatever the database says."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    # A dead machine at the head of several hosts would take most of the time that there is.
    given = leader_first(connection.settings_dict)
    connection.settings_dict = {**given, "OPTIONS": {**given["OPTIONS"], "connect_timeout": CONNECT_SECONDS}}
    try:
        yield connection
    except Error as error:
        # Its text may name the host and the user: that is for the log only.
        logger.warning("the database does not answer a check", error=str(error))
        raise CheckFailed(gettext_noop("The database does not answer.")) from None
    finally:
        connection.close()
