"""The receiver of WAL: nothing is lost while it can be had, and what is lost is said."""

import contextlib
import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psutil
import psycopg2
import pytest
from psycopg2.extras import PhysicalReplicationConnection
from structlog.testing import capture_logs

from backups.engine import receiver
from backups.engine.physical import assemble, take_physical
from backups.engine.receiver import (
    receive_wal,
    receiver_state,
    set_aside_wal,
    slot_state,
)
from backups.engine.receiver_state import needs_base_backup
from backups.engine.repository import Repository, Stored
from backups.engine.server import Server
from backups.engine.slots import drop_slot, make_slot
from backups.engine.wal_names import Archive, Segment, parse_lsn
from backups.errors import Busy
from tests.backups.assembled import fill, server_of, small_disk
from tests.backups.cluster import Cluster, running_cluster, wait_until

pytestmark = pytest.mark.slow

SIZE = 16 * 1024**2


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for the next start."""
    monkeypatch.setattr(receiver, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(receiver, "LONGEST_PAUSE", 0.2)


@pytest.fixture(autouse=True)
def _no_slot_is_left(cluster: Cluster) -> Iterator[None]:
    yield
    for (name,) in cluster.sql("SELECT slot_name FROM pg_replication_slots"):
        wait_until(lambda name=name: not slot_state(cluster.server, name).active)
        drop_slot(cluster.server, name)


@contextmanager
def receiving(repository: Repository, server: Server) -> Iterator[None]:
    """A receiver at work beside the test."""
    is_over = threading.Event()
    thread = threading.Thread(target=receive_wal, args=(repository, server), kwargs={"is_stopped": is_over.is_set})
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(30)
        assert not thread.is_alive()


def archive(repository: Repository) -> Archive:
    return Archive.read(repository.wal, segment_size=SIZE)


def current(cluster: Cluster) -> str:
    """The segment that the server writes to."""
    return str(cluster.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())"))


def ended_segment(cluster: Cluster) -> str:
    """Has the server end a segment with a row in it, and returns its name."""
    cluster.sql("CREATE TABLE IF NOT EXISTS ticks (at timestamptz DEFAULT now())")
    cluster.sql("INSERT INTO ticks DEFAULT VALUES")
    name = current(cluster)
    cluster.sql("SELECT pg_switch_wal()")
    return name


def wait_for_segment(repository: Repository, name: str) -> None:
    wait_until(lambda: name in archive(repository).complete)


def unbroken(repository: Repository) -> bool:
    """Whether no number is missing between the first and the last segment, and all are of the right size."""
    found = archive(repository)
    numbers = sorted({one.number for one in (*found.complete.values(), *found.partial.values())})
    sizes = {found.path(one).stat().st_size for one in found.complete.values()}
    return numbers == list(range(numbers[0], numbers[-1] + 1)) and sizes == {SIZE}


def test_what_the_server_writes_is_received(cluster: Cluster, repository: Repository) -> None:
    with receiving(repository, cluster.server):
        wait_until(lambda: slot_state(cluster.server, "samovar").active)
        names = [ended_segment(cluster) for _number in range(3)]
        wait_for_segment(repository, names[-1])
        state = receiver_state(repository)
        assert state.is_running
        assert psutil.Process(state.tool_pid).name() == "pg_receivewal"
        assert (state.slot, state.restarts, state.last_error, state.gaps) == ("samovar", 0, "", [])
        # Confirmed once it is on the disk.
        wait_until(lambda: slot_state(cluster.server, "samovar").lag_bytes == 0)
        slot = slot_state(cluster.server, "samovar")
        assert (slot.exists, slot.wal_status, slot.is_lost) == (True, "reserved", False)
        assert slot.safe_wal_size is not None
        assert slot.safe_wal_size > 0
    assert set(names) <= set(archive(repository).complete)
    assert unbroken(repository)
    state = receiver_state(repository)
    assert (state.is_running, state.tool_pid) == (False, 0)


def test_a_killed_receiver_is_started_again_and_misses_nothing(cluster: Cluster, repository: Repository) -> None:
    with receiving(repository, cluster.server):
        for restarts in (1, 2):
            pid = wait_until(lambda: receiver_state(repository).tool_pid)
            with capture_logs() as logs:
                psutil.Process(pid).kill()
                name = ended_segment(cluster)
                # The server may not have let go of the slot yet, which is one start more.
                wait_until(lambda count=restarts: receiver_state(repository).restarts >= count)
                wait_for_segment(repository, name)
            assert "pg_receivewal was killed (SIGKILL)." in [entry.get("reason") for entry in logs]
    assert unbroken(repository)
    assert receiver_state(repository).gaps == []


def test_the_server_may_stop_and_die_and_come_back(cluster: Cluster, repository: Repository) -> None:
    with receiving(repository, cluster.server):
        wait_for_segment(repository, ended_segment(cluster))
        for end in (cluster.stop, cluster.kill):
            end()
            wait_until(lambda: "does not answer" in receiver_state(repository).last_error)
            cluster.start()
            wait_for_segment(repository, ended_segment(cluster))
            wait_until(lambda: receiver_state(repository).tool_pid)
    assert unbroken(repository)


def test_only_one_receives(cluster: Cluster, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(repository, cluster.server):
        wait_until(lambda: receiver_state(repository).tool_pid)
        monkeypatch.setattr(receiver, "PATIENCE_WITH_THE_LOCK", 0.0)
        with pytest.raises(Busy, match=r"^The receiver of WAL is under way\."):
            receive_wal(repository, cluster.server)


def receive_in_a_process(root: Path, server: Server) -> None:
    django.setup()
    receive_wal(Repository(root), server)


def test_a_killed_keeper_takes_its_tool_along_and_another_takes_over(cluster: Cluster, repository: Repository) -> None:
    context = multiprocessing.get_context("spawn")
    keeper = context.Process(target=receive_in_a_process, args=(repository.root, cluster.server), daemon=True)
    keeper.start()
    tool = psutil.Process(wait_until(lambda: receiver_state(repository).tool_pid, seconds=60))
    wait_for_segment(repository, ended_segment(cluster))
    keeper.kill()
    keeper.join()
    wait_until(lambda: not tool.is_running() or tool.status() == psutil.STATUS_ZOMBIE)
    assert not receiver_state(repository).is_running
    with receiving(repository, cluster.server):
        wait_for_segment(repository, ended_segment(cluster))
    assert unbroken(repository)


# --- the slot ----------------------------------------------------------------------------------------


def test_a_dropped_slot_is_made_again_and_nothing_is_missing(cluster: Cluster, repository: Repository) -> None:
    with receiving(repository, cluster.server):
        wait_for_segment(repository, ended_segment(cluster))
    drop_slot(cluster.server, "samovar")
    name = ended_segment(cluster)
    with receiving(repository, cluster.server):
        wait_for_segment(repository, name)
        assert slot_state(cluster.server, "samovar").exists
    assert unbroken(repository)
    assert receiver_state(repository).gaps == []
    assert not needs_base_backup(repository)


@contextmanager
def little_wal_kept(cluster: Cluster) -> Iterator[None]:
    settings = {"max_slot_wal_keep_size": "16MB", "max_wal_size": "32MB", "min_wal_size": "32MB"}
    for name, value in settings.items():
        cluster.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    cluster.sql("SELECT pg_reload_conf()")
    wait_until(lambda: cluster.value("SHOW min_wal_size") == "32MB")
    try:
        yield
    finally:
        for name in settings:
            cluster.sql(f"ALTER SYSTEM RESET {name}")
        cluster.sql("SELECT pg_reload_conf()")
        wait_until(lambda: cluster.value("SHOW min_wal_size") == "80MB")


def wear_out(cluster: Cluster) -> None:
    """Has the server write so much that it throws away what came before."""
    for _number in range(6):
        ended_segment(cluster)
        cluster.sql("CHECKPOINT")


def set_back(server: Server, segment: Segment) -> None:
    """Has the server believe that the WAL was received up to the begin of this segment, as pg_receivewal tells it
    when it asks for it, whether there is one or not."""
    with contextlib.closing(
        psycopg2.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password,
            connection_factory=PhysicalReplicationConnection,
        )
    ) as connection:
        cursor = connection.cursor()
        cursor.start_replication(slot_name="samovar", start_lsn=slot_state(server, "samovar").restart_lsn)
        cursor.send_feedback(flush_lsn=segment.start, force=True)
        wait_until(lambda: parse_lsn(slot_state(server, "samovar").restart_lsn) == segment.start)
    wait_until(lambda: not slot_state(server, "samovar").active)


@pytest.mark.parametrize("received", ["up to the end of a segment", "to the middle of a segment"])
@pytest.mark.parametrize("slot", ["kept too little", "dropped", "set back"])
def test_lost_wal_is_a_gap_that_a_new_base_backup_ends(
    cluster: Cluster, repository: Repository, slot: str, received: str
) -> None:
    before = take_physical(repository, cluster.server)
    with receiving(repository, cluster.server):
        wait_for_segment(repository, ended_segment(cluster))
        if received == "to the middle of a segment":
            cluster.sql("INSERT INTO ticks DEFAULT VALUES")
            wait_until(lambda: archive(repository).partial)
    with little_wal_kept(cluster):
        if slot != "kept too little":
            drop_slot(cluster.server, "samovar")
        wear_out(cluster)
        assert slot_state(cluster.server, "samovar").is_lost is (slot == "kept too little")
    found = archive(repository)
    last = max((*found.complete.values(), *found.partial.values()))
    if slot == "set back":
        make_slot(cluster.server, "samovar")
        set_back(cluster.server, last.next())

    with receiving(repository, cluster.server):
        name = ended_segment(cluster)
        wait_for_segment(repository, name)
        assert slot_state(cluster.server, "samovar").wal_status == "reserved"
        state = receiver_state(repository)
    (gap,) = state.gaps
    assert gap.before_segment == last.name
    after = Segment.named(gap.after_segment, size=SIZE)
    assert last.number + 1 < after.number <= Segment.named(name, size=SIZE).number
    assert {one.number for one in archive(repository).complete.values() if last < one} == set(
        range(after.number, Segment.named(name, size=SIZE).number + 1)
    )
    assert state.last_error == (
        f"The server has thrown away WAL behind {last.name} before it was received, and receiving goes on with "
        f"{after.name}: no recovery passes over this gap. Make a physical backup now."
    )
    assert needs_base_backup(repository)
    newer = take_physical(repository, cluster.server)
    assert not needs_base_backup(repository)
    assert newer.manifest.start_wal > before.manifest.start_wal
    # It is remembered by those that come later.
    with receiving(repository, cluster.server):
        wait_for_segment(repository, ended_segment(cluster))
    assert receiver_state(repository).gaps == [gap]


def test_an_account_that_may_not_read_the_wal_is_told_so(cluster: Cluster, repository: Repository) -> None:
    cluster.sql("CREATE ROLE listener LOGIN PASSWORD 'correct-horse'")
    server = Server("127.0.0.1", str(cluster.port), "listener", "correct-horse", "samovar")
    with receiving(repository, server):
        sentence = wait_until(lambda: receiver_state(repository).last_error)
    assert sentence.startswith("The server does not let listener copy it (")
    assert "ALTER ROLE … REPLICATION" in sentence


# --- the disk ----------------------------------------------------------------------------------------


@pytest.mark.as_root
def test_a_full_disk_is_said_and_survived(cluster: Cluster, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=300) as folder:
        repository = Repository(folder / "backups")
        repository.make()
        with receiving(repository, cluster.server):
            wait_for_segment(repository, ended_segment(cluster))
            filler = fill(folder, leave=5 * 1024**2)
            names = [ended_segment(cluster) for _number in range(2)]
            wait_until(lambda: "is full. Make room on it" in receiver_state(repository).last_error)
            assert cluster.value("SELECT count(*) FROM ticks") > 0
            filler.unlink()
            wait_for_segment(repository, names[-1])
        assert unbroken(repository)
        assert receiver_state(repository).gaps == []


def test_a_segment_that_was_begun_too_short_is_received_again(cluster: Cluster, repository: Repository) -> None:
    with receiving(repository, cluster.server):
        wait_for_segment(repository, ended_segment(cluster))
    for content in (bytes(5_000_000), b"half a page" + bytes(100)):
        partial = repository.wal / f"{current(cluster)}.partial"
        partial.write_bytes(content)
        with receiving(repository, cluster.server):
            wait_for_segment(repository, ended_segment(cluster))
    assert unbroken(repository)
    # What was more than zeros is kept, for whoever wants to look.
    assert [path.read_bytes() for path in repository.wal.glob("*.damaged")] == [b"half a page" + bytes(100)]


# --- another server, another history -----------------------------------------------------------------


def test_wal_of_another_server_is_not_mixed_in(
    cluster: Cluster, repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with receiving(repository, cluster.server):
        wait_for_segment(repository, ended_segment(cluster))
    ours = cluster.server.facts().system_identifier
    before = {path.name: path.read_bytes() for path in repository.wal.iterdir()}

    with running_cluster(tmp_path_factory.mktemp("other")) as other:
        theirs = other.server.facts().system_identifier
        with receiving(repository, other.server):
            sentence = wait_until(lambda: receiver_state(repository).last_error)
        assert sentence.startswith(
            f"{repository.wal} holds the WAL of the server {ours}, and this server is {theirs}: "
        )
        assert {path.name: path.read_bytes() for path in repository.wal.iterdir()} == before

        place = set_aside_wal(repository)
        assert place == repository.root / f"wal-{ours}"
        assert {path.name for path in place.iterdir()} == set(before)
        with receiving(repository, other.server):
            wait_for_segment(repository, ended_segment(other))


def promoted(repository: Repository, stored: Stored, target: Path) -> None:
    """A server of the same origin that was put to work without having seen all of the first one's WAL."""
    assemble(repository, stored, target)
    (target / "recovery.signal").touch()
    with (target / "postgresql.auto.conf").open("a") as file:
        file.write("restore_command = 'false'\nrecovery_target = 'immediate'\nrecovery_target_action = 'promote'\n")


def test_after_a_change_of_the_leader_its_history_is_followed(
    cluster: Cluster, repository: Repository, tmp_path: Path
) -> None:
    backup = take_physical(repository, cluster.server)
    with receiving(repository, cluster.server):
        names = [ended_segment(cluster) for _number in range(3)]
        wait_for_segment(repository, names[-1])

    with server_of(tmp_path, lambda target: promoted(repository, backup, target)) as leader:
        wait_until(lambda: not leader.value("SELECT pg_is_in_recovery()"))
        with receiving(repository, leader.server):
            name = ended_segment(leader)
            assert name.startswith("00000002")
            wait_for_segment(repository, name)
    found = archive(repository)
    assert found.histories == {2}
    fork = found.lineage(2).ends[0][1]
    first = Segment.at(fork, timeline=2, size=SIZE)
    assert {one.name for one in found.complete.values() if one.timeline == 2} == {
        Segment(number, 2, SIZE).name for number in range(first.number, Segment.named(name, size=SIZE).number + 1)
    }
    # What the old leader alone had written is not deleted.
    left = {path.name.removesuffix(".partial") for path in (repository.wal / "left").iterdir()}
    assert set(names) - set(found.complete) <= left
    assert all(found.lineage(2).holds(1, one.start) for one in found.complete.values() if one.timeline == 1)
    assert receiver_state(repository).gaps == []
