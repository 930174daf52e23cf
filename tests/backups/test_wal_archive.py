"""The folder of received WAL: what may be deleted from it, and what the receiver says of itself there."""

from pathlib import Path

import pytest

from backups.engine.manifest import Kind, Manifest, State
from backups.engine.receiver import forget_wal_before, keep_wal_since, receiver_state
from backups.engine.repository import Repository, Stored, now
from backups.engine.wal_archive import leave_other_history
from backups.engine.wal_names import Archive, Lineage

SIZE = 16 * 1024**2


def stored(kind: Kind, start_wal: str, number: int) -> Stored:
    manifest = Manifest(
        id=str(number),
        kind=kind,
        started_at=now(),
        completed_at=now(),
        server_version=180006,
        system_identifier="7",
        database="shop",
        size=3,
        segment_size=SIZE if start_wal else 0,
        start_wal=start_wal,
    )
    return Stored(Path(str(number)), manifest, State())


def test_wal_is_kept_from_the_oldest_backup_on() -> None:
    older, newer = "0000000100000000000000FE", "000000020000000100000003"
    kept = [stored(Kind.PHYSICAL, newer, 3), stored(Kind.LOGICAL, "", 2), stored(Kind.PHYSICAL, older, 1)]
    assert keep_wal_since(kept) == older
    assert keep_wal_since(kept[:2]) == newer
    assert keep_wal_since(kept[1:2]) == ""


def test_wal_before_a_segment_is_forgotten_on_all_timelines(repository: Repository) -> None:
    names = [
        "0000000100000000000000FE",
        "0000000100000000000000FF",
        "0000000100000000000000FF.partial",
        "000000010000000100000000",
        "000000020000000000000FFF",
        "000000020000000100000000",
        "000000020000000100000001.partial",
        "00000002.history",
        "notes.txt",
    ]
    left = [
        "0000000100000000000000FD.partial.damaged",
        "left/0000000100000000000000FC",
        "left/000000010000000100000002",
    ]
    (repository.wal / "left").mkdir()
    for name in names + left:
        (repository.wal / name).write_bytes(b"")
    assert forget_wal_before(repository, "000000020000000100000000") == [
        "0000000100000000000000FE",
        "0000000100000000000000FF",
        "0000000100000000000000FF.partial",
        "000000020000000000000FFF",
        "0000000100000000000000FD.partial.damaged",
        "0000000100000000000000FC",
    ]
    assert [path.name for path in (repository.wal / "left").iterdir()] == ["000000010000000100000002"]
    assert sorted(path.name for path in repository.wal.iterdir()) == [
        "000000010000000100000000",
        "00000002.history",
        "000000020000000100000000",
        "000000020000000100000001.partial",
        "left",
        "notes.txt",
    ]


def test_the_newest_segment_always_stays(repository: Repository) -> None:
    for name in ("000000010000000000000001", "000000010000000000000002"):
        (repository.wal / name).write_bytes(b"")
    assert forget_wal_before(repository, "000000010000000000000009") == ["000000010000000000000001"]
    with pytest.raises(ValueError, match="notes"):
        forget_wal_before(repository, "notes.txt")
    assert [path.name for path in repository.wal.iterdir()] == ["000000010000000000000002"]


# --- another history ---------------------------------------------------------------------------------

# The second timeline left the first within the segment 5.
SECOND = Lineage(2, ((1, 0x5000128),))
FIRST_OF_SECOND = "000000020000000000000005"


def received(repository: Repository, *names: str) -> Archive:
    for name in names:
        (repository.wal / name).write_bytes(b"")
    return Archive.read(repository.wal, segment_size=SIZE)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def test_what_only_the_old_server_had_is_set_aside(repository: Repository) -> None:
    archive = received(repository, "000000010000000000000005", "000000010000000000000006", "000000010000000000000007")
    assert leave_other_history(archive, SECOND)
    assert names_in(repository.wal / "left") == ["000000010000000000000006", "000000010000000000000007"]
    assert names_in(repository.wal) == ["000000010000000000000005", f"{FIRST_OF_SECOND}.partial"]


def test_the_segment_in_which_a_timeline_begins_is_kept(repository: Repository) -> None:
    archive = received(repository, "000000010000000000000005.partial", FIRST_OF_SECOND, "000000010000000000000006")
    assert leave_other_history(archive, SECOND)
    assert names_in(repository.wal / "left") == ["000000010000000000000006"]
    assert names_in(repository.wal) == ["000000010000000000000005.partial", FIRST_OF_SECOND]


@pytest.mark.parametrize("newer", ["000000030000000000000006", "00000003.history"])
def test_a_leader_of_before_throws_nothing_out(repository: Repository, newer: str) -> None:
    names = sorted(["000000010000000000000005", FIRST_OF_SECOND, newer])
    archive = received(repository, *names)
    assert not leave_other_history(archive, SECOND)
    assert (names_in(repository.wal), names_in(repository.wal / "left")) == (names, [])
    # The first timeline's server has no history at all.
    assert not leave_other_history(archive, Lineage(1))
    assert names_in(repository.wal) == names


def test_a_newer_leader_leaves_an_older_one_that_it_does_not_come_from(repository: Repository) -> None:
    archive = received(repository, "000000010000000000000005", FIRST_OF_SECOND, "000000020000000000000006")
    assert leave_other_history(archive, Lineage(3, ((1, 0x5000128),)))
    assert names_in(repository.wal / "left") == [FIRST_OF_SECOND, "000000020000000000000006"]
    assert names_in(repository.wal) == ["000000010000000000000005", "000000030000000000000005.partial"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"gaps": [{}]}', '{"pid": 1, "since": "x"}'])
def test_a_state_that_can_not_be_read_counts_as_none(repository: Repository, text: str) -> None:
    (repository.root / "receiver.json").write_text(text)
    state = receiver_state(repository)
    assert (state.pid, state.since, state.gaps, state.is_running) == (0, None, [], False)
