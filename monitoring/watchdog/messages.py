"""Messages that are sent while the database is away: each is a file from when it has its words, with what became of it.

The file's name is the message's key. A watchdog that is killed between sending and noting sends it again under the
same key, as it does with messages of the database.
"""

import datetime
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.dateparse import parse_datetime

from foundation.uuids import uuid7
from monitoring.models import Delivery
from monitoring.spool import Spool, set_aside

TIMES = ("created_at", "next_attempt_at", "sending_since", "sent_at")

logger = structlog.get_logger("monitoring.watchdog")


@dataclass(frozen=True, slots=True)
class Part:
    """What a message says of a spooled alert: that it is there, that it is over, or both."""

    alert: uuid.UUID
    kind: str
    tells_resolution: bool = False

    @property
    def says_it_is_over(self) -> bool:
        return self.tells_resolution or self.kind == Delivery.Kind.RESOLUTION


@dataclass(slots=True)
class Outgoing:
    """What would be a row of the table of messages."""

    channel_id: int
    kind: str
    severity: str
    title: str
    text: str
    data: dict[str, Any]
    parts: list[Part]
    created_at: datetime.datetime
    next_attempt_at: datetime.datetime
    key: uuid.UUID = field(default_factory=uuid7)
    status: str = Delivery.Status.WAITING.value
    attempts: int = 0
    last_error: str = ""
    sending_since: datetime.datetime | None = None
    sent_at: datetime.datetime | None = None

    @property
    def is_waiting(self) -> bool:
        return self.status == Delivery.Status.WAITING

    def to_json(self) -> str:
        return json.dumps(asdict(self), cls=DjangoJSONEncoder, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Outgoing":
        """Raises ValueError."""
        try:
            said = json.loads(text)
            said["key"] = uuid.UUID(said["key"])
            said["parts"] = [Part(**{**part, "alert": uuid.UUID(part["alert"])}) for part in said["parts"]]
            for name in TIMES:
                said[name] = parse_datetime(said[name]) if said.get(name) else None
            # A newer program may know more of a message than the one that wrote it.
            return cls(**{one.name: said[one.name] for one in fields(cls) if one.name in said})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no message: {error}") from error


def path_of(spool: Spool, message: Outgoing) -> Path:
    return spool.messages_folder / f"{message.key}.json"


def write_message(spool: Spool, message: Outgoing) -> None:
    """Raises OSError."""
    spool.write_file(path_of(spool, message), message.to_json())


def read_messages(spool: Spool) -> list[Outgoing]:
    """In the order in which they got their words. What is no message is set aside, and the log says so."""
    found = []
    for path in sorted(spool.messages_folder.glob("*.json")):
        try:
            found.append(Outgoing.from_json(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            # Forgotten since the folder was read.
            continue
        except OSError as error:
            # It may be read another time.
            logger.error("spooled_message_not_read", file=path.name, reason=str(error)[:200])
        except ValueError as error:
            set_aside(path)
            logger.error("spooled_message_unreadable", file=path.name, reason=str(error)[:200])
    return found


def forget_messages(spool: Spool, messages: Sequence[Outgoing]) -> None:
    """The database has them. Raises OSError."""
    for message in messages:
        path_of(spool, message).unlink(missing_ok=True)
