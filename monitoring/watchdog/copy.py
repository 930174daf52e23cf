"""Whom to tell while the database is away: channels, rules and the shop, as they were last, in a sealed file.

Addresses of channels are secret, so the file is encrypted with FIELD_ENCRYPTION_KEYS, as they are in the database.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from foundation.encryption import CanNotDecrypt, decrypt, encrypt, has_first_key
from foundation.files import write_whole
from foundation.shop import CurrentShop, current_shop
from monitoring.models import Channel
from monitoring.services.routing import RuleInUse, Wish, rules_in_use
from monitoring.spool import Spool

# What of a channel is needed to send to it.
FIELDS = (
    "id",
    "name",
    "kind",
    "address",
    "secret",
    "language",
    "quiet_from",
    "quiet_until",
    "quiet_lets_through",
    "hourly_limit",
    "disabled_reason",
    "blocked_until",
)

logger = structlog.get_logger("monitoring.watchdog")


@dataclass(frozen=True, slots=True)
class Copy:
    """The channels that take messages, by their id, as rows that are not to be saved; the rules that lead to them; and
    the shop."""

    channels: Mapping[int, Channel]
    rules: tuple[RuleInUse, ...]
    shop: CurrentShop

    def to_json(self) -> str:
        return json.dumps(
            {
                "channels": [{name: getattr(channel, name) for name in FIELDS} for channel in self.channels.values()],
                "rules": [{**asdict(rule), "events": sorted(rule.events)} for rule in self.rules],
                "shop": asdict(self.shop),
            },
            cls=DjangoJSONEncoder,
        )

    @classmethod
    def from_json(cls, text: str) -> "Copy":
        """Raises ValueError."""
        try:
            said = json.loads(text)
            return cls(
                channels={row["id"]: channel_of(row) for row in said["channels"]},
                rules=tuple(rule_of(row) for row in said["rules"]),
                shop=CurrentShop(**said["shop"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no copy: {error}") from error


def channel_of(row: Mapping[str, Any]) -> Channel:
    fields: Any = {field.name: field for field in Channel._meta.fields}
    return Channel(**{name: fields[name].to_python(row[name]) for name in FIELDS})


def rule_of(row: Mapping[str, Any]) -> RuleInUse:
    return RuleInUse(
        events=frozenset(row["events"]),
        weight=row["weight"],
        channel_ids=tuple(row["channel_ids"]),
        wish=Wish(**row["wish"]),
    )


def copy_now() -> Copy:
    """What the database says, in three queries; without the channels that no key opens."""
    rules = tuple(rules_in_use())
    wanted = {channel_id for rule in rules for channel_id in rule.channel_ids}
    channels = Channel.objects.filter(pk__in=wanted).order_by("pk")
    try:
        found = list(channels)
    except CanNotDecrypt:
        found = [one for pk in sorted(wanted) for one in opened(channels.filter(pk=pk))]
    return Copy({channel.pk: channel for channel in found}, rules, current_shop())


def opened(channels: QuerySet[Channel]) -> list[Channel]:
    try:
        return list(channels)
    except CanNotDecrypt:
        return []


class KeptCopy:
    """The file. It is written when something has changed, and when the key with which it is to be sealed has."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.written = ""

    @property
    def path(self) -> Path:
        return self.spool.folder / "copy"

    def keep(self) -> None:
        """Brings it up to date. Raises OSError, and what the database raises."""
        text = copy_now().to_json()
        if text == self.written and self.path.is_file():
            return
        if text != self.read_text() or not has_first_key(self.path.read_text(encoding="ascii")):
            self.spool.make()
            write_whole(self.path, encrypt(text))
            self.say_who_is_missing(text)
        self.written = text

    def say_who_is_missing(self, text: str) -> None:
        copy = Copy.from_json(text)
        missing = {pk for rule in copy.rules for pk in rule.channel_ids} - set(copy.channels)
        if missing:
            logger.error("channels_not_in_copy", channels=sorted(missing), reason="no key opens their addresses")

    def read(self) -> Copy | None:
        """What was kept; None if nothing was, or nobody can open it, and then the log says so."""
        text = self.read_text()
        try:
            return Copy.from_json(text) if text else None
        except ValueError as error:
            logger.error("copy_of_channels_unreadable", reason=str(error)[:200])
            return None

    def read_text(self) -> str:
        try:
            return decrypt(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return ""
        except (OSError, CanNotDecrypt, UnicodeError) as error:
            logger.error("copy_of_channels_unreadable", reason=str(error)[:200])
            return ""
