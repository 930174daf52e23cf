"""Whether this server can work, and the rest of the shop with it: the database, the broker, who works behind it, and
the room that is left."""

from functools import cache

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext_lazy, gettext_noop

from monitoring import database_checks, disk, heartbeat_checks, queue
from monitoring.connecting import fresh_connection
from monitoring.errors import CheckFailed
from monitoring.registry import Check, register_check


def register() -> None:
    """Called once, when the apps are ready."""
    for check in (
        Check(
            name="database",
            run=database,
            gates_readiness=True,
            title=gettext_lazy("Database"),
            advice=gettext_lazy("Look whether PostgreSQL runs, and whether DATABASE_URL names it."),
        ),
        Check(
            name="migrations",
            run=migrations,
            gates_readiness=True,
            title=gettext_lazy("Migrations"),
            advice=gettext_lazy("Run manage.py migrate: the tables are older than the program."),
        ),
        Check(
            name="broker",
            run=broker,
            gates_readiness=True,
            title=gettext_lazy("Broker"),
            advice=gettext_lazy("Look whether Redis or RabbitMQ runs, and whether CELERY_BROKER_URL names it."),
            needs_database=False,
        ),
    ):
        register_check(check)
    heartbeat_checks.register()
    disk.register()
    queue.register()
    database_checks.register()


def database() -> None:
    with fresh_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def migrations() -> None:
    with fresh_connection() as connection:
        missing = sorted(wanted_migrations() - set(MigrationRecorder(connection).applied_migrations()))
    if missing:
        names = ", ".join(f"{app}.{name}" for app, name in missing[:3])
        more = " …" if len(missing) > 3 else ""
        raise CheckFailed(gettext_noop("%(number)s not applied: %(names)s"), number=len(missing), names=names + more)


@cache
def wanted_migrations() -> frozenset[tuple[str, str]]:
    """All migrations of the code that runs: they do not change while it does."""
    return frozenset(MigrationLoader(None).graph.nodes)


def broker() -> None:
    with queue.broker_connection():
        pass
