"""Alerts that wait as files: one of each event and subject, whole or not there, in order, given away once."""

import datetime
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from monitoring.spool import MOST_ALERTS, Spool, SpoolFull

AT = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)
LATER = AT + datetime.timedelta(minutes=3)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def note(spool: Spool, subject: str = "milk", message: str = "Milk is low", **more: Any) -> None:
    spool.note(
        **{"event": "test.low", "severity": "warning", "details": {}, "at": AT} | more, subject=subject, message=message
    )


def test_an_alert_is_kept_with_all_that_was_said(spool: Spool) -> None:
    note(spool, "чай/../🧋\n", "Ein „Wort“", details={"left": "1.500", "deep": [{"a": None}]})

    (alert,) = spool.all()
    assert (alert.event, alert.subject, alert.severity) == ("test.low", "чай/../🧋\n", "warning")
    assert (alert.message, alert.details) == ("Ein „Wort“", {"left": "1.500", "deep": [{"a": None}]})
    assert (alert.count, alert.first_at, alert.last_at, alert.resolved_at) == (1, AT, AT, None)


def test_the_same_again_counts_and_takes_the_newer_text(spool: Spool) -> None:
    note(spool)
    note(spool, "tea")
    note(spool, message="Milk is gone", at=LATER)

    milk, tea = spool.all()
    assert (milk.subject, milk.count, milk.message) == ("milk", 2, "Milk is gone")
    assert (milk.first_at, milk.last_at, tea.count) == (AT, LATER, 1)


def test_an_end_closes_it_and_what_comes_then_is_another(spool: Spool) -> None:
    note(spool)
    spool.note_end(event="test.low", subject="milk", severity="warning", at=LATER)
    note(spool, at=LATER)

    first, second = spool.all()
    assert (first.count, first.resolved_at, second.count, second.resolved_at) == (1, LATER, 1, None)


def test_an_end_without_a_beginning_is_for_what_is_open_in_the_database(spool: Spool) -> None:
    spool.note_end(event="test.low", subject="milk", severity="warning", at=LATER)

    (end,) = spool.all()
    assert (end.subject, end.count, end.resolved_at) == ("milk", 0, LATER)


def test_news_are_each_an_alert_of_its_own(spool: Spool) -> None:
    note(spool, is_news=True)
    note(spool, is_news=True)

    assert [(alert.count, alert.resolved_at) for alert in spool.all()] == [(1, AT), (1, AT)]


def test_what_was_taken_changes_no_more(spool: Spool) -> None:
    note(spool)
    (taken,) = spool.take()
    note(spool)
    assert spool.holds("test.low", "milk")

    assert [alert.id for alert in spool.read(spool.taken_folder)] == [taken.id]
    assert [alert.count for alert in spool.all()] == [1, 1]
    spool.forget([taken])
    (left,) = spool.all()
    assert left.id > taken.id


def test_what_was_taken_and_not_forgotten_is_given_again(spool: Spool) -> None:
    note(spool)

    assert spool.take() == spool.take()
    assert spool.take()[0].count == 1


def test_many_at_once_lose_nothing(spool: Spool) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: note(spool, str(number % 3)), range(60)))

    assert sorted((alert.subject, alert.count) for alert in spool.all()) == [("0", 20), ("1", 20), ("2", 20)]


def test_only_the_owner_can_read_it(spool: Spool) -> None:
    note(spool)

    assert [path.stat().st_mode & 0o077 for path in [spool.folder, *spool.folder.rglob("*")]] == [0] * 6


def test_a_file_that_cannot_be_read_is_set_aside(spool: Spool) -> None:
    note(spool)
    (spool.alerts_folder / f"0.{'0' * 16}.json").write_text('{"id": 1}')

    assert len(spool.all()) == 1
    assert len(spool.take()) == 1
    assert [path.suffix for path in spool.alerts_folder.iterdir()] == [".unreadable"]


def test_a_file_that_cannot_be_opened_now_is_read_another_time(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    note(spool)

    def refuse(path: Path, **options: object) -> str:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        assert spool.all() == []
    assert len(spool.all()) == 1


def test_a_full_spool_refuses_new_kinds_and_counts_the_known(spool: Spool) -> None:
    note(spool)
    for number in range(MOST_ALERTS - 1):
        (spool.alerts_folder / f"{number}.{'0' * 16}.json").touch()

    with pytest.raises(SpoolFull):
        note(spool, "tea")
    note(spool)
    assert next(alert.count for alert in spool.all() if alert.subject == "milk") == 2


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """One of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "full").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))


@pytest.mark.as_root
def test_a_disk_that_becomes_full_has_room_for_alerts(tiny_disk: Path) -> None:
    spool = Spool(tiny_disk / "spool")
    spool.make()
    spool.reserve_room()
    fill(tiny_disk)

    for number in range(20):
        note(spool, str(number % 10))
    assert [alert.count for alert in spool.all()] == [2] * 10
    assert not spool.room.exists()

    fill(tiny_disk)
    with pytest.raises(OSError, match="No space left"):
        note(spool, "one more")
    spool.reserve_room()
    assert [path.name for path in spool.folder.glob("room*")] == []
    (tiny_disk / "full").unlink()
    spool.reserve_room()
    assert (spool.room.stat().st_size, len(spool.all())) == (512 * 1024, 10)
