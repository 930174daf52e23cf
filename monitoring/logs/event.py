"""The event that errors in the log become."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.logs.raising import EVENT
from monitoring.registry import Event, register_event
from monitoring.severity import Severity


def register() -> None:
    """Called once, when the apps are ready."""
    # Of many traces of one mistake the first is kept: what comes after it may be its consequence.
    register_event(
        Event(
            EVENT,
            Severity.ERROR,
            gettext_lazy("Unhandled error"),
            tell=error_sentence,
            keeps_first=True,
            quiet_after=datetime.timedelta(days=1),
        )
    )


def error_sentence(details: Mapping[str, Any]) -> str:
    return _("%(what)s (%(program)s): %(said)s") % {
        "what": details["what"],
        "program": details["program"],
        "said": details["said"],
    }
