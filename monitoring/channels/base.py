"""What an address and a message are, and how sending may fail. Knows no rows and no transactions: the senders beside
it are the edge to the network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

# What a sender may take in all, in seconds: who lends a channel to one sender lends it for longer.
LONGEST_SEND = 60.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where messages go.

    `kind` is one of telegram, email, sms, webhook, other. `address` is what that kind takes: a chat's id, recipients
    separated by commas, the address of a webhook, an apprise URL. `secret` is the bot's token (empty: that of the
    environment) or the key of a webhook's signature. `language` is that of the remarks that a sender adds, `name` what
    people call the channel.
    """

    kind: str
    address: str = field(repr=False)
    secret: str = field(repr=False)
    language: str
    name: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is said, in the channel's language and as plain text.

    `key` is the same when the same message is sent again, so that the other side can drop the second one. `picture` is
    a PNG. `data` is for programs: values that JSON can hold (what else there is becomes text).
    """

    key: str
    title: str
    text: str
    severity: str
    picture: bytes | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class ChannelError(Exception):
    """A message was not taken. The sentence is for people: it holds no token, no key and no address."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class ChannelUnreachable(ChannelError):
    """Nobody answered, or with a fault of theirs: later it may work."""


class ChannelBusy(ChannelError):
    """The other side asks to be left alone for `retry_after` seconds."""

    def __init__(self, retry_after: float, sentence: str = "") -> None:
        super().__init__(
            sentence or _("Too many messages: nothing is taken for %(seconds)d s.") % {"seconds": retry_after}
        )
        self.retry_after = retry_after


class ChannelRefused(ChannelError):
    """The other side says that it will never take messages from here: the chat is gone, the token is revoked."""


class MessageRefused(ChannelUnreachable):
    """The other side takes messages, but never this one. It must not hold back the ones after it."""
