"""Databases that stand for a shop's, on a test's own server: what tells them apart is a sentence in a table."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from backups.engine.databases import drop, lobby
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.engine.swapping import Swap, swap_in
from tests.backups.cluster import Cluster

OLD, NEW = "running ☕", "восстановлено"
STAGES = [
    "preparing the swap",
    "waiting for requests that are under way",
    "closing the old database",
    "sending everybody away",
    "carrying over",
    "changing places",
    "the new database is in its place",
    "tidying up after the swap",
]
# Beside them: while something is carried over, and while it is tidied up.
MOMENTS = [*STAGES, "in carrying", "in tidying"]
DONE_FROM = STAGES.index("the new database is in its place")


def empty_server(cluster: Cluster) -> None:
    """Drops all databases but the server's own."""
    with lobby(cluster.server) as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")
        for (name,) in cursor.fetchall():
            drop(cursor, name)


def make_shop(cluster: Cluster, name: str, sentence: str) -> Server:
    """A database with a word that says which one it is, and orders."""
    cluster.sql(f'CREATE DATABASE "{name}"', database="postgres")
    cluster.sql(
        "CREATE TABLE word (said text);"
        "CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text)",
        database=name,
    )
    cluster.sql("INSERT INTO word VALUES (%s)", sentence, database=name)
    return cluster.server.of(name)


def says(server: Server) -> str:
    """Which shop answers under the server's name, to whoever connects anew."""
    return str(rows(server, "SELECT said FROM word")[0][0])


def rows(server: Server, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with server.connected() as connection, connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall()) if cursor.description else []


def names_on(server: Server) -> set[str]:
    with lobby(server) as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname NOT LIKE 'template%%' AND datname <> 'postgres'")
        return {name for (name,) in cursor.fetchall()}


def closed_ones(server: Server) -> set[str]:
    """Those that let nobody in."""
    with lobby(server) as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE NOT datallowconn AND datname <> 'template0'")
        return {name for (name,) in cursor.fetchall()}


def open_connection(server: Server, **options: Any) -> psycopg2.extensions.connection:
    """One that stays open, as a web server's do."""
    return psycopg2.connect(
        host=server.host,
        port=server.port,
        user=options.pop("user", server.user),
        password=server.password,
        dbname=server.database,
        **options,
    )


@contextmanager
def staying(server: Server, **options: Any) -> Iterator[psycopg2.extensions.connection]:
    with closing(open_connection(server, **options)) as connection:
        yield connection


def in_a_child(work: Callable[[], object]) -> int:
    """Does it in a process of its own, and returns how that ended: -9 for one that was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Carrier:
    """Reads a sentence in the old database and writes it into the new one."""

    def __init__(self, old: psycopg2.extensions.connection, new: Server, at: Callable[[str], None]) -> None:
        self.old, self.new, self.at = old, new, at
        self.pids = [old.info.backend_pid]

    def carry(self) -> None:
        with self.old.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders")
            number = cursor.fetchall()[0][0]
        self.at("in carrying")
        rows(self.new, "DELETE FROM orders; INSERT INTO orders (what) VALUES (%s)", f"carried {number}")


def carrying(at: Callable[[str], None] = lambda moment: None):
    @contextmanager
    def carry(old: Server, new: Server) -> Iterator[Carrier]:
        with staying(old) as connection:
            yield Carrier(connection, new, at)

    return carry


def swapped(repository: Repository, shop: Server, at: Callable[[str], None] = lambda moment: None) -> Swap:
    return swap_in(
        repository,
        shop,
        "shop_new",
        reason="for a test",
        job="the work",
        carry=carrying(at),
        after=lambda swap: at("in tidying"),
        progress=lambda stage, share: at(stage),
    )
