"""From checks that fail to alerts: opened when a check has failed twice in a row, closed when it is in order again."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.errors import sentence
from monitoring.registry import Check, Event, checks, register_event
from monitoring.services.apart import notify_apart, resolve_apart
from monitoring.services.checks import CheckResult, run_checks
from monitoring.severity import Severity
from monitoring.spool import Spool

# What a check's alert is called unless it has a name of its own: one that takes the web server out of service is told
# in quiet hours too.
FAILED, DOWN = "health.failed", "health.down"
# One failure may be a restart.
FAILURES = 2
# The name of the check on which others depend.
DATABASE = "database"
# Seconds after which signs of life, and whatever else is counted in the database, are of the present again.
SETTLES_WITHIN = 60.0


def register() -> None:
    """Called once, when the apps are ready."""
    register_event(Event(DOWN, Severity.CRITICAL, gettext_lazy("The shop can't work"), tell=health_sentence))
    register_event(Event(FAILED, Severity.ERROR, gettext_lazy("A part of the shop fails"), tell=health_sentence))


def health_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    check = checks.entries.get(details["check"])
    title = str(check.title) if check is not None and check.title else details["check"]
    return _("%(check)s: %(what)s") % {"check": title, "what": sentence(details["message"], details["values"])}


def events_of(check: Check) -> tuple[str, str]:
    """What alerts of its failure and of its warning are called; without a name there is none."""
    return DOWN if check.event == FAILED and check.gates_readiness else check.event, check.warning_event


@dataclass(slots=True)
class Seen:
    """What is known of one check: what was told of it ("" is that it is in order, None that nobody knows, as after a
    start), what came since, and how often in a row."""

    told: str | None = None
    event: str = ""
    times: int = 0


class HealthWatch:
    """Looks at checks again and again, and tells what has changed.

    Args:
        pace: how many times faster than in earnest, for tests.
    """

    def __init__(self, *, pace: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.pace, self.clock = pace, clock
        self.seen: dict[str, Seen] = {}
        # The first look comes after a while: what was started together with the watchdog needs a moment.
        self.looks_at: dict[str, float] = {}
        self.database_settles_at = 0.0

    def look(self, among: Sequence[Check]) -> None:
        """Runs those of the checks that are due, and takes note of what they say."""
        now = self.clock()
        due = []
        for check in among:
            if now >= self.looks_at.setdefault(check.name, now + check.every / self.pace):
                self.looks_at[check.name] = now + check.every / self.pace
                due.append(check)
        by_name = {check.name: check for check in due}
        # The database first: it explains what others say.
        for result in sorted(run_checks(due), key=lambda result: result.name != DATABASE):
            self.note(by_name[result.name], result)

    def note(self, check: Check, result: CheckResult) -> None:
        """Tells what is new about this check."""
        is_fine = result.is_ok and not result.is_warning
        if check.name == DATABASE and not is_fine:
            self.database_settles_at = self.clock() + SETTLES_WITHIN / self.pace
        elif check.needs_database and not is_fine and self.clock() < self.database_settles_at:
            # It says that the database is away, which is told already, or what was so before it came back.
            return
        failure, warning = events_of(check)
        event = "" if is_fine else warning if result.is_warning else failure
        seen = self.seen.setdefault(check.name, Seen())
        seen.times = seen.times + 1 if seen.event == event else 1
        seen.event = event
        if event == seen.told or (event and seen.times < FAILURES):
            return
        for other in {failure, warning} - {"", event}:
            if seen.told in (other, None):
                resolve_apart(event=other, subject=check.name)
        if event and seen.told is None and Spool.of_the_shop().open_alert(event, check.name):
            # A watchdog that was killed has told it.
            seen.told = event
            return
        if event:
            details = {"check": check.name, "message": result.message, "values": dict(result.values)}
            notify_apart(event=event, subject=check.name, message=health_sentence(details), details=details)
        seen.told = event
