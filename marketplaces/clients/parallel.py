"""A few calls at the same time, in threads that leave the database to whoever started them.

A thread of its own would need a database connection of its own, only to ask a gate. So the threads only talk to the
marketplace, and hand what concerns the database back: the caller's thread does it while it waits for them.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from marketplaces.errors import MarketplaceError

T = TypeVar("T")
MOST_THREADS = 4

here = threading.local()


def in_parallel(jobs: Sequence[Callable[[], T]], *, threads: int = MOST_THREADS) -> list[T | MarketplaceError]:
    """Runs the jobs, a few at a time, and returns what each returned, or the MarketplaceError that it raised, in
    their order. Any other exception is raised here, when all have ended."""
    raise NotImplementedError


def at_home(errand: Callable[[], T]) -> T:
    """Runs what needs the database: here, or from a job of `in_parallel` in the thread that started it."""
    raise NotImplementedError
