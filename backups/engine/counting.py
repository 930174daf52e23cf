"""The rows of all tables at one moment: in a snapshot that pg_dump shares, and in what was restored from it."""

import datetime
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg2
import psycopg2.extensions
from django.utils.translation import gettext as _

from backups.engine.server import Server, last_line
from backups.errors import BackupFailed, DiskIsFull, Interrupted, ServerGone, TablesInUse

# The shop's own limits are for its pages; a long dump keeps one transaction open.
NO_TIMEOUTS = """
    SELECT set_config(name, '0', false) FROM pg_settings
    WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout',
                   'idle_session_timeout')
"""
# A migration that holds a table locked for longer than this is not waited for.
LOCK_PATIENCE = "60s"
# A partitioned table counts as one; what extensions made is theirs.
TABLES = """
    SELECT namespace.nspname || '.' || class.relname, format('%I.%I', namespace.nspname, class.relname),
           class.relkind = 'p',
           (SELECT sum(pg_table_size(part.relid))::bigint
            FROM (SELECT class.oid AS relid WHERE class.relkind = 'r'
                  UNION ALL SELECT tree.relid FROM pg_partition_tree(class.oid) AS tree
                            WHERE class.relkind = 'p' AND tree.isleaf) AS part)
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE class.relkind IN ('r', 'p') AND NOT class.relispartition AND class.relpersistence <> 't'
      AND namespace.nspname <> 'information_schema' AND namespace.nspname NOT LIKE 'pg\\_%'
      AND NOT EXISTS (
          SELECT FROM pg_depend
          WHERE classid = 'pg_class'::regclass AND objid = class.oid AND deptype = 'e'
      )
    ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the database: its name as manifests write it, as SQL writes it, and its bytes without indexes."""

    name: str
    quoted: str
    is_partitioned: bool
    size: int


class Snapshot:
    """What one transaction sees, which other programs may share by `id` while it is open. `at` is a moment up to which
    it holds everything."""

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self.connection = connection
        self.is_cancelled = threading.Event()
        self.lock_patience = LOCK_PATIENCE
        with connection.cursor() as cursor:
            cursor.execute(NO_TIMEOUTS)
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [self.lock_patience])
            cursor.execute("SELECT pg_export_snapshot(), now()")
            row: tuple[str, datetime.datetime] = cursor.fetchall()[0]
            self.id, self.at = row[0], row[1].astimezone(datetime.UTC)
            self.tables = tables_of(cursor)

    def count(self) -> dict[str, int]:
        """The rows of every table. Raises Interrupted after `cancel`."""
        with self.connection.cursor() as cursor:
            return count_rows(cursor, self.tables, is_stopped=self.is_cancelled.is_set)

    def cancel(self) -> None:
        """Ends a count that another thread is at."""
        self.is_cancelled.set()
        with suppress(psycopg2.Error):
            self.connection.cancel()


@contextmanager
def snapshot(server: Server) -> Iterator[Snapshot]:
    """An open snapshot of the database. Raises ServerGone."""
    with server.connected() as connection, meanings(server):
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        yield Snapshot(connection)


def tables_of(cursor: psycopg2.extensions.cursor) -> list[Table]:
    """The tables that a dump of this database holds, by name."""
    cursor.execute(TABLES)
    return [Table(*row) for row in cursor.fetchall()]


def count_rows(
    cursor: psycopg2.extensions.cursor,
    tables: list[Table],
    *,
    is_stopped: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """The rows of these tables by name. Raises Interrupted."""
    counts = {}
    for table in tables:
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        # Without ONLY, a table that others inherit from would count their rows too.
        only = "" if table.is_partitioned else "ONLY "
        cursor.execute(f"SELECT count(*) FROM {only}{table.quoted}")  # noqa: S608 - quoted by the server
        counts[table.name] = cursor.fetchall()[0][0]
    return counts


def differences(expected: dict[str, int], found: dict[str, int]) -> list[str]:
    """A sentence for each table that holds another number of rows than it should."""
    sentences = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            sentences.append(_("%(table)s is missing.") % {"table": name})
        elif name not in expected:
            sentences.append(_("%(table)s should not be there.") % {"table": name})
        elif expected[name] != found[name]:
            sentences.append(
                _("%(table)s has %(found)d rows instead of %(expected)d.")
                % {"table": name, "found": found[name], "expected": expected[name]}
            )
    return sentences


@contextmanager
def meanings(server: Server) -> Iterator[None]:
    """Has what the server says while we talk to it become our errors. Raises ServerGone, DiskIsFull, BackupFailed."""
    try:
        yield
    except psycopg2.Error as error:
        raise meaning(error, server) from error


def meaning(error: psycopg2.Error, server: Server) -> BackupFailed:
    """Our error for the driver's."""
    words, code = last_line(str(error)) if not error.pgcode else first_line(str(error)), error.pgcode or ""
    address = {"host": server.host, "port": server.port, "why": words}
    if code == "53100":
        return DiskIsFull(_("the database server at %(host)s:%(port)s") % address)
    if code == "42501":
        return BackupFailed(
            _("The database's user may not do this (%(why)s): give %(user)s the right to, or name another user.")
            % {**address, "user": server.user}
        )
    if code == "55P03":
        return TablesInUse()
    is_gone = isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)) and (
        not code or code.startswith(("08", "57P"))
    )
    if is_gone:
        return ServerGone(_("The database server at %(host)s:%(port)s went away: %(why)s") % address)
    return BackupFailed(_("The database server at %(host)s:%(port)s refused: %(why)s") % address)


def first_line(text: str) -> str:
    """The message itself, without where in a statement it happened and without values of rows."""
    return text.strip().splitlines()[0] if text.strip() else ""
