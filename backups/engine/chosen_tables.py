"""Chosen tables from a dump, put into a database that is in use: with rows, keys, indexes, sequences and references, in
one transaction, so that all of it happens or nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import psycopg2
import psycopg2.errors
import psycopg2.extensions
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from psycopg2.extensions import quote_ident

from backups.engine.counting import NO_TIMEOUTS, count_rows, differences, meanings, tables_of
from backups.engine.files import sha256_of
from backups.engine.loading import refuse_older, server_disk
from backups.engine.programs import Programs, find_programs
from backups.engine.repository import Stored
from backups.engine.scripts import Copy, script_of
from backups.engine.server import Facts, Server
from backups.engine.standing import Standing, existing, missing_objects, triggers
from backups.engine.toc import Contents, Entry, data_file, read_toc
from backups.errors import Damaged, Interrupted, TablesInTheWay, TablesMissing, UnknownTable

# Whoever uses the tables for longer than this is not waited for: everybody else would wait behind us.
LOCK_PATIENCE = "10s"

# Looks at the database before it is committed.
Refuse = Callable[[psycopg2.extensions.cursor], None]

LOADING = gettext_noop("Loading the tables")
INDEXING = gettext_noop("Making indexes and keys")


def restore_tables(
    stored: Stored,
    server: Server,
    database: str,
    tables: Sequence[str],
    *,
    replace: bool = False,
    refuse: Refuse = lambda _cursor: None,
    progress: Callable[[str, float | None], None] = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Puts these tables of a backup into an existing database, as `load_tables` does, and returns their rows. The files
    that hold them are looked at first. Raises the same errors."""
    refuse_damaged(stored, ["dump/toc.dat"])
    return load_tables(
        stored.data,
        server,
        database,
        tables,
        expected=stored.manifest.tables,
        version=stored.manifest.server_version,
        replace=replace,
        refuse=refuse,
        progress=progress,
        is_stopped=is_stopped,
        check=lambda paths: refuse_damaged(stored, [f"dump/{path.name}" for path in paths]),
    )


def load_tables(
    dump: Path,
    server: Server,
    database: str,
    tables: Sequence[str],
    *,
    expected: Mapping[str, int],
    version: int,
    replace: bool = False,
    refuse: Refuse = lambda _cursor: None,
    progress: Callable[[str, float | None], None] = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
    check: Callable[[list[Path]], None] = lambda _paths: None,
) -> dict[str, int]:
    """Puts these tables ("schema.table", or "table" for public) into an existing database as the dump has them, and
    returns their rows.

    They must be missing there; with `replace`, those that are there are dropped. What hangs on these comes back:
    foreign keys of other tables, views, grants. Their sequences go on from where they were if that is further, so that
    no number is given twice. What hung on a missing one comes from the dump.

    Args:
        expected: the rows of every table in the dump.
        version: of the server that the dump was made of.
        check: may refuse the files that hold the rows.
        refuse: looks at the database as it is going to be, and raises what stops it.

    Raises UnknownTable, TablesInTheWay (they are there; something else depends on them; or they lack a trigger of those
    that they replace), TablesMissing (others that
    they refer to are missing, or lack rows that they refer to; or the other way round), TablesInUse, WrongVersion,
    Damaged, ServerGone, Interrupted; nothing has changed then.
    """
    names = [name if "." in name else f"public.{name}" for name in tables]
    if unknown := sorted(set(names) - expected.keys()):
        raise UnknownTable(unknown)
    facts = server.of(database).facts()
    refuse_older(facts, version)
    programs = find_programs(server_major=facts.major)
    toc = read_toc(programs, dump, is_stopped=is_stopped)
    chosen = Chosen(toc, [toc.tables[name] for name in dict.fromkeys(names)])
    check(chosen.data_files(dump))
    with server.connected(database=database) as connection, meanings(server), server_disk(server):
        connection.autocommit = False
        work = TablesRestore(dump, expected, chosen, connection, facts, programs)
        try:
            return work.run(replace=replace, refuse=refuse, progress=progress, is_stopped=is_stopped)
        except psycopg2.errors.ForeignKeyViolation as error:
            raise TablesMissing(
                _(
                    "Rows would refer to rows that are not there: %(why)s Choose the tables at both ends, or take "
                    "everything over."
                )
                % {"why": why(error)}
            ) from error
        except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedObject) as error:
            raise TablesMissing(
                _("What the tables need is missing in the database: %(why)s Choose it too.") % {"why": why(error)}
            ) from error
        except psycopg2.errors.DependentObjectsStillExist as error:
            raise TablesInTheWay(
                _("Something else depends on the tables: %(why)s Take everything over.") % {"why": why(error)}
            ) from error


def refuse_damaged(stored: Stored, names: Collection[str]) -> None:
    """Raises Damaged if one of these files is not as it was written."""
    findings = []
    for name in names:
        path, digest = stored.folder / name, stored.manifest.files.get(name)
        if digest is None or not path.is_file() or sha256_of(path) != digest["sha256"]:
            findings.append(_("%(name)s is not what was written.") % {"name": name})
    if findings:
        raise Damaged(_("The backup is damaged: %(findings)s") % {"findings": " ".join(findings)}, tuple(findings))


def why(error: psycopg2.Error) -> str:
    """The server's message with its detail, as a sentence."""
    words = " ".join(part for part in (error.diag.message_primary, error.diag.message_detail) if part)
    return words if words.endswith(".") else f"{words}."


class Chosen:
    """What of a dump makes the chosen tables, in the order in which it is restored."""

    def __init__(self, toc: Contents, tables: Sequence[Entry]) -> None:
        self.toc, self.tables = toc, tables
        self.with_parts = [part for table in tables for part in toc.partitions_of(table)]
        self.entries = toc.belonging_to(self.with_parts)
        self.needed = toc.needed_by(self.entries)

    def data_files(self, dump: Path) -> list[Path]:
        """The files with their rows. Raises Damaged if one is missing."""
        files = {entry.name: data_file(dump, entry) for entry in self.entries if entry.kind == "TABLE DATA"}
        if lost := sorted(name for name, path in files.items() if path is None):
            raise Damaged(_("The backup has no file with the rows of %(tables)s.") % {"tables": ", ".join(lost)})
        return [path for path in files.values() if path is not None]

    def split(self, entries: Collection[Entry]) -> tuple[list[Entry], list[Entry], list[Entry]]:
        """What comes before the rows, the rows, and what comes after them."""
        position = {entry.id: number for number, entry in enumerate(self.toc.entries)}
        first = min((position[one.id] for one in self.toc.entries if one.kind == "TABLE DATA"), default=len(position))
        rows = [entry for entry in entries if entry.kind == "TABLE DATA"]
        others = [entry for entry in entries if entry.kind != "TABLE DATA"]
        return (
            [entry for entry in others if position[entry.id] < first],
            rows,
            [entry for entry in others if position[entry.id] >= first],
        )


class TablesRestore:
    """One transaction that puts the chosen tables in their place."""

    def __init__(
        self,
        dump: Path,
        expected: Mapping[str, int],
        chosen: Chosen,
        connection: psycopg2.extensions.connection,
        facts: Facts,
        programs: Programs,
    ) -> None:
        self.dump, self.expected, self.chosen, self.connection = dump, expected, chosen, connection
        self.facts, self.programs = facts, programs

    def run(
        self,
        *,
        replace: bool,
        refuse: Refuse,
        progress: Callable[[str, float | None], None],
        is_stopped: Callable[[], bool],
    ) -> dict[str, int]:
        """Does it and commits. Raises what `restore_tables` raises, and psycopg2's errors."""
        with self.connection.cursor() as cursor:
            cursor.execute(NO_TIMEOUTS)
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_PATIENCE])
            there = existing(cursor, [table.name for table in self.chosen.tables])
            if there and not replace:
                raise TablesInTheWay(
                    _("%(tables)s exist already. Have them replaced, or choose others.")
                    % {"tables": ", ".join(sorted(there))}
                )
            self._refuse_missing_neighbours(cursor)
            # What hung on missing tables is looked for before anything is dropped.
            gone = [table for table in self.chosen.tables if table.name not in there]
            hanging = self._hanging_on(cursor, gone)
            standing = Standing(cursor, sorted(there.values()))
            watched = triggers(cursor, there)
            needed = missing_objects(cursor, self.chosen.needed)
            standing.drop(cursor)
            before, rows, after = self.chosen.split([*needed, *self.chosen.entries])
            self._execute(cursor, before)
            self._copy(cursor, rows, progress, is_stopped)
            progress(INDEXING, None)
            for part in (after, hanging):
                stop_if(is_stopped)
                self._execute(cursor, part)
            standing.put_back(cursor)
            refuse_unwatched(watched - triggers(cursor, there))
            stop_if(is_stopped)
            counts = self._counts(cursor)
            refuse(cursor)
            self.connection.commit()
        progress(INDEXING, 1.0)
        return counts

    def _refuse_missing_neighbours(self, cursor: psycopg2.extensions.cursor) -> None:
        """Raises TablesMissing if the tables refer to others that are not there."""
        toc = self.chosen.toc
        own = {table.id for table in self.chosen.with_parts}
        others = set()
        for entry in self.chosen.needed:
            table = entry if entry.kind == "TABLE" else toc.owner_of(entry) if entry.kind == "CONSTRAINT" else None
            if table is not None and table.id not in own:
                others.add(table.name)
        if missing := sorted(others - existing(cursor, others).keys()):
            raise TablesMissing(
                _("%(tables)s is missing in the database, and the chosen tables refer to it. Choose it too.")
                % {"tables": ", ".join(missing)}
            )

    def _hanging_on(self, cursor: psycopg2.extensions.cursor, tables: Sequence[Entry]) -> list[Entry]:
        """What of the backup refers to these tables and is not there any more, although what it belongs to is: views,
        and other tables' foreign keys, which went when the tables were dropped."""
        toc = self.chosen.toc
        parts = [part for table in tables for part in toc.partitions_of(table)]
        found = []
        for entry in toc.foreign_keys_to(parts):
            owner = toc.owner_of(entry)
            if owner is None or owner in self.chosen.with_parts or owner.name not in existing(cursor, [owner.name]):
                continue
            cursor.execute(
                "SELECT FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s",
                [quoted(owner.name, cursor), entry.tag.removeprefix(f"{owner.tag} ")],
            )
            if not cursor.rowcount:
                found.append(entry)
        views = toc.views_of(parts)
        new = {table.name for table in self.chosen.with_parts}
        there = existing(cursor, [view.name for view in views])
        for view in views:
            shown = {toc.by_id[need].name for need in view.needs if toc.kind_of(need) in ("TABLE", "VIEW")}
            others = shown - new
            if view.name not in there and not others - existing(cursor, others).keys():
                found.append(view)
                new.add(view.name)
        return found

    def _execute(self, cursor: psycopg2.extensions.cursor, entries: Collection[Entry]) -> None:
        if entries:
            cursor.execute(script_of(self.programs, self.dump, entries, "--no-privileges", major=self.facts.major))
            # The script ends the patience that was set.
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_PATIENCE])

    def _copy(
        self,
        cursor: psycopg2.extensions.cursor,
        entries: Collection[Entry],
        progress: Callable[[str, float | None], None],
        is_stopped: Callable[[], bool],
    ) -> None:
        """Loads the rows, table by table."""
        sizes = {entry.id: path.stat().st_size for entry in entries if (path := data_file(self.dump, entry))}
        total, done = max(sum(sizes.values()), 1), 0
        for entry in entries:
            progress(LOADING, done / total)
            with Copy(self.programs, self.dump, entry, is_stopped=is_stopped) as copy:
                copy.into(cursor)
            done += sizes.get(entry.id, 0)

    def _counts(self, cursor: psycopg2.extensions.cursor) -> dict[str, int]:
        """The rows of the chosen tables. Raises Damaged if they are not those of the backup."""
        names = {table.name for table in self.chosen.tables}
        found = count_rows(cursor, [table for table in tables_of(cursor) if table.name in names])
        expected = {name: rows for name, rows in self.expected.items() if name in names}
        if wrong := differences(expected, found):
            raise Damaged(
                _("What was loaded is not what was saved: %(findings)s") % {"findings": " ".join(wrong)}, tuple(wrong)
            )
        return found


def refuse_unwatched(lost: Collection[tuple[str, str]]) -> None:
    """What a later version of the shop has the database do for it is not lost by an older table. Raises
    TablesInTheWay."""
    if lost:
        raise TablesInTheWay(
            _("%(tables)s had not all of today's triggers then: an update has added some since. Take everything over.")
            % {"tables": ", ".join(sorted({table for table, _trigger in lost}))}
        )


def stop_if(is_stopped: Callable[[], bool]) -> None:
    if is_stopped():
        raise Interrupted(_("It was stopped."))


def quoted(name: str, cursor: psycopg2.extensions.cursor) -> str:
    """A manifest's name of a table as SQL writes it."""
    schema, _dot, table = name.partition(".")
    return f"{quote_ident(schema, cursor)}.{quote_ident(table, cursor)}"
