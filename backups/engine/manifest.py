"""What a backup says of itself: a JSON file in its folder, written last. The table of backups is only its index."""

import datetime
import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from backups.engine.records import CHECKSUM, checksum_of, read_record, write_record
from backups.errors import Damaged

FORMAT = 1
NAME = "manifest.json"
STATE_NAME = "state.json"


class Kind(StrEnum):
    """How it was made: by pg_dump, or by pg_basebackup."""

    LOGICAL = "logical"
    PHYSICAL = "physical"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What never changes after a backup is complete.

    `period` is "daily", "weekly", "upgrade" or "" (by hand); `size` is in bytes; times are in UTC. Logical ones have
    `tables`: {name: rows, at the moment that it shows}. Physical ones have LSNs, WAL segments and the timeline;
    `base_id` is what an incremental one builds upon. `files` are those without a manifest of PostgreSQL's own:
    {path in the folder: {"size": bytes, "sha256": hexadecimal}}.
    """

    id: str
    kind: Kind
    started_at: datetime.datetime
    completed_at: datetime.datetime
    server_version: int
    system_identifier: str
    database: str
    size: int
    period: str = ""
    by: str = ""
    reason: str = ""
    tables: dict[str, int] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    media_files: int = 0
    timeline: int = 0
    segment_size: int = 0
    start_lsn: str = ""
    stop_lsn: str = ""
    start_wal: str = ""
    stop_wal: str = ""
    base_id: str = ""
    # When the backup shows the data: of a physical one the first moment that can be recovered to.
    consistent_at: datetime.datetime | None = None
    format: int = FORMAT

    def to_json(self) -> str:
        values = asdict(self)
        for name in MOMENTS:
            values[name] = values[name].isoformat() if values[name] is not None else None
        values[CHECKSUM] = checksum_of(values)
        return json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Raises Damaged for what is no manifest, one that was changed, or one of a later Samovar."""
        try:
            values = json.loads(text)
            if values["format"] > FORMAT:
                raise Damaged(_("The backup was made by a newer Samovar: use that one to restore it."))
            if values.pop(CHECKSUM) != checksum_of(values):
                raise Damaged(_("The manifest has been changed: its checksum is wrong."))
            for name in MOMENTS:
                values[name] = datetime.datetime.fromisoformat(values[name]) if values.get(name) else None
            values["kind"] = Kind(values["kind"])
            known = {one.name for one in fields(cls)}
            return cls(**{name: value for name, value in values.items() if name in known})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Damaged(_("The manifest can't be read: %(why)s.") % {"why": error}) from error


MOMENTS = ("started_at", "completed_at", "consistent_at")


@dataclass(slots=True)
class State:
    """What is found out about a backup later: kept beside the manifest, and lost without harm. A backup whose state was
    damaged is kept, because somebody may have wished it.

    `verified_at`: its files were last found whole; `damage`: what was wrong with them then; `proved_at`: it was
    restored and the shop in it was right; `restored_in`: how long that took, in seconds; `places`: where copies of it
    are; `is_kept`: retention leaves it alone.
    """

    verified_at: datetime.datetime | None = None
    damage: list[str] = field(default_factory=list)
    proved_at: datetime.datetime | None = None
    restored_in: float | None = None
    places: dict[str, str] = field(default_factory=dict)
    is_kept: bool = False

    def to_json(self) -> str:
        values = asdict(self)
        for name in ("verified_at", "proved_at"):
            values[name] = values[name].isoformat() if values[name] is not None else None
        return write_record(values)

    @classmethod
    def from_json(cls, text: str) -> "State":
        """What can't be read counts as not known."""
        try:
            values = read_record(text)
            for name in ("verified_at", "proved_at"):
                values[name] = datetime.datetime.fromisoformat(values[name]) if values.get(name) else None
            known = {one.name for one in fields(cls)}
            return cls(**{name: value for name, value in values.items() if name in known})
        except (ValueError, TypeError, AttributeError):
            return cls(is_kept=True)


def read_manifest(folder: Path) -> Manifest:
    """Raises Damaged."""
    try:
        return Manifest.from_json((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Damaged(_("%(folder)s has no readable manifest: %(why)s.") % {"folder": folder, "why": error}) from error


def read_state(folder: Path) -> State:
    try:
        return State.from_json((folder / STATE_NAME).read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return State()
    except OSError:
        return State(is_kept=True)
