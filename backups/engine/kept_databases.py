"""The databases that another one took the place of: kept for some days, closed to everybody, then dropped."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from psycopg2 import sql

from backups.engine.databases import REPLACED, Cursor, OtherDatabase, databases_beside, drop, lobby
from backups.engine.server import Server

logger = structlog.get_logger("backups.kept_databases")


def old_databases(server: Server) -> list[OtherDatabase]:
    """Those that were replaced and are kept, the oldest first. Raises ServerGone."""
    return [one for one in databases_beside(server) if one.mark == REPLACED]


def drop_old(server: Server, older_than: datetime.datetime) -> list[str]:
    """Drops the kept ones that were replaced before that moment, and says which. Raises ServerGone, NotAllowed."""
    names = [one.name for one in old_databases(server) if one.at < older_than]
    with lobby(server) as cursor:
        for name in names:
            drop(cursor, name)
            logger.info("old_database_dropped", database=name)
    return names


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
    names = [one.name for one in old_databases(server)]
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
