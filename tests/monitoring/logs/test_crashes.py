"""A program or a thread that ends with an exception leaves it in the log, masked."""

import json
import logging
import sys
import threading
from io import StringIO

import pytest

from foundation.logs import MASK
from monitoring.logs import crashes
from tests.monitoring.logs.written import with_our_lines


def failed() -> ValueError:
    try:
        raise ValueError("password=hunter2")
    except ValueError as error:
        return error


def test_a_programs_last_exception_is_a_line_and_its_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    error = failed()
    with with_our_lines(logging.StreamHandler(StringIO())) as handler:
        crashes.program_crashed(ValueError, error, error.__traceback__)
    # Whatever a thread of another test logs at this moment is none of this one.
    lines = [json.loads(text) for text in handler.stream.getvalue().splitlines()]
    (line,) = [one for one in lines if one["logger"] == "monitoring.crashes"]
    assert (line["event"], line["level"], line["error_type"]) == ("program_crashed", "critical", "ValueError")
    said = capsys.readouterr().err
    assert said.splitlines()[-1] == f"ValueError: password={MASK}"
    assert "hunter2" not in said + handler.stream.getvalue()


def test_a_program_that_somebody_stops_has_not_crashed(capsys: pytest.CaptureFixture[str]) -> None:
    with with_our_lines(logging.StreamHandler(StringIO())) as handler:
        crashes.program_crashed(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert handler.stream.getvalue() == ""
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_a_threads_last_exception_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", crashes.thread_crashed)

    def fail() -> None:
        raise failed()

    with with_our_lines(logging.StreamHandler(StringIO())) as handler:
        thread = threading.Thread(target=fail, name="the kettle")
        thread.start()
        thread.join()
    lines = [json.loads(text) for text in handler.stream.getvalue().splitlines()]
    (line,) = [one for one in lines if one["logger"] == "monitoring.crashes"]
    assert (line["event"], line["thread"]) == ("thread_crashed", "the kettle")
    assert line["exception"].endswith(f"ValueError: password={MASK}")


def test_the_shops_programs_do_so() -> None:
    assert sys.excepthook is crashes.program_crashed
