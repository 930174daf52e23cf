"""Whether this server can work: the database, its migrations, the broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import structlog
from celery import current_app
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from kombu.exceptions import OperationalError

from monitoring.errors import CheckFailed
from monitoring.registry import Check, register_check

logger = structlog.get_logger(__name__)

# Shorter than a check may take in all, so that its own sentence is heard.
CONNECT_SECONDS = 2


def register() -> None:
    """Called once, when the apps are ready."""
    for name, run in (("database", database), ("migrations", migrations), ("broker", broker)):
        register_check(Check(name=name, run=run, gates_readiness=True))


def database() -> None:
    with fresh_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def migrations() -> None:
    with fresh_connection() as connection:
        missing = sorted(wanted_migrations() - set(MigrationRecorder(connection).applied_migrations()))
    if missing:
        names = ", ".join(f"{app}.{name}" for app, name in missing[:3])
        raise CheckFailed(f"{len(missing)} not applied: {names}{' …' if len(missing) > 3 else ''}")


@cache
def wanted_migrations() -> frozenset[tuple[str, str]]:
    """All migrations of the code that runs: they do not change while it does."""
    return frozenset(MigrationLoader(None).graph.nodes)


@contextmanager
def fresh_connection() -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own that gives up soon. Raises CheckFailed for whatever the database says."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    given = connection.settings_dict
    connection.settings_dict = {**given, "OPTIONS": {**given["OPTIONS"], "connect_timeout": CONNECT_SECONDS}}
    try:
        yield connection
    except DatabaseError as error:
        # Its text may name the host and the user: that is for the log only.
        logger.warning("the database does not answer a check", error=str(error))
        raise CheckFailed("The database does not answer.") from None
    finally:
        connection.close()


def broker() -> None:
    with current_app.connection_for_write(connect_timeout=CONNECT_SECONDS) as connection:
        if connection.transport.driver_type == "redis":
            limits = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": CONNECT_SECONDS}
            connection.transport_options = {**connection.transport_options, **limits}
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=CONNECT_SECONDS)
        except OperationalError as error:
            logger.warning("the broker does not answer a check", error=str(error))
            raise CheckFailed("The broker does not answer.") from None
