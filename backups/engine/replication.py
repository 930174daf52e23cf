"""What a server says over the protocol of its standbys: which cluster it is, where its WAL is, how timelines forked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
import psycopg2.extensions
from psycopg2.extras import PhysicalReplicationConnection

from backups.engine.server import Server, last_line
from backups.errors import NoReplication, ServerGone

# What the server says to whom it does not let in as a standby: words that are the same in every language, because it
# refuses before it hears that English is asked for. Everything else means that it can't be reached.
REFUSALS = ("REPLICATION", "pg_hba.conf", "max_wal_senders")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which cluster answers, on which timeline it is now (the control file knows only after a checkpoint), and how far
    its WAL is on the disk."""

    system_identifier: str
    timeline: int
    flushed_to: str


@contextmanager
def replicating(server: Server) -> Iterator[psycopg2.extensions.connection]:
    """A connection that takes replication commands. Raises ServerGone, NoReplication."""
    try:
        with server.connected(factory=PhysicalReplicationConnection) as connection:
            yield connection
    except ServerGone as error:
        why = str(error.__cause__ or error)
        if any(words in why for words in REFUSALS) or lacks_right(server):
            raise NoReplication(server.user, last_line(why.splitlines()[0])) from error
        raise


def lacks_right(server: Server) -> bool:
    """Whether the server answers and says that the account is no standby's: up to 15 it refuses one in words that are
    all translated."""
    try:
        rows = server.ask("SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user")
    except ServerGone:
        return False
    return rows == [(False,)]


def identify(server: Server) -> Identity:
    """Asks the server who it is. Raises ServerGone, NoReplication."""
    with replicating(server) as connection, connection.cursor() as cursor:
        cursor.execute("IDENTIFY_SYSTEM")
        row = cursor.fetchone()
        assert row is not None  # noqa: S101 - the command always answers
        return Identity(row[0], row[1], row[2])


def forks(server: Server, timeline: int) -> dict[int, str]:
    """Where the timelines before this one ended: {timeline: LSN}. Raises ServerGone, NoReplication."""
    if timeline == 1:
        return {}
    with replicating(server) as connection, connection.cursor() as cursor:
        cursor.execute(f"TIMELINE_HISTORY {timeline:d}")
        row = cursor.fetchone()
        assert row is not None  # noqa: S101 - the command answers or fails
        text = bytes(row[1]).decode("utf-8", "replace") if not isinstance(row[1], str) else row[1]
    lines = (line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return {int(words[0]): words[1] for words in lines}
