"""The names of WAL: positions, segments and timelines, as PostgreSQL counts them.

A segment's name is 24 hexadecimal digits: its timeline, and its number in two halves. What a timeline branched off
from stands in `<timeline>.history`.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _

from backups.errors import Damaged

PARTIAL = ".partial"
SEGMENT_NAME = re.compile(r"[0-9A-F]{24}")
HISTORY_NAME = re.compile(r"([0-9A-F]{8})\.history")
# A timeline's number and the position where it ended; the rest of the line is the reason.
HISTORY_LINE = re.compile(r"(\d+)\s+([0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8})(?:\s|$)")


def parse_lsn(text: str) -> int:
    """The position that is written as "16/B374D848". Raises ValueError."""
    high, _slash, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def format_lsn(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """The `number`-th piece of `size` bytes of the WAL, as written on a timeline. They sort by number."""

    number: int
    timeline: int
    size: int

    @classmethod
    def at(cls, lsn: int, *, timeline: int, size: int) -> "Segment":
        """The one that holds this position."""
        return cls(lsn // size, timeline, size)

    @classmethod
    def named(cls, name: str, *, size: int) -> "Segment":
        """The one of this name, which may end in .partial. Raises ValueError."""
        name = name.removesuffix(PARTIAL)
        if SEGMENT_NAME.fullmatch(name) is None:
            raise ValueError(name)
        timeline, high, low = (int(name[start : start + 8], 16) for start in (0, 8, 16))
        return cls(high * (0x100000000 // size) + low, timeline, size)

    @property
    def name(self) -> str:
        each = 0x100000000 // self.size
        return f"{self.timeline:08X}{self.number // each:08X}{self.number % each:08X}"

    @property
    def start(self) -> int:
        """The position of its first byte."""
        return self.number * self.size

    @property
    def end(self) -> int:
        """The position behind its last byte."""
        return self.start + self.size

    def next(self) -> "Segment":
        return Segment(self.number + 1, self.timeline, self.size)

    def previous(self) -> "Segment":
        return Segment(self.number - 1, self.timeline, self.size)

    def on(self, timeline: int) -> "Segment":
        """The same piece, as written on another timeline."""
        return Segment(self.number, timeline, self.size)


@dataclass(frozen=True, slots=True)
class Lineage:
    """A timeline and those that it comes from: `ends` are the earlier ones with the positions where they were left,
    the oldest first."""

    timeline: int
    ends: tuple[tuple[int, int], ...] = ()

    def timeline_at(self, lsn: int) -> int:
        """The timeline that the byte at this position belongs to."""
        return next((timeline for timeline, end in self.ends if lsn < end), self.timeline)

    def begins_at(self, timeline: int) -> int:
        """The position where one of its timelines begins."""
        begin = 0
        for one, end in self.ends:
            if one == timeline:
                break
            begin = end
        return begin

    def holds(self, timeline: int, lsn: int) -> bool:
        """Whether what was on `timeline` at this position is in this lineage too."""
        if timeline == self.timeline:
            return lsn >= self.begins_at(timeline)
        return any(one == timeline and lsn <= end for one, end in self.ends)

    def holds_segment(self, segment: Segment) -> bool:
        """Whether there is anything of this lineage in a segment. A timeline's first one begins before the timeline
        does, where it left the older one within it."""
        if segment.timeline == self.timeline:
            return segment.end > self.begins_at(segment.timeline)
        return self.holds(segment.timeline, segment.start)

    def knows(self, timeline: int) -> bool:
        """Whether this timeline is one of its own."""
        return timeline == self.timeline or any(one == timeline for one, _end in self.ends)

    def candidates(self, number: int, *, size: int) -> list[Segment]:
        """The segments that hold this piece of the lineage, in the order in which recovery takes them: where a
        timeline begins, its own one, and the older timeline's as far as that goes."""
        segment = Segment(number, self.timeline, size)
        found = []
        for timeline in reversed([*(one for one, _end in self.ends), self.timeline]):
            if self.begins_at(timeline) < segment.end:
                found.append(segment.on(timeline))
                if self.begins_at(timeline) <= segment.start:
                    break
        return found


def read_history(path: Path) -> Lineage:
    """Reads a `.history` file. Raises Damaged."""
    match = HISTORY_NAME.fullmatch(path.name)
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise Damaged(_("%(file)s can't be read: %(why)s.") % {"file": path.name, "why": error}) from error
    ends: list[tuple[int, int]] = []
    for line in lines:
        if not line or line.startswith("#"):
            continue
        parts = HISTORY_LINE.match(line)
        if parts is None:
            raise Damaged(_("%(file)s is no history of a timeline.") % {"file": path.name})
        ends.append((int(parts[1]), parse_lsn(parts[2])))
    numbers, positions = [number for number, _end in ends], [end for _number, end in ends]
    own = int(match[1], 16) if match else 0
    if not ends or numbers != sorted(set(numbers)) or positions != sorted(positions) or own <= numbers[-1]:
        raise Damaged(_("%(file)s is no history of a timeline.") % {"file": path.name})
    return Lineage(own, tuple(ends))


@dataclass(frozen=True, slots=True)
class Archive:
    """What lies in a folder of WAL: the complete segments, those that are still being received, and the histories of
    timelines, all by name or number."""

    folder: Path
    segment_size: int
    complete: dict[str, Segment] = field(default_factory=dict)
    partial: dict[str, Segment] = field(default_factory=dict)
    histories: frozenset[int] = frozenset()

    @classmethod
    def read(cls, folder: Path, *, segment_size: int) -> "Archive":
        """Reads the folder's names; one that is not there is empty."""
        complete: dict[str, Segment] = {}
        partial: dict[str, Segment] = {}
        histories = set()
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            name = path.name.removesuffix(PARTIAL)
            if SEGMENT_NAME.fullmatch(name):
                found = complete if name == path.name else partial
                found[name] = Segment.named(name, size=segment_size)
            elif history := HISTORY_NAME.fullmatch(path.name):
                histories.add(int(history[1], 16))
        return cls(folder, segment_size, complete, partial, frozenset(histories))

    def path(self, segment: Segment) -> Path:
        """Where a segment lies, complete or not."""
        suffix = PARTIAL if segment.name not in self.complete and segment.name in self.partial else ""
        return self.folder / f"{segment.name}{suffix}"

    def holds(self, segment: Segment) -> bool:
        return segment.name in self.complete or segment.name in self.partial

    def timelines(self) -> list[int]:
        """All that there is something of, the oldest first."""
        segments = (*self.complete.values(), *self.partial.values())
        return sorted({segment.timeline for segment in segments} | self.histories)

    def lineage(self, timeline: int) -> Lineage:
        """Where a timeline comes from. Raises Damaged if its history is missing (only the first one has none) or
        can't be read."""
        if timeline == 1:
            return Lineage(1)
        path = self.folder / history_name(timeline)
        if timeline not in self.histories:
            raise Damaged(_("%(file)s is missing: where the timeline begins is unknown.") % {"file": path.name})
        return read_history(path)


def history_name(timeline: int) -> str:
    return f"{timeline:08X}.history"
