"""The databases that are kept for some days, closed to everybody, and then dropped: those that another one took the
place of, and those that were loaded from a backup to be looked at."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from psycopg2 import sql

from backups.engine.databases import LOADED, REPLACED, Cursor, OtherDatabase, databases_beside, drop, lobby
from backups.engine.server import Server
from backups.errors import NothingRecovered

logger = structlog.get_logger("backups.kept_databases")


def old_databases(server: Server) -> list[OtherDatabase]:
    """Those that were replaced and are kept, the oldest first. Raises ServerGone."""
    return [one for one in databases_beside(server) if one.mark == REPLACED]


def drop_old(server: Server, older_than: datetime.datetime) -> list[str]:
    """Drops the kept ones that were replaced or loaded before that moment, and says which. Raises ServerGone,
    NotAllowed."""
    names = [one.name for one in kept_databases(server) if one.at < older_than]
    with lobby(server) as cursor:
        for name in names:
            drop(cursor, name)
            logger.info("old_database_dropped", database=name)
    return names


def kept_databases(server: Server) -> list[OtherDatabase]:
    return [one for one in databases_beside(server) if one.mark in (LOADED, REPLACED)]


def need_loaded(server: Server, name: str) -> None:
    """Raises NothingRecovered where this is no database that was loaded to be looked at, or is so no more."""
    if name not in [one.name for one in databases_beside(server) if one.mark == LOADED]:
        raise NothingRecovered


def drop_loaded(server: Server, name: str) -> None:
    """Drops one that was loaded to be looked at. Raises NothingRecovered, ServerGone."""
    need_loaded(server, name)
    with lobby(server) as cursor:
        drop(cursor, name)
    logger.info("loaded_database_dropped", database=name)


@contextmanager
def opened(server: Server, name: str) -> Iterator[None]:
    """A kept database lets people in meanwhile. Raises ServerGone."""
    with lobby(server) as cursor:
        cursor.execute("SELECT datallowconn FROM pg_database WHERE datname = %s", [name])
        found = cursor.fetchone()
        was_closed = found is not None and not found[0]
        admit(cursor, name, is_open=True)
    try:
        yield
    finally:
        if was_closed:
            with lobby(server) as cursor:
                admit(cursor, name, is_open=False)


def close_old(server: Server) -> None:
    """No kept database lets anybody in; one may after somebody was killed who was about to bring it back. Raises
    ServerGone."""
    names = [one.name for one in kept_databases(server)]
    with lobby(server) as cursor:
        for name in names:
            admit(cursor, name, is_open=False)


def admit(cursor: Cursor, name: str, *, is_open: bool) -> None:
    """Whether the database lets anybody in. One that is not there is left alone."""
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datallowconn <> %s", [name, is_open])
    if cursor.fetchone():
        cursor.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(name), sql.Literal(is_open))
        )
