"""Signs of life: the programs that run for long give one every few seconds, and the checks look how old they are."""

import time
from threading import Event, Thread

import structlog

from monitoring.connecting import fresh_connection
from monitoring.errors import CheckFailed

WORKER, BEAT, WATCHDOG = "worker", "beat", "watchdog"
EVERY = 15.0
# A program that died without a word is forgotten then: nobody waits for a machine that has been taken away.
FORGOTTEN_AFTER = 3600.0

logger = structlog.get_logger("monitoring.heartbeats")


def beat(*, name: str) -> None:
    """Notes that `name` ("worker:celery@host") lives, in one statement and on a connection of its own, which no
    transaction of anybody and no database that goes away can hold up.

    Raises CheckFailed if the database does not answer.
    """
    with fresh_connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            WITH gone AS (
                DELETE FROM monitoring_heartbeat
                WHERE at < clock_timestamp() - make_interval(secs => %(forgotten)s) AND name <> %(name)s
            )
            INSERT INTO monitoring_heartbeat (name, at) VALUES (%(name)s, clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET at = excluded.at
            """,
            {"name": name, "forgotten": FORGOTTEN_AFTER},
        )


def fall_silent(*, name: str) -> None:
    """Notes that `name` has ended in good order. Raises CheckFailed if the database does not answer."""
    with fresh_connection() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM monitoring_heartbeat WHERE name = %s", [name])


class Pulse:
    """Gives signs of life of `name`, one every fifteen seconds however often it is asked. A database that is away
    is said once in the log, and disturbs nobody."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.last: float | None = None
        self.is_lost = False

    def give(self) -> None:
        now = time.monotonic()
        if self.last is not None and now - self.last < EVERY:
            return
        self.last = now
        try:
            beat(name=self.name)
        except CheckFailed as failure:
            if not self.is_lost:
                logger.warning("sign_of_life_not_given", name=self.name, reason=str(failure))
            self.is_lost = True
        else:
            self.is_lost = False

    def end(self) -> None:
        """Takes the sign back: this program has ended in good order."""
        self.last = None
        try:
            fall_silent(name=self.name)
        except CheckFailed as failure:
            logger.info("sign_of_life_not_taken_back", name=self.name, reason=str(failure))


class PulseThread:
    """A thread that gives signs of life of a program as long as its loop turns, which says so by `turn`."""

    # A loop that has not turned for so long hangs.
    HANGS_AFTER = 30.0

    def __init__(self, name: str) -> None:
        self.pulse = Pulse(name)
        self.turned_at = time.monotonic()
        self.has_ended = Event()
        self.thread = Thread(target=self.run, name=f"signs of life of {name}", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def turn(self) -> None:
        self.turned_at = time.monotonic()

    def run(self) -> None:
        while not self.has_ended.is_set():
            self.look()
            self.has_ended.wait(EVERY)

    def look(self) -> None:
        """Gives a sign unless the loop hangs."""
        if time.monotonic() - self.turned_at < self.HANGS_AFTER:
            self.pulse.give()

    def stop(self) -> None:
        """Ends the thread and takes the sign back. The thread may be at it: it is waited for, for a while."""
        self.has_ended.set()
        if self.thread.is_alive():
            self.thread.join(timeout=EVERY)
        self.pulse.end()
