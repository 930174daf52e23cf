"""The apps' own code at work in another database of the server: one that was loaded, before it takes its place."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from backups.engine.server import Server
from backups.errors import SwapFailed, WrongVersion
from foundation.shop import forget_shop


@contextmanager
def in_database(server: Server) -> Iterator[BaseDatabaseWrapper]:
    """Whatever this thread asks the database meanwhile, it asks that one. Not inside of a transaction."""
    usual = connections[DEFAULT_DB_ALIAS]
    if usual.in_atomic_block:
        raise RuntimeError("A transaction of the one database would go on in the other.")
    other = usual.copy()
    other.settings_dict |= {
        "HOST": server.host,
        "PORT": server.port,
        "USER": server.user,
        "PASSWORD": server.password,
        "NAME": server.database,
        "CONN_MAX_AGE": 0,
    }
    connections[DEFAULT_DB_ALIAS] = other
    forget_what_was_read()
    try:
        yield other
    finally:
        other.close()
        connections[DEFAULT_DB_ALIAS] = usual
        forget_what_was_read()


def forget_what_was_read() -> None:
    """What this process remembers of a database is not so in the other."""
    ContentType.objects.clear_cache()
    forget_shop()


def bring_up_to_date(server: Server) -> None:
    """Runs the migrations that a database from a backup lacks. Raises WrongVersion for a newer Samovar's, and for one
    that holds no shop; SwapFailed if they fail."""
    with in_database(server) as connection:
        try:
            loader = MigrationLoader(connection)
            applied = set(loader.applied_migrations or {})
            refuse_another_version(loader, applied, server.database)
            if set(loader.graph.nodes) - applied:
                call_command("migrate", interactive=False, verbosity=0)
        except DatabaseError as error:
            raise SwapFailed(
                _("The database %(name)s could not be brought up to date: %(why)s")
                % {"name": server.database, "why": error}
            ) from error


def refuse_another_version(loader: MigrationLoader, applied: set[tuple[str, str]], name: str) -> None:
    if not any(app == "orders" for app, _name in applied):
        raise WrongVersion(_("The database %(name)s holds no shop of Samovar.") % {"name": name})
    replaced = {one for migration in loader.replacements.values() for one in migration.replaces}
    known = {*loader.disk_migrations, *replaced}
    unknown = sorted(
        f"{app}.{migration}"
        for app, migration in applied
        if app in loader.migrated_apps and (app, migration) not in known
    )
    if unknown:
        raise WrongVersion(
            _("The backup was made by a newer Samovar (it has %(migration)s): install that one, then restore it.")
            % {"migration": unknown[-1]}
        )
