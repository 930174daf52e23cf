"""Errors in the log become alerts: one for each kind of exception and function that it came out of, which counts.

The handler only keeps the line; a thread of this process raises the alert, since that needs the database, which may be
what the error is about. Django sets logging up before its apps: models are imported late.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foundation.database.lost import is_lost
from foundation.error_places import ERROR_AT, place_of
from foundation.error_types import ERROR_TYPE
from monitoring.logs.handlers import QuietHandler, say

EVENT = "errors.unhandled"
# Of a storm of errors the first of each kind is kept, and counted; of so many kinds.
MOST_KINDS = 200
# Seconds between two turns: however many errors there are, each kind is one alert in that time.
TURN = 1.0
LONGEST_TRACE = 6000
LONGEST_SENTENCE = 300
# How long a process that ends waits for its last alerts, in seconds.
LAST_WORDS = 3.0
LONGEST_SUBJECT = 200
BAD = ("error", "critical")
# Of the line, what the alert's details have.
KEPT = ("request", "request_id", "task_id", "task", "program", "logger", "timestamp", ERROR_TYPE, ERROR_AT)


@dataclass
class Kind:
    """Lines about one mistake: the first of them, as in the files, and how many there were."""

    first: str
    count: int = 1


class ErrorAlerts(QuietHandler):
    """Raises the alert `errors.unhandled` for lines that carry an exception. Never waits, and never raises one for
    what its own thread logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.begin_anew()
        # A worker's children have what waits here, but not the thread.
        os.register_at_fork(after_in_child=self.begin_anew)

    def begin_anew(self) -> None:
        # Not the handler's own lock, which `logging` holds while it closes the handler.
        self.counting = threading.Lock()
        self.kinds: dict[str, Kind] = {}
        self.left_out = 0
        self.news = threading.Event()
        self.ending = threading.Event()
        self.thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if threading.current_thread() is self.thread:
            return
        try:
            subject = subject_of(record)
            if subject is None:
                return
            with self.counting:
                if subject in self.kinds:
                    self.kinds[subject].count += 1
                    return
                if len(self.kinds) >= MOST_KINDS:
                    self.left_out += 1
                    return
            self.keep(subject, Kind(self.format(record)))
        except Exception:  # the line's own fault
            self.handleError(record)

    def keep(self, subject: str, kind: Kind) -> None:
        # Calls come one after the other: `logging` holds the handler's own lock around `emit`.
        with self.counting:
            self.kinds[subject] = kind
        self.start()
        self.news.set()

    def start(self) -> None:
        """Starts the thread with the first error: most processes never have one."""
        if self.thread is None:
            try:
                self.thread = threading.Thread(target=self.run, name="alerts of errors", daemon=True)
                self.thread.start()
            except RuntimeError:
                # The process is ending.
                self.thread = None

    def run(self) -> None:
        while not (self.ending.is_set() and not self.kinds):
            self.news.wait()
            self.news.clear()
            self.raise_waiting()
            self.ending.wait(TURN)

    def raise_waiting(self) -> None:
        """Raises one alert for each kind of what has come in."""
        with self.counting:
            kinds, self.kinds = self.kinds, {}
            left_out, self.left_out = self.left_out, 0
        for subject, kind in kinds.items():
            # Whatever hinders the alert, the line itself stands in the log.
            try:
                raise_alert(subject, json.loads(kind.first), kind.count)
            except Exception as error:
                say(f"The alert about {subject} could not be raised: {type(error).__name__}.")
        if left_out:
            say(f"{left_out} errors of other kinds came too fast to be alerts; the log has them.")

    def close(self) -> None:
        """Waits a moment for the alerts of the last errors."""
        self.ending.set()
        self.news.set()
        if self.thread is not None and self.thread.is_alive():
            self.thread.join(LAST_WORDS)
        super().close()


def subject_of(record: logging.LogRecord) -> str | None:
    """What all lines about one mistake have in common: ValueError in orders/services/placing.py place_order. None of a
    line without an exception, and of one that was found to be no error, such as a database that went away."""
    if isinstance(record.msg, dict):
        # structlog's own lines have passed through the chain of processors already.
        kind, place = record.msg.get(ERROR_TYPE), record.msg.get(ERROR_AT)
        if kind is None or record.msg.get("level") not in BAD:
            return None
    else:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or is_lost(error):
            return None
        kind, place = type(error).__name__, place_of(error.__traceback__)
    return f"{kind} in {place}"[:LONGEST_SUBJECT] if place else str(kind)


def sentence_of(line: Mapping[str, Any]) -> str:
    """What the exception says, in a line."""
    words = str(line["exception"]).strip().splitlines()
    return words[-1].strip()[:LONGEST_SENTENCE] if words else str(line.get("event", ""))


def shortened(trace: str) -> str:
    """Of a long trace the end: there it happened."""
    return trace if len(trace) <= LONGEST_TRACE else f"…{trace[-LONGEST_TRACE:]}"


def raise_alert(subject: str, line: Mapping[str, Any], count: int) -> None:
    from monitoring.services.apart import notify_apart  # noqa: PLC0415

    details = {name: line[name] for name in KEPT if line.get(name) is not None}
    sentence = sentence_of(line)
    notify_apart(
        event=EVENT,
        subject=subject,
        message=f"{subject}: {sentence}",
        details={**details, "what": subject, "said": sentence, "trace": shortened(str(line["exception"]))},
        count=count,
    )
