"""Alerts with a transaction of their own: about work that is rolled back, and while the database is away."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, transaction
from django.utils import timezone

from foundation.database.lost import reason_of
from monitoring.registry import events
from monitoring.services.alerts import notify, resolve
from monitoring.spool import Spool, SpoolFull

# Seconds for the whole of it; a server that hangs answers neither yes nor no.
PATIENCE = 5.0
# The caller's own transaction may hold the row of this very alert, and will not let go before we return.
WAITS_FOR_LOCKS = "2s"
# Seconds for which nobody is made to wait again, once the database has not answered.
REST = 5.0
# What the column holds.
LONGEST_SUBJECT = 200

logger = structlog.get_logger("monitoring.apart")


class Rest:
    """Until when this process does not ask the database."""

    until = 0.0


class TooLate(Exception):
    """Nobody waits for this transaction any more."""


def notify_apart(
    *, event: str, subject: str = "", message: str, details: Mapping[str, Any] | None = None, count: int = 1
) -> None:
    """Raises an alert whatever becomes of the caller's transaction. See `notify`.

    While the database does not take it, it waits in SPOOL_DIR, and the watchdog sends it from there. An alert that
    nothing can keep is written to the log. Takes up to `PATIENCE` seconds.

    Raises NotRegistered for an event that no app has registered.
    """
    registered = events.get(event)
    at = timezone.now()
    said: dict[str, Any] = {
        "event": event,
        "subject": clean(subject)[:LONGEST_SUBJECT],
        "message": clean(str(message)),
        "details": clean(json.loads(json.dumps(dict(details or {}), cls=DjangoJSONEncoder))),
        "count": count,
    }
    subject = said["subject"]
    if is_in_database(lambda: notify(**said), event=event, subject=subject):
        return
    try:
        Spool.of_the_shop().note(
            **said,
            severity=registered.severity.value,
            at=at,
            is_news=registered.is_news,
            keeps_first=registered.keeps_first,
        )
    except (OSError, SpoolFull) as error:
        logger.critical("alert_lost", alert=event, subject=subject, message=str(message), reason=why(error))


def resolve_apart(*, event: str, subject: str = "") -> None:
    """Closes the open alert of the event about this subject, whatever becomes of the caller's transaction; while the
    database is away, as soon as it is back.

    Raises NotRegistered for an event that no app has registered.
    """
    registered = events.get(event)
    at = timezone.now()
    subject = clean(subject)[:LONGEST_SUBJECT]
    if is_in_database(lambda: resolve(event=event, subjects=[subject]), event=event, subject=subject):
        return
    try:
        Spool.of_the_shop().note_end(event=event, subject=subject, severity=registered.severity.value, at=at)
    except (OSError, SpoolFull) as error:
        logger.critical("end_of_alert_lost", alert=event, subject=subject, reason=why(error))


def is_in_database(write: Callable[[], Any], *, event: str, subject: str) -> bool:
    """Writes on a connection of its own, and says whether it was committed. What waits in the spool of the same alert
    comes first: an end must not overtake its beginning."""
    if time.monotonic() < Rest.until or Spool.of_the_shop().holds(event, subject):
        return False
    errors: list[BaseException] = []
    is_abandoned = threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                with connections["default"].cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAITS_FOR_LOCKS])
                write()
                if is_abandoned.is_set():
                    # It is in the spool by now.
                    raise TooLate
        except BaseException as error:
            errors.append(error)
        finally:
            # Connections belong to threads, and this one ends.
            connections.close_all()

    thread = threading.Thread(target=run, name=f"alert {event}", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    is_abandoned.set()
    if thread.is_alive() or errors:
        # Whatever it is that hinders the database, a file does not mind.
        Rest.until = time.monotonic() + REST
        reason = reason_of(errors[0]) if errors else "no answer in time"
        logger.warning("alert_goes_to_the_spool", alert=event, reason=reason)
        return False
    return True


def clean(value: Any) -> Any:
    """What PostgreSQL can hold of it: messages of errors may have anything in them, and an alert that is never taken
    would be tried for ever."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {clean(name): clean(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [clean(inner) for inner in value]
    return value


def why(error: Exception) -> str:
    return "the spool is full" if isinstance(error, SpoolFull) else str(error)
