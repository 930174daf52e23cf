"""Where alerts wait as files while the database can't take them.

    alerts/<id>.<pair>.json     what is open, or is over and was not brought into the database yet
    taken/<id>.<pair>.json      what is being brought there: it does not change any more
    messages/<key>.json         what the watchdog sends meanwhile, see monitoring/watchdog/messages.py
    copy                        whom it sends to, see monitoring/watchdog/copy.py
    room                        nothing: it is given up when the disk is full, which may be why the database is away
    lock, watchdog              who is at it

As in the table of alerts, one of each event and subject is open, and counts: ten thousand of one kind are one file.
Any process may write; each file is whole or not there. An alert's id says whether the database has it already.
"""

import datetime
import errno
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.dateparse import parse_datetime

from foundation.files import alone, make_folder, write_whole
from foundation.uuids import uuid7

# While the database is away little of the shop works, so there are not more to tell of. What is over it is lost.
MOST_ALERTS = 1000
ROOM = 512 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)

logger = structlog.get_logger("monitoring.spool")


class SpoolFull(Exception):
    """There are more kinds of alerts than the spool keeps."""


@dataclass(frozen=True, slots=True)
class SpooledAlert:
    """What would be a row of the table of alerts. With a count of 0 it only says that what is open there is over."""

    id: uuid.UUID
    event: str
    subject: str
    severity: str
    message: str
    details: Mapping[str, Any]
    count: int
    first_at: datetime.datetime
    last_at: datetime.datetime
    resolved_at: datetime.datetime | None = None

    @property
    def pair(self) -> tuple[str, str]:
        return self.event, self.subject

    @property
    def file_name(self) -> str:
        return f"{self.id}.{digest(self.event, self.subject)}.json"

    def to_json(self) -> str:
        return json.dumps(asdict(self), cls=DjangoJSONEncoder, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "SpooledAlert":
        """Raises ValueError."""
        try:
            said = json.loads(text)
            said["id"] = uuid.UUID(said["id"])
            for name in ("first_at", "last_at", "resolved_at"):
                said[name] = parse_datetime(said[name]) if said[name] else None
            return cls(**{field.name: said[field.name] for field in fields(cls)})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no alert: {error}") from error


def digest(event: str, subject: str) -> str:
    return hashlib.sha256(f"{event}\n{subject}".encode()).hexdigest()[:16]


class Spool:
    """A folder of alerts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of_the_shop(cls) -> "Spool":
        return cls(settings.SPOOL_DIR)

    @property
    def alerts_folder(self) -> Path:
        return self.folder / "alerts"

    @property
    def taken_folder(self) -> Path:
        return self.folder / "taken"

    @property
    def messages_folder(self) -> Path:
        return self.folder / "messages"

    def make(self) -> None:
        """Raises OSError."""
        for folder in (self.folder, self.alerts_folder, self.taken_folder, self.messages_folder):
            make_folder(folder)

    # --- writing ----------------------------------------------------------------------------------------

    def note(
        self,
        *,
        event: str,
        subject: str,
        severity: str,
        message: str,
        details: Mapping[str, Any],
        at: datetime.datetime,
        count: int = 1,
        is_news: bool = False,
        keeps_first: bool = False,
    ) -> None:
        """Keeps an alert, or counts the open one of the same event and subject `count` more.

        Args:
            is_news: it is over once it is told, so that the next one is another.
            keeps_first: the open one keeps its words and details.

        Raises SpoolFull, OSError.
        """
        with self.changing():
            if (known := self.open_alert(event, subject)) and known.count:
                if not keeps_first:
                    known = replace(known, message=message, details=details)
                self.write(replace(known, count=known.count + count, last_at=at))
                return
            if sum(1 for _path in self.alerts_folder.glob("*.json")) >= MOST_ALERTS:
                raise SpoolFull
            self.write(
                SpooledAlert(
                    uuid7(),
                    event,
                    subject,
                    severity,
                    message,
                    details,
                    count,
                    at,
                    at,
                    resolved_at=at if is_news else None,
                )
            )

    def note_end(self, *, event: str, subject: str, severity: str, at: datetime.datetime) -> None:
        """Closes the alert, and has the database close its own one. Raises SpoolFull, OSError."""
        with self.changing():
            known = self.open_alert(event, subject)
            if known is None:
                if sum(1 for _path in self.alerts_folder.glob("*.json")) >= MOST_ALERTS:
                    raise SpoolFull
                known = SpooledAlert(uuid7(), event, subject, severity, "", {}, 0, at, at)
            self.write(replace(known, resolved_at=at))

    def open_alert(self, event: str, subject: str) -> SpooledAlert | None:
        """The one that still counts."""
        same = self.read(self.alerts_folder, f"*.{digest(event, subject)}.json")
        return next((alert for alert in same if alert.resolved_at is None and alert.pair == (event, subject)), None)

    def holds(self, event: str, subject: str) -> bool:
        """Whether something of this alert waits here."""
        pattern = f"*.{digest(event, subject)}.json"
        return any(any(folder.glob(pattern)) for folder in (self.alerts_folder, self.taken_folder))

    def write(self, alert: SpooledAlert) -> None:
        self.write_file(self.alerts_folder / alert.file_name, alert.to_json())

    def write_file(self, path: Path, text: str) -> None:
        """Writes one of our files, also on a disk that has just become full. Raises OSError."""
        try:
            write_whole(path, text)
        except OSError as error:
            if error.errno not in FULL or not self.room.is_file():
                raise
            self.room.unlink(missing_ok=True)
            write_whole(path, text)

    @property
    def room(self) -> Path:
        return self.folder / "room"

    def reserve_room(self) -> None:
        """Keeps some of the disk free for us, if it can be had."""
        if self.room.is_file():
            return
        beside = self.folder / "room.new"
        try:
            # Nothing that a file system could store in less.
            beside.write_bytes(os.urandom(ROOM))
            beside.rename(self.room)
        except OSError:
            with suppress(OSError):
                beside.unlink()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile. Raises OSError."""
        self.make()
        with alone(self.folder / "lock", waits=True):
            yield

    # --- bringing them into the database ------------------------------------------------------------------

    def all(self) -> list[SpooledAlert]:
        """Those that are being taken and those that are not, in the order in which they arose."""
        return sorted([*self.read(self.taken_folder), *self.read(self.alerts_folder)], key=lambda alert: alert.id)

    def take(self) -> list[SpooledAlert]:
        """Those that change no more from here on: what is noted now is another alert. They stay until `forget`.
        Raises OSError."""
        if not self.is_empty():
            with self.changing():
                for path in self.alerts_folder.glob("*.json"):
                    path.rename(self.taken_folder / path.name)
        return self.read(self.taken_folder)

    def is_empty(self) -> bool:
        return not any(any(folder.glob("*.json")) for folder in (self.alerts_folder, self.taken_folder))

    def size(self) -> int:
        """How many files wait."""
        folders = (self.alerts_folder, self.taken_folder, self.messages_folder)
        return sum(1 for folder in folders for _path in folder.glob("*.json"))

    def forget(self, alerts: Sequence[SpooledAlert]) -> None:
        """The database has them. Raises OSError."""
        for alert in alerts:
            (self.taken_folder / alert.file_name).unlink(missing_ok=True)

    def read(self, folder: Path, pattern: str = "*.json") -> list[SpooledAlert]:
        """In the order in which they arose. What is no alert is set aside, and the log says so."""
        found = []
        for path in sorted(folder.glob(pattern)):
            try:
                found.append(SpooledAlert.from_json(path.read_text(encoding="utf-8")))
            except FileNotFoundError:
                # Taken, or forgotten, since the folder was read.
                continue
            except OSError as error:
                # It may be read another time: this process may have too many files open.
                logger.error("spooled_alert_not_read", file=path.name, reason=str(error)[:200])
            except ValueError as error:
                set_aside(path)
                logger.error("spooled_alert_unreadable", file=path.name, reason=str(error)[:200])
        return found


def set_aside(path: Path) -> None:
    """Keeps a file that nobody can read, where nobody looks for it."""
    with suppress(OSError):
        path.rename(path.with_suffix(".unreadable"))
