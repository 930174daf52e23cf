"""What goes wrong inside a database that still answers, and standbys that fall behind."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from monitoring.connecting import fresh_connection
from monitoring.database.reading import read
from monitoring.database.replication import Standby, standbys
from monitoring.errors import CheckFailed, CheckWarning
from monitoring.registry import Check, Event, register_check, register_event
from monitoring.severity import Severity
from monitoring.watchdog.health import health_sentence

ERRORS, LAG = "database.errors", "database.replication_lag"
# Of the connections that the server takes. The last one is the administrator's.
MANY_CONNECTIONS, MOST_CONNECTIONS = 0.75, 0.90
# Transactions since the oldest one that is not frozen. VACUUM comes at 200 million by itself; the server stops taking
# writes at 2,000 million: https://www.postgresql.org/docs/current/routine-vacuuming.html
OLD_AGE, OLDEST_AGE = 1_000_000_000, 1_600_000_000
# A transaction that is open for so long keeps VACUUM from clearing up behind everybody else.
LONG_SECONDS = 3600
# A standby that is so far behind would lose so much, or need so long, if it had to take over.
LAG_SECONDS, LAG_BYTES = 60, 256 * 1024**2
MEGABYTE = 1024**2


def register() -> None:
    """Called once, when the apps are ready."""
    register_event(Event(ERRORS, Severity.CRITICAL, gettext_lazy("The database has trouble"), tell=health_sentence))
    register_event(
        Event(LAG, Severity.WARNING, gettext_lazy("A standby of the database is behind"), tell=health_sentence)
    )
    register_check(
        Check(
            name="database_state",
            run=is_sound,
            title=gettext_lazy("Inside the database"),
            advice=gettext_lazy("Look at the page about the database, which shows connections and transactions."),
            event=ERRORS,
        )
    )
    register_check(
        Check(
            name="replication",
            run=keeps_up,
            title=gettext_lazy("Replication"),
            advice=gettext_lazy("Look whether the standby and the network to it are well."),
            event=LAG,
        )
    )


def is_sound() -> str:
    """Raises CheckFailed for what will soon stop the shop, CheckWarning for what leads there."""
    with fresh_connection() as connection:
        (state,) = read(connection, STATE)
    judge(state)
    return _("Connections: %(used)s of %(limit)s.") % state


def judge(state: dict[str, Any]) -> None:
    """Raises the same."""
    share = state["used"] / state["limit"]
    connections = gettext_noop("Connections: %(used)s of %(limit)s.")
    if state["damaged_pages"]:
        raise CheckFailed(
            gettext_noop("Pages with a wrong checksum were read in the last day: %(damaged_pages)s."), **state
        )
    if state["age"] > OLDEST_AGE:
        raise CheckFailed(
            gettext_noop("VACUUM is %(age)s transactions behind; at 2000000000 nothing can be saved any more."), **state
        )
    if share >= MOST_CONNECTIONS:
        raise CheckFailed(connections, **state)
    if state["invalid_indexes"]:
        raise CheckWarning(gettext_noop("Indexes that are not valid: %(invalid_indexes)s."), **state)
    if state["age"] > OLD_AGE:
        raise CheckWarning(gettext_noop("VACUUM is %(age)s transactions behind."), **state)
    if state["longest"] > LONG_SECONDS:
        raise CheckWarning(gettext_noop("A transaction has been open for %(longest)s seconds."), **state)
    if share >= MANY_CONNECTIONS:
        raise CheckWarning(connections, **state)


# Views: pg_stat_database, pg_database, pg_stat_activity, pg_index, each described at
# https://www.postgresql.org/docs/current/monitoring-stats.html and .../catalogs.html
STATE = """
    SELECT
        (
            SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_stat_database
            WHERE checksum_last_failure > now() - interval '1 day'
        ) AS damaged_pages,
        (SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()) AS age,
        (
            SELECT count(*) FROM pg_stat_activity WHERE coalesce(backend_type, 'client backend') = 'client backend'
        ) AS used,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS "limit",
        (
            SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::bigint
            FROM pg_stat_activity
            WHERE datname = current_database() AND coalesce(backend_type, 'client backend') = 'client backend'
        ) AS longest,
        (
            SELECT count(*) FROM pg_index WHERE NOT indisvalid
            AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS made WHERE made.index_relid = indexrelid)
        ) AS invalid_indexes
"""


def keeps_up() -> str:
    """Raises CheckFailed for a standby that is far behind. One that is gone altogether is the cluster's matter."""
    with fresh_connection() as connection:
        found = standbys(connection)
    for standby in found:
        judge_standby(standby)
    if not found:
        return _("Nobody receives the WAL.")
    return _("WAL goes to: %(names)s.") % {"names": ", ".join(standby.name for standby in found)}


def judge_standby(standby: Standby) -> None:
    """Raises CheckFailed."""
    if standby.bytes > LAG_BYTES or standby.seconds > LAG_SECONDS:
        raise CheckFailed(
            gettext_noop("%(name)s is %(megabytes)s MB and %(seconds)s seconds behind."),
            name=standby.name,
            megabytes=standby.bytes // MEGABYTE,
            seconds=standby.seconds,
        )
