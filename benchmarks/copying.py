"""Filling tables by COPY: bare while the rows come in, with their indexes and keys again afterwards."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

ROWS_AT_ONCE = 2000

SECONDARY_INDEXES = """
SELECT index.indexrelid::regclass::text, pg_get_indexdef(index.indexrelid)
FROM pg_index AS index
WHERE index.indrelid = ANY(%s::regclass[])
  AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = index.indexrelid AND contype IN ('p', 'u'))
"""
FOREIGN_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])
"""


class Lines:
    """Rows as the file that COPY reads; each is a line of tab-separated text."""

    def __init__(self, rows: Iterable[str]) -> None:
        self.rows = iter(rows)

    def read(self, _size: int = -1) -> str:
        """The next rows. The driver takes any number of characters."""
        return "".join(islice(self.rows, ROWS_AT_ONCE))


def copy_rows(cursor: Any, table: str, columns: Sequence[str], rows: Iterable[str]) -> None:
    """Writes rows, lines of COPY's text format, into the table."""
    cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", Lines(rows))


@contextmanager
def bare(cursor: Any, tables: Sequence[str]) -> Iterator[None]:
    """Takes the foreign keys and the secondary indexes off these tables and puts them back at the end.

    An index that is built once costs a fraction of one that follows every row, and so does a key that is checked once.
    """
    cursor.execute(SECONDARY_INDEXES, [list(tables)])
    indexes = cursor.fetchall()
    cursor.execute(FOREIGN_KEYS, [list(tables)])
    keys = cursor.fetchall()
    for table, name, _definition in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    cursor.execute("SET maintenance_work_mem = '512MB'")
    for _name, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    cursor.execute("RESET maintenance_work_mem")
