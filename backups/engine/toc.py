"""What is in a dump: the table of contents that pg_restore lists, with what depends on what."""

import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from backups.engine import files
from backups.engine.children import run_tool
from backups.engine.programs import Programs

# What a list may name whose name has more than one word.
LONG_KINDS = (
    "ACCESS METHOD|CHECK CONSTRAINT|DATABASE PROPERTIES|DEFAULT ACL|EVENT TRIGGER|FK CONSTRAINT|FOREIGN DATA WRAPPER"
    "|FOREIGN SERVER|FOREIGN TABLE|INDEX ATTACH|MATERIALIZED VIEW DATA|MATERIALIZED VIEW|OPERATOR CLASS"
    "|OPERATOR FAMILY|PROCEDURAL LANGUAGE|PUBLICATION TABLES IN SCHEMA|PUBLICATION TABLE|ROW SECURITY|SECURITY LABEL"
    "|SEQUENCE OWNED BY|SEQUENCE SET|SHELL TYPE|STATISTICS DATA|SUBSCRIPTION TABLE|TABLE ATTACH|TABLE DATA"
    "|TEXT SEARCH CONFIGURATION|TEXT SEARCH DICTIONARY|TEXT SEARCH PARSER|TEXT SEARCH TEMPLATE|USER MAPPING"
    "|BLOB COMMENTS|BLOB METADATA"
)
ENTRY = re.compile(rf"(?P<id>\d+); \d+ \d+ (?P<kind>{LONG_KINDS}|[A-Z]+) (?P<schema>\S+) (?P<rest>.*)")
DEPENDS = re.compile(r";\s+depends on:(?P<ids>[\d ]+)$")
# Their entries are named "<table> <name>".
PARTS_OF_A_TABLE = frozenset(
    {"CHECK CONSTRAINT", "CONSTRAINT", "DEFAULT", "FK CONSTRAINT", "POLICY", "RULE", "TRIGGER"}
)
# Theirs are not, but depend on the table, or on a part of it.
DEPENDENTS_OF_A_TABLE = frozenset(
    {
        "COMMENT",
        "INDEX",
        "INDEX ATTACH",
        "ROW SECURITY",
        "SEQUENCE",
        "SEQUENCE SET",
        "STATISTICS",
        "STATISTICS DATA",
        "TABLE ATTACH",
        "TABLE DATA",
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `id` is its number in the dump, `tag` its name as PostgreSQL writes it (a trigger's is "table name",
    a function's has its arguments), `needs` are the numbers of what it depends on."""

    id: int
    kind: str
    schema: str
    tag: str
    line: str
    needs: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        """As manifests name tables: "schema.table"."""
        return f"{self.schema}.{self.tag}"


class Contents:
    """The entries of a dump in the order in which they are restored."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self.by_id = {entry.id: entry for entry in self.entries}
        self.tables = {entry.name: entry for entry in self.entries if entry.kind == "TABLE"}

    def partitions_of(self, table: Entry) -> list[Entry]:
        """The table itself and, of a partitioned one, its parts, theirs included."""
        found = [table]
        for entry in self.entries:
            if entry.kind == "TABLE ATTACH" and any(one.id in entry.needs for one in found):
                part = self.tables.get(entry.name)
                if part is not None and part not in found:
                    found.append(part)
        return found

    def belonging_to(self, tables: Collection[Entry]) -> list[Entry]:
        """All that makes these tables (partitions among them): columns, rows, keys, indexes, sequences and their
        values, foreign keys to other tables, triggers, comments."""
        taken = {table.id for table in tables}
        of_serial_columns = [
            entry for entry in self.entries if entry.kind == "SEQUENCE OWNED BY" and entry.needs & taken
        ]
        for entry in of_serial_columns:
            taken |= {entry.id, *(need for need in entry.needs if self.kind_of(need) == "SEQUENCE")}
        for entry in self.entries:
            if entry.kind in PARTS_OF_A_TABLE:
                is_part = any(self.is_part(entry, table) for table in tables)
            else:
                is_part = entry.kind in DEPENDENTS_OF_A_TABLE and bool(entry.needs & taken)
            if is_part:
                taken.add(entry.id)
        return [entry for entry in self.entries if entry.id in taken]

    def needed_by(self, entries: Collection[Entry]) -> list[Entry]:
        """What these depend on and are not: functions of triggers, types, extensions, other tables."""
        taken = {entry.id for entry in entries}
        found: set[int] = set()
        open_ones = set(taken)
        while open_ones:
            needs = {need for one in open_ones for need in self.by_id[one].needs if need in self.by_id}
            # What another table is made of comes with that one.
            open_ones = {need for need in needs - taken - found if self.kind_of(need) not in ("TABLE", "CONSTRAINT")}
            found |= needs - taken
        return [entry for entry in self.entries if entry.id in found]

    def foreign_keys_to(self, tables: Collection[Entry]) -> list[Entry]:
        """Foreign keys of other tables that refer to these."""
        ids = {table.id for table in tables}
        return [
            entry
            for entry in self.entries
            if entry.kind == "FK CONSTRAINT"
            and entry.needs & ids
            and not any(self.is_part(entry, table) for table in tables)
        ]

    def views_of(self, tables: Collection[Entry]) -> list[Entry]:
        """Views that show rows of these tables, directly or through another view."""
        ids = {table.id for table in tables}
        found = []
        for entry in self.entries:
            if entry.kind == "VIEW" and entry.needs & ids:
                ids.add(entry.id)
                found.append(entry)
        return found

    def owner_of(self, part: Entry) -> Entry | None:
        """The table of a key, a constraint or a trigger."""
        return next((table for table in self.tables.values() if self.is_part(part, table)), None)

    def kind_of(self, entry_id: int) -> str:
        entry = self.by_id.get(entry_id)
        return entry.kind if entry else ""

    @staticmethod
    def is_part(entry: Entry, table: Entry) -> bool:
        return entry.schema == table.schema and entry.tag.startswith(f"{table.tag} ") and table.id in entry.needs


def read_toc(programs: Programs, dump: Path, *, is_stopped: Callable[[], bool] = lambda: False) -> Contents:
    """Reads a dump's contents. Raises ToolFailed for what is no whole dump, WrongVersion for one of newer tools."""
    with scratch_folder() as folder:
        path = folder / "list"
        run_tool(
            [programs.path("pg_restore"), "--list", "--verbose", f"--file={path}", str(dump)],
            environment={"LC_ALL": "C"},
            folder=dump.parent,
            is_stopped=is_stopped,
        )
        # Only line feeds end a line here: names may hold what Python takes for an end.
        return Contents(entries_of(path.read_text(encoding="utf-8").split("\n")))


def entries_of(lines: Iterable[str]) -> Iterator[Entry]:
    """The entries that pg_restore lists, each with what it depends on, which stands in the line below it."""
    last: Entry | None = None
    for line in lines:
        if match := ENTRY.fullmatch(line):
            if last is not None:
                yield last
            # The owner stands last, and may be nobody; a name may have spaces.
            tag = match["rest"].rpartition(" ")[0]
            last = Entry(int(match["id"]), match["kind"], match["schema"], tag, line)
        elif last is not None and (match := DEPENDS.match(line)):
            last = replace(last, needs=frozenset(map(int, match["ids"].split())))
    if last is not None:
        yield last


def data_file(dump: Path, entry: Entry) -> Path | None:
    """The file that holds the rows of a TABLE DATA entry."""
    names = (f"{entry.id}.dat.gz", f"{entry.id}.dat", f"{entry.id}.dat.zst", f"{entry.id}.dat.lz4")
    return next((path for name in names if (path := dump / name).is_file()), None)


@contextmanager
def list_of(entries: Iterable[Entry]) -> Iterator[Path]:
    """A file for pg_restore's --use-list that names these entries. Raises DiskIsFull, NotWritable."""
    with scratch_folder() as folder:
        path = folder / "list"
        files.write_whole(path, "".join(f"{entry.line}\n" for entry in entries))
        yield path


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for small files of the moment. Raises DiskIsFull, NotWritable."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="samovar-restore-")
    except OSError as error:
        raise files.trouble(error, Path(tempfile.gettempdir())) from error
    with folder as name:
        yield Path(name)
