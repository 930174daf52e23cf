"""Tasks wait while the shop rests, and those that were sent before a swap are dropped: they name rows of the old
database. What every task works on stands in the database, and periodic tasks find what was left."""

import time
from typing import Any

import structlog
from celery import Celery, Task, current_app
from celery.exceptions import Ignore, Reject
from celery.signals import before_task_publish
from django.db import close_old_connections

from backups.maintenance import is_under_maintenance, last_swap

LOOK_EVERY = 0.2
# A worker that waits can't be stopped gently: after that many seconds it gives the task back.
MOST_PATIENCE = 300.0
# The header that says when a task was sent.
SENT_AT = "sent_at"

logger = structlog.get_logger("backups.waiting")


class PatientTask(Task):
    """A task that a worker begins only while the shop works."""

    abstract = True

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Waits until the shop works again. Raises Ignore for a task that was sent before the database was replaced,
        and Reject, which puts it back, when it takes too long."""
        if self.request.is_eager:
            return
        if is_under_maintenance():
            wait_for_the_end()
            close_old_connections()
        sent_at = getattr(self.request, SENT_AT, None)
        if sent_at is not None and sent_at < last_swap():
            logger.info("task_of_the_old_database_dropped", task=self.name)
            raise Ignore


def wait_for_the_end() -> None:
    deadline = time.monotonic() + MOST_PATIENCE
    while is_under_maintenance():
        if time.monotonic() > deadline:
            raise Reject("The shop is under maintenance.", requeue=True)
        time.sleep(LOOK_EVERY)


def say_when_it_was_sent(headers: dict[str, Any] | None = None, **kwargs: object) -> None:
    """Every task carries the moment in which it was sent."""
    if headers is not None:
        headers[SENT_AT] = time.time()


before_task_publish.connect(say_when_it_was_sent, dispatch_uid="backups.waiting")


def empty_queue(app: Celery | None = None) -> int | None:
    """Throws away the tasks that wait, and says how many; None if the broker does not answer, or there is none. That
    is no failure: those that are left are dropped when they come."""
    app = app or current_app
    if not app.conf.broker_url:
        return None
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.2)
            return int(app.control.purge(connection=connection) or 0)
    except Exception as error:
        # Each broker's client has errors of its own.
        logger.warning("queue_not_emptied", reason=f"{type(error).__name__}: {error}")
        return None
