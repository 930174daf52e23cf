"""What the watch remembers of a cluster from one look to the next: a JSON file in the folder of backups."""

import datetime
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from backups.cluster.events import EventKind, folder_of
from backups.engine import files
from backups.engine.repository import Repository

STATE_NAME = "state.json"
PLAN_NAME = "plan.json"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that has begun and not ended: since when, and of which node."""

    kind: EventKind
    since: datetime.datetime
    member: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """`leader`: who led last, whether or not it still does; `members`: the addresses ("" where none is set) of all
    nodes by name; `doubts`: since when something is wrong that has not lasted long enough to be told, by what it is
    about; `troubles`: what was told and has not ended; `lags` in bytes."""

    looked_at: datetime.datetime | None = None
    leader: str = ""
    timeline: int | None = None
    members: dict[str, str] = field(default_factory=dict)
    lags: dict[str, int] = field(default_factory=dict)
    doubts: dict[str, datetime.datetime] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        """The names of the nodes by their addresses."""
        return {url: name for name, url in self.members.items() if url}

    def to_json(self) -> str:
        return json.dumps(
            asdict(self), default=datetime.datetime.isoformat, ensure_ascii=False, indent=1, sort_keys=True
        )

    @classmethod
    def from_json(cls, text: str) -> "Watched":
        """What can't be read counts as not known."""
        try:
            values: dict[str, Any] = json.loads(text)
            values["looked_at"] = moment(values["looked_at"]) if values.get("looked_at") else None
            values["doubts"] = {about: moment(since) for about, since in values.get("doubts", {}).items()}
            values["troubles"] = {
                about: Trouble(EventKind(one["kind"]), moment(one["since"]), one.get("member", ""))
                for about, one in values.get("troubles", {}).items()
            }
            known = {one.name for one in fields(cls)}
            return cls(**{name: value for name, value in values.items() if name in known})
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Plan:
    """A switchover that somebody has asked for: it is no failure if nobody leads meanwhile."""

    leader: str
    candidate: str
    by: str
    reason: str
    began_at: datetime.datetime
    ended_at: datetime.datetime | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=datetime.datetime.isoformat, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Raises ValueError."""
        try:
            values: dict[str, Any] = json.loads(text)
            values["began_at"] = moment(values["began_at"])
            values["ended_at"] = moment(values["ended_at"]) if values["ended_at"] else None
            return cls(**values)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no plan: {error}") from error


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def read_watched(repository: Repository) -> Watched:
    """What was remembered last."""
    try:
        return Watched.from_json((folder_of(repository) / STATE_NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return Watched()


def write_watched(repository: Repository, watched: Watched) -> None:
    """Raises DiskIsFull, NotWritable."""
    files.make_folder(folder_of(repository))
    files.write_whole(folder_of(repository) / STATE_NAME, watched.to_json())


def read_plan(repository: Repository) -> Plan | None:
    """The last switchover that was begun here; None where there was none."""
    try:
        return Plan.from_json((folder_of(repository) / PLAN_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_plan(repository: Repository, plan: Plan) -> None:
    """Raises DiskIsFull, NotWritable."""
    files.make_folder(folder_of(repository))
    files.write_whole(folder_of(repository) / PLAN_NAME, plan.to_json())
