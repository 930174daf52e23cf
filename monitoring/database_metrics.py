"""Figures of the database, as metrics."""

from collections.abc import Iterable

from django.db import connection

from monitoring.database import activity, figures, replication, sizes
from monitoring.database.server import Server
from monitoring.database.server import server as server_of
from monitoring.database.sizes import TableSize
from monitoring.measuring.shared import asked_once
from monitoring.registry import LabelValues, Metric, register_metric

Values = Iterable[tuple[LabelValues, float]]

# What changes slowly and takes longest to find out.
RARELY = 60.0
# Of a statement's text. Enough to tell one from another: Django writes the table's name in front of each column.
TEXT_LENGTH = 100


def register() -> None:
    """Called once, when the apps are ready."""
    for metric in (
        Metric("samovar_database_size_bytes", "Size of the database on the disk.", (), size),
        Metric("samovar_database_connections", "Connections to the database, by state.", ("state",), connections),
        Metric("samovar_database_connections_limit", "Connections that the server takes in all.", (), connection_limit),
        Metric(
            "samovar_database_transactions_total",
            "Transactions, by how they ended.",
            ("result",),
            transactions,
            kind="counter",
        ),
        Metric(
            "samovar_database_blocks_total",
            "Blocks of 8 kB that were read, by where they were found: in the server's cache or not.",
            ("found",),
            blocks,
            kind="counter",
        ),
        Metric(
            "samovar_database_deadlocks_total",
            "Transactions that were ended because they waited for each other.",
            (),
            deadlocks,
            kind="counter",
        ),
        Metric(
            "samovar_database_temporary_bytes_total",
            "Bytes written to the disk because work_mem was too small for a statement.",
            (),
            temporary_bytes,
            kind="counter",
        ),
        Metric("samovar_database_locks", "Locks that are held, by mode.", ("mode",), locks),
        Metric("samovar_database_lock_waits", "Connections that wait for a lock.", (), lock_waits),
        Metric(
            "samovar_database_lock_wait_seconds",
            "How long the connection has waited that has waited longest for a lock.",
            (),
            longest_lock_wait,
        ),
        Metric(
            "samovar_database_longest_transaction_seconds",
            "Age of the oldest transaction that is open.",
            (),
            longest_transaction,
        ),
        Metric(
            "samovar_database_transaction_age",
            "Transactions since the oldest one that is not frozen; at 2,000,000,000 the server stops taking writes.",
            (),
            transaction_age,
        ),
        Metric(
            "samovar_database_standby_lag_bytes",
            "Bytes of WAL that a standby, or a program that receives WAL, does not have yet.",
            ("standby",),
            standby_lags,
        ),
        Metric(
            "samovar_database_slot_kept_bytes",
            "Bytes of WAL that the server keeps on its disk because a replication slot asks for them.",
            ("slot",),
            kept_by_slots,
        ),
        Metric(
            "samovar_database_table_bytes",
            "Size of the largest tables, with indexes.",
            ("table",),
            table_bytes,
            fresh_for=RARELY,
        ),
        Metric(
            "samovar_database_table_rows",
            "Rows of the largest tables as the server estimates them: live, and dead ones that wait for VACUUM.",
            ("table", "state"),
            table_rows,
            fresh_for=RARELY,
        ),
        Metric(
            "samovar_database_statement_seconds_total",
            "Time in the statements that took the most of it; needs pg_stat_statements.",
            ("queryid", "statement"),
            statement_seconds,
            kind="counter",
        ),
        Metric(
            "samovar_database_statement_calls_total",
            "How often those statements were run; needs pg_stat_statements.",
            ("queryid", "statement"),
            statement_calls,
            kind="counter",
        ),
    ):
        register_metric(metric)


# Several metrics come from the answer to one question.
waits = asked_once(figures.waits)
counted_statements = asked_once(figures.counted_statements)


@asked_once
def server() -> Server:
    return server_of(connection)


@asked_once
def largest_tables() -> list[TableSize]:
    return sizes.largest_tables(connection)


def size() -> Values:
    yield {}, server().size


def connections() -> Values:
    for one in activity.connections(connection):
        yield {"state": one.state}, one.number


def connection_limit() -> Values:
    yield {}, server().connection_limit


def transactions() -> Values:
    yield {"result": "committed"}, server().committed
    yield {"result": "rolled back"}, server().rolled_back


def blocks() -> Values:
    yield {"found": "cache"}, server().from_cache
    yield {"found": "disk"}, server().from_disk


def deadlocks() -> Values:
    yield {}, server().deadlocks


def temporary_bytes() -> Values:
    yield {}, server().temporary


def locks() -> Values:
    for mode, number in figures.locks().items():
        yield {"mode": mode}, number


def lock_waits() -> Values:
    yield {}, waits().for_locks


def longest_lock_wait() -> Values:
    yield {}, waits().longest_for_lock


def longest_transaction() -> Values:
    yield {}, waits().longest_transaction


def transaction_age() -> Values:
    yield {}, server().transaction_age


def standby_lags() -> Values:
    behind: dict[str, int] = {}
    for one in replication.standbys(connection):
        # Several may go by one name; to Prometheus they would be the same one twice.
        behind[one.name] = max(behind.get(one.name, 0), one.bytes)
    for name, number in behind.items():
        yield {"standby": name}, number


def kept_by_slots() -> Values:
    for slot in replication.slots(connection):
        yield {"slot": slot.name}, slot.kept


def table_bytes() -> Values:
    for table in largest_tables():
        yield {"table": table.name}, table.total


def table_rows() -> Values:
    for table in largest_tables():
        yield {"table": table.name, "state": "live"}, table.rows
        yield {"table": table.name, "state": "dead"}, table.dead_rows


def statement_seconds() -> Values:
    for one in counted_statements():
        yield {"queryid": one.queryid, "statement": one.text[:TEXT_LENGTH]}, one.total / 1000


def statement_calls() -> Values:
    for one in counted_statements():
        yield {"queryid": one.queryid, "statement": one.text[:TEXT_LENGTH]}, one.calls
