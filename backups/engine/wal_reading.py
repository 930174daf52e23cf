"""Reading one file of the archive while it may still be written to."""

import os
import time
from collections.abc import Callable
from pathlib import Path

# pg_receivewal fills a new segment with zeros first; a short one may be about to be full.
PATIENCE_WITH_A_SHORT_ONE = 3.0
LOOK_EVERY = 0.05
BLOCK = 4096


def read_segment(path: Path, *, segment_size: int, is_partial: bool) -> bytes:
    """The bytes of a segment. Raises FileNotFoundError: it was renamed or deleted meanwhile, and OSError."""
    if not is_partial:
        return path.read_bytes()
    _wait(lambda: path.stat().st_size in (0, segment_size))
    return read_backwards(path)


def read_backwards(path: Path) -> bytes:
    """The bytes of a file that grows from its beginning to its end while we read: read from its end, it is never seen
    with a hole that was filled a moment later."""
    handle = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        # A disk reads forwards faster: once, so that everything is in memory.
        os.pread(handle, size, 0)
        blocks = [os.pread(handle, BLOCK, start) for start in range((size - 1) // BLOCK * BLOCK, -1, -BLOCK)]
    finally:
        os.close(handle)
    return b"".join(reversed(blocks))


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_WITH_A_SHORT_ONE
    while not is_so() and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
