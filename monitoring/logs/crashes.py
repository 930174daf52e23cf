"""Programs and threads that end with an exception leave it in the log, where it becomes an alert."""

import sys
import threading
import traceback
from types import TracebackType

import structlog

from foundation.masking import mask_text
from monitoring.logs.handlers import say

logger = structlog.get_logger("monitoring.crashes")


def install() -> None:
    """Called once, when the apps are ready."""
    sys.excepthook = program_crashed
    threading.excepthook = thread_crashed


def program_crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """In the place of Python's own hook, which prints the trace as it is."""
    if not isinstance(error, Exception):
        # Somebody has stopped it.
        sys.__excepthook__(kind, error, trace)
        return
    logger.critical("program_crashed", exc_info=error)
    # For the person at the keyboard, and for whoever reads a program's last words.
    say(mask_text("".join(traceback.format_exception(error))).rstrip())


def thread_crashed(about: threading.ExceptHookArgs) -> None:
    if isinstance(about.exc_value, Exception):
        name = about.thread.name if about.thread is not None else None
        logger.error("thread_crashed", thread=name, exc_info=about.exc_value)
