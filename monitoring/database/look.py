"""All that the page about the database shows, each part by itself: one that can't be read hides no other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from monitoring.connecting import fresh_connection
from monitoring.database.activity import Connections, LongTransaction, Wait, connections, long_transactions, waits
from monitoring.database.replication import Slot, Standby, slots, standbys
from monitoring.database.server import Server, server
from monitoring.database.sizes import TableSize, UnusedIndex, largest_tables, unused_indexes
from monitoring.database.statements import Order, Statement, slow_statements

# SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html
TIMED_OUT, LOCK_NOT_AVAILABLE, NOT_PERMITTED, NOT_LOADED = "57014", "55P03", "42501", "55000"

Found = TypeVar("Found")
logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Part(Generic[Found]):
    """What was found, or why nothing was."""

    found: Found | None
    problem: str = ""


@dataclass(frozen=True)
class Look:
    """The database as it is now. Of statements, None says that they are not counted."""

    server: Part[Server]
    statements: Part[list[Statement] | None]
    tables: Part[list[TableSize]]
    unused: Part[list[UnusedIndex]]
    connections: Part[list[Connections]]
    waits: Part[list[Wait]]
    transactions: Part[list[LongTransaction]]
    standbys: Part[list[Standby]]
    slots: Part[list[Slot]]


def look_at_database(*, order: Order = Order.TOTAL) -> Look:
    """Reads all of it, on a connection of its own, and each part for a few seconds at most.

    Raises CheckFailed if the database does not answer at all.
    """
    with fresh_connection() as connection:
        connection.ensure_connection()

        def part(name: str, question: Callable[[BaseDatabaseWrapper], Found]) -> Part[Found]:
            try:
                return Part(question(connection))
            except Error as error:
                if connection.connection is None or connection.connection.closed:
                    raise
                logger.warning("database_part_not_read", part=name, error=str(error))
                return Part(None, problem_of(error))

        return Look(
            server=part("server", server),
            statements=part("statements", lambda connection: slow_statements(connection, order)),
            tables=part("tables", largest_tables),
            unused=part("unused", unused_indexes),
            connections=part("connections", connections),
            waits=part("waits", waits),
            transactions=part("transactions", long_transactions),
            standbys=part("standbys", standbys),
            slots=part("slots", slots),
        )


def problem_of(error: Error) -> str:
    """Why a part could not be read, for people."""
    code: Any = getattr(error.__cause__, "pgcode", None)
    if code in (TIMED_OUT, LOCK_NOT_AVAILABLE):
        return _("It took too long and was given up. Look again when less is going on.")
    if code == NOT_PERMITTED:
        return _("The shop's account may not see it: GRANT pg_monitor TO it.")
    if code == NOT_LOADED:
        return _("The server was started without it: add it to shared_preload_libraries and restart PostgreSQL.")
    return _("The database refused the question (%(code)s).") % {"code": code or type(error).__name__}
