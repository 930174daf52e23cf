"""What has happened to a cluster: a line of JSON for each event, in the folder of backups. The table is its index."""

import datetime
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from backups.engine import files
from backups.engine.repository import Repository
from foundation.uuids import uuid7

FOLDER = "cluster"
NAME = "events.jsonl"
# So many are kept, and up to a tenth more before the oldest are forgotten.
MOST_EVENTS = 2000

logger = structlog.get_logger("backups.cluster")


class EventKind(StrEnum):
    """What may happen. Most come in pairs: something begins, and ends."""

    LEADER_LOST = "leader_lost"
    LEADER_ELECTED = "leader_elected"
    SWITCHOVER = "switchover"
    MEMBER_LOST = "member_lost"
    MEMBER_BACK = "member_back"
    SYNC_LOST = "sync_lost"
    SYNC_BACK = "sync_back"
    PAUSED = "paused"
    RESUMED = "resumed"
    UNREACHABLE = "unreachable"
    REACHABLE = "reachable"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: to which node, who leads and on which timeline since. `details` hold what else a person
    wants to know: `before` (who led), `seconds` (how long it lasted), `by` and `reason` of a planned switchover."""

    kind: EventKind
    at: datetime.datetime
    member: str = ""
    leader: str = ""
    timeline: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid7()))

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "at": self.at.isoformat()}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Event":
        """Raises ValueError."""
        try:
            values: dict[str, Any] = json.loads(text)
            values["at"] = datetime.datetime.fromisoformat(values["at"])
            values["kind"] = EventKind(values["kind"])
            known = {one.name for one in fields(cls)}
            return cls(**{name: value for name, value in values.items() if name in known})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no event: {error}") from error


def folder_of(repository: Repository) -> Path:
    return repository.root / FOLDER


def file_of(repository: Repository) -> Path:
    return folder_of(repository) / NAME


def write_events(repository: Repository, events: Sequence[Event]) -> None:
    """Adds them, so that they survive a power cut. Raises DiskIsFull, NotWritable."""
    if not events:
        return
    files.make_folder(folder_of(repository))
    path = file_of(repository)
    lines = "".join(f"{event.to_json()}\n" for event in events)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # A line that a power cut has left half ends here, so that it spoils no other.
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                lines = f"\n{lines}"
            os.write(handle, lines.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise files.trouble(error, path.parent) from error
    forget_oldest(repository)


def read_events(repository: Repository) -> list[Event]:
    """All that are kept, the oldest first. What can't be read is left out, and the log says so."""
    try:
        lines = file_of(repository).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in filter(None, lines):
        try:
            found.append(Event.from_json(line))
        except ValueError as error:
            logger.warning("cluster_event_unreadable", reason=str(error)[:200])
    return found


def forget_oldest(repository: Repository) -> None:
    """Raises DiskIsFull, NotWritable."""
    kept = read_events(repository)
    if len(kept) > MOST_EVENTS * 1.1:
        files.write_whole(file_of(repository), "".join(f"{event.to_json()}\n" for event in kept[-MOST_EVENTS:]))
