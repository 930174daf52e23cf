"""Copies in other places are looked after: one that failed is told, one that was damaged there is sent once more."""

import base64
import datetime
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from backups.engine.repository import Repository, Stored
from backups.errors import Interrupted
from backups.services import copies
from backups.services.alarms import of_copies
from backups.services.copies import check_copies, send_copies, send_wal_along
from tests.backups.cluster import wait_until
from tests.backups.copying import KEYS, MOMENT, make_backup, segment, write

ENDLESSLY = (lambda _stage, _share: None, lambda: False)


@pytest.fixture
def outside(tmp_path: Path, settings: Any) -> Path:
    """The folder of another disk, to which the shop's copies go."""
    folder = tmp_path / "disk"
    folder.mkdir()
    settings.BACKUP_PLACES = [url_of(folder)]
    settings.BACKUP_KEYS = [base64.urlsafe_b64encode(KEYS[0].secret).decode()]
    return folder


def url_of(folder: Path) -> str:
    return f"file://{folder}"


def noted(repository: Repository, stored: Stored) -> list[str]:
    return list(repository.get(stored.id).state.places.values())


def told(repository: Repository) -> list[str]:
    return [trouble.sentence for trouble in of_copies(repository.backups())]


def test_what_was_not_sent_says_why_until_it_is(outside: Path, repository: Repository) -> None:
    older = make_backup(repository)
    assert send_copies(repository, *ENDLESSLY) == {url_of(outside): ""}
    newer = make_backup(repository, started_at=MOMENT + datetime.timedelta(hours=1))
    away = outside.rename(outside.with_name("unplugged"))

    [(place, why)] = send_copies(repository, *ENDLESSLY).items()
    assert (place, noted(repository, older), noted(repository, newer)) == (url_of(outside), ["sent"], [why])
    assert told(repository) == [f"The newest backup is not in {url_of(outside)}: {why}"]

    away.rename(outside)
    assert send_copies(repository, *ENDLESSLY) == {url_of(outside): ""}
    assert noted(repository, newer) == ["sent"]
    assert told(repository) == []


def test_without_a_key_nothing_is_sent_and_that_is_told(outside: Path, repository: Repository, settings: Any) -> None:
    settings.BACKUP_KEYS = []
    make_backup(repository)
    [why] = send_copies(repository, *ENDLESSLY).values()
    assert why.startswith("BACKUP_KEY is not set")
    assert told(repository) == [f"The newest backup is not in {url_of(outside)}: {why}"]
    assert list(outside.iterdir()) == []


def test_an_address_that_is_none_keeps_the_others_from_nothing(
    outside: Path, repository: Repository, settings: Any
) -> None:
    settings.BACKUP_PLACES = ["gopher://old", *settings.BACKUP_PLACES]
    stored = make_backup(repository)
    came_of_it = send_copies(repository, *ENDLESSLY)
    assert came_of_it[url_of(outside)] == ""
    assert len(came_of_it) == 2
    assert noted(repository, stored) == ["sent"]


@pytest.mark.parametrize("file", ["manifest", "00000?.*"])
def test_a_copy_that_was_damaged_is_sent_once_more(outside: Path, repository: Repository, file: str) -> None:
    stored, other = make_backup(repository), make_backup(repository)
    send_copies(repository, *ENDLESSLY)
    assert check_copies(repository, stored, *ENDLESSLY) == {url_of(outside): ""}
    (path,) = (outside / "backups" / stored.id).glob(file)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    [why] = check_copies(repository, stored, *ENDLESSLY).values()
    assert why.startswith(f"The copy of {stored.id} was damaged, and was sent once more: ")
    assert check_copies(repository, stored, *ENDLESSLY) == {url_of(outside): ""}
    assert noted(repository, stored) == noted(repository, other) == ["sent"]


def test_a_copy_that_somebody_deleted_is_sent_once_more(outside: Path, repository: Repository) -> None:
    stored = make_backup(repository)
    send_copies(repository, *ENDLESSLY)
    (outside / "backups" / stored.id / "manifest").unlink()
    assert check_copies(repository, stored, *ENDLESSLY) == {url_of(outside): ""}
    assert (outside / "backups" / stored.id / "manifest").exists()


def test_who_stops_it_stops_it(outside: Path, repository: Repository) -> None:
    stored = make_backup(repository)
    with pytest.raises(Interrupted):
        send_copies(repository, ENDLESSLY[0], lambda: True)
    assert noted(repository, stored) == []


# --- the WAL, as it comes ----------------------------------------------------------------------------


@contextmanager
def sending_along(repository: Repository) -> Iterator[None]:
    stopped = threading.Event()
    sender = threading.Thread(
        target=send_wal_along, args=(repository,), kwargs={"stopped": stopped, "every": 0.02}, daemon=True
    )
    sender.start()
    try:
        yield
    finally:
        stopped.set()
        sender.join(30)
        assert not sender.is_alive()


def sent_to(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("wal/7/*")}


def test_the_wal_follows_as_it_comes(outside: Path, repository: Repository) -> None:
    write(repository, segment(1), f"{segment(2)}.partial")
    with sending_along(repository):
        wait_until(lambda: sent_to(outside) == {segment(1), f"{segment(2)}.partial"})
        (repository.wal / f"{segment(2)}.partial").rename(repository.wal / segment(2))
        wait_until(lambda: sent_to(outside) == {segment(1), segment(2)})


def test_a_place_that_was_away_gets_the_wal_when_it_is_back(outside: Path, repository: Repository) -> None:
    write(repository, segment(1))
    away = outside.rename(outside.with_name("unplugged"))
    with capture_logs() as logs, sending_along(repository):
        wait_until(lambda: [entry for entry in logs if entry["event"] == "copy_not_sent"])
        away.rename(outside)
        wait_until(lambda: sent_to(outside) == {segment(1)})


def test_where_nothing_has_come_nothing_is_sent(
    outside: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[str] = []

    def send(*_arguments: Any, **_more: Any) -> list[str]:
        rounds.append("sent")
        return []

    monkeypatch.setattr(copies, "send_wal", send)
    write(repository, f"{segment(1)}.partial")
    stopped = Rounds(5)
    send_wal_along(repository, stopped=stopped, every=0.0)
    assert rounds == ["sent"]
    # What came behind it in the same segment is new.
    os.utime(repository.wal / f"{segment(1)}.partial", ns=(0, 7))
    send_wal_along(repository, stopped=Rounds(5), every=0.0)
    assert rounds == ["sent", "sent"]


def test_a_mistake_of_our_own_is_logged_and_the_next_round_comes(
    outside: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_more: Any) -> list[str]:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(copies, "send_wal", fail)
    write(repository, segment(1))
    with capture_logs() as logs:
        send_wal_along(repository, stopped=Rounds(3), every=0.0)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("wal_not_sent", "error")] * 3


class Rounds(threading.Event):
    """Is set after so many rounds."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if not self.left:
            self.set()
        return self.is_set()
