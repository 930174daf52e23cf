"""Tasks wait while the shop rests or its database is away, and those that were sent before a swap are dropped: they
name rows of the old database. What every task works on stands in the database, and periodic tasks find what was left.
"""

import time
from typing import Any

import structlog
from celery import Celery, Task, current_app
from celery.exceptions import Ignore, Reject, TaskPredicate
from celery.signals import before_task_publish
from django.db import close_old_connections

from backups.maintenance import is_under_maintenance, last_swap
from foundation.database.lost import is_lost, reason_of
from foundation.database.waiting import wait_for_database

LOOK_EVERY = 0.2
# A worker that waits can't be stopped gently: after that many seconds it gives the task back.
MOST_PATIENCE = 300.0
# A task whose database went away is begun again in the same worker, so often and as long as DATABASE_PATIENCE says;
# then it goes back to the broker for a while, and so often. A task that itself breaks the server ends some time.
MOST_REPEATS, MOST_RETURNS = 3, 20
RETURNS_AFTER = 15
# The header that says when a task was sent.
SENT_AT = "sent_at"

logger = structlog.get_logger("backups.waiting")


class PatientTask(Task):
    """A task that a worker begins only while the shop works, and again when the database went away meanwhile: every
    task may run twice."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs it. Raises Retry where the database stays away, Ignore where it was replaced, and the task's own."""
        if self.request.called_directly or self.request.is_eager:
            return super().__call__(*args, **kwargs)
        for _number in range(MOST_REPEATS):
            try:
                return self.run(*args, **kwargs)
            except TaskPredicate:
                raise
            except Exception as error:
                if not is_lost(error):
                    raise
                lost = error
            logger.warning("database_lost", task=self.name, reason=reason_of(lost))
            if not wait_for_database():
                break
            # It may be another database now.
            self.wait_for_its_turn()
        # One that goes back to the broker is as old as it was.
        sent_at = {SENT_AT: getattr(self.request, SENT_AT, None) or time.time()}
        raise self.retry(exc=lost, countdown=RETURNS_AFTER, max_retries=MOST_RETURNS, headers=sent_at)

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Raises the same as `wait_for_its_turn`."""
        if not self.request.is_eager:
            self.wait_for_its_turn()

    def wait_for_its_turn(self) -> None:
        """Waits until the shop works again. Raises Ignore for a task that was sent before the database was replaced,
        and Reject, which puts it back, when it takes too long."""
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
        headers.setdefault(SENT_AT, time.time())


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
