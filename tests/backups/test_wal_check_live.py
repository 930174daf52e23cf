"""The check of the WAL beside a server, and how what is broken is fetched again."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backups.engine.repository import Repository, Stored
from backups.engine.wal_check import check_wal
from backups.engine.wal_memory import path_of
from backups.engine.wal_mended import mended
from backups.engine.wal_pages import PAGE, Kind
from backups.engine.wal_refetch import mend_wal, refetch
from backups.errors import ServerGone
from tests.backups import archive
from tests.backups.archive import flip, replace
from tests.backups.cluster import Cluster, running_cluster, wait_until

pytestmark = pytest.mark.slow


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


def found(repository: Repository) -> list[tuple[str, Kind]]:
    return [(one.segment, one.kind) for one in check_wal(repository).findings]


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
    # Other places may have been sent the damaged one.
    assert name in mended(repository, "anywhere")
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


def is_lost_after_a_checkpoint(cluster: Cluster) -> bool:
    """A checkpoint keeps what is not summarized yet, which may need the next one."""
    cluster.sql("CHECKPOINT")
    return bool(cluster.value("SELECT wal_status FROM pg_replication_slots") == "lost")


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
        wait_until(lambda: is_lost_after_a_checkpoint(cluster))
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
