"""Reading the files of log lines from their end, and never more of them than a page can wait for."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from monitoring.logs.file import LONGEST_LINE, older_files

BLOCK = 64 * 1024
# Looking for a moment: so close is close enough, since lines of several programs are not quite in order.
NEAR = 256 * 1024


@dataclass(frozen=True)
class Place:
    """Before which line to go on reading: a file, by its number, since its name changes; and how many bytes of it."""

    file: int
    offset: int

    def __str__(self) -> str:
        return f"{self.file}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        file, _sign, offset = text.partition("-")
        return cls(int(file), int(offset)) if file.isdecimal() and offset.isdecimal() else None


class Budget:
    """How many bytes may still be read."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.was_too_small = False

    def take(self, size: int) -> bool:
        """Whether there is enough for a block."""
        if size > self.left:
            self.was_too_small = True
            return False
        self.left -= size
        return True


def newest_first(
    path: Path, *, before: Place | None, until: datetime | None, budget: Budget
) -> Iterator[tuple[Place, bytes]]:
    """The lines of all files of this name, the last one first, each with its place; ends when the budget does.

    Args:
        before: where an earlier reading has stopped; a file that is gone since begins anew.
        until: lines that are surely later are passed over without being read.

    Raises OSError, if the newest file can't be read.
    """
    files = [path, *reversed(older_files(path))]
    if before is not None:
        numbers = [number_of(file) for file in files]
        files = files[numbers.index(before.file) :] if before.file in numbers else files
    for file in files:
        try:
            with file.open("rb") as opened:
                number = os.fstat(opened.fileno()).st_ino
                end = os.fstat(opened.fileno()).st_size
                if before is not None and number == before.file:
                    end = min(end, before.offset)
                if until is not None:
                    end = end_of(opened, end, until, budget)
                for offset, line in backwards(opened, end, budget):
                    yield Place(number, offset), line
        except FileNotFoundError:
            # Deleted, or given another name, since the folder was read.
            continue
        if budget.was_too_small:
            return


def number_of(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def backwards(file: BinaryIO, end: int, budget: Budget) -> Iterator[tuple[int, bytes]]:
    """The lines that end before `end`, the last one first, each with where it begins."""
    at, rest = end, b""
    while at > 0:
        size = min(BLOCK, at)
        if not budget.take(size):
            return
        at -= size
        file.seek(at)
        # What was left is the end of this block's last line.
        text = file.read(size) + rest
        # The first line may begin in the block before.
        first = (text.find(b"\n") + 1 or len(text)) if at else 0
        rest = text[:first][-LONGEST_LINE:]
        stop = len(text)
        while stop > first:
            begin = text.rfind(b"\n", first, stop - 1) + 1 or first
            if line := text[begin:stop].strip(b"\n"):
                yield at + begin, line
            stop = begin


def end_of(file: BinaryIO, end: int, until: datetime, budget: Budget) -> int:
    """Up to where the lines of a file may be as early as `until`, found by halving."""
    low, high = 0, end
    while high - low > NEAR and budget.take(BLOCK):
        middle = (low + high) // 2
        file.seek(middle)
        lines = file.read(BLOCK).split(b"\n")
        at = next((found for line in lines[1:] if (found := moment_of(parsed(line)))), None)
        if at is None:
            break
        low, high = (low, middle) if at > until else (middle, high)
    return min(end, high + NEAR)


def parsed(line: bytes) -> dict[str, Any]:
    """The fields of a line; none of one that is no line of ours, such as half of one that a full disk has left."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def moment_of(fields: dict[str, Any]) -> datetime | None:
    """When it was written."""
    try:
        at = datetime.fromisoformat(fields["timestamp"])
    except (KeyError, TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
