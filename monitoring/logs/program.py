"""Which of the shop's programs writes a line."""

import sys
from collections.abc import MutableMapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

CELERY = ("worker", "beat")


def program_of(arguments: Sequence[str]) -> str:
    """web, worker, beat, or the name of a command of manage.py ("backup_agent") or of a module, by how it was
    started."""
    if not arguments:
        return "python"
    started = Path(arguments[0])
    # `python -m celery` has .../celery/__main__.py there.
    name = started.parent.name if started.name == "__main__.py" else started.name
    if name == "gunicorn":
        return "web"
    if name == "celery":
        return next((part for part in arguments[1:] if part in CELERY), "celery")
    if name in ("manage.py", "django-admin", "django"):
        return arguments[1] if len(arguments) > 1 else name
    return name.removesuffix(".py") or "python"


@cache
def own_name() -> str:
    """Of this process."""
    return program_of(sys.argv)


def add_program(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of log lines: many programs write into one file."""
    event["program"] = own_name()
    return event
