"""Unusually many requests that end with a fault of the shop's."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from monitoring import server_errors
from monitoring.errors import CheckFailed
from monitoring.server_errors import few_fail


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.METRICS_FOLDER = tmp_path
    server_errors._seen.clear()
    yield tmp_path
    server_errors._seen.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its first entry is the time, in seconds."""
    now = [1000.0]
    monkeypatch.setattr(server_errors.time, "monotonic", lambda: now[0])
    return now


def answer(folder: Path, status: int, number: int) -> None:
    """So many answers more, counted by a web process that runs: this one."""
    counted = MmapedDict(str(folder / f"counter_{os.getpid()}.db"))
    name = server_errors.RESPONSES
    key = mmap_key(name, f"{name}_total", ["status"], [str(status)], "Answers.")
    before, _at = counted.read_value(key)
    counted.write_value(key, before + number, 0.0)
    counted.close()


def test_five_faults_of_ninety_nine_answers_are_many(folder: Path, clock: list[float]) -> None:
    answer(folder, 200, 10_000)
    assert few_fail() is None, "who looks for the first time knows nothing of what is late"
    answer(folder, 200, 94)
    answer(folder, 500, 5)
    with pytest.raises(CheckFailed, match=r"^Of the last 99 answers, 5 were errors of the shop\.$"):
        few_fail()


def test_five_of_a_hundred_are_not_and_neither_are_four_of_four(folder: Path, clock: list[float]) -> None:
    few_fail()
    answer(folder, 500, 4)
    assert few_fail() == "Of the last 4 answers, 4 were errors of the shop."
    answer(folder, 200, 95)
    answer(folder, 502, 1)
    assert few_fail() == "Of the last 100 answers, 5 were errors of the shop."


def test_that_the_shop_rests_is_no_fault(folder: Path, clock: list[float]) -> None:
    few_fail()
    answer(folder, 503, 50)
    assert few_fail() == "Of the last 50 answers, 0 were errors of the shop."


def test_after_five_minutes_it_is_over(folder: Path, clock: list[float]) -> None:
    few_fail()
    answer(folder, 500, 20)
    for clock[0] in (1015.0, 1299.0):
        with pytest.raises(CheckFailed):
            few_fail()
    clock[0] = 1316.0
    assert few_fail() == "Of the last 0 answers, 0 were errors of the shop."


def test_a_shop_that_was_started_anew_counts_from_zero(folder: Path, clock: list[float]) -> None:
    answer(folder, 500, 100)
    few_fail()
    (folder / f"counter_{os.getpid()}.db").unlink()
    answer(folder, 500, 10)
    assert few_fail() is None


def test_what_was_seen_long_ago_says_nothing_of_the_last_minutes(folder: Path, clock: list[float]) -> None:
    few_fail()
    answer(folder, 500, 20)
    clock[0] += 7200.0
    assert few_fail() is None
    clock[0] += 15.0
    assert few_fail() == "Of the last 0 answers, 0 were errors of the shop."


def test_where_nobody_counts_there_is_nothing_to_say(settings: Any) -> None:
    settings.METRICS_FOLDER = None
    assert few_fail() is None
