"""Databases of a server beside the one that serves: made like it, filled from a recovered server, dropped.

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
from typing import Any

import psycopg2
import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class

from backups.engine import files
from backups.engine.children import run_tool
from backups.engine.programs import Programs
from backups.engine.repository import now
from backups.engine.server import Server, last_line
from backups.errors import BackupFailed, DiskIsFull, Interrupted, NotAllowed, ServerGone, SwapFailed

LONGEST_NAME = 63
NEW, REPLACED = "new", "replaced"
WORKERS = "2"
# Settings whose value is a list: PostgreSQL keeps it quoted as it has to be written.
LISTS = {"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"}

Progress = Callable[[str, float | None], None]
logger = structlog.get_logger("backups.databases")


@dataclass(frozen=True, slots=True)
class Beside:
    """A database of this shop that does not serve: `mark` is "new" for one that is being filled, "replaced" for one
    that another one took the place of, at `at`; `size` in bytes."""

    name: str
    mark: str
    at: datetime.datetime
    reason: str
    size: int


@contextmanager
def lobby(server: Server, *, is_one_transaction: bool = False) -> Iterator[Cursor]:
    """A connection to a database that is none of those concerned: nobody can rename what they are connected to.

    Raises ServerGone, and for what the server refuses NotAllowed, DiskIsFull or SwapFailed.
    """
    with saying_why(), server.connected(database=lobby_of(server)) as connection:
        connection.autocommit = not is_one_transaction
        with connection.cursor() as cursor:
            yield cursor
        if is_one_transaction:
            connection.commit()


def lobby_of(server: Server) -> str:
    return "template1" if server.database == "postgres" else "postgres"


@contextmanager
def saying_why() -> Iterator[None]:
    """Turns what PostgreSQL raises into our errors."""
    try:
        yield
    except psycopg2.errors.InsufficientPrivilege as error:
        raise NotAllowed(
            _("The shop's account of the database lacks a right that this needs: %(why)s") % {"why": words(error)}
        ) from error
    except psycopg2.errors.DiskFull as error:
        raise DiskIsFull(_("the database")) from error
    except (psycopg2.errors.AdminShutdown, psycopg2.errors.CrashShutdown, psycopg2.InterfaceError) as error:
        raise ServerGone(_("The database server went away: %(why)s") % {"why": words(error)}) from error
    except psycopg2.OperationalError as error:
        # Without a code of the server's own it was the connection that broke.
        if error.pgcode:
            raise SwapFailed(_("The database server refused: %(why)s") % {"why": words(error)}) from error
        raise ServerGone(_("The database server went away: %(why)s") % {"why": words(error)}) from error
    except psycopg2.Error as error:
        raise SwapFailed(_("The database server refused: %(why)s") % {"why": words(error)}) from error


def words(error: psycopg2.Error) -> str:
    return (error.diag.message_primary if error.diag else "") or last_line(str(error)) or type(error).__name__


# --- names and marks -----------------------------------------------------------------------------------


def dated_name(server: Server, word: str, at: datetime.datetime, *, taken: Sequence[str] = ()) -> str:
    """For example samovar_before_20261121_233000, and a second later where that is taken; cut to what PostgreSQL
    allows."""
    while True:
        ending = f"_{word}_{at.astimezone(datetime.UTC):%Y%m%d_%H%M%S}"
        beginning = server.database.encode()[: LONGEST_NAME - len(ending)].decode(errors="ignore")
        if (name := beginning + ending) not in taken:
            return name
        at += datetime.timedelta(seconds=1)


def new_name(server: Server) -> str:
    """A name for a database that is to be filled. Raises ServerGone."""
    with lobby(server) as cursor:
        return dated_name(server, NEW, now(), taken=list(all_names(cursor).values()))


def all_names(cursor: Cursor) -> dict[int, str]:
    """The names of the server's databases by their numbers."""
    cursor.execute("SELECT oid::bigint, datname FROM pg_database")
    return dict(cursor.fetchall())


def mark(cursor: Cursor, name: str, kind: str, *, of: str, at: datetime.datetime, reason: str = "") -> None:
    """Writes down what the database is."""
    said = json.dumps({"samovar": kind, "of": of, "at": at.isoformat(), "reason": reason}, ensure_ascii=False)
    cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(said)))


def databases_beside(server: Server) -> list[Beside]:
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


def read_mark(name: str, comment: str, size: int, *, of: str) -> Beside | None:
    """None for a database of somebody else."""
    try:
        said = json.loads(comment)
        if said["of"] != of:
            return None
        at = datetime.datetime.fromisoformat(said["at"])
        return Beside(name, str(said["samovar"]), at, str(said.get("reason", "")), size)
    except (ValueError, KeyError, TypeError):
        return None


# --- made, filled, dropped -----------------------------------------------------------------------------


def make_database(server: Server, name: str, *, like: Server | None = None) -> None:
    """Makes an empty one with encoding, locale, owner, settings and rights of the one that serves; where that is gone,
    with encoding and locale of `like`. It is marked as new. Raises ServerGone, NotAllowed, DiskIsFull, SwapFailed."""
    with lobby(server) as cursor:
        traits = traits_of(cursor, server.database)
        is_there = traits is not None
        if traits is None and like is not None:
            with lobby(like) as other:
                traits = traits_of(other, like.database)
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(sql.Identifier(name), options(traits or {}))
        )
        try:
            mark(cursor, name, NEW, of=server.database, at=now())
            if is_there:
                copy_settings(cursor, server.database, name)
        except BaseException:
            drop(cursor, name)
            raise


def traits_of(cursor: Cursor, name: str) -> dict[str, Any] | None:
    """What CREATE DATABASE is told of it; None if it is not there. Columns differ by version."""
    cursor.execute(
        "SELECT to_jsonb(d) || jsonb_build_object('encoding', pg_encoding_to_char(encoding)) "
        "FROM pg_database d WHERE datname = %s",
        [name],
    )
    row = cursor.fetchone()
    return None if row is None else dict(row[0])


def options(traits: dict[str, Any]) -> sql.Composable:
    if not traits:
        return sql.SQL("ENCODING 'UTF8'")
    said = {
        "ENCODING": traits["encoding"],
        "LC_COLLATE": traits["datcollate"],
        "LC_CTYPE": traits["datctype"],
    }
    own_locale = traits.get("datlocale") or traits.get("daticulocale")
    if traits.get("datlocprovider") == "i":
        said |= {"LOCALE_PROVIDER": "icu", "ICU_LOCALE": own_locale}
    elif traits.get("datlocprovider") == "b":
        said |= {"LOCALE_PROVIDER": "builtin", "BUILTIN_LOCALE": own_locale}
    return sql.SQL(" ").join(
        sql.SQL("{} = {}").format(sql.SQL(name), sql.Literal(value)) for name, value in said.items()
    )


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
    """Drops databases that were being filled by somebody who was killed. Only for who holds the lock "work". Raises
    ServerGone, NotAllowed."""
    names = [one.name for one in databases_beside(server) if one.mark == NEW]
    with lobby(server) as cursor:
        for name in names:
            drop(cursor, name)
            logger.info("unfinished_database_dropped", database=name)
    return names


def load_beside(
    source: Server,
    server: Server,
    new_database: str,
    *,
    programs: Programs,
    folder: Path,
    progress: Progress = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Fills a new database of the running server with what a recovered one holds, by a dump in `folder`.

    Nothing is left of it if it fails. Raises DiskIsFull, NotWritable, ServerGone, WrongVersion, ToolFailed, NotAllowed,
    Interrupted.
    """
    files.make_folder(folder)
    files.need_room(folder, size_of(source) // files.MEGABYTE + 1)
    dump = Path(tempfile.mkdtemp(prefix="loading-", dir=folder))
    try:
        progress(gettext_noop("dumping"), None)
        run_tool(
            [programs.path("pg_dump"), "-Fd", f"-j{WORKERS}", "--compress=none", "--no-sync", f"-f{dump / 'dump'}"],
            environment=source.environment(),
            folder=dump,
            is_stopped=is_stopped,
        )
        make_database(server, new_database, like=source)
        try:
            fill(source, server, new_database, dump / "dump", programs, progress, is_stopped)
        except BaseException:
            drop_again(server, new_database)
            raise
    finally:
        shutil.rmtree(dump, ignore_errors=True)


def fill(
    source: Server,
    server: Server,
    name: str,
    dump: Path,
    programs: Programs,
    progress: Progress,
    is_stopped: Callable[[], bool],
) -> None:
    progress(gettext_noop("loading"), None)
    # What was granted to somebody who is no more must not stop a restore.
    rights = [] if roles_of(source) <= roles_of(server) else ["--no-privileges"]
    run_tool(
        [
            *(programs.path("pg_restore"), f"-j{WORKERS}", "--exit-on-error", "--no-owner"),
            *(*rights, f"--dbname={name}", str(dump)),
        ],
        environment=server.environment(),
        folder=dump.parent,
        is_stopped=is_stopped,
    )
    if is_stopped():
        raise Interrupted(_("It was stopped."))
    progress(gettext_noop("counting for the planner"), None)
    with saying_why(), server.connected(database=name) as connection, connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def drop_again(server: Server, name: str) -> None:
    """After a failure, which is what is told; what can't be dropped now is dropped as unfinished later."""
    try:
        with lobby(server) as cursor:
            drop(cursor, name)
    except BackupFailed as error:
        logger.warning("database_not_dropped", database=name, reason=str(error))


def size_of(server: Server) -> int:
    """Of its database, in bytes."""
    with saying_why(), server.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchall()[0][0])


def roles_of(server: Server) -> set[str]:
    with saying_why(), server.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles")
        return {name for (name,) in cursor.fetchall()}
