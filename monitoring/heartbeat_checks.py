"""Whether workers, beat and the watchdog have given a sign of life of late."""

import datetime
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from monitoring.connecting import fresh_connection
from monitoring.errors import CheckFailed, CheckWarning
from monitoring.registry import Check, register_check
from monitoring.services.heartbeats import BEAT, EVERY, WATCHDOG, WORKER

# Three signs that were missed.
SILENT_AFTER = 3 * EVERY


@dataclass(frozen=True)
class Sign:
    """The last sign of life of a program, and how old it is by the database's clock."""

    name: str
    at: datetime.datetime
    age: datetime.timedelta

    @property
    def is_silent(self) -> bool:
        return self.age.total_seconds() > SILENT_AFTER

    @property
    def since(self) -> str:
        return f"{self.at.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def register() -> None:
    """Called once, when the apps are ready."""
    for check in (
        Check(
            name="worker",
            run=workers_live,
            is_probed=True,
            title=gettext_lazy("Workers"),
            advice=gettext_lazy("Start a worker (celery --app project worker) and read its log: tasks wait."),
        ),
        Check(
            name="beat",
            run=beat_lives,
            is_probed=True,
            title=gettext_lazy("Beat"),
            advice=gettext_lazy("Start beat (celery --app project beat): nothing is done by the timetable."),
        ),
        Check(
            name="watchdog",
            run=watchdog_lives,
            is_probed=True,
            title=gettext_lazy("Watchdog"),
            advice=gettext_lazy("Start the watchdog (manage.py watchdog): nobody is told of anything."),
        ),
    ):
        register_check(check)


def workers_live() -> str:
    """Raises CheckFailed if no worker lives, CheckWarning if one of them fell silent."""
    signs = [sign for sign in signs_of_life() if sign.name.startswith(f"{WORKER}:")]
    silent = [sign for sign in signs if sign.is_silent]
    if not signs:
        raise CheckFailed(gettext_noop("No worker has given a sign of life."))
    if len(silent) == len(signs):
        last = min(signs, key=lambda sign: sign.age)
        raise CheckFailed(gettext_noop("No worker has given a sign of life since %(at)s."), at=last.since)
    if silent:
        raise CheckWarning(
            gettext_noop("%(silent)s of %(number)s workers give no sign of life."),
            silent=len(silent),
            number=len(signs),
        )
    return _("Workers: %(number)s.") % {"number": len(signs)}


def beat_lives() -> None:
    lives(BEAT)


def watchdog_lives() -> None:
    lives(WATCHDOG)


def lives(name: str) -> None:
    """Raises CheckFailed if the one program of this name gave no sign of life of late."""
    sign = next((sign for sign in signs_of_life() if sign.name == name), None)
    if sign is None:
        raise CheckFailed(gettext_noop("It has given no sign of life."))
    if sign.is_silent:
        raise CheckFailed(gettext_noop("It has given no sign of life since %(at)s."), at=sign.since)


def signs_of_life() -> list[Sign]:
    """Of all programs, by name. Raises CheckFailed if the database does not answer."""
    with fresh_connection() as connection:
        return read_signs(connection)


def read_signs(connection: BaseDatabaseWrapper) -> list[Sign]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, at, clock_timestamp() - at FROM monitoring_heartbeat ORDER BY name")
        return [Sign(*row) for row in cursor.fetchall()]
