"""What the checks call a warning and what a failure: room on disks, tasks that wait, the state of the database."""

from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from pytest_django import Settings

from monitoring import database_checks, disk, queue, registry
from monitoring.database.replication import Standby
from monitoring.disk import Disk, disks, has_room
from monitoring.errors import CheckFailed, CheckWarning

GB = 1024**3
Usage = namedtuple("Usage", "total used free")
SOUND = {"damaged_pages": 0, "age": 200_000_000, "used": 10, "limit": 100, "longest": 5, "invalid_indexes": 0}


def verdict(question: Any, *values: Any) -> str:
    """What the check says of it, and its sentence."""
    try:
        question(*values)
    except CheckWarning as warning:
        return f"warning: {warning}"
    except CheckFailed as failure:
        return f"failed: {failure}"
    return "fine"


def test_whatever_a_check_raises_has_a_name_and_what_to_do() -> None:
    for check in registry.checks.all():
        for name in filter(None, (check.event, check.warning_event)):
            assert registry.events.get(name).tell is not None, name
        assert check.title, check.name
        assert check.advice, check.name


@pytest.mark.parametrize(
    ("total", "free", "expected"),
    [
        (100 * GB, 10 * GB, "fine"),
        (100 * GB, 9.9 * GB, "warning: media: 9.9 GB are free, 9.9 %."),
        (100 * GB, 3 * GB, "warning: media: 3.0 GB are free, 3.0 %."),
        (100 * GB, 2.9 * GB, "failed: media: 2.9 GB are free, 2.9 %."),
        # A small disk: enough of it, and yet no room.
        (1 * GB, 0.4 * GB, "failed: media: 0.4 GB are free, 40.0 %."),
    ],
)
def test_little_room_is_a_warning_and_almost_none_a_failure(
    total: float, free: float, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        disk, "disks", lambda: [Disk(("var",), 100 * GB, 50 * GB), Disk(("media",), int(total), int(free))]
    )

    assert verdict(has_room) == expected


def test_a_disk_with_several_folders_counts_once_and_a_folder_may_be_missing(
    settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "not" / "there"
    settings.BACKUP_DIR, settings.SPOOL_DIR, settings.LOG_DIR = tmp_path / "backups", tmp_path / "spool", None
    asked = []

    def usage(folder: Path) -> Usage:
        asked.append(folder)
        return Usage(100 * GB, 40 * GB, 60 * GB)

    (found,) = disks(usage)

    assert asked == [tmp_path]
    assert (found.name, found.total, found.free) == ("var, media, backups, spool", 100 * GB, 60 * GB)


def test_the_path_of_a_disk_is_told_to_nobody() -> None:
    try:
        said = has_room()
    except CheckFailed as failure:
        said = str(failure)

    assert "/" not in said


def test_tasks_that_wait_are_counted_and_many_are_a_warning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Celery("test", broker="memory://", set_as_current=False)
    monkeypatch.setattr(queue, "current_app", app)
    with app.connection_for_write() as connection:
        # What is in memory belongs to all tests of this process.
        connection.default_channel.queue_declare("celery")
        connection.default_channel.queue_purge("celery")
    assert queue.waiting_tasks(app) == 0
    settings.QUEUE_LONG_FROM = 3

    for _number in range(2):
        app.send_task("work")
    assert queue.is_short() == "Tasks that wait: 2."

    app.send_task("work")
    assert verdict(queue.is_short) == "warning: Tasks that wait: 3."


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "fine"),
        ({"damaged_pages": 1}, "failed: Pages with a wrong checksum were read in the last day: 1."),
        ({"used": 74}, "fine"),
        ({"used": 75}, "warning: Connections: 75 of 100."),
        ({"used": 90}, "failed: Connections: 90 of 100."),
        ({"age": 1_000_000_001}, "warning: VACUUM is 1000000001 transactions behind."),
        (
            {"age": 1_600_000_001},
            "failed: VACUUM is 1600000001 transactions behind; at 2000000000 nothing can be saved any more.",
        ),
        ({"longest": 3601}, "warning: A transaction has been open for 3601 seconds."),
        ({"invalid_indexes": 2}, "warning: Indexes that are not valid: 2."),
        # The worst is said.
        ({"used": 90, "longest": 3601}, "failed: Connections: 90 of 100."),
    ],
)
def test_what_will_stop_the_database_is_told_before_it_does(change: dict[str, int], expected: str) -> None:
    assert verdict(database_checks.judge, {**SOUND, **change}) == expected


@pytest.mark.parametrize(
    ("size", "seconds", "expected"),
    [
        (256 * 1024**2, 60, "fine"),
        (300 * 1024**2, 0, "failed: node2 is 300 MB and 0 seconds behind."),
        (0, 61, "failed: node2 is 0 MB and 61 seconds behind."),
    ],
)
def test_a_standby_that_falls_behind_is_a_failure(size: int, seconds: int, expected: str) -> None:
    standby = Standby(name="node2", state="streaming", mode="async", bytes=size, seconds=seconds)

    assert verdict(database_checks.judge_standby, standby) == expected


@pytest.mark.django_db(transaction=True)
def test_a_server_without_trouble_and_without_standbys_is_fine() -> None:
    assert database_checks.is_sound().startswith("Connections: ")
    assert database_checks.keeps_up() == "Nobody receives the WAL."
