"""Something that is done while the database is away, and interruptions at an exact place."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Thread
from typing import Any

import psycopg2
from django.db import connection, connections

from foundation.database.waiting import absence, let_go
from tests.backups.cluster import wait_until

PATIENCE = 60


class Meanwhile:
    """Does it in another thread, from the moment that this is made; `result` waits for what came of it, and lets go of
    this thread's own connection, which was lost too."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._outcome: list[Any] = []
        self._thread = Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def wait_until_it_waits(self) -> None:
        """Returns when the database has been found away."""
        wait_until(lambda: absence.is_on or self._outcome)
        assert not self._outcome, self._outcome

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        assert self._outcome, "it waits for ever"
        let_go()
        if isinstance(self._outcome[0], BaseException):
            raise self._outcome[0]
        return self._outcome[0]

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            self._outcome.append(work())
        except BaseException as error:  # told to whoever waits for it
            self._outcome.append(error)
        finally:
            connections.close_all()


class SentAway:
    """An execute wrapper: before this thread's statement of that number the server ends its connection, once."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        self.left -= 1
        if self.left == 0:
            send_away()
        return execute(*arguments)


def sent_away_before(number: int) -> AbstractContextManager[Any]:
    connection.ensure_connection()
    return connection.execute_wrapper(SentAway(number))


def send_away() -> None:
    """Has the server end this thread's connection."""
    pid = connection.connection.info.backend_pid
    parameters = connection.get_connection_params()
    other = psycopg2.connect(**{key: parameters[key] for key in parameters if key != "cursor_factory"})
    with other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        assert cursor.fetchone() == (True,)
    other.close()


def statements_of(work: Callable[[], Any]) -> int:
    """How many statements it takes."""
    counter = SentAway(0)
    connection.ensure_connection()
    with connection.execute_wrapper(counter):
        work()
    return counter.statements
