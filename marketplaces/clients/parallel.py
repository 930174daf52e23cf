"""A few calls at the same time, in threads that leave the database to whoever started them.

A thread of its own would need a database connection of its own, only to ask a gate. So the threads only talk to the
marketplace, and hand what concerns the database back: the caller's thread does it while it waits for them.
"""

import contextvars
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any, TypeVar

from marketplaces.errors import MarketplaceError
from marketplaces.services.gates import outside_a_transaction

T = TypeVar("T")
MOST_THREADS = 4


def in_parallel(jobs: Sequence[Callable[[], T]], *, threads: int = MOST_THREADS) -> list[T | MarketplaceError]:
    """Runs the jobs, a few at a time, and returns what each returned, or the MarketplaceError that it raised, in
    their order. Any other exception is raised here, when all have ended. Not to be called inside a transaction."""
    outside_a_transaction()
    if len(jobs) < 2 or threads < 2 or hasattr(here, "errands"):
        return [outcome_of(job) for job in jobs]
    errands = Errands()
    with ThreadPoolExecutor(min(threads, len(jobs)), thread_name_prefix="marketplace") as pool:
        futures = [pool.submit(contextvars.copy_context().run, outcome_with, errands, job) for job in jobs]
        for future in futures:
            future.add_done_callback(lambda _: errands.one_has_ended())
        try:
            errands.run_until(len(jobs))
        except BaseException:
            # The threads must not wait for somebody who has gone; what has not begun does not begin.
            errands.close()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def at_home(errand: Callable[[], T]) -> T:
    """Runs what needs the database: here, or from a job of `in_parallel` in the thread that started it."""
    errands: Errands | None = getattr(here, "errands", None)
    return errand() if errands is None else errands.send(errand)


class Errands:
    """What the threads of one `in_parallel` ask of the thread that waits for them."""

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self.guard = threading.Lock()
        self.is_closed = False

    def send(self, errand: Callable[[], T]) -> T:
        done: Future[T] = Future()
        with self.guard:
            if self.is_closed:
                raise CancelledError
            self.waiting.put((errand, done))
        return done.result()

    def one_has_ended(self) -> None:
        self.waiting.put(None)

    def run_until(self, number: int) -> None:
        while number:
            item = self.waiting.get()
            if item is None:
                number -= 1
                continue
            errand, done = item
            try:
                done.set_result(errand())
            except Exception as error:
                done.set_exception(error)
            except BaseException:
                done.cancel()
                raise

    def close(self) -> None:
        with self.guard:
            self.is_closed = True
        while not self.waiting.empty():
            item = self.waiting.get()
            if item is not None:
                item[1].cancel()


def outcome_with(errands: Errands, job: Callable[[], T]) -> T | MarketplaceError:
    here.errands = errands
    try:
        return outcome_of(job)
    finally:
        del here.errands


def outcome_of(job: Callable[[], T]) -> T | MarketplaceError:
    try:
        return job()
    except MarketplaceError as error:
        return error


here = threading.local()
