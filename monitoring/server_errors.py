"""Whether unusually many requests end with a fault of ours: the answers that all web processes of this machine counted,
compared with what they had counted a while ago."""

import time
from collections import deque
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from monitoring.errors import CheckFailed
from monitoring.measuring.folder import counted_in, folder_in_use
from monitoring.registry import Check, Event, register_check, register_event
from monitoring.severity import Severity
from monitoring.watchdog.health import health_sentence

MANY_ERRORS = "requests.many_errors"
RESPONSES = "samovar_http_responses"

# Seconds that are looked at.
WINDOW = 300.0
# A look that is older than the window by more than this says nothing of it.
MOST_OVER = 60.0
LEAST_ERRORS, HIGHEST_SHARE = 5, 0.05
# The shop rests, or its database is away: that is told otherwise.
NO_FAULT = "503"


@dataclass(frozen=True, slots=True)
class Counted:
    """How many answers there have been up to a moment, and how many of them were faults of ours."""

    at: float
    answers: float
    errors: float

    def since(self, earlier: "Counted") -> "Counted":
        return Counted(self.at, self.answers - earlier.answers, self.errors - earlier.errors)


# What this process saw when it looked, the oldest first. The first one is as old as the window or older.
_seen: deque[Counted] = deque()


def register() -> None:
    """Called once, when the apps are ready."""
    register_event(Event(MANY_ERRORS, Severity.ERROR, gettext_lazy("Many requests fail"), tell=health_sentence))
    register_check(
        Check(
            name="answers",
            run=few_fail,
            title=gettext_lazy("Answers to requests"),
            advice=gettext_lazy("Look at the page about the logs: the errors stand there with their traces."),
            event=MANY_ERRORS,
            needs_database=False,
        )
    )


def few_fail() -> str | None:
    """Raises CheckFailed where LEAST_ERRORS or more of the answers within WINDOW were faults (5xx, but 503), and more
    than HIGHEST_SHARE of all. None where this machine has no web server that counts, and at a process's first look for
    a while: the watchdog looks all the time."""
    now = counted()
    earlier = None if now is None else remembered(now)
    if now is None or earlier is None or earlier is now:
        return None
    lately = now.since(earlier)
    values = {"errors": round(lately.errors), "answers": round(lately.answers)}
    if lately.errors >= LEAST_ERRORS and lately.errors > HIGHEST_SHARE * lately.answers:
        raise CheckFailed(
            gettext_noop("Of the last %(answers)s answers, %(errors)s were errors of the shop."), **values
        )
    return _("Of the last %(answers)s answers, %(errors)s were errors of the shop.") % values


def counted() -> Counted | None:
    """What all web processes have counted since this machine's shop was started."""
    folder = folder_in_use()
    if folder is None:
        return None
    answers = errors = 0.0
    for family in counted_in(folder):
        if family.name != RESPONSES:
            continue
        for sample in family.samples:
            if not sample.name.endswith("_total"):
                continue
            status = sample.labels.get("status", "")
            answers += sample.value
            errors += sample.value if status.startswith("5") and status != NO_FAULT else 0.0
    return Counted(time.monotonic(), answers, errors)


def remembered(now: Counted) -> Counted:
    """What was counted WINDOW seconds ago, or at this process's first look since then, which may be this one; notes
    what is counted now."""
    if _seen and now.answers < _seen[-1].answers:
        # The shop was started anew and counts from zero.
        _seen.clear()
    _seen.append(now)
    while len(_seen) > 1 and (_seen[1].at <= now.at - WINDOW or _seen[0].at < now.at - WINDOW - MOST_OVER):
        _seen.popleft()
    return _seen[0]
