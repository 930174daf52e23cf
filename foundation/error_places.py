"""Which of our functions an exception came out of, as a field of its line in the log, so that lines about one mistake
can be found, and counted as one. Knows nothing of Django: the settings import it."""

from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

from foundation.error_types import error_of

ERROR_AT = "error_at"
ROOT = Path(__file__).resolve().parent.parent
OTHERS = {".venv", "site-packages"}


def add_error_place(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of log lines, before the one that makes a text of the exception."""
    error = error_of(event.get("exc_info"))
    if error is not None:
        event[ERROR_AT] = place_of(error.__traceback__)
    return event


def place_of(traceback: TracebackType | None) -> str:
    """ "orders/services/placing.py place_order": the last function of ours; where none is, the last of all.

    Without the number of the line, which the next version of the code moves.
    """
    last, last_own = "", ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        path = Path(code.co_filename)
        last = f"{path.name} {code.co_name}"
        if path.is_relative_to(ROOT) and OTHERS.isdisjoint(path.parts):
            last_own = f"{path.relative_to(ROOT)} {code.co_name}"
        traceback = traceback.tb_next
    return last_own or last
