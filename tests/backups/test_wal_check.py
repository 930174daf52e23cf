"""The check of the WAL: what it finds, what it says of it, and that it finds nothing in a good archive."""

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backups.engine.repository import Repository, Stored
from backups.engine.wal_check import check_wal
from backups.engine.wal_memory import path_of
from backups.engine.wal_pages import PAGE, Kind
from backups.engine.wal_refetch import mend_wal, refetch
from backups.errors import DiskIsFull, Interrupted, ServerGone
from tests.backups import archive
from tests.backups.archive import SIZE, Made, replace
from tests.backups.assembled import fill, small_disk
from tests.backups.cluster import Cluster, running_cluster, wait_until


@pytest.fixture(scope="module")
def made(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return archive.make_archive(cluster, tmp_path_factory.mktemp("made") / "backups")


@pytest.fixture
def repository(made: Made, tmp_path: Path) -> Iterator[Repository]:
    """A copy, to be broken: links, so a file is replaced and not written to."""
    shutil.copytree(made.root, tmp_path / "backups", copy_function=os.link)
    yield Repository(tmp_path / "backups")
    shutil.rmtree(tmp_path / "backups")


def flip(path: Path, offset: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    replace(path, bytes(data))


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
    for end in (0, 41, PAGE, PAGE * 2 + 400, written // 2, written - 1):
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


# --- with the server --------------------------------------------------------------------------------------


@dataclass
class Live:
    """An archive that is being received into while a test looks at it."""

    cluster: Cluster
    repository: Repository
    backup: Stored


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Who breaks it puts it right again."""
    owner = tmp_path_factory.mktemp("live")
    with running_cluster(owner) as cluster:
        repository = Repository(owner / "backups")
        repository.make()
        with archive.receiving(repository, cluster):
            yield Live(cluster, repository, archive.base_backup(repository, cluster))


def names_of(repository: Repository) -> list[str]:
    return sorted(path.name for path in repository.wal.iterdir())


def test_nothing_is_found_while_the_shop_writes_and_segments_are_completed(live: Live) -> None:
    is_over = threading.Event()

    def write_on() -> None:
        while not is_over.is_set():
            archive.write(live.cluster, 100)
            live.cluster.sql("SELECT pg_switch_wal()")

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        reports = [check_wal(live.repository, server=live.cluster.server) for _number in range(6)]
    finally:
        is_over.set()
        writer.join()
    assert [report.findings for report in reports] == [()] * 6
    assert reports[-1].checked > reports[0].checked
    assert reports[-1].slot is not None
    assert reports[-1].slot.active


def test_what_the_server_has_as_received_must_be_there_and_is_fetched_again(live: Live) -> None:
    """Only the slot tells that more was received than the archive has."""
    cluster, repository = live.cluster, live.repository
    path_of(repository).unlink(missing_ok=True)
    for _number in range(3):
        archive.write(cluster, 50)
        cluster.sql("SELECT pg_switch_wal()")
    archive.write(cluster, 50)
    archive.catch_up(cluster)
    *_older, second, newest, _partial = names_of(repository)
    flip(repository.wal / second, PAGE + 500)
    (repository.wal / newest).unlink()

    report = check_wal(repository, server=cluster.server)
    assert [(one.segment, one.kind) for one in report.findings] == [(second, Kind.DAMAGED), (newest, Kind.MISSING)]
    assert report.refetchable == [second, newest]

    done = refetch(repository, cluster.server, report.refetchable)
    assert (done.fetched, done.failed) == ([second, newest], {})
    after = check_wal(repository, server=cluster.server)
    assert after.findings == ()
    assert after.spans[0].ends_at > report.spans[0].ends_at
    assert not [path for path in repository.wal.iterdir() if path.name.startswith(".")]


def test_what_was_damaged_is_mended_in_one_go(live: Live) -> None:
    cluster, repository = live.cluster, live.repository
    for _number in range(2):
        archive.write(cluster, 50)
        cluster.sql("SELECT pg_switch_wal()")
    archive.catch_up(cluster)
    *_older, name, _partial = names_of(repository)
    flip(repository.wal / name, PAGE + 500)
    report, done = mend_wal(repository, cluster.server)
    assert (report.findings, done.fetched, done.failed) == ((), [name], {})
    # Of what is whole nothing is fetched.
    report, done = mend_wal(repository, cluster.server)
    assert (report.findings, done.fetched, done.failed) == ((), [], {})


def test_a_segment_of_the_backups_own_time_is_taken_from_the_backup(live: Live) -> None:
    name = live.backup.manifest.start_wal
    archive.write(live.cluster, 50)
    archive.catch_up(live.cluster)
    original = (live.repository.wal / name).read_bytes()
    (live.repository.wal / name).unlink()
    assert refetch(live.repository, live.cluster.server, [name]).fetched == [name]
    assert (live.repository.wal / name).read_bytes() == original


def test_what_the_server_has_thrown_away_stays_as_it_is_and_is_said(live: Live) -> None:
    cluster, repository = live.cluster, live.repository
    archive.write(cluster, 50)
    name = cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn())")
    for _number in range(3):
        cluster.switch_wal()
    archive.catch_up(cluster)
    (cluster.data / "pg_wal" / name).unlink(missing_ok=True)
    whole = (repository.wal / name).read_bytes()
    flip(repository.wal / name, PAGE + 500)
    damaged = (repository.wal / name).read_bytes()

    done = refetch(repository, cluster.server, [name, "nonsense"])
    assert done.fetched == []
    assert list(done.failed) == [name, "nonsense"]
    assert "has already been removed" in done.failed[name]
    assert (repository.wal / name).read_bytes() == damaged
    replace(repository.wal / name, whole)


def test_a_receiver_that_is_off_wal_that_was_lost_by_it_and_a_slot_that_is_gone_are_said(tmp_path: Path) -> None:
    with running_cluster(tmp_path) as cluster:
        repository = Repository(tmp_path / "backups")
        repository.make()
        with archive.receiving(repository, cluster):
            archive.base_backup(repository, cluster)
        wait_until(lambda: not cluster.value("SELECT active FROM pg_replication_slots"))
        (finding,) = check_wal(repository, server=cluster.server).findings
        assert (finding.segment, finding.kind) == ("", Kind.RECEIVER)
        assert finding.sentence == (
            "Nobody receives the WAL, so what is written now can't be recovered. Start the receiver."
        )
        cluster.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        cluster.sql("ALTER SYSTEM SET max_wal_size = '32MB'")
        cluster.sql("ALTER SYSTEM SET min_wal_size = '32MB'")
        cluster.sql("SELECT pg_reload_conf()")
        for _number in range(4):
            cluster.switch_wal()
        cluster.sql("CHECKPOINT")
        assert cluster.value("SELECT wal_status FROM pg_replication_slots") == "lost"
        lost, off = check_wal(repository, server=cluster.server).findings
        assert lost.sentence.startswith("The server has thrown away WAL before it was received. ")
        assert (lost.kind, off) == (Kind.SLOT, finding)

        cluster.sql("SELECT pg_drop_replication_slot(%s)", archive.SLOT)
        (finding,) = check_wal(repository, server=cluster.server).findings
        assert (finding.segment, finding.kind) == ("", Kind.SLOT)
        assert finding.sentence.startswith("The server has no replication slot for the archive, ")

        cluster.stop()
        report = check_wal(repository, server=cluster.server)
        (finding,) = report.findings
        assert finding.kind == Kind.RECEIVER
        assert finding.sentence.startswith("No WAL comes in: The database server at 127.0.0.1:")
        assert report.checked > 0
        with pytest.raises(ServerGone):
            refetch(repository, cluster.server, ["000000010000000000000001"])


def test_a_timeline_that_another_server_began_is_followed(tmp_path: Path) -> None:
    """A standby took over: the WAL goes on under another number, in the middle of a segment."""
    with running_cluster(tmp_path) as cluster:
        repository = Repository(tmp_path / "backups")
        repository.make()
        with archive.receiving(repository, cluster):
            archive.base_backup(repository, cluster)
            archive.write(cluster, 50)
        (before,) = check_wal(repository).spans
        archive.promote(cluster)
        with archive.receiving(repository, cluster):
            archive.write(cluster, 50)
            cluster.sql("SELECT pg_switch_wal()")
            archive.write(cluster, 50)
            archive.catch_up(cluster)
            last = cluster.value("SELECT max(pg_xact_commit_timestamp(xmin)) FROM teas")
            report = check_wal(repository, server=cluster.server)
        assert report.findings == ()
        (after,) = report.spans
        assert (before.timeline, after.timeline, after.ends_at) == (1, 2, last)

        first, *_others = [name for name in names_of(repository) if name.startswith("00000002") and len(name) == 24]
        assert f"00000001{first[8:]}.partial" in names_of(repository)
        history = repository.wal / "00000002.history"
        text = history.read_bytes()
        flip(history, text.index(b"/") + 1, bit=1)
        assert ("00000002.history", Kind.HISTORY) in found(repository)
        history.unlink()
        (finding,) = [one for one in check_wal(repository).findings if one.kind == Kind.HISTORY]
        assert finding.sentence == (
            "00000002.history is missing: where the timeline begins is unknown. Recovery can't follow the timeline 2 "
            "without it."
        )
        assert refetch(repository, cluster.server, ["00000002.history"]).fetched == ["00000002.history"]
        assert history.read_bytes() == text
        (repository.wal / first).unlink()
        assert found(repository) == [(first, Kind.MISSING)]
