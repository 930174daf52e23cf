"""Loading a dump into a new database of a server: all of it, held against the counts of the backup."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg2
import psycopg2.errors
import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from psycopg2.extensions import quote_ident

from backups.engine.children import Ended, failure_of, run_tool
from backups.engine.counting import NO_TIMEOUTS, count_rows, differences, meanings, tables_of
from backups.engine.programs import Programs, find_programs
from backups.engine.scripts import SETS_TRANSACTION_TIMEOUT, script_of
from backups.engine.server import Facts, Server
from backups.engine.toc import Contents, Entry, data_file, list_of, read_toc
from backups.errors import BackupFailed, Damaged, DatabaseExists, DiskIsFull, WrongVersion

# How the name of a database begins that is not complete: a killed restore leaves one behind.
UNFINISHED = "samovar_unfinished_"
# The database that every server has, in which others are made and dropped.
MAINTENANCE = "postgres"
# Since this version dumps hold what the planner knows of the tables.
KEEPS_STATISTICS = 18

LOADING = gettext_noop("Loading the tables")
COUNTING = gettext_noop("Counting the rows")

logger = structlog.get_logger("backups.loading")


def load_dump(
    dump: Path,
    server: Server,
    database: str,
    *,
    expected: dict[str, int],
    version: int,
    jobs: int = 2,
    progress: Callable[[str, float | None], None] = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Makes the database and loads the dump into it. All belongs to the server's user then; what other users could
    read they can read again, where they exist. `expected` are the rows by table, `version` is the server's that the
    dump was made of.

    Raises DatabaseExists, WrongVersion, Damaged, DiskIsFull, ServerGone, ToolFailed, Interrupted; there is no such
    database then.
    """
    facts = server.of(MAINTENANCE).facts()
    refuse_older(facts, version)
    programs = find_programs(server_major=facts.major)
    contents = read_toc(programs, dump, is_stopped=is_stopped)
    as_it_was = definition(programs, dump, contents, facts)
    with new_database(server, database, as_it_was.options) as unfinished:
        pg_restore = Restore(programs, facts, dump, server.of(unfinished))
        wanted = without_the_impossible(contents, server.of(unfinished))
        progress(LOADING, 0.0)
        pg_restore.run(
            wanted,
            jobs=jobs,
            is_stopped=is_stopped,
            on_done=Shares(dump, wanted, lambda share: progress(LOADING, share)).done,
        )
        progress(LOADING, 1.0)
        pg_restore.grant([entry for entry in contents.entries if entry.kind in ("ACL", "DEFAULT ACL")])
        progress(COUNTING, None)
        with server.connected(database=unfinished) as connection, meanings(server), connection.cursor() as cursor:
            cursor.execute(NO_TIMEOUTS)
            found = count_rows(cursor, tables_of(cursor), is_stopped=is_stopped)
        if wrong := differences(expected, found):
            raise Damaged(
                _("What was loaded is not what was saved: %(findings)s") % {"findings": " ".join(wrong[:5])},
                tuple(wrong),
            )
        set_as_it_was(server, unfinished, as_it_was.settings)


def refuse_older(facts: Facts, version: int) -> None:
    """Raises WrongVersion if the backup is a newer server's."""
    if version // 10_000 > facts.major:
        raise WrongVersion(
            _(
                "The backup was made of PostgreSQL %(backup)d, and this server is %(server)d: a backup can be loaded "
                "into the same version or a newer one. Start such a server, then try again."
            )
            % {"backup": version // 10_000, "server": facts.major}
        )


# --- the database ------------------------------------------------------------------------------------


class Definition:
    """How the database of a dump was made: the options of its CREATE DATABASE, and its own settings."""

    def __init__(self, script: str) -> None:
        made = re.search(r'^CREATE DATABASE (?:"(?:[^"]|"")+"|\S+) WITH (.+);$', script, re.MULTILINE)
        self.options = made[1] if made else ""
        set_here = re.findall(r'^ALTER DATABASE (?:"(?:[^"]|"")+"|\S+) (SET .+);$', script, re.MULTILINE)
        self.settings: list[str] = set_here


def definition(programs: Programs, dump: Path, contents: Contents, facts: Facts) -> Definition:
    """Reads it from the dump."""
    entries = [entry for entry in contents.entries if entry.kind in ("DATABASE", "DATABASE PROPERTIES")]
    return Definition(script_of(programs, dump, entries, "--create", major=facts.major))


@contextmanager
def new_database(server: Server, database: str, options: str) -> Iterator[str]:
    """A database for what is in the block. It gets its name after it, so that one of that name is complete whenever the
    power goes, and is gone if the block fails. Gives the name it has meanwhile. Raises DatabaseExists."""
    with server.connected(database=MAINTENANCE) as connection, meanings(server), connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [database])
        if cursor.rowcount:
            raise DatabaseExists(database)
    unfinished = f"{unfinished_of(server)}{uuid4().hex}"
    make_database(server, unfinished, options)
    try:
        yield unfinished
        rename_database(server, unfinished, database)
    except BaseException:
        try:
            drop_database(server, unfinished)
        except BackupFailed as error:
            # Its name says that it is unfinished, so it is found and dropped later.
            logger.warning("unfinished_database_left", database=unfinished, reason=str(error))
        raise


def unfinished_of(server: Server) -> str:
    """What the names of this shop's half-loaded databases begin with: another shop's on the same server are at work."""
    return f"{UNFINISHED}{hashlib.sha256(server.database.encode()).hexdigest()[:8]}_"


def make_database(server: Server, database: str, options: str) -> None:
    """Makes an empty one."""
    with server.connected(database=MAINTENANCE) as connection, meanings(server), connection.cursor() as cursor:
        name = quote_ident(database, cursor)
        try:
            cursor.execute(f"CREATE DATABASE {name} WITH {options or PLAIN_OPTIONS}")
        except (psycopg2.ProgrammingError, psycopg2.DataError) as error:
            if isinstance(error, psycopg2.errors.InsufficientPrivilege):
                raise
            # Another system may not have that locale.
            logger.warning("database_locale_missing", database=database, options=options, reason=str(error).strip())
            cursor.execute(f"CREATE DATABASE {name} WITH {PLAIN_OPTIONS}")


def rename_database(server: Server, database: str, name: str) -> None:
    """Gives it its name. The server waits for our own programs to be gone, and ends a vacuum of its own in it. Raises
    DatabaseExists."""
    with server.connected(database=MAINTENANCE) as connection, meanings(server), connection.cursor() as cursor:
        try:
            cursor.execute(f"ALTER DATABASE {quote_ident(database, cursor)} RENAME TO {quote_ident(name, cursor)}")
        except psycopg2.errors.DuplicateDatabase as error:
            raise DatabaseExists(name) from error


PLAIN_OPTIONS = "TEMPLATE = template0 ENCODING = 'UTF8'"


def drop_database(server: Server, database: str) -> None:
    """Drops it, whoever is connected to it."""
    with server.connected(database=MAINTENANCE) as connection, meanings(server), connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quote_ident(database, cursor)} WITH (FORCE)")


def discard_unfinished(server: Server) -> list[str]:
    """Drops the databases that killed restores of this shop left behind, and returns their names. Only for who holds
    the lock "work"."""
    with server.connected(database=MAINTENANCE) as connection, meanings(server), connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", [unfinished_of(server)]
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        drop_database(server, name)
    return names


def set_as_it_was(server: Server, database: str, settings: list[str]) -> None:
    """The database's own settings; one that this server does not know, or this user may not set, is left out."""
    with server.connected(database=MAINTENANCE) as connection, meanings(server), connection.cursor() as cursor:
        for setting in settings:
            try:
                cursor.execute(f"ALTER DATABASE {quote_ident(database, cursor)} {setting}")
            except psycopg2.ProgrammingError as error:
                logger.warning("database_setting_left_out", database=database, reason=str(error).strip())


# --- what is in it -----------------------------------------------------------------------------------


def without_the_impossible(contents: Contents, server: Server) -> list[Entry]:
    """What of a dump can be loaded by this user into this server.

    Grants come later, because a user that does not exist any more must not end the restore. A subscription would
    fetch from elsewhere. An extension that the server lacks or the user may not make is left out if nothing needs it.
    """
    with server.connected() as connection, meanings(server), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT name FROM pg_available_extension_versions
            WHERE NOT superuser OR trusted OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            """
        )
        possible = {name for (name,) in cursor.fetchall()}
    # A comment on an extension is its owner's, and every extension brings its own.
    needed = {need for entry in contents.entries if entry.kind != "COMMENT" for need in entry.needs}
    wanted = []
    for entry in contents.entries:
        if entry.kind == "EXTENSION" and entry.tag not in possible and entry.id not in needed:
            logger.warning("extension_left_out", extension=entry.tag)
        elif not is_left_out(entry):
            wanted.append(entry)
    return wanted


def is_left_out(entry: Entry) -> bool:
    return entry.kind in LEFT_OUT or (entry.kind == "COMMENT" and entry.tag.startswith(("EXTENSION ", "DATABASE ")))


LEFT_OUT = frozenset({"ACL", "DEFAULT ACL", "DATABASE", "DATABASE PROPERTIES", "SUBSCRIPTION", "SUBSCRIPTION TABLE"})


class Restore:
    """pg_restore of one dump into one database."""

    def __init__(self, programs: Programs, facts: Facts, dump: Path, server: Server) -> None:
        self.programs, self.facts, self.dump, self.server = programs, facts, dump, server
        self.command = [
            programs.path("pg_restore"),
            "--no-owner",
            "--no-tablespaces",
            "--no-password",
            f"--dbname={server.address()}",
        ]
        if programs.major >= KEEPS_STATISTICS:
            self.command.append("--statistics" if facts.major >= KEEPS_STATISTICS else "--no-statistics")
        self.is_older = facts.major < SETS_TRANSACTION_TIMEOUT <= programs.major

    def run(
        self,
        entries: Collection[Entry],
        *,
        jobs: int,
        is_stopped: Callable[[], bool],
        on_done: Callable[[int], None],
    ) -> None:
        """Loads these entries; `on_done` is told the number of each. Raises the error that its words mean."""
        errors: list[str] = []

        def on_line(line: str) -> None:
            if match := FINISHED.match(line):
                on_done(int(match[1]))
            elif ERROR.match(line) and not (self.is_older and "transaction_timeout" in line):
                errors.append(line)

        with list_of(entries) as chosen:
            command = [*self.command, f"--jobs={jobs}", "--verbose", f"--use-list={chosen}"]
            # To an older server it says one thing that is refused and does no harm; so it may not end at any error.
            command += [] if self.is_older else ["--exit-on-error"]
            with server_disk(self.server):
                run_tool(
                    [*command, str(self.dump)],
                    environment=self.server.environment(),
                    folder=self.dump.parent,
                    is_stopped=lambda: is_stopped() or (self.is_older and bool(errors)),
                    on_line=on_line,
                    accept=(0, 1) if self.is_older and not errors else (0,),
                )
                if errors:
                    raise failure_of(command, Ended(1, tuple(errors)), self.dump.parent)

    def grant(self, entries: Collection[Entry]) -> None:
        """Lets other users do what they could do. One that is not there any more goes without."""
        rights = [entry for entry in entries if not entry.tag.startswith("DATABASE ")]
        script = script_of(self.programs, self.dump, rights, major=self.facts.major) if rights else ""
        statements = [line for line in script.splitlines() if line.startswith(GRANTS)]
        with self.server.connected() as connection, meanings(self.server), connection.cursor() as cursor:
            for statement in statements:
                try:
                    cursor.execute(statement)
                except psycopg2.ProgrammingError as error:
                    logger.warning("grant_left_out", database=self.server.database, reason=str(error).strip())


GRANTS = ("GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES ")
FINISHED = re.compile(r"pg_restore: (?:processing|finished) item (\d+) ")
ERROR = re.compile(r"pg_restore: error: ")


@contextmanager
def server_disk(server: Server) -> Iterator[None]:
    """A disk that is full while something is loaded is the server's, not that of the backup."""
    try:
        yield
    except DiskIsFull as error:
        raise DiskIsFull(
            _("the database server at %(host)s:%(port)s") % {"host": server.host, "port": server.port}
        ) from error


class Shares:
    """How much is done: rows count by the size of their files, everything else a little."""

    def __init__(self, dump: Path, entries: Collection[Entry], tell: Callable[[float], None]) -> None:
        self.weights = {entry.id: 50_000 for entry in entries}
        for entry in entries:
            if entry.kind == "TABLE DATA" and (file := data_file(dump, entry)) is not None:
                self.weights[entry.id] += file.stat().st_size
        self.total, self.sum, self.tell = sum(self.weights.values()), 0, tell

    def done(self, entry_id: int) -> None:
        self.sum += self.weights.pop(entry_id, 0)
        self.tell(self.sum / self.total if self.total else 1.0)
