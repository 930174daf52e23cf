"""The check of the WAL: what it finds, what it says of it, and that it finds nothing in a good archive."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.engine.repository import Repository
from backups.engine.wal_check import check_wal
from backups.engine.wal_memory import path_of
from backups.engine.wal_pages import PAGE, Kind
from backups.engine.wal_refetch import refetch
from backups.errors import DiskIsFull, Interrupted
from tests.backups import archive
from tests.backups.archive import SIZE, Made, flip, replace
from tests.backups.assembled import fill, small_disk
from tests.backups.cluster import Cluster


@pytest.fixture(scope="module")
def made(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return archive.make_archive(cluster, tmp_path_factory.mktemp("made") / "backups")


@pytest.fixture
def repository(made: Made, tmp_path: Path) -> Iterator[Repository]:
    """A copy, to be broken: links, so a file is replaced and not written to."""
    shutil.copytree(made.root, tmp_path / "backups", copy_function=os.link)
    yield Repository(tmp_path / "backups")
    shutil.rmtree(tmp_path / "backups")


def found(repository: Repository) -> list[tuple[str, Kind]]:
    return [(one.segment, one.kind) for one in check_wal(repository).findings]


def test_nothing_is_found_in_a_good_archive(repository: Repository, made: Made) -> None:
    for read in (5, 1):
        report = check_wal(repository)
        assert report.is_sound
        assert report.findings == ()
        assert (report.first, report.last, report.checked, report.size) == (made.names[0], made.partial, 5, 5 * SIZE)
        # What was sound before is only compared; what is still being received is read again.
        assert report.read == read
        assert report.recoverable == [(made.backup.manifest.consistent_at, report.spans[0].ends_at)]


def test_a_missing_segment_is_named_with_what_it_means(repository: Repository, made: Made) -> None:
    (repository.wal / made.names[3]).unlink()
    report = check_wal(repository)
    (finding,) = report.findings
    until = f"{report.spans[0].ends_at:%Y-%m-%d %H:%M:%S} UTC"
    assert (finding.segment, finding.kind) == (made.names[3], Kind.MISSING)
    assert finding.sentence == (
        f"The WAL segment {made.names[3]} is missing. Recovery is possible up to {until}; to a later moment only after "
        f"a new physical backup."
    )
    assert report.refetchable == [made.names[3]]


def test_a_segment_that_the_backup_brings_along_does_no_harm_when_it_is_missing(
    repository: Repository, made: Made
) -> None:
    (repository.wal / made.names[0]).unlink()
    (finding,) = check_wal(repository).findings
    assert finding.sentence == (
        f"The WAL segment {made.names[0]} is missing. The backup that needs it brings a copy of its own, so recovery "
        f"is as it was."
    )


@pytest.mark.parametrize(
    ("index", "offset", "kind", "why"),
    [
        (1, 16, Kind.DAMAGED, "a broken header"),  # the length of what goes on there
        (1, 20, Kind.DAMAGED, "a broken header"),  # unused bytes of a header
        (1, PAGE * 3 + 8, Kind.DAMAGED, "says that it is the one at"),
        (1, PAGE * 3 + 4, Kind.TIMELINE, "is of timeline 0"),
        (1, 24, Kind.FOREIGN, "it is of the database cluster"),
        (1, PAGE * 100 + 200, Kind.DAMAGED, "incorrect resource manager data checksum"),
        (3, SIZE - 1, Kind.DAMAGED, "there is something in the unused rest"),
        (3, PAGE * 1500 + 10, Kind.DAMAGED, "there is something in the unused rest"),
    ],
)
def test_a_single_flipped_bit_is_found_wherever_it_is(
    repository: Repository, made: Made, index: int, offset: int, kind: Kind, why: str
) -> None:
    flip(repository.wal / made.names[index], offset)
    (finding,) = check_wal(repository).findings
    assert (finding.segment, finding.kind) == (made.names[index], kind)
    assert finding.sentence.startswith(f"The WAL segment {made.names[index]} is damaged: ")
    assert why in finding.sentence
    assert "Recovery is possible up to " in finding.sentence


def test_a_bit_that_nothing_tells_from_a_right_one_is_found_once_the_segment_is_known(
    repository: Repository, made: Made
) -> None:
    assert found(repository) == []
    # Whether a page may be left out by an archive that compresses: any page may say so.
    flip(repository.wal / made.names[1], PAGE * 7 + 2, bit=2)
    report = check_wal(repository)
    assert [(one.segment, one.kind) for one in report.findings] == [(made.names[1], Kind.CHANGED)]
    assert report.spans[0].last.name == made.partial
    # It stays known what it was.
    assert found(repository) == [(made.names[1], Kind.CHANGED)]
    flip(repository.wal / made.names[1], PAGE * 7 + 2, bit=2)
    assert found(repository) == []


def test_a_damaged_memory_is_begun_anew(repository: Repository, made: Made) -> None:
    check_wal(repository)
    path = path_of(repository)
    path.write_text(path.read_text().replace("a", "b", 1))
    report = check_wal(repository)
    assert (report.findings, report.read) == ((), 5)


def test_damage_in_a_record_that_reaches_into_the_next_segment_is_found_there_too(
    repository: Repository, made: Made
) -> None:
    flip(repository.wal / made.names[2], 45)
    assert found(repository) == [(made.names[1], Kind.DAMAGED), (made.names[2], Kind.DAMAGED)]


def test_of_two_neighbours_the_one_that_was_sound_before_is_not_suspected(repository: Repository, made: Made) -> None:
    assert found(repository) == []
    flip(repository.wal / made.names[2], 45)
    assert found(repository) == [(made.names[2], Kind.DAMAGED)]


def test_two_damages_in_different_segments_are_both_found(repository: Repository, made: Made) -> None:
    for index in (1, 3):
        flip(repository.wal / made.names[index], PAGE * 2 + 1000)
    assert found(repository) == [(made.names[1], Kind.DAMAGED), (made.names[3], Kind.DAMAGED)]


def test_truncated_empty_zeroed_and_swapped_segments_are_each_told(repository: Repository, made: Made) -> None:
    wal, names = repository.wal, made.names
    whole = (wal / names[1]).read_bytes()
    replace(wal / names[1], whole[:-1])
    assert found(repository) == [(names[1], Kind.SIZE)]
    replace(wal / names[1], b"")
    assert found(repository) == [(names[1], Kind.SIZE)]
    replace(wal / names[1], bytes(SIZE))
    assert found(repository) == [(names[1], Kind.EMPTY)]
    replace(wal / names[1], whole[: SIZE // 2] + bytes(SIZE // 2))
    assert found(repository) == [(names[1], Kind.EMPTY)]
    replace(wal / names[1], bytes(PAGE) + whole[PAGE:])
    assert found(repository) == [(names[1], Kind.EMPTY)]
    replace(wal / names[1], whole[:PAGE] + bytes(PAGE) + whole[2 * PAGE :])
    assert found(repository) == [(names[1], Kind.EMPTY)]
    replace(wal / names[1], (wal / names[2]).read_bytes())
    (finding,) = check_wal(repository).findings
    assert (finding.segment, finding.kind) == (names[1], Kind.MISPLACED)
    assert f"it holds the WAL of {names[2]}. " in finding.sentence
    replace(wal / names[2], whole)
    assert found(repository) == [(names[1], Kind.MISPLACED), (names[2], Kind.MISPLACED)]


def test_wal_of_another_cluster_is_foreign(repository: Repository, made: Made) -> None:
    path = repository.wal / made.names[3]
    data = bytearray(path.read_bytes())
    data[24:32] = (7).to_bytes(8, "little")
    replace(path, bytes(data))
    (finding,) = check_wal(repository).findings
    assert (finding.segment, finding.kind) == (made.names[3], Kind.FOREIGN)
    assert "it is of the database cluster 7, and the backups are of " in finding.sentence


def test_a_segment_under_the_name_of_another_timeline_is_no_substitute(repository: Repository, made: Made) -> None:
    path = repository.wal / made.names[3]
    path.rename(repository.wal / f"00000002{made.names[3][8:]}")
    assert found(repository) == [("00000002.history", Kind.HISTORY), (made.names[3], Kind.MISSING)]


def test_a_segment_that_is_there_twice_is_told(repository: Repository, made: Made) -> None:
    shutil.copy(repository.wal / made.names[3], repository.wal / f"{made.names[3]}.partial")
    (finding,) = check_wal(repository).findings
    assert (finding.segment, finding.kind) == (made.names[3], Kind.DOUBLE)
    assert finding.sentence.endswith(f"Recovery takes the complete one: delete {made.names[3]}.partial.")


def test_a_part_in_the_middle_is_a_hole(repository: Repository, made: Made) -> None:
    (repository.wal / made.names[2]).rename(repository.wal / f"{made.names[2]}.partial")
    (finding,) = check_wal(repository).findings
    assert (finding.segment, finding.kind) == (made.names[2], Kind.MISSING)
    assert "is missing: only a part of it was received. Recovery is possible up to " in finding.sentence


def test_what_is_still_being_received_may_end_anywhere(repository: Repository, made: Made) -> None:
    path = repository.wal / f"{made.partial}.partial"
    data = path.read_bytes()
    written = len(data.rstrip(b"\0"))
    # Never within the header of a page.
    middle = max(written // 2, written // 2 // PAGE * PAGE + 24)
    for end in (0, 41, PAGE, PAGE * 2 + 400, middle, written - 1):
        replace(path, data[:end] + bytes(SIZE - end))
        assert found(repository) == [], end
        # What was seen in it is not remembered over to the next round.
        path_of(repository).unlink()


def test_but_not_before_the_place_that_was_seen_in_it(repository: Repository, made: Made) -> None:
    assert found(repository) == []
    path = repository.wal / f"{made.partial}.partial"
    whole = path.read_bytes()
    replace(path, whole[:PAGE] + bytes(SIZE - PAGE))
    (finding,) = check_wal(repository).findings
    assert (finding.segment, finding.kind) == (made.partial, Kind.DAMAGED)
    assert "it has less WAL in it than was received. It is received anew when the receiver" in finding.sentence
    path.unlink()
    assert found(repository) == [(made.partial, Kind.MISSING)]
    replace_with = repository.wal / f"{made.partial}.partial"
    replace_with.write_bytes(whole)
    assert found(repository) == []


def test_damage_in_what_is_still_being_received_is_found(repository: Repository, made: Made) -> None:
    path = repository.wal / f"{made.partial}.partial"
    for offset in (PAGE + 300, SIZE - 5):
        whole = path.read_bytes()
        flip(path, offset)
        assert found(repository) == [(made.partial, Kind.DAMAGED)], offset
        replace(path, whole)


def test_without_a_backup_the_archive_is_of_no_use(repository: Repository, made: Made) -> None:
    repository.delete(repository.get(made.backup.id))
    (finding,) = check_wal(repository).findings
    assert (finding.segment, finding.kind) == ("", Kind.BACKUP)
    assert finding.sentence == "There is no physical backup: WAL alone can't be recovered. Make one."


def test_an_empty_folder_is_told_as_what_it_is(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "empty")
    repository.make()
    report = check_wal(repository)
    assert [one.kind for one in report.findings] == [Kind.BACKUP]
    assert (report.first, report.last, report.checked) == ("", "", 0)


def test_a_stopped_check_leaves_nothing_behind(repository: Repository) -> None:
    before = sorted(path.name for path in repository.root.iterdir())
    with pytest.raises(Interrupted):
        check_wal(repository, is_stopped=lambda: True)
    assert sorted(path.name for path in repository.root.iterdir()) == before


@pytest.mark.as_root
def test_a_full_disk_hides_nothing_and_a_refetch_on_it_says_so(made: Made, cluster: Cluster, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=100) as disk:
        small = Repository(disk / "backups")
        small.make()
        for path in (made.root / "wal").iterdir():
            shutil.copy(path, small.wal)
        shutil.rmtree(small.root / "physical")
        (small.root / "physical").symlink_to(made.root / "physical")
        flip(small.wal / made.names[3], 500)
        whole = (small.wal / made.names[3]).read_bytes()
        fill(disk)

        assert [(one.segment, one.kind) for one in check_wal(small).findings] == [(made.names[3], Kind.DAMAGED)]
        with pytest.raises(DiskIsFull, match=r" is full\. Make room on it, then try again\.$"):
            refetch(small, cluster.server, [made.names[3]])
        assert (small.wal / made.names[3]).read_bytes() == whole


def test_a_check_by_a_killed_process_is_simply_made_again(repository: Repository, made: Made) -> None:
    """What it had found out by then may be half written."""
    check_wal(repository)
    path_of(repository).with_name("wal.json.new").write_text("{")
    path_of(repository).write_text("{")
    left = repository.wal / ".refetch-left"
    left.mkdir()
    (left / made.names[0]).write_bytes(b"half")
    assert found(repository) == []
