"""What stands in a database already: which objects there are, and what hangs on tables that are to be replaced."""

from collections.abc import Collection

import psycopg2
import psycopg2.extensions
from django.utils.translation import gettext as _
from psycopg2.extensions import quote_ident

from backups.engine.toc import Entry
from backups.errors import TablesInTheWay

# The foreign keys of other tables that refer to these: how they are dropped, and made again.
FOREIGN_KEYS = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0
      AND confrelid = ANY(%(tables)s::oid[]) AND conrelid <> ALL(%(tables)s::oid[])
    ORDER BY conrelid::regclass::text, conname
"""
# The views that show them, also through other views, those first that others stand on.
VIEWS = """
    WITH RECURSIVE shown (oid, depth) AS (
        SELECT unnest(%(tables)s::oid[]), 0
        UNION
        SELECT rule.ev_class, shown.depth + 1
        FROM shown
        JOIN pg_depend AS dependency ON dependency.refclassid = 'pg_class'::regclass
                                    AND dependency.refobjid = shown.oid
        JOIN pg_rewrite AS rule ON dependency.classid = 'pg_rewrite'::regclass AND rule.oid = dependency.objid
        WHERE rule.ev_class <> shown.oid AND shown.depth < 50
    )
    SELECT class.oid, class.oid::regclass::text, class.relkind,
           format('CREATE VIEW %%s%%s AS %%s', class.oid::regclass,
                  ' WITH (' || array_to_string(class.reloptions, ', ') || ')', pg_get_viewdef(class.oid))
    FROM shown JOIN pg_class AS class ON class.oid = shown.oid
    WHERE class.relkind IN ('v', 'm')
    GROUP BY class.oid
    ORDER BY max(shown.depth), 2
"""
# Their parts, if they are partitioned, and the sequences of their columns.
PARTS = """
    SELECT tree.relid::oid FROM unnest(%(tables)s::oid[]) AS given, pg_partition_tree(given) AS tree
    WHERE tree.relid IS NOT NULL
"""
SEQUENCES = """
    SELECT DISTINCT sequence.oid, sequence.oid::regclass::text
    FROM pg_depend JOIN pg_class AS sequence ON sequence.oid = objid AND sequence.relkind = 'S'
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
      AND refobjid = ANY(%(tables)s::oid[])
    ORDER BY 2
"""
TRIGGERS = """
    SELECT namespace.nspname || '.' || class.relname, tgname
    FROM pg_trigger JOIN pg_class AS class ON class.oid = tgrelid
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE NOT tgisinternal AND namespace.nspname || '.' || class.relname = ANY(%(names)s)
"""
# Other users' rights, and another owner.
RIGHTS = """
    SELECT format('GRANT %%s ON %%s %%s TO %%s', one.privilege_type,
                  CASE class.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, class.oid::regclass,
                  CASE one.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.grantee)) END)
    FROM pg_class AS class, aclexplode(class.relacl) AS one
    WHERE class.oid = ANY(%(objects)s::oid[]) AND one.grantee <> class.relowner
    UNION ALL
    SELECT format('ALTER TABLE %%s OWNER TO %%I', oid::regclass, pg_get_userbyid(relowner))
    FROM pg_class
    WHERE oid = ANY(%(objects)s::oid[]) AND relkind <> 'S' AND pg_get_userbyid(relowner) <> current_user
    ORDER BY 1 DESC
"""


class Standing:
    """What hangs on the tables with these numbers, as it is now. They are locked from here on."""

    def __init__(self, cursor: psycopg2.extensions.cursor, tables: list[int]) -> None:
        self.tables: list[str] = []
        self.foreign_keys: list[tuple[str, str]] = []
        self.views: list[tuple[str, str]] = []
        self.rights: list[str] = []
        # By name: the last number that was given, and whether it was.
        self.sequences: dict[str, tuple[int, bool]] = {}
        if not tables:
            return
        cursor.execute("SELECT set_config('search_path', '', false)")
        cursor.execute("SELECT oid::regclass::text FROM pg_class WHERE oid = ANY(%s::oid[]) ORDER BY 1", [tables])
        self.tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(f"LOCK TABLE {', '.join(self.tables)} IN ACCESS EXCLUSIVE MODE")
        self._look(cursor, tables)

    def _look(self, cursor: psycopg2.extensions.cursor, tables: list[int]) -> None:
        cursor.execute(PARTS, {"tables": tables})
        with_parts = sorted({*tables, *(oid for (oid,) in cursor.fetchall())})
        cursor.execute(FOREIGN_KEYS, {"tables": with_parts})
        self.foreign_keys = cursor.fetchall()
        cursor.execute(VIEWS, {"tables": with_parts})
        views = cursor.fetchall()
        if materialised := [name for _oid, name, kind, _statement in views if kind == "m"]:
            raise TablesInTheWay(
                _("%(views)s keep rows of these tables. Drop them, or take everything over.")
                % {"views": ", ".join(materialised)}
            )
        self.views = [(name, statement) for _oid, name, _kind, statement in views]
        cursor.execute(SEQUENCES, {"tables": with_parts})
        sequences = cursor.fetchall()
        for _oid, name in sequences:
            cursor.execute(f"SELECT last_value, is_called FROM {name}")  # noqa: S608 - quoted by the server
            self.sequences[name] = cursor.fetchall()[0]
        objects = [*with_parts, *(oid for oid, *_rest in views), *(oid for oid, _name in sequences)]
        cursor.execute(RIGHTS, {"objects": objects})
        self.rights = [statement for (statement,) in cursor.fetchall()]

    def drop(self, cursor: psycopg2.extensions.cursor) -> None:
        """Drops the tables and what hangs on them. Raises psycopg2's DependentObjectsStillExist for what else does."""
        for statement, _again in self.foreign_keys:
            cursor.execute(statement)
        if self.views:
            cursor.execute(f"DROP VIEW {', '.join(name for name, _statement in self.views)}")
        if self.tables:
            cursor.execute(f"DROP TABLE {', '.join(self.tables)}")

    def put_back(self, cursor: psycopg2.extensions.cursor) -> None:
        """Makes again what hung on them."""
        for _name, statement in self.views:
            cursor.execute(statement)
        for _drop, statement in self.foreign_keys:
            cursor.execute(statement)
        for name, (last, is_called) in self.sequences.items():
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
            if not cursor.fetchall()[0][0]:
                continue
            values = {"name": name, "last": last, "is_called": is_called}
            again = f"SELECT setval(%(name)s, %(last)s, %(is_called)s) FROM {name} WHERE last_value < %(last)s"  # noqa: S608 - quoted by the server
            cursor.execute(again, values)
        for statement in self.rights:
            cursor.execute(statement)


def triggers(cursor: psycopg2.extensions.cursor, names: Collection[str]) -> set[tuple[str, str]]:
    """What happens in the database when rows of these tables change: each trigger's table and name."""
    cursor.execute(TRIGGERS, {"names": list(names)})
    return set(cursor.fetchall())


def existing(cursor: psycopg2.extensions.cursor, names: Collection[str]) -> dict[str, int]:
    """Which of these tables and views ("schema.table") there are, and their numbers."""
    cursor.execute(
        """
        SELECT namespace.nspname || '.' || class.relname, class.oid::int8
        FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f') AND namespace.nspname || '.' || class.relname = ANY(%s)
        """,
        [list(names)],
    )
    return dict(cursor.fetchall())


# How an object of each kind is looked for.
LOOKED_FOR = {
    "SCHEMA": "to_regnamespace",
    "FUNCTION": "to_regprocedure",
    "PROCEDURE": "to_regprocedure",
    "TYPE": "to_regtype",
    "DOMAIN": "to_regtype",
    "SEQUENCE": "to_regclass",
}


def missing_objects(cursor: psycopg2.extensions.cursor, entries: Collection[Entry]) -> list[Entry]:
    """Which of these functions, types, sequences and extensions of a dump are not there."""
    missing = []
    for entry in entries:
        if entry.kind == "EXTENSION":
            cursor.execute("SELECT FROM pg_extension WHERE extname = %s", [entry.tag])
            is_there = bool(cursor.rowcount)
        elif entry.kind in LOOKED_FOR:
            cursor.execute(f"SELECT {LOOKED_FOR[entry.kind]}(%s) IS NOT NULL", [quoted_signature(entry, cursor)])
            is_there = cursor.fetchall()[0][0]
        else:
            continue
        if not is_there:
            missing.append(entry)
    return missing


def quoted_signature(entry: Entry, cursor: psycopg2.extensions.cursor) -> str:
    """An object's name as SQL writes it; a function's with its arguments."""
    name, bracket, arguments = entry.tag.partition("(")
    own = f"{quote_ident(name, cursor)}{bracket}{arguments}"
    return own if entry.schema == "-" else f"{quote_ident(entry.schema, cursor)}.{own}"
