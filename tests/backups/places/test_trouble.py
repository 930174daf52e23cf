"""Copies that are damaged, broken off or killed: none of them looks whole."""

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.engine.place import Place, open_place
from backups.engine.place_wal import fetch_wal, send_wal
from backups.engine.places import check, fetch, forget, listing, send, send_missing
from backups.engine.repository import Repository
from backups.engine.wal_pages import IS_LONG, LONG_HEADER
from backups.errors import BackupFailed, Damaged, DiskIsFull, Interrupted, UnknownBackup
from tests.backups.cluster import wait_until
from tests.backups.copying import KEYS, OTHER, PIECE, PIECES, content_of, make_backup

# --- what is damaged ---------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["flipped bit", "cut off", "missing", "swapped", "of another backup"])
def test_a_piece_that_is_not_what_was_sent_is_noticed_and_named(
    place: Place, outside: Path, repository: Repository, elsewhere: Repository, harm: str
) -> None:
    stored, other = make_backup(repository), make_backup(repository)
    for one in (stored, other):
        send(one, place, keys=KEYS, size=PIECE)
    first, second = (outside / "backups" / stored.id / f"00000{number}.{KEYS[0].id}" for number in (1, 2))
    content = second.read_bytes()
    match harm:
        case "flipped bit":
            second.write_bytes(content[:1000] + bytes([content[1000] ^ 4]) + content[1001:])
        case "cut off":
            second.write_bytes(content[:-1])
        case "missing":
            second.unlink()
        case "swapped":
            second.write_bytes(first.read_bytes())
        case _:
            second.write_bytes((outside / "backups" / other.id / second.name).read_bytes())

    [finding] = check(place, stored.id, keys=KEYS)
    assert f"backups/{stored.id}/{second.name}" in finding
    with pytest.raises(Damaged) as caught:
        fetch(place, stored.id, elsewhere, keys=KEYS)
    assert str(caught.value) == finding
    assert list((elsewhere.root / "physical").iterdir()) == []
    assert check(place, other.id, keys=KEYS) == []


def test_a_damaged_manifest_hides_only_its_own_copy(place: Place, outside: Path, repository: Repository) -> None:
    stored, whole = make_backup(repository), make_backup(repository)
    send_missing(repository, place, keys=KEYS)
    (outside / "backups" / stored.id / "manifest").write_bytes(b"SAMOVAR")
    found = listing(place, keys=KEYS)
    assert [copy.id for copy in found.copies] == [whole.id]
    assert isinstance(found.unreadable[stored.id], Damaged)


@pytest.mark.parametrize("name", ["..", "", "../backups", "a/b"])
def test_an_id_leads_nowhere_else(place: Place, elsewhere: Repository, name: str) -> None:
    with pytest.raises(UnknownBackup):
        fetch(place, name, elsewhere, keys=KEYS)
    with pytest.raises(UnknownBackup):
        forget(place, name)


def test_a_link_in_a_backup_is_refused_rather_than_left_out(place: Place, repository: Repository) -> None:
    stored = make_backup(repository)
    (stored.data / "pg_tblspc").symlink_to("/srv/table space")
    with pytest.raises(BackupFailed, match=r"pg_tblspc is no plain file: it can't be copied\.$"):
        send(stored, place, keys=KEYS)
    assert listing(place, keys=KEYS).copies == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"dump/toc": 2_000_000, "media.tar": 3_000_000}, "it is not as large as it was"),
        ({"media.tar": 5_000_000}, "unexpected end of data"),
    ],
)
def test_a_file_that_changes_under_our_hands_ends_in_no_copy(
    place: Place, repository: Repository, content: dict[str, int], why: str
) -> None:
    stored = make_backup(repository, {name: os.urandom(size) for name, size in content.items()})

    def shrink(_stage: str, _share: float | None) -> None:
        (stored.folder / "media.tar").write_bytes(b"short")

    with pytest.raises(Damaged, match=rf"/media\.tar can't be read: {why}\.$"):
        send(stored, place, keys=KEYS, size=100_000, progress=shrink)
    assert listing(place, keys=KEYS).copies == []


# --- interruptions -----------------------------------------------------------------------------------


def test_sending_goes_on_where_it_was_stopped(place: Place, repository: Repository, elsewhere: Repository) -> None:
    stored, asked, shares = make_backup(repository), iter([False, False, False, True]), []
    with pytest.raises(Interrupted):
        send(stored, place, keys=KEYS, size=PIECE, is_stopped=lambda: next(asked))
    found = listing(place, keys=KEYS)
    assert (found.copies, found.unfinished) == ([], [stored.id])
    with pytest.raises(UnknownBackup):
        fetch(place, stored.id, elsewhere, keys=KEYS)

    sent = send(stored, place, keys=KEYS, size=PIECE, progress=lambda stage, share: shares.append((stage, share)))
    assert sent == PIECES - 3
    assert shares[0] == ("Sending", 0.0)
    assert len(shares) == PIECES
    assert content_of(fetch(place, stored.id, elsewhere, keys=KEYS).folder) == content_of(stored.folder)


def test_what_was_sent_under_a_key_that_is_gone_is_sent_again(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    stored, asked = make_backup(repository), iter([False, False, True])
    with pytest.raises(Interrupted):
        send(stored, place, keys=KEYS, size=PIECE, is_stopped=lambda: next(asked))
    assert send(stored, place, keys=[OTHER], size=PIECE) == PIECES
    assert len(place.sizes(f"backups/{stored.id}")) == PIECES + 1
    fetch(place, stored.id, elsewhere, keys=[OTHER])


def test_fetching_that_is_stopped_leaves_nothing(place: Place, repository: Repository, elsewhere: Repository) -> None:
    stored, asked = make_backup(repository), iter([False, False, True])
    send(stored, place, keys=KEYS, size=PIECE)
    with pytest.raises(Interrupted):
        fetch(place, stored.id, elsewhere, keys=KEYS, is_stopped=lambda: next(asked, True))
    assert list((elsewhere.root / "physical").iterdir()) == []


def send_for_ever(root: Path, url: str) -> None:
    repository, place = Repository(root), open_place(url)
    while True:
        for stored in repository.backups():
            send(stored, place, keys=KEYS, size=20_000)
            forget(place, stored.id)


def test_a_process_that_is_killed_leaves_no_copy_that_looks_whole(
    place: Place, outside: Path, repository: Repository, elsewhere: Repository
) -> None:
    stored = make_backup(repository)
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=send_for_ever, args=(repository.root, f"file://{outside}"), daemon=True)
    other.start()
    folder = outside / "backups" / stored.id
    for number in (7, 23, 40):
        wait_until(lambda number=number: len(list(folder.glob("*"))) >= number, seconds=60)
        os.kill(other.pid or 0, signal.SIGSTOP)
        # Stopped, it can be looked at; what is seen is what a kill would leave.
        found = listing(place, keys=KEYS)
        assert found.unreadable == {}
        for copy in found.copies:
            assert check(place, copy.id, keys=KEYS) == []
        os.kill(other.pid or 0, signal.SIGCONT)
    other.kill()
    other.join()
    for copy in listing(place, keys=KEYS).copies:
        assert check(place, copy.id, keys=KEYS) == []
    send(stored, place, keys=KEYS, size=20_000)
    assert content_of(fetch(place, stored.id, elsewhere, keys=KEYS).folder) == content_of(stored.folder)
    assert list(folder.glob("*.part")) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.as_root
def test_what_there_is_no_room_for_is_not_fetched(place: Place, repository: Repository, small_disk: Path) -> None:
    stored, new = make_backup(repository), Repository(small_disk)
    new.make()
    send(stored, place, keys=KEYS)
    with pytest.raises(DiskIsFull, match=rf"^The disk that holds {small_disk} has 2 MB left and 51 MB are needed\."):
        fetch(place, stored.id, new, keys=KEYS)
    assert list((small_disk / "physical").iterdir()) == []


@pytest.mark.as_root
def test_wal_that_fills_the_disk_leaves_whole_segments_only(
    place: Place, repository: Repository, small_disk: Path
) -> None:
    header = LONG_HEADER.pack(0xD118, IS_LONG, 1, 0, 0, 0, 7, 1 << 20, 8192)
    for number in range(1, 5):
        (repository.wal / f"00000001{number:016X}").write_bytes(header + os.urandom(700_000))
    new = Repository(small_disk)
    new.make()
    send_wal(repository, place, keys=KEYS)
    with pytest.raises(DiskIsFull, match=rf"^The disk that holds {small_disk}/wal is full\."):
        fetch_wal(place, new, "7", keys=KEYS)
    there = sorted(new.wal.iterdir())
    assert [path.name for path in there] == [f"00000001{number:016X}" for number in (1, 2)]
    assert [path.read_bytes() for path in there] == [(repository.wal / path.name).read_bytes() for path in there]
