"""Log lines as the shop's programs write them."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings

Given = TypeVar("Given", bound=logging.Handler)


def formatter() -> logging.Formatter:
    """The one of the files."""
    options = dict(settings.LOGGING["formatters"]["lines"])
    made: logging.Formatter = options.pop("()")(**options)
    return made


@contextmanager
def with_our_lines(handler: Given) -> Iterator[Given]:
    """The handler gets all lines meanwhile, as the settings have them."""
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)


def line_of(event: str, *, at: datetime | None = None, **fields: Any) -> str:
    """A line of a file, with its end."""
    moment = (at or datetime.now(UTC)).isoformat().replace("+00:00", "Z")
    line = {"event": event, "level": "info", "logger": "orders.services", "program": "web", "timestamp": moment}
    return json.dumps({**line, **fields}, ensure_ascii=False) + "\n"
