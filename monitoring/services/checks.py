"""Running checks so that one that hangs holds up nobody."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

import structlog
from django.db import connections

from monitoring.errors import CheckFailed
from monitoring.registry import Check

logger = structlog.get_logger(__name__)

TIMED_OUT = "No answer in time."
STILL_RUNNING = "The last run has not ended yet."

# Checks that did not end in time, and are not started again before they do: else every probe of a hanging
# database would leave one more thread behind.
_overdue: dict[str, Thread] = {}


@dataclass(frozen=True)
class CheckResult:
    name: str
    is_ok: bool
    milliseconds: float
    detail: str | None = None


def run_checks(checks: Sequence[Check]) -> list[CheckResult]:
    """Runs the checks at the same time, each in a thread of its own, and waits for each up to its timeout.

    A check that raises, or does not end in time, has failed. Only the text of CheckFailed is passed on: other
    exceptions may hold hosts and names, and go to the log.
    """
    return [wait() for wait in [start(check) for check in checks]]


def start(check: Check) -> Callable[[], CheckResult]:
    """Starts the check; the function returned waits for its result."""
    overdue = _overdue.get(check.name)
    if overdue is not None and overdue.is_alive():
        return lambda: CheckResult(check.name, is_ok=False, milliseconds=0.0, detail=STILL_RUNNING)
    _overdue.pop(check.name, None)

    results: SimpleQueue[CheckResult] = SimpleQueue()
    started_at = time.monotonic()
    # A daemon: a check that hangs must not keep the server from stopping.
    thread = Thread(target=lambda: results.put(run(check)), name=f"check {check.name}", daemon=True)
    thread.start()

    def wait() -> CheckResult:
        try:
            return results.get(timeout=max(0.0, started_at + check.timeout - time.monotonic()))
        except Empty:
            _overdue[check.name] = thread
            return CheckResult(check.name, is_ok=False, milliseconds=elapsed(started_at), detail=TIMED_OUT)

    return wait


def run(check: Check) -> CheckResult:
    started_at = time.monotonic()
    try:
        detail = check.run()
    except CheckFailed as failure:
        return CheckResult(check.name, is_ok=False, milliseconds=elapsed(started_at), detail=str(failure))
    except Exception as error:
        logger.exception("check_crashed", check=check.name)
        return CheckResult(
            check.name, is_ok=False, milliseconds=elapsed(started_at), detail=f"It ended with {type(error).__name__}."
        )
    finally:
        # Connections belong to threads, and this one ends.
        connections.close_all()
    return CheckResult(check.name, is_ok=True, milliseconds=elapsed(started_at), detail=detail)


def elapsed(started_at: float) -> float:
    return round((time.monotonic() - started_at) * 1000, 1)
