"""Copies in other places are looked after: one that failed is told, one that was damaged there is sent once more."""

import base64
import datetime
from pathlib import Path
from typing import Any

import pytest

from backups.engine.repository import Repository, Stored
from backups.errors import Interrupted
from backups.services.alarms import of_copies
from backups.services.copies import check_copies, send_copies
from tests.backups.copying import KEYS, MOMENT, make_backup

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
