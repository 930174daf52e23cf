"""A database of its own for a run of the benchmarks, made before Django looks for one and dropped afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2


@contextmanager
def fresh_database() -> Iterator[str]:
    """Makes a database `bench_…` beside the one that DATABASE_URL names, and points DATABASE_URL at it.

    Yields its URL. The database that DATABASE_URL named is only connected to.
    """
    before = os.environ["DATABASE_URL"]
    name = f"bench_{os.getpid()}"
    url = urlunsplit(urlsplit(before)._replace(path=f"/{name}"))
    execute(before, f'CREATE DATABASE "{name}"')
    os.environ["DATABASE_URL"] = url
    try:
        yield url
    finally:
        os.environ["DATABASE_URL"] = before
        execute(before, f'DROP DATABASE "{name}" WITH (FORCE)')


def execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def setting(url: str, name: str) -> str:
    """What the server says of one of its settings."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s)", [name])
            return str(cursor.fetchone()[0])
    finally:
        connection.close()
