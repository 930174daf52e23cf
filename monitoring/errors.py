"""The errors that monitoring raises: mistakes of a program first, then refusals of a person's wish."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from foundation.errors import Conflict, Missing


class AlreadyRegistered(Exception):
    """Two apps register an event, a check or a metric under one name."""


class NotRegistered(LookupError):
    """Nobody has registered an event, a check or a metric of this name."""


class CheckFailed(Exception):
    """A check has found a fault. The text is shown to anybody: no host, no user name, no secret in it.

    Args:
        message: a sentence, marked with gettext_noop so that every reader gets it in their own language.
        values: for the places in it.
    """

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message, values)
        self.message, self.values = message, values

    def __str__(self) -> str:
        return sentence(self.message, self.values)


class CheckWarning(CheckFailed):
    """A check has found what will be a fault unless somebody sees to it."""


def sentence(message: str, values: Mapping[str, Any]) -> str:
    """What a check says, in the reader's language."""
    # A sentence without values may hold a percent sign of its own.
    return gettext(message) % values if values else gettext(message)


class UnknownChannel(Missing):
    """There is no channel with this id."""

    def __init__(self, channel_id: int) -> None:
        super().__init__(gettext("There is no channel with the id %(id)s.") % {"id": channel_id})


class UnknownRule(Missing):
    """There is no alert rule with this id."""

    def __init__(self, rule_id: int) -> None:
        super().__init__(gettext("There is no alert rule with the id %(id)s.") % {"id": rule_id})


class UnknownDelivery(Missing):
    """There is no message with this id."""

    def __init__(self, delivery_id: int) -> None:
        super().__init__(gettext("There is no message with the id %(id)s.") % {"id": delivery_id})


class SentAlready(Conflict):
    """The message has arrived: nobody sends it once more."""

    code = "wrong_status"

    def __init__(self) -> None:
        super().__init__(gettext("This message has been sent already."))


class ChannelClosed(Conflict):
    """The channel is switched off, or the other side takes nothing."""

    code = "wrong_status"

    def __init__(self, name: str) -> None:
        super().__init__(gettext("“%(name)s” takes no messages now. Switch it on, or test it, first.") % {"name": name})


class NotTaken(Conflict):
    """The other side of a channel did not take a message, or does not answer. The sentence is its own."""

    code = "not_taken"
