"""How the shop is: every check that was registered, and who gave a sign of life."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.errors import CheckFailed
from monitoring.heartbeat_checks import Sign, signs_of_life
from monitoring.registry import Check, checks
from monitoring.services.checks import CheckResult, run_checks

# A check that is looked at more rarely takes long: nobody who opens a page wants to wait for it.
RARE_AFTER = 60.0


class State(models.TextChoices):
    """The worst first."""

    FAILED = "failed", _("failed")
    WARNING = "warning", _("warning")
    OK = "ok", _("in order")


@dataclass(frozen=True)
class Answer:
    """A check and what it found."""

    check: Check
    result: CheckResult

    @property
    def title(self) -> str:
        return str(self.check.title or self.check.name)

    @property
    def advice(self) -> str:
        """What to do, where there is something to be done."""
        return "" if self.result.is_ok and not self.result.is_warning else str(self.check.advice)

    @property
    def state(self) -> State:
        if not self.result.is_ok:
            return State.FAILED
        return State.WARNING if self.result.is_warning else State.OK


@dataclass(frozen=True)
class Health:
    """The answers, the worst first; the checks that were left out because they take long; the signs of life."""

    answers: list[Answer]
    left_out: list[Check]
    signs: list[Sign]

    @property
    def state(self) -> State:
        return self.answers[0].state if self.answers else State.OK


def look_at_health(*, everything: bool = False) -> Health:
    """Asks now.

    Args:
        everything: also the checks that take long, such as those that sum a whole ledger.
    """
    left_out = [] if everything else [check for check in checks.all() if check.every > RARE_AFTER]
    asked = [check for check in checks.all() if check not in left_out]
    answers = [Answer(check, result) for check, result in zip(asked, run_checks(asked), strict=True)]
    answers.sort(key=lambda answer: (list(State).index(answer.state), answer.title))
    return Health(answers=answers, left_out=left_out, signs=signs())


def signs() -> list[Sign]:
    try:
        return signs_of_life()
    except CheckFailed:
        # The check of the database says so.
        return []
