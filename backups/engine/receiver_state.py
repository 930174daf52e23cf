"""What the receiver of the WAL says of itself: a JSON file in the repository, which survives it."""

import datetime
from dataclasses import asdict, dataclass, field, fields

from backups.engine import files
from backups.engine.manifest import Kind
from backups.engine.records import read_record, write_record
from backups.engine.repository import Repository
from backups.engine.wal_names import Segment

NAME = "receiver.json"
LOCK = "wal"


@dataclass(frozen=True, slots=True)
class Gap:
    """WAL that was never received: the last segment before it, and the first after it. No recovery passes over it."""

    at: datetime.datetime
    before_segment: str
    after_segment: str


@dataclass(slots=True)
class ReceiverState:
    """`pid`: who looks after the receiver; `tool_pid`: pg_receivewal itself, 0 while it does not run; `since`: it has
    been looked after since; `at`: when this was written; `restarts`: how often it had to be started again since then;
    `is_running` is known by the lock, whatever the file says."""

    pid: int = 0
    tool_pid: int = 0
    slot: str = ""
    since: datetime.datetime | None = None
    at: datetime.datetime | None = None
    restarts: int = 0
    last_error: str = ""
    last_error_at: datetime.datetime | None = None
    gaps: list[Gap] = field(default_factory=list)
    is_running: bool = False

    def to_json(self) -> str:
        values = {name: value for name, value in asdict(self).items() if name != "is_running"}
        return write_record(values)

    @classmethod
    def from_json(cls, text: str) -> "ReceiverState":
        """What can't be read counts as not known."""
        try:
            values = read_record(text)
            for name in ("since", "at", "last_error_at"):
                values[name] = datetime.datetime.fromisoformat(values[name]) if values.get(name) else None
            values["gaps"] = [
                Gap(datetime.datetime.fromisoformat(gap["at"]), gap["before_segment"], gap["after_segment"])
                for gap in values.get("gaps", ())
            ]
            known = {one.name for one in fields(cls)} - {"is_running"}
            return cls(**{name: value for name, value in values.items() if name in known})
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()


def receiver_state(repository: Repository) -> ReceiverState:
    """Reads it."""
    state = read_state(repository)
    state.is_running = repository.is_locked(LOCK)
    return state


def read_state(repository: Repository) -> ReceiverState:
    """Reads what was written last, without looking whether anybody runs."""
    try:
        return ReceiverState.from_json((repository.root / NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ReceiverState()


def write_state(repository: Repository, state: ReceiverState) -> None:
    """Raises DiskIsFull, NotWritable."""
    files.write_whole(repository.root / NAME, state.to_json())


def needs_base_backup(repository: Repository) -> bool:
    """Whether WAL was lost since the newest physical backup began: nothing after the gap can be recovered until there
    is another one."""
    gaps = read_state(repository).gaps
    physical = [stored.manifest for stored in repository.backups() if stored.manifest.kind == Kind.PHYSICAL]
    if not gaps:
        return False
    if not physical:
        return True
    newest = max(physical, key=lambda manifest: manifest.started_at)
    start = Segment.named(newest.start_wal, size=newest.segment_size)
    return start.number < Segment.named(gaps[-1].after_segment, size=newest.segment_size).number
