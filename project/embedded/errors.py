"""Why the shop does not start. Every message is one sentence for the person at the keyboard; the exit code is 1."""

import errno
from pathlib import Path

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_DISK_WORDS = ("No space left on device", "Disk quota exceeded", "File too large")


class CannotStart(Exception):
    """The shop cannot start, or cannot go on; the message says why and what to do."""


class DiskFull(CannotStart):
    """There is no room left for what the shop has to write."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"The disk that holds {folder} is full: free some space on it and start again.")


class StopRequested(Exception):
    """Somebody asked the shop to stop: Ctrl-C, SIGTERM, a closed terminal, or the parent is gone."""


def sentence_of(error: OSError) -> str:
    """Puts an operating system's refusal into one sentence."""
    place = f" {error.filename}" if error.filename else ""
    if error.errno in FULL_DISK:
        return f"The disk is full, so{place or ' a file'} could not be written: free some space and start again."
    if isinstance(error, PermissionError):
        return (
            f"There is no permission to use{place or ' a file'}: it belongs to another account, perhaps because "
            f"the shop was started by another account here before."
        )
    return f"The operating system refused{place or ' a request'}: {error.strerror or error}."
