"""The type of an exception as a field of its line in the log, by which lines are counted and grouped. Knows nothing of
Django: the settings import it."""

import sys
from collections.abc import MutableMapping
from typing import Any

ERROR_TYPE = "error_type"


def add_error_type(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of log lines, before the one that makes a text of the exception."""
    error = error_of(event.get("exc_info"))
    if error is not None:
        event[ERROR_TYPE] = type(error).__name__
    return event


def error_of(about: Any) -> BaseException | None:
    """The exception of a line's `exc_info`: an exception, True for the one that is being handled, or what
    sys.exc_info() says."""
    if isinstance(about, BaseException):
        return about
    if isinstance(about, tuple):
        about = about[1]
        return about if isinstance(about, BaseException) else None
    return sys.exc_info()[1] if about else None
