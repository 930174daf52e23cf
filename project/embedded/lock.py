"""One shop per folder: a lock that the kernel gives back however its holder ends."""

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Self

from project.embedded.errors import CannotStart

STOPPING = "stopping"


class FolderLock:
    """Held while a shop runs in a folder. The file says at which address, and whether it is being stopped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, *, grace: float = 2.0, patience: float = 60.0) -> Self:
        """Takes the lock.

        Args:
            grace: how long a holder may take to notice that its parent was killed.
            patience: how long a holder that is being stopped may take.

        Raises:
            CannotStart: another shop runs in this folder.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        began = time.monotonic()
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited = time.monotonic() - began
                holder = self._read()
                if waited < (patience if holder.get("state") == STOPPING else grace):
                    time.sleep(0.1)
                    continue
                os.close(descriptor)
                raise CannotStart(self._sentence(holder)) from None
            self._descriptor = descriptor
            self.tell(state="starting")
            return self

    @property
    def is_held(self) -> bool:
        return self._descriptor is not None

    def tell(self, *, state: str, address: str = "") -> None:
        """Writes what the holder is doing, for whoever finds the lock taken."""
        assert self._descriptor is not None, "the lock is not held"  # noqa: S101
        text = json.dumps({"pid": os.getpid(), "state": state, "address": address})
        with contextlib.suppress(OSError):  # on a full disk the lock holds without its words
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> dict[str, str]:
        try:
            holder: dict[str, str] = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return holder

    @staticmethod
    def _sentence(holder: dict[str, str]) -> str:
        place = f" at {holder['address']}" if holder.get("address") else ""
        process = f" (process {holder['pid']})" if holder.get("pid") else ""
        return f"Samovar is already running in this folder{place}{process}: stop it with Ctrl-C in its terminal first."
