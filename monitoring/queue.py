"""How many tasks wait for a worker, asked of the broker itself, whichever it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from celery import Celery, current_app
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from kombu.exceptions import OperationalError

from monitoring.connecting import CONNECT_SECONDS
from monitoring.errors import CheckFailed, CheckWarning
from monitoring.registry import Check, Event, register_check, register_event
from monitoring.severity import Severity
from monitoring.watchdog.health import health_sentence

LONG = "queue.long"

logger = structlog.get_logger(__name__)


def register() -> None:
    """Called once, when the apps are ready."""
    register_event(Event(LONG, Severity.WARNING, gettext_lazy("Many tasks wait for a worker"), tell=health_sentence))
    register_check(
        Check(
            name="queue",
            run=is_short,
            title=gettext_lazy("Queue of tasks"),
            advice=gettext_lazy("Start more workers, or look in their log for what keeps them."),
            warning_event=LONG,
            needs_database=False,
        )
    )


def is_short() -> str:
    """Raises CheckWarning where more tasks wait than QUEUE_LONG_FROM says, CheckFailed where the broker is silent."""
    number = waiting_tasks()
    if number >= settings.QUEUE_LONG_FROM:
        raise CheckWarning(gettext_noop("Tasks that wait: %(number)s."), number=number)
    return _("Tasks that wait: %(number)s.") % {"number": number}


def waiting_tasks(app: Celery | None = None) -> int:
    """How many tasks no worker has taken yet, in all queues. Raises CheckFailed if the broker does not answer."""
    app = app or current_app
    with broker_connection(app) as connection, connection.channel() as channel:
        return sum(length_of(connection, channel, name) for name in app.amqp.queues)


def length_of(connection: Any, channel: Any, name: str) -> int:
    try:
        return int(channel.queue_declare(queue=name, passive=True).message_count)
    except connection.channel_errors:
        # A queue that nothing was put into is not there; with Redis, neither is one that is empty.
        return 0


@contextmanager
def broker_connection(app: Celery | None = None) -> Iterator[Any]:
    """A connection to the broker that gives up soon. Raises CheckFailed if it does not answer."""
    with (app or current_app).connection_for_write(connect_timeout=CONNECT_SECONDS) as connection:
        if connection.transport.driver_type == "redis":
            limits = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": CONNECT_SECONDS}
            connection.transport_options = {**connection.transport_options, **limits}
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=CONNECT_SECONDS)
            yield connection
        except OperationalError as error:
            logger.warning("the broker does not answer a check", error=str(error))
            raise CheckFailed(gettext_noop("The broker does not answer.")) from None
