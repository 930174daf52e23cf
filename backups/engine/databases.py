"""Databases of a server beside the one that serves: filled from a recovered server, made like it, dropped.

Which of them are ours, and what they are, stands in the comment that PostgreSQL keeps with each.
"""

import datetime
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class

from backups.engine import files
from backups.engine.counting import meanings
from backups.engine.loading import discard_unfinished, load_dump
from backups.engine.logical import dump_database
from backups.engine.programs import find_programs
from backups.engine.repository import now
from backups.engine.server import Server

LONGEST_NAME = 63
NEW, LOADED, REPLACED = "new", "loaded", "replaced"
# What a database is called as long as nothing has become of it.
MADE = (NEW, LOADED)
# The folder of a dump that is loaded at once.
WORK = "loading-"
SPARE_MB = 50
# Settings whose value is a list: PostgreSQL keeps it quoted as it has to be written.
LISTS = {"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"}

Progress = Callable[[str, float | None], None]
logger = structlog.get_logger("backups.databases")


@dataclass(frozen=True, slots=True)
class OtherDatabase:
    """A database of this shop that does not serve: `mark` is "new" for one that is being filled, "loaded" for one that
    shows a backup and waits for a decision, "replaced" for one that another one took the place of, at `at`; `size` in
    bytes."""

    name: str
    mark: str
    at: datetime.datetime
    reason: str
    size: int


@contextmanager
def lobby(server: Server, *, is_one_transaction: bool = False) -> Iterator[Cursor]:
    """A connection to a database that is none of those concerned: nobody can rename what they are connected to.

    Raises ServerGone, and DiskIsFull or BackupFailed for what the server refuses.
    """
    with meanings(server), server.connected(database=lobby_of(server)) as connection:
        connection.autocommit = not is_one_transaction
        with connection.cursor() as cursor:
            yield cursor
        if is_one_transaction:
            connection.commit()


def lobby_of(server: Server) -> str:
    return "template1" if server.database == "postgres" else "postgres"


# --- names and marks -----------------------------------------------------------------------------------


def dated_name(server: Server, word: str, at: datetime.datetime, *, taken: Sequence[str] = ()) -> str:
    """For example samovar_before_20261121_233000, and a second later where that is taken; cut to what PostgreSQL
    allows."""
    while True:
        name = f"{beginning_of(server, word)}_{word}_{at.astimezone(datetime.UTC):%Y%m%d_%H%M%S}"
        if name not in taken:
            return name
        at += datetime.timedelta(seconds=1)


def beginning_of(server: Server, word: str) -> str:
    room = LONGEST_NAME - len(f"_{word}_20261121_233000")
    return server.database.encode()[:room].decode(errors="ignore")


def new_name(server: Server, word: str = NEW) -> str:
    """A name for a database that is to be filled. Raises ServerGone."""
    with lobby(server) as cursor:
        return dated_name(server, word, now(), taken=list(all_names(cursor).values()))


def all_names(cursor: Cursor) -> dict[int, str]:
    """The names of the server's databases by their numbers."""
    cursor.execute("SELECT oid::bigint, datname FROM pg_database")
    return dict(cursor.fetchall())


def mark(cursor: Cursor, name: str, kind: str, *, of: str, at: datetime.datetime, reason: str = "") -> None:
    """Writes down what the database is."""
    said = json.dumps({"samovar": kind, "of": of, "at": at.isoformat(), "reason": reason}, ensure_ascii=False)
    cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(said)))


def databases_beside(server: Server) -> list[OtherDatabase]:
    """Those of this shop that do not serve, the oldest first. Raises ServerGone."""
    with lobby(server) as cursor:
        cursor.execute(
            "SELECT datname, shobj_description(oid, 'pg_database'), pg_database_size(oid) FROM pg_database"
            " WHERE datname <> %s AND shobj_description(oid, 'pg_database') LIKE '{%%'",
            [server.database],
        )
        rows = cursor.fetchall()
    found = [one for name, comment, size in rows if (one := read_mark(name, comment, size, of=server.database))]
    return sorted(found, key=lambda one: (one.at, one.name))


def read_mark(name: str, comment: str, size: int, *, of: str) -> OtherDatabase | None:
    """None for a database of somebody else."""
    try:
        said = json.loads(comment)
        if said["of"] != of:
            return None
        at = datetime.datetime.fromisoformat(said["at"])
        return OtherDatabase(name, str(said["samovar"]), at, str(said.get("reason", "")), size)
    except (ValueError, KeyError, TypeError):
        return None


# --- filled, made alike, dropped ------------------------------------------------------------------------


def load_beside(
    source: Server,
    server: Server,
    new_database: str,
    *,
    folder: Path,
    jobs: int = 2,
    progress: Progress = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Fills a new database of the running server with what a recovered one holds, by a dump in `folder`.

    Nothing is left of it if it fails. Raises DiskIsFull, NotWritable, and what `dump_database` and `load_dump` raise.
    """
    facts = source.facts()
    files.make_folder(folder)
    # Compressed, rows take a third of their room here as a rule.
    files.need_room(folder, size_of(source) // files.MEGABYTE // 3 + SPARE_MB)
    work = Path(tempfile.mkdtemp(prefix=WORK, dir=folder))
    try:
        dump = work / "dump"
        programs = find_programs(server_major=facts.major)
        dumped = dump_database(source, programs, facts, dump, jobs=jobs, progress=progress, is_stopped=is_stopped)
        load_dump(
            dump,
            server,
            new_database,
            expected=dumped.tables,
            version=facts.version,
            jobs=jobs,
            progress=progress,
            is_stopped=is_stopped,
        )
        mark_as_new(server, new_database)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def discard_dumps(folder: Path) -> None:
    """Deletes the dumps of those who were killed. Only for who holds the lock "work"."""
    for path in folder.glob(f"{WORK}*") if folder.is_dir() else ():
        shutil.rmtree(path, ignore_errors=True)


def mark_as_loaded(server: Server, name: str, *, of_backup: str) -> None:
    """Says that a database shows a backup and stays until somebody has decided about it."""
    with lobby(server) as cursor:
        mark(cursor, name, LOADED, of=server.database, at=now(), reason=of_backup)


def mark_as_new(server: Server, name: str) -> None:
    """Says that a complete database waits to take its place; `drop_unfinished` drops it if it never does."""
    with lobby(server) as cursor:
        mark(cursor, name, NEW, of=server.database, at=now())


def copy_settings(cursor: Cursor, old: str, new: str) -> None:
    """Owner, limits, settings (of the database, and of roles in it) and rights of `old`."""
    names = {"old": sql.Identifier(old), "new": sql.Identifier(new)}
    cursor.execute(
        "SELECT pg_get_userbyid(datdba), datconnlimit, datacl IS NULL FROM pg_database WHERE datname = %s", [old]
    )
    owner, limit, has_usual_rights = cursor.fetchall()[0]
    cursor.execute(sql.SQL("ALTER DATABASE {new} OWNER TO {owner}").format(owner=sql.Identifier(owner), **names))
    if limit >= 0:
        cursor.execute(sql.SQL("ALTER DATABASE {new} CONNECTION LIMIT {n}").format(n=sql.Literal(limit), **names))
    cursor.execute(
        "SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END, unnest(setconfig) FROM pg_db_role_setting"
        " WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = %s)",
        [old],
    )
    for role, setting in cursor.fetchall():
        whose = sql.SQL("ROLE {} IN DATABASE {new}").format(sql.Identifier(role), **names) if role else None
        cursor.execute(
            sql.SQL("ALTER {} SET {}").format(whose or sql.SQL("DATABASE {new}").format(**names), assignment(setting))
        )
    if has_usual_rights:
        return
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {new} FROM PUBLIC").format(**names))
    cursor.execute(
        "SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, privilege_type, is_grantable"
        " FROM pg_database, aclexplode(datacl) WHERE datname = %s",
        [old],
    )
    for role, right, may_give in cursor.fetchall():
        cursor.execute(
            sql.SQL("GRANT {} ON DATABASE {new} TO {}{}").format(
                sql.SQL(right),
                sql.Identifier(role) if role else sql.SQL("PUBLIC"),
                sql.SQL(" WITH GRANT OPTION" if may_give and role else ""),
                **names,
            )
        )


def assignment(setting: str) -> sql.Composable:
    """name=value, as the catalogue has it, for SET."""
    name, _equals, value = setting.partition("=")
    is_list = name in LISTS and re.fullmatch(r'[\w$", .-]+', value)
    return sql.SQL("{} TO {}").format(
        sql.Identifier(*name.split(".")), sql.SQL(value) if is_list else sql.Literal(value)
    )


def drop(cursor: Cursor, name: str) -> None:
    """Whoever is still connected is sent away."""
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_unfinished(server: Server) -> list[str]:
    """Drops what killed restores and swaps have left: databases that are half full, and full ones that never took
    their place. Only for who holds the lock "work", when no swap is to be settled. Raises ServerGone."""
    dropped = discard_unfinished(server)
    names = [one.name for one in databases_beside(server) if one.mark == NEW]
    # One that was just complete when its maker was killed has no mark yet.
    ours = re.compile("|".join(rf"{re.escape(beginning_of(server, word))}_{word}_\d{{8}}_\d{{6}}" for word in MADE))
    with lobby(server) as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE shobj_description(oid, 'pg_database') IS NULL")
        names += [name for (name,) in cursor.fetchall() if ours.fullmatch(name)]
        for name in names:
            drop(cursor, name)
            logger.info("unfinished_database_dropped", database=name)
    return dropped + names


def size_of(server: Server) -> int:
    """Of its database, in bytes."""
    with meanings(server), server.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchall()[0][0])
