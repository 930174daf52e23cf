"""What takes room: tables, their indexes, what is not needed of either."""

from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from monitoring.database.reading import read

SHOWN = 15


@dataclass(frozen=True)
class TableSize:
    """A table, in bytes; rows as the server estimates them."""

    name: str
    total: int
    table: int
    indexes: int
    rows: int
    dead_rows: int
    full_reads: int
    """How often all of it was read from its beginning to its end."""
    index_reads: int
    vacuumed_at: Any
    analysed_at: Any
    bloat: int | None
    """Bytes that a table written anew would not take, as far as can be told; None where ANALYZE never looked at it."""

    @property
    def bloat_share(self) -> float | None:
        return None if self.bloat is None else self.bloat / self.table if self.table else 0.0


@dataclass(frozen=True)
class UnusedIndex:
    """An index that no statement was answered from since the server began to count."""

    name: str
    table: str
    size: int


def largest_tables(connection: BaseDatabaseWrapper) -> list[TableSize]:
    """The largest first."""
    return [TableSize(**row) for row in read(connection, TABLES, [SHOWN])]


def unused_indexes(connection: BaseDatabaseWrapper) -> list[UnusedIndex]:
    """Without those that keep a rule, such as that of a value that comes once only: they work with every row."""
    return [UnusedIndex(**row) for row in read(connection, UNUSED, [SHOWN])]


# Bloat is what the pages hold beyond what the rows need: a row takes 4 bytes for its pointer, its header of 23 bytes
# (and a bit for each column where one is NULL) and its columns, the latter two rounded up to 8; a page of 8192 bytes
# has 24 of its own (https://www.postgresql.org/docs/current/storage-page-layout.html). How wide the columns are on
# average, ANALYZE says in pg_stats. Padding between columns is not known, so that a few per cent mean nothing.
TABLES = """
    WITH widths AS (
        SELECT
            schemaname, tablename, count(*) AS columns, max(null_frac) > 0 AS has_nulls,
            sum((1 - null_frac) * avg_width) AS width
        FROM pg_stats WHERE NOT inherited GROUP BY 1, 2
    ),
    counted AS (
        SELECT
            stat.*, class.relpages, class.reltuples,
            (SELECT count(*) FROM pg_attribute WHERE attrelid = stat.relid AND attnum > 0 AND NOT attisdropped)
                AS columns,
            coalesce(
                (SELECT option_value::int FROM pg_options_to_table(class.reloptions)
                 WHERE option_name = 'fillfactor'),
                100
            ) AS fill
        FROM pg_stat_user_tables AS stat JOIN pg_class AS class ON class.oid = stat.relid
        ORDER BY pg_total_relation_size(stat.relid) DESC, stat.relname LIMIT %s
    )
    SELECT
        CASE counted.schemaname WHEN 'public' THEN relname ELSE counted.schemaname || '.' || relname END AS name,
        pg_total_relation_size(relid) AS total,
        pg_table_size(relid) AS "table",
        pg_indexes_size(relid) AS indexes,
        n_live_tup AS rows,
        n_dead_tup AS dead_rows,
        coalesce(seq_scan, 0) AS full_reads,
        coalesce(idx_scan, 0) AS index_reads,
        greatest(last_vacuum, last_autovacuum) AS vacuumed_at,
        greatest(last_analyze, last_autoanalyze) AS analysed_at,
        CASE WHEN reltuples >= 0 AND widths.columns = counted.columns THEN greatest(
            0,
            relpages - ceil(
                reltuples * (
                    4
                    + ceil((23 + CASE WHEN has_nulls THEN ceil(counted.columns / 8.0) ELSE 0 END) / 8.0) * 8
                    + ceil(width / 8.0) * 8
                ) / ((8192 - 24) * fill / 100.0)
            )
        )::bigint * 8192 END AS bloat
    FROM counted LEFT JOIN widths ON widths.schemaname = counted.schemaname AND tablename = relname
    ORDER BY total DESC, name
"""
UNUSED = """
    SELECT
        CASE schemaname WHEN 'public' THEN indexrelname ELSE schemaname || '.' || indexrelname END AS name,
        relname AS "table",
        pg_relation_size(stat.indexrelid) AS size
    FROM pg_stat_user_indexes AS stat JOIN pg_index ON pg_index.indexrelid = stat.indexrelid
    WHERE idx_scan = 0 AND NOT indisunique AND indisvalid
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = stat.indexrelid)
    ORDER BY size DESC, name LIMIT %s
"""
