"""Running checks so that one that hangs holds up nobody."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import structlog
from django.db import connections
from django.utils.translation import get_language, gettext_noop, override

from monitoring.errors import CheckFailed, CheckWarning, sentence
from monitoring.registry import Check

logger = structlog.get_logger(__name__)

TIMED_OUT = gettext_noop("No answer in time.")
STILL_RUNNING = gettext_noop("The last run has not ended yet.")
CRASHED = gettext_noop("It ended with %(error)s.")

# Checks that did not end in time, and are not started again before they do: else every probe of a hanging
# database would leave one more thread behind.
_overdue: dict[str, Thread] = {}


@dataclass(frozen=True)
class CheckResult:
    """What a check found. Of a failure and of a warning, `message` and `values` say `detail` in any language."""

    name: str
    is_ok: bool
    milliseconds: float
    detail: str | None = None
    is_warning: bool = False
    message: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def run_checks(checks: Sequence[Check]) -> list[CheckResult]:
    """Runs the checks at the same time, each in a thread of its own, and waits for each up to its timeout.

    A check that raises, or does not end in time, has failed. Only the text of CheckFailed is passed on: other
    exceptions may hold hosts and names, and go to the log.
    """
    return [wait() for wait in [start(check) for check in checks]]


def start(check: Check) -> Callable[[], CheckResult]:
    """Starts the check; the function returned waits for its result."""
    started_at = time.monotonic()
    overdue = _overdue.get(check.name)
    if overdue is not None and overdue.is_alive():
        return lambda: failed(check, started_at, CheckFailed(STILL_RUNNING))
    _overdue.pop(check.name, None)

    results: SimpleQueue[CheckResult] = SimpleQueue()
    # Languages belong to threads too, and remarks are made for who asks.
    language = get_language()
    # A daemon: a check that hangs must not keep the server from stopping.
    thread = Thread(target=lambda: results.put(run(check, language)), name=f"check {check.name}", daemon=True)
    thread.start()

    def wait() -> CheckResult:
        try:
            return results.get(timeout=max(0.0, started_at + check.timeout - time.monotonic()))
        except Empty:
            _overdue[check.name] = thread
            return failed(check, started_at, CheckFailed(TIMED_OUT))

    return wait


def run(check: Check, language: str | None = None) -> CheckResult:
    started_at = time.monotonic()
    try:
        with override(language):
            detail = check.run()
            return CheckResult(check.name, is_ok=True, milliseconds=elapsed(started_at), detail=detail)
    except CheckFailed as failure:
        with override(language):
            return failed(check, started_at, failure)
    except Exception as error:
        logger.exception("check_crashed", check=check.name)
        with override(language):
            return failed(check, started_at, CheckFailed(CRASHED, error=type(error).__name__))
    finally:
        # Connections belong to threads, and this one ends.
        connections.close_all()


def failed(check: Check, started_at: float, failure: CheckFailed) -> CheckResult:
    is_warning = isinstance(failure, CheckWarning)
    return CheckResult(
        check.name,
        is_ok=is_warning,
        is_warning=is_warning,
        milliseconds=elapsed(started_at),
        detail=sentence(failure.message, failure.values),
        message=failure.message,
        values=failure.values,
    )


def elapsed(started_at: float) -> float:
    return round((time.monotonic() - started_at) * 1000, 1)
