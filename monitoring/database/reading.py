"""One question to the database about itself, with an end to its patience."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

SECONDS = 3.0


def read(
    connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any] = (), *, seconds: float = SECONDS
) -> list[dict[str, Any]]:
    """The rows that the statement gives, by column.

    Args:
        connection: in autocommit. The limit travels in the same message as the statement, and so holds for this one
            alone, behind a PgBouncer too; PostgreSQL makes one transaction of such a message.
        seconds: after which the server gives up, on the statement or on a lock that it needs.

    Raises django.db.OperationalError when it does, and whatever else the server says.
    """
    milliseconds = int(seconds * 1000)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL statement_timeout = {milliseconds}; SET LOCAL lock_timeout = {milliseconds}; {statement}",
            list(values) or None,
        )
        columns = [column.name for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
