"""Copies in other places: sealed, and the same when they come back."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import override_settings

from backups.engine.manifest import Kind
from backups.engine.place import Place
from backups.engine.places import SENT, check, fetch, forget, listing, send, send_missing
from backups.engine.repository import Repository
from backups.errors import Damaged, UnknownBackup, WrongKey
from tests.backups.copying import CONTENT, KEYS, OTHER, PIECE, PIECES, content_of, make_backup


def test_a_backup_comes_back_from_every_kind_of_place_as_it_was(
    any_place: Place, repository: Repository, elsewhere: Repository
) -> None:
    stored = make_backup(repository)
    assert send(stored, any_place, keys=KEYS, size=PIECE) == PIECES
    assert [copy.manifest for copy in listing(any_place, keys=KEYS).copies] == [stored.manifest]
    assert check(any_place, stored.id, keys=KEYS) == []

    fetched = fetch(any_place, stored.id, elsewhere, keys=KEYS)
    assert fetched.manifest == stored.manifest
    assert content_of(fetched.folder) == {**CONTENT, "data/pg_notify": None, "data/pg_wal/archive_status": None}
    assert elsewhere.get(stored.id).state.places == {any_place.name: SENT}
    assert list((elsewhere.root / "physical").iterdir()) == [fetched.folder]

    assert send(stored, any_place, keys=KEYS, size=PIECE) == 0
    forget(any_place, stored.id)
    assert listing(any_place, keys=KEYS).copies == []
    assert any_place.folders("backups") == []
    with pytest.raises(UnknownBackup):
        forget(any_place, stored.id)


def test_what_came_back_belongs_to_its_owner_alone_as_postgresql_demands(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    stored = make_backup(repository)
    send(stored, place, keys=KEYS)
    folder = fetch(place, stored.id, elsewhere, keys=KEYS).folder
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}


def test_nothing_readable_leaves(place: Place, outside: Path, repository: Repository) -> None:
    send(make_backup(repository, {"dump/Заказы.dat": b"oolong with milk " * 99}, kind=Kind.LOGICAL), place, keys=KEYS)
    sent = [path for path in outside.rglob("*") if path.is_file()]
    assert sorted(path.name for path in sent) == [f"000001.{KEYS[0].id}", "manifest"]
    for path in sent:
        for word in (b"oolong", "Заказы".encode(), b"manifest", b"shop"):
            assert word not in path.read_bytes()


def test_all_that_is_not_there_yet_is_sent_and_noted_down(place: Place, repository: Repository) -> None:
    first, second, damaged = (make_backup(repository) for _number in range(3))
    repository.note(damaged, replace(damaged.state, damage=["base/5/1259 was changed"]))
    send(first, place, keys=KEYS)
    assert [stored.id for stored in send_missing(repository, place, keys=KEYS)] == [second.id]
    assert [stored.state.places for stored in repository.backups()] == [{place.name: SENT}, {place.name: SENT}, {}]
    assert send_missing(repository, place, keys=KEYS) == []

    forget(place, first.id)
    assert [stored.id for stored in send_missing(repository, place, keys=KEYS)] == [first.id]


def test_what_an_incremental_backup_builds_upon_comes_with_it(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    base = make_backup(repository)
    middle = make_backup(repository, base_id=base.id)
    newest = make_backup(repository, base_id=middle.id)
    send_missing(repository, place, keys=KEYS)
    fetch(place, newest.id, elsewhere, keys=KEYS)
    assert [stored.id for stored in elsewhere.backups()] == [base.id, middle.id, newest.id]


def test_a_damaged_backup_is_replaced_by_its_copy_if_one_says_so(place: Place, repository: Repository) -> None:
    stored = repository.note(made := make_backup(repository), replace(made.state, is_kept=True))
    send(stored, place, keys=KEYS)
    (stored.folder / "data/PG_VERSION").write_bytes(b"19\n")
    (stored.folder / "manifest.json").write_text("{")

    with pytest.raises(Damaged):
        fetch(place, stored.id, repository, keys=KEYS)
    fetched = fetch(place, stored.id, repository, keys=KEYS, replaces=True)
    assert (fetched.data / "PG_VERSION").read_bytes() == b"18\n"
    assert [one.id for one in repository.backups()] == [stored.id]
    assert repository.get(stored.id).state.is_kept


def test_one_that_is_here_is_not_fetched_again(place: Place, repository: Repository) -> None:
    stored = make_backup(repository)
    send(stored, place, keys=KEYS)
    (stored.folder / "data/PG_VERSION").write_bytes(b"here")
    fetch(place, stored.id, repository, keys=KEYS)
    assert (stored.data / "PG_VERSION").read_bytes() == b"here"


# --- keys --------------------------------------------------------------------------------------------


def test_a_wrong_key_says_so_and_brings_nothing(place: Place, repository: Repository, elsewhere: Repository) -> None:
    stored = make_backup(repository)
    send(stored, place, keys=KEYS)
    with pytest.raises(WrongKey, match=rf"^It was sealed with the key {KEYS[0].id}, and BACKUP_KEY has only"):
        fetch(place, stored.id, elsewhere, keys=[OTHER])
    found = listing(place, keys=[OTHER])
    assert (found.copies, list(found.unreadable)) == ([], [stored.id])
    assert isinstance(found.unreadable[stored.id], WrongKey)
    assert elsewhere.backups() == []


def test_after_a_change_of_the_key_old_and_new_copies_open(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    old, new = make_backup(repository), make_backup(repository)
    send(old, place, keys=KEYS)
    send(new, place, keys=[OTHER, *KEYS])
    for stored in (old, new):
        fetch(place, stored.id, elsewhere, keys=[OTHER, *KEYS])
    assert [stored.id for stored in elsewhere.backups()] == [old.id, new.id]


@override_settings(BACKUP_KEYS=[])
def test_without_a_key_nothing_leaves(place: Place, outside: Path, repository: Repository) -> None:
    with pytest.raises(WrongKey, match="BACKUP_KEY is not set"):
        send(make_backup(repository), place)
    assert list(outside.iterdir()) == []


def test_a_copy_of_a_newer_samovar_says_so(
    place: Place, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = make_backup(repository)
    monkeypatch.setattr("backups.engine.places.FORMAT", 2)
    send(stored, place, keys=KEYS)
    monkeypatch.undo()
    assert "made by a newer Samovar" in str(listing(place, keys=KEYS).unreadable[stored.id])
