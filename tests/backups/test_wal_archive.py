"""The folder of received WAL: what may be deleted from it, and what the receiver says of itself there."""

from pathlib import Path

import pytest

from backups.engine.manifest import Kind, Manifest, State
from backups.engine.receiver import forget_wal_before, keep_wal_since, receiver_state
from backups.engine.repository import Repository, Stored, now

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


@pytest.mark.parametrize("text", ["", "{", "[]", '{"gaps": [{}]}', '{"pid": 1, "since": "x"}'])
def test_a_state_that_can_not_be_read_counts_as_none(repository: Repository, text: str) -> None:
    (repository.root / "receiver.json").write_text(text)
    state = receiver_state(repository)
    assert (state.pid, state.since, state.gaps, state.is_running) == (0, None, [], False)
