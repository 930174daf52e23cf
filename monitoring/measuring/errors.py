"""Errors by type: what the log says at ERROR and above."""

import logging
from collections.abc import Mapping

from prometheus_client import Counter

from foundation.error_types import ERROR_TYPE, error_of
from monitoring.measuring.processes import Me

ERRORS = Counter(
    "samovar_errors", "Lines of the log at ERROR and above, by the type of the exception.", ["program", "type"]
)
# What processors of the log have found to be no error after all: see foundation.database.lost.
LEVELS = {"error", "critical"}


class ErrorCounter(logging.Handler):
    """A handler of the log that writes nothing and counts."""

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.msg, Mapping):
            # Of structlog, whose processors have been at it.
            if record.msg.get("level", "error") in LEVELS:
                ERRORS.labels(Me.program, str(record.msg.get(ERROR_TYPE, ""))).inc()
            return
        error = error_of(record.exc_info)
        ERRORS.labels(Me.program, type(error).__name__ if error is not None else "").inc()
