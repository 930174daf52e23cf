"""Two databases with the shop's tables on the tests' server, which may change places."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore

from backups.engine.databases import drop, lobby
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.services.taking_over import TakenOver, take_over


class Two:
    """The shop's database, and an older state of it that was loaded beside."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.loaded = server.of(f"{server.database}_loaded")

    def keep_this_state(self) -> None:
        """What the shop holds now is what a backup brings back later."""
        copy(self.server, self.server.database, self.loaded.database)

    def take_over(self, repository: Repository, **options: Any) -> TakenOver:
        return take_over(
            repository=repository, server=self.server, new_database=self.loaded.database, patience=1.0, **options
        )


def copy(server: Server, source: str, target: str) -> None:
    with lobby(server) as cursor:
        cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')


def forget(server: Server) -> None:
    with lobby(server) as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [server.database])
        for (name,) in cursor.fetchall():
            drop(cursor, name)


def session_of(word: str) -> str:
    session = SessionStore()
    session["word"] = word
    session.create()
    return str(session.session_key)
