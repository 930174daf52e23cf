"""Doing several things at the same moment, each in a thread with a database connection of its own."""

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

from django.db import connection, connections

# Nothing waits so long unless it waits for ever: then the test fails instead of hanging.
PATIENCE = 60


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Starts all calls at the same moment and returns what each returned, or the exception that it raised.

    Every thread has its connection before the first one begins, so that they really meet in the database.
    """
    start = Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            start.wait(PATIENCE)
            outcomes[place] = call()
        except Exception as error:
            outcomes[place] = error
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(place, call), daemon=True) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return outcomes


def kinds(outcomes: Sequence[Any]) -> dict[str, int]:
    """How many outcomes there are of each class: {"Order": 1, "WrongStatus": 31}."""
    names = [type(outcome).__name__ for outcome in outcomes]
    return {name: names.count(name) for name in sorted(set(names))}
