"""Where the stand-in's state is kept: a file of SQLite, so that a restart finds it again; or nowhere, for tests.

What changed is written every half second, in one transaction. Whoever kills the program loses that half second at
most, and never gets a number a second time: numbers are given out of blocks that are in the file before their first
number is used.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]

BLOCK = 10_000
SECONDS_BETWEEN_WRITES = 0.5


class State:
    """Keeps nothing: what tests need."""

    def load(self) -> Iterator[tuple[str, str, Record]]:
        """Returns (kind, key, record) of everything kept, in the order in which it came."""
        return iter(())

    def note(self, kind: str, key: str, record: Callable[[], Record] | None) -> None:
        """Says that a thing has changed; `record` tells what it is at the next write, None that it is gone."""

    def write(self) -> None:
        """Writes what has changed since the last time."""

    def close(self) -> None:
        """Writes, and lets go."""


class FileState(State):
    """Keeps everything in the file at `path`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.changed: dict[tuple[str, str], Callable[[], Record] | None] = {}
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode = WAL")
        # A killed program loses nothing of what is committed; a machine without power may, and then starts earlier.
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS things"
            " (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL,"
            " UNIQUE (kind, key))"
        )

    def load(self) -> Iterator[tuple[str, str, Record]]:
        for kind, key, record in self.connection.execute("SELECT kind, key, record FROM things ORDER BY number"):
            yield kind, key, json.loads(record)

    def note(self, kind: str, key: str, record: Callable[[], Record] | None) -> None:
        self.changed[kind, key] = record

    def write(self) -> None:
        if not self.changed:
            return
        changed, self.changed = self.changed, {}
        kept = [(kind, key, json.dumps(record())) for (kind, key), record in changed.items() if record]
        gone = [thing for thing, record in changed.items() if record is None]
        self.connection.execute("BEGIN")
        try:
            self.connection.executemany(
                "INSERT INTO things (kind, key, record) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, key) DO UPDATE SET record = excluded.record",
                kept,
            )
            self.connection.executemany("DELETE FROM things WHERE kind = ? AND key = ?", gone)
            self.connection.execute("COMMIT")
        except sqlite3.Error:
            self.connection.execute("ROLLBACK")
            self.changed = changed | self.changed
            raise

    def close(self) -> None:
        self.write()
        self.connection.close()


class Numbers:
    """Numbers that are given once: each name counts for itself."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.last: dict[str, int] = {}
        self.reserved: dict[str, int] = {}

    def load(self, name: str, record: Record) -> None:
        self.last[name] = self.reserved[name] = int(record["reserved"])

    def next(self, name: str, *, start: int = 0) -> int:
        """Returns the number after the last one of this name; the first is `start` + 1."""
        number = self.last.get(name, start) + 1
        if number > self.reserved.get(name, start):
            ceiling = number + BLOCK
            self.state.note("numbers", name, lambda: {"reserved": ceiling})
            self.state.write()
            self.reserved[name] = ceiling
        self.last[name] = number
        return number
