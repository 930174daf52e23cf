"""What all of our handlers of log lines have in common: a line that can't be written disturbs nobody.

Django sets logging up before its apps: nothing in here may import a model.
"""

import logging
import sys
from contextlib import suppress


def say(sentence: str) -> None:
    """A line on standard error, if there is one that takes it."""
    # A closed stream, a full disk, a pipe that nobody reads.
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()


class QuietHandler(logging.Handler):
    """Says in a sentence what went wrong with a line. The original prints the line's words and arguments with it,
    unmasked."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its name in `logging`
        error = sys.exc_info()[0]
        kind = error.__name__ if error else "an error"
        say(f"A log line of {record.pathname}:{record.lineno} could not be written: {kind}.")


class StandardError(QuietHandler, logging.StreamHandler):
    """Lines on standard error."""
