"""What goes on now: who is connected, who waits for whom, which transactions are open for long.

From pg_stat_activity and pg_locks: https://www.postgresql.org/docs/current/monitoring-stats.html
"""

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from monitoring.database.masking import masked
from monitoring.database.reading import read

SHOWN = 20
# Seconds after which a transaction is shown.
LONG = 60


@dataclass(frozen=True)
class Connections:
    """How many are in one state, and for how many seconds the first of them has been."""

    state: str
    number: int
    longest: int


@dataclass(frozen=True)
class Wait:
    """A connection that waits for a lock, and one that it waits for. Seconds, and statements without values."""

    pid: int
    seconds: int
    statement: str
    relation: str
    blocker: int
    blocker_state: str
    blocker_seconds: int
    blocker_statement: str


@dataclass(frozen=True)
class LongTransaction:
    """A transaction that has been open for long. Seconds, and the statement without values."""

    pid: int
    seconds: int
    state: str
    application: str
    statement: str


def connections(connection: BaseDatabaseWrapper) -> list[Connections]:
    """By state."""
    return [Connections(**row) for row in read(connection, CONNECTIONS)]


def waits(connection: BaseDatabaseWrapper) -> list[Wait]:
    """Who waits for whom, the longest first."""
    return [
        Wait(
            **{
                **row,
                "statement": masked(row["statement"]),
                "blocker_statement": masked(row["blocker_statement"]),
            }
        )
        for row in read(connection, WAITS, [SHOWN])
    ]


def long_transactions(connection: BaseDatabaseWrapper) -> list[LongTransaction]:
    """The oldest first. The statement is the last one that was begun in it."""
    return [
        LongTransaction(**{**row, "statement": masked(row["statement"])})
        for row in read(connection, TRANSACTIONS, [LONG, SHOWN])
    ]


CONNECTIONS = """
    SELECT
        coalesce(state, 'unknown') AS state,
        count(*) AS number,
        coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0)::bigint AS longest
    FROM pg_stat_activity
    WHERE datname = current_database() AND coalesce(backend_type, 'client backend') = 'client backend'
        AND pid <> pg_backend_pid()
    GROUP BY 1 ORDER BY number DESC, state
"""
# Of a connection of another account, nobody but a member of pg_monitor sees more than its number.
WAITS = """
    SELECT
        waiting.pid,
        coalesce(extract(epoch FROM clock_timestamp() - waiting.query_start), 0)::bigint AS seconds,
        coalesce(waiting.query, '') AS statement,
        coalesce(
            (SELECT min(relation::regclass::text) FROM pg_locks WHERE pg_locks.pid = waiting.pid AND NOT granted), ''
        ) AS relation,
        blocking.pid AS blocker,
        coalesce(blocking.state, 'unknown') AS blocker_state,
        coalesce(extract(epoch FROM clock_timestamp() - blocking.xact_start), 0)::bigint AS blocker_seconds,
        coalesce(blocking.query, '') AS blocker_statement
    FROM pg_stat_activity AS waiting
    CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocker (pid)
    JOIN pg_stat_activity AS blocking ON blocking.pid = blocker.pid
    WHERE waiting.wait_event_type = 'Lock' AND waiting.datname = current_database()
    ORDER BY seconds DESC, waiting.pid, blocker LIMIT %s
"""
TRANSACTIONS = """
    SELECT
        pid,
        extract(epoch FROM clock_timestamp() - xact_start)::bigint AS seconds,
        coalesce(state, 'unknown') AS state,
        coalesce(application_name, '') AS application,
        coalesce(query, '') AS statement
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND coalesce(backend_type, 'client backend') = 'client backend'
        AND xact_start < clock_timestamp() - make_interval(secs => %s)
    ORDER BY xact_start LIMIT %s
"""
