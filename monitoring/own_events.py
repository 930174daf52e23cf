"""What monitoring tells of itself."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.registry import Event, register_event
from monitoring.severity import Severity

CHANNEL_FAILING = "monitoring.channel_failing"
MESSAGE_GIVEN_UP = "monitoring.message_given_up"
# Of these a channel is told nothing that is about itself: it does not take messages just then.
ABOUT_CHANNELS = frozenset({CHANNEL_FAILING, MESSAGE_GIVEN_UP})


def register() -> None:
    """Called once, when the apps are ready."""
    register_event(
        Event(CHANNEL_FAILING, Severity.ERROR, gettext_lazy("A channel takes no messages"), tell=failing_sentence)
    )
    register_event(
        Event(
            MESSAGE_GIVEN_UP,
            Severity.ERROR,
            gettext_lazy("A message could not be delivered"),
            tell=given_up_sentence,
            is_news=True,
        )
    )


def failing_sentence(details: Mapping[str, Any]) -> str:
    return _("The channel “%(channel)s” takes no messages: %(error)s They wait.") % {
        "channel": details["channel"],
        "error": details["error"],
    }


def given_up_sentence(details: Mapping[str, Any]) -> str:
    return _("A message to “%(channel)s” was given up: %(error)s") % {
        "channel": details["channel"],
        "error": details["error"],
    }
