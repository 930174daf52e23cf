"""What processes count together: those that run, those that have ended, and one whose file is broken."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import CollectorRegistry

from monitoring.measuring.folder import counted_in
from monitoring.measuring.page import metrics_text
from monitoring.measuring.processes import Running, figures, running
from monitoring.registry import Metric, register_metric
from tests.monitoring.measuring.told import value, values

COUNT = """
import sys
from prometheus_client import Counter, Histogram
Counter("eggs", "h", ["who"]).labels("a").inc(float(sys.argv[1]))
Histogram("took", "h", buckets=(1, 2)).observe(float(sys.argv[2]))
print("counted", flush=True)
sys.stdin.read()
"""


class Counting:
    """A process that has counted so many eggs, and one thing that took so long."""

    def __init__(self, folder: Path, eggs: float, took: float = 0.5) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COUNT, str(eggs), str(took)],
            env={"PROMETHEUS_MULTIPROC_DIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"counted\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def told(folder: Path) -> str:
    class Told:
        def collect(self) -> Any:
            return counted_in(folder)

        def describe(self) -> list[Any]:
            return []

    together = CollectorRegistry()
    together.register(Told())
    return generate_latest(together).decode()


def test_what_the_killed_have_counted_stays_and_their_files_do_not(tmp_path: Path) -> None:
    first, second, third = Counting(tmp_path, 1), Counting(tmp_path, 10, 1.5), Counting(tmp_path, 100, 9)
    try:
        assert value(told(tmp_path), "eggs_total", "a") == 111
        assert len(list(tmp_path.glob("*.db"))) == 6

        first.kill()
        second.kill()
        for _time in range(3):
            text = told(tmp_path)
            assert value(text, "eggs_total", "a") == 111
            assert values(text, "took_bucket") == {("1.0",): 1, ("2.0",): 2, ("+Inf",): 3}
            assert (value(text, "took_sum"), value(text, "took_count")) == (11, 3)
        assert sorted(file.name for file in tmp_path.glob("*.db")) == sorted(
            f"{kind}_{who}.db" for kind in ("counter", "histogram") for who in ("gone", third.process.pid)
        )
    finally:
        for one in (first, second, third):
            one.kill()
    assert value(told(tmp_path), "eggs_total", "a") == 111
    assert {file.name for file in tmp_path.glob("*.db")} == {"counter_gone.db", "histogram_gone.db"}


def test_a_broken_file_is_set_aside_and_the_others_count(tmp_path: Path) -> None:
    one = Counting(tmp_path, 5)
    try:
        # Of a process that runs: number 1 always does. 64 bytes are used, and the first key is longer than that.
        (tmp_path / "counter_1.db").write_bytes(b"\x40\0\0\0\0\0\0\0\xff\xff\xff\x7f" + bytes(52))
        # One that has just been begun.
        (tmp_path / "histogram_1.db").write_bytes(b"")

        assert value(told(tmp_path), "eggs_total", "a") == 5
        assert value(told(tmp_path), "eggs_total", "a") == 5
        assert not (tmp_path / "counter_1.db").exists()
        assert (tmp_path / "counter_1.broken").exists()
        assert (tmp_path / "histogram_1.db").exists()
    finally:
        one.kill()


def test_a_broken_file_of_a_dead_process_is_thrown_away(tmp_path: Path) -> None:
    one = Counting(tmp_path, 5)
    one.kill()
    (tmp_path / f"counter_{one.process.pid}.db").write_bytes(b"\xff" * 64)

    assert "eggs" not in told(tmp_path)
    assert value(told(tmp_path), "took_count") == 1


def test_processes_are_added_up_by_program() -> None:
    class Told:
        def collect(self) -> Any:
            return figures([Running("web", 30, 3), Running("web", 50, 4), Running("beat", 7, 1)])

        def describe(self) -> list[Any]:
            return []

    together = CollectorRegistry()
    together.register(Told())
    text = generate_latest(together)

    assert values(text, "samovar_processes") == {("web",): 2, ("beat",): 1}
    assert values(text, "samovar_process_memory_bytes") == {("web",): 80, ("beat",): 7}
    assert values(text, "samovar_process_memory_largest_bytes") == {("web",): 50, ("beat",): 7}
    assert values(text, "samovar_process_open_files") == {("web",): 7, ("beat",): 1}


def test_the_note_of_a_process_that_ended_is_thrown_away_even_if_its_number_is_anothers_now(tmp_path: Path) -> None:
    (tmp_path / "web.1.process").write_text("12.5")
    (tmp_path / "web.nonsense.process").write_text("12.5")
    (tmp_path / "beat.999999999.process").write_text("12.5")

    assert list(running(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_to_any_more_costs_only_what_is_counted_there(
    tmp_path: Path, settings: Any, no_other_metrics: None
) -> None:
    register_metric(Metric("figure", "h", (), lambda: [({}, 3)]))
    settings.METRICS_FOLDER = tmp_path
    (tmp_path / "counting.lock").mkdir()

    text = metrics_text()

    assert (value(text, "figure"), values(text, "samovar_processes")) == (3, {})
    assert ((tmp_path / "shop.json").stat().st_mode & 0o777) == 0o600
