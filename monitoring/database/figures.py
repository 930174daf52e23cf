"""Figures of the database that are read every few seconds, beside those that its page reads too.

See monitoring.database.reading for how long each may take. What other accounts do is only seen by a member of
`pg_monitor`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction

from monitoring.database.reading import read
from monitoring.database.statements import Statement, slow_statements

# pg_stat_statements has been made in the database, and the server was started without it.
NOT_LOADED = "55000"


@dataclass(frozen=True)
class Waits:
    """How many wait for a lock now, and for how many seconds the first of them; the age of the oldest transaction."""

    for_locks: int
    longest_for_lock: float
    longest_transaction: float


def locks() -> Mapping[str, int]:
    """Locks held on tables and rows, by mode."""
    return {row["mode"]: row["number"] for row in read(connection, LOCKS)}


def waits() -> Waits:
    (row,) = read(connection, WAITS)
    return Waits(**row)


def counted_statements() -> list[Statement]:
    """Those that have taken the most time in all; none where the server does not count them."""
    try:
        # A savepoint: whoever reads further figures in this transaction can do so.
        with transaction.atomic():
            return slow_statements(connection) or []
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) == NOT_LOADED:
            return []
        raise


LOCKS = """
    SELECT mode, count(*) AS number
    FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE granted AND datname = current_database() AND pid <> pg_backend_pid()
    GROUP BY 1 ORDER BY 1
"""
WAITS = """
    SELECT
        count(*) FILTER (WHERE waiting.since IS NOT NULL) AS for_locks,
        coalesce(max(extract(epoch FROM clock_timestamp() - waiting.since)), 0)::float8 AS longest_for_lock,
        coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 AS longest_transaction
    FROM pg_stat_activity AS activity
    LEFT JOIN (
        SELECT pid, coalesce(min(waitstart), clock_timestamp()) AS since FROM pg_locks WHERE NOT granted GROUP BY pid
    ) AS waiting ON waiting.pid = activity.pid
    WHERE datname = current_database() AND activity.pid <> pg_backend_pid()
        AND coalesce(backend_type, 'client backend') = 'client backend'
"""
