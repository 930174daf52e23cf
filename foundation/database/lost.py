"""Whether an error says that the database went away, and not that a statement was wrong."""

import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

import psycopg2
from django.db.utils import Error

# What a server says that shuts down or has just crashed or started (57P01 to 57P03), or that sends away who was idle
# for too long; and one that leads no longer: there, nothing can be written.
SQLSTATES = {"57P01", "57P02", "57P03", "57P05", "25P03", "25006"}
CONNECTION_EXCEPTIONS = "08"


def is_lost(error: BaseException | None) -> bool:
    """Whether the connection to the database, or the right to write there, is gone: the same may work in a moment.

    Also where the database's error is what caused another one.
    """
    return any(_says_that_it_is_gone(cause) for cause in _causes(error))


def reason_of(error: BaseException) -> str:
    """What the database, or libpq in its place, said, in one line."""
    *_before, last = _causes(error)
    return " ".join(str(last).split())


def tell_in_a_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of log lines: a database that went away is no mistake of ours, so its error needs no traceback."""
    about = event.get("exc_info")
    if not about:
        return event
    error = about if isinstance(about, BaseException) else sys.exc_info()[1] if about is True else about[1]
    if error is not None and is_lost(error):
        del event["exc_info"]
        event["reason"] = reason_of(error)
        event["level"] = "warning"
    return event


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _says_that_it_is_gone(error: BaseException) -> bool:
    if not isinstance(error, psycopg2.Error | Error):
        return False
    code: Any = getattr(error, "pgcode", None)
    if code:
        return code in SQLSTATES or code.startswith(CONNECTION_EXCEPTIONS)
    if isinstance(error, Error):
        # Django's own has its cause behind it; one without was raised by Django or by a test, with nothing to go by.
        return False
    # Without a code it comes from this side. psycopg2 has no name for it, and its sentences are not translated.
    if isinstance(error, psycopg2.InterfaceError):
        return "closed" in str(error)
    return isinstance(error, psycopg2.OperationalError) and type(error) is psycopg2.OperationalError
