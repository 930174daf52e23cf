"""Whether the shop in a database is right: the stock is what its ledger sums to, and what the tables promise is kept.

Plain SQL over one connection: the database may be of an earlier version of the shop, or of something else. Tables
that are not there are left out.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg2
import psycopg2.extensions
from django.utils.translation import gettext as _

from backups.engine.counting import NO_TIMEOUTS, first_line, meanings
from backups.engine.server import Server
from backups.errors import Interrupted

# What the tables themselves hold is asked for: an index may be what is damaged.
PAST_INDEXES = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off"
LEDGER = """
    SELECT location_id, ingredient_id, coalesce(level.quantity, 0), coalesce(ledger.total, 0),
           coalesce(level.value, 0), coalesce(ledger.value, 0), count(*) OVER ()
    FROM inventory_stocklevel AS level
    FULL JOIN (
        SELECT location_id, ingredient_id, sum(delta) AS total, sum(value) AS value
        FROM inventory_stockmovement GROUP BY location_id, ingredient_id
    ) AS ledger USING (location_id, ingredient_id)
    WHERE coalesce(level.quantity, 0) <> coalesce(ledger.total, 0)
       OR coalesce(level.value, 0) <> coalesce(ledger.value, 0)
    ORDER BY location_id, ingredient_id LIMIT 1
"""
OF_THE_SHOP = "namespace.nspname <> 'information_schema' AND namespace.nspname NOT LIKE 'pg\\_%'"
UNFINISHED = f"""
    SELECT 'constraint', conname FROM pg_constraint
    JOIN pg_namespace AS namespace ON namespace.oid = connamespace
    WHERE NOT convalidated AND {OF_THE_SHOP}
    UNION ALL
    SELECT 'index', relname FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace AS namespace ON namespace.oid = relnamespace
    WHERE NOT (indisvalid AND indisready) AND {OF_THE_SHOP}
    ORDER BY 1, 2
"""  # noqa: S608 - no values
COLUMNS = """
    (SELECT array_agg(quote_ident(attname) ORDER BY place)
     FROM unnest({numbers}) WITH ORDINALITY AS key (number, place)
     JOIN pg_attribute ON attrelid = {table} AND attnum = number)
"""
FOREIGN_KEYS = f"""
    SELECT conname, conrelid::regclass::text, confrelid::regclass::text,
           {COLUMNS.format(numbers="conkey", table="conrelid")}, {COLUMNS.format(numbers="confkey", table="confrelid")}
    FROM pg_constraint JOIN pg_namespace AS namespace ON namespace.oid = connamespace
    WHERE contype = 'f' AND convalidated AND conparentid = 0 AND {OF_THE_SHOP}
    ORDER BY conrelid::regclass::text, conname
"""  # noqa: S608 - no values
CHECKS = f"""
    SELECT conrelid::regclass::text, array_agg(conname::text ORDER BY conname),
           array_agg(pg_get_expr(conbin, conrelid) ORDER BY conname)
    FROM pg_constraint JOIN pg_namespace AS namespace ON namespace.oid = connamespace
    WHERE contype = 'c' AND convalidated AND conrelid <> 0 AND coninhcount = 0 AND {OF_THE_SHOP}
    GROUP BY conrelid ORDER BY conrelid::regclass::text
"""  # noqa: S608 - no values
INDEXES = f"""
    SELECT indexrelid::regclass::text, indexrelid
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    JOIN pg_namespace AS namespace ON namespace.oid = relnamespace
    WHERE amname = 'btree' AND relkind = 'i' AND indisvalid AND relpersistence = 'p' AND {OF_THE_SHOP}
    ORDER BY 1
"""  # noqa: S608 - no values
# The extension comes with PostgreSQL's contributed modules, and only a superuser may add it.
MAY_COMPARE = """
    SELECT rolsuper AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck')
    FROM pg_roles WHERE rolname = current_user
"""
# Damaged pages, and what an index says against its table.
DAMAGED = ("XX001", "XX002")


@dataclass(slots=True)
class Checked:
    """What was looked at, and a sentence for each thing that is wrong. `has_ledger`: the shop's stock was compared with
    its ledger, which was not there otherwise."""

    findings: list[str] = field(default_factory=list)
    has_ledger: bool = False
    foreign_keys: int = 0
    check_constraints: int = 0
    indexes: int = 0
    at: datetime.datetime | None = None

    @property
    def is_right(self) -> bool:
        return not self.findings


def check_shop(
    server: Server, *, with_indexes: bool = False, is_stopped: Callable[[], bool] = lambda: False
) -> Checked:
    """Reads the whole database, in one transaction that changes nothing.

    Args:
        with_indexes: compares each index with its table too, where `server` is a superuser's and has amcheck.

    Raises ServerGone, Interrupted, BackupFailed.
    """
    checked = Checked()
    with server.connected() as connection, meanings(server), connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ", autocommit=False)
        cursor.execute(NO_TIMEOUTS)
        cursor.execute(PAST_INDEXES)
        look = Look(cursor, checked, is_stopped)
        look.stock()
        look.unfinished()
        look.foreign_keys()
        look.check_constraints()
        if with_indexes:
            look.indexes()
        connection.rollback()
    return checked


class Look:
    """One look at a database. Each question is asked by itself, so that a damaged table does not hide the others."""

    def __init__(self, cursor: psycopg2.extensions.cursor, checked: Checked, is_stopped: Callable[[], bool]) -> None:
        self.cursor, self.checked, self.is_stopped = cursor, checked, is_stopped

    def ask(self, query: str, about: str) -> list[tuple[object, ...]]:
        """The rows of a query; nothing, and a finding, where pages can't be read."""
        if self.is_stopped():
            raise Interrupted(_("It was stopped."))
        self.cursor.execute("SAVEPOINT look")
        try:
            self.cursor.execute(query)
            rows = self.cursor.fetchall()
        except psycopg2.Error as error:
            if error.pgcode not in DAMAGED:
                raise
            self.cursor.execute("ROLLBACK TO SAVEPOINT look")
            self.checked.findings.append(
                _("%(name)s is damaged: %(why)s") % {"name": about, "why": first_line(str(error))}
            )
            return []
        self.cursor.execute("RELEASE SAVEPOINT look")
        return rows

    def has(self, *tables: str) -> bool:
        return all(self.ask(f"SELECT 1 WHERE to_regclass('{table}') IS NOT NULL", table) for table in tables)

    def stock(self) -> None:
        if not self.has("inventory_stocklevel", "inventory_stockmovement"):
            return
        self.checked.has_ledger = True
        for location, ingredient, level, total, value, ledger_value, number in self.ask(LEDGER, "the ledger"):
            self.checked.findings.append(
                _(
                    "Stock levels that are not what their ledger sums to: %(number)d. The first is ingredient "
                    "%(ingredient)s at location %(location)s: the level says %(level)s worth %(value)s, the ledger "
                    "%(total)s worth %(ledger_value)s."
                )
                % {
                    "number": number,
                    "ingredient": ingredient,
                    "location": location,
                    "level": level,
                    "value": value,
                    "total": total,
                    "ledger_value": ledger_value,
                }
            )

    def unfinished(self) -> None:
        for kind, name in self.ask(UNFINISHED, "the catalogue"):
            sentence = (
                _("The constraint %(name)s was never validated.")
                if kind == "constraint"
                else _("The index %(name)s is not valid.")
            )
            self.checked.findings.append(sentence % {"name": name})

    def foreign_keys(self) -> None:
        self.cursor.execute(FOREIGN_KEYS)
        for name, table, other, columns, keys in self.cursor.fetchall():
            given = " AND ".join(f"child.{column} IS NOT NULL" for column in columns)
            same = " AND ".join(f"parent.{key} = child.{column}" for column, key in zip(columns, keys, strict=True))
            query = (
                f"SELECT count(*) FROM {table} AS child WHERE {given} "  # noqa: S608 - quoted by the server
                f"AND NOT EXISTS (SELECT FROM {other} AS parent WHERE {same})"
            )
            self.checked.foreign_keys += 1
            self.found(self.ask(query, table), name, table)

    def check_constraints(self) -> None:
        self.cursor.execute(CHECKS)
        for table, names, expressions in self.cursor.fetchall():
            counts = ", ".join(f"count(*) FILTER (WHERE NOT ({expression}))" for expression in expressions)
            rows = self.ask(f"SELECT {counts} FROM {table}", table)  # noqa: S608 - quoted by the server
            self.checked.check_constraints += len(names)
            for name, number in zip(names, rows[0] if rows else (), strict=False):
                self.found([(number,)], name, table)

    def found(self, rows: list[tuple[object, ...]], name: str, table: str) -> None:
        number = rows[0][0] if rows else 0
        if number:
            self.checked.findings.append(
                _("%(table)s has %(number)s rows that break the constraint %(name)s.")
                % {"table": table, "number": number, "name": name}
            )

    def indexes(self) -> None:
        """The extension is there until the end of the transaction."""
        if not self.ask(MAY_COMPARE, "the catalogue")[0][0]:
            return
        self.cursor.execute("CREATE SCHEMA samovar_check; CREATE EXTENSION amcheck SCHEMA samovar_check")
        self.cursor.execute(INDEXES)
        for name, number in self.cursor.fetchall():
            self.ask(f"SELECT samovar_check.bt_index_check({number:d}::oid::regclass, true)", name)
            self.checked.indexes += 1
