"""The statements that took the most time, as the extension pg_stat_statements counts them:
https://www.postgresql.org/docs/current/pgstatstatements.html"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2 import sql

from monitoring.database.masking import masked
from monitoring.database.reading import read

SHOWN = 15


class Order(StrEnum):
    """By what the worst come first."""

    TOTAL = "total"
    MEAN = "mean"
    CALLS = "calls"


@dataclass(frozen=True)
class Statement:
    """A statement, and milliseconds that it took."""

    queryid: str
    """The server's name for it."""
    text: str
    calls: int
    rows: int
    total: float
    mean: float
    longest: float
    share: float
    """Of the time that all statements of this database took."""


def slow_statements(connection: BaseDatabaseWrapper, order: Order = Order.TOTAL) -> list[Statement] | None:
    """The worst ones of this database; None where the extension has not been made in it.

    Raises django.db.OperationalError, with the code 55000, where the server was started without it.
    """
    places = read(connection, EXTENSION)
    if not places:
        return None
    with connection.cursor() as cursor:
        view = sql.Identifier(places[0]["schema"], "pg_stat_statements").as_string(cursor.cursor)
    rows = read(connection, WORST.format(view=view, order=order.value), [SHOWN])
    return [statement_of(row) for row in rows]


def statement_of(row: dict[str, Any]) -> Statement:
    everything = row.pop("everything") or 1.0
    return Statement(**{**row, "text": masked(row["text"])}, share=row["total"] / everything)


EXTENSION = """
    SELECT nspname AS schema FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'pg_stat_statements'
"""
# One statement has a row for each account that runs it. `order` is one of Order.
WORST = """
    SELECT
        coalesce(queryid::text, '') AS queryid,
        min(query) AS text,
        sum(calls)::bigint AS calls,
        sum(rows)::bigint AS rows,
        sum(total_exec_time) AS total,
        sum(total_exec_time) / greatest(sum(calls), 1)::float8 AS mean,
        max(max_exec_time) AS longest,
        sum(sum(total_exec_time)) OVER () AS everything
    FROM {view}
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    GROUP BY queryid
    ORDER BY {order} DESC, text LIMIT %s
"""
