"""An archive of WAL and base backups as the tools make them, for tests of what reads it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backups.engine.physical import take_physical
from backups.engine.receiver import receive_wal
from backups.engine.repository import Repository, Stored
from backups.engine.wal_names import Segment
from tests.backups.cluster import Cluster, wait_until

SLOT = "samovar"
SIZE = 16 * 1024**2


def base_backup(repository: Repository, cluster: Cluster) -> Stored:
    """A full base backup with the WAL that it needs."""
    return take_physical(repository, cluster.server)


@contextmanager
def receiving(repository: Repository, cluster: Cluster) -> Iterator[None]:
    """WAL comes in meanwhile; at the end everything written so far is there."""
    if not cluster.value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s", SLOT):
        cluster.sql("SELECT pg_create_physical_replication_slot(%s, true)", SLOT)
    is_over = threading.Event()
    receiver = threading.Thread(
        target=receive_wal, args=(repository, cluster.server), kwargs={"slot": SLOT, "is_stopped": is_over.is_set}
    )
    receiver.start()
    try:
        wait_until(lambda: cluster.value("SELECT active FROM pg_replication_slots WHERE slot_name = %s", SLOT))
        yield
        catch_up(cluster)
    finally:
        is_over.set()
        receiver.join()


def catch_up(cluster: Cluster) -> None:
    """Waits until all that the server has written so far is in the archive."""
    # Commits are not waited for on this server: the last ones may not even be on its own disk yet.
    cluster.sql("CHECKPOINT")
    reached = cluster.value("SELECT pg_current_wal_flush_lsn()::text")
    wait_until(
        lambda: cluster.value(
            "SELECT restart_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s", reached, SLOT
        )
    )


def write(cluster: Cluster, rows: int = 200) -> None:
    """Rows with Cyrillic in them, each committed on its own."""
    cluster.sql("CREATE TABLE IF NOT EXISTS teas (id bigserial PRIMARY KEY, name text, at timestamptz DEFAULT now())")
    with cluster.server.connected() as connection, connection.cursor() as cursor:
        for number in range(rows):
            cursor.execute("INSERT INTO teas (name) VALUES (%s)", [f"Чай № {number} 🍵" * (number % 7 + 1)])


def promote(cluster: Cluster) -> None:
    """Has the server take over as if it had been the standby of another: its WAL goes on as a new timeline."""
    before = cluster.value("SELECT timeline_id FROM pg_control_checkpoint()")
    cluster.stop()
    (cluster.data / "standby.signal").touch()
    cluster.start()
    cluster.sql("SELECT pg_promote()")
    cluster.sql("CHECKPOINT")
    assert cluster.value("SELECT timeline_id FROM pg_control_checkpoint()") == before + 1


@dataclass
class Made:
    """What `make_archive` made: the backup, the segments from its own one on, and the newest that is still being
    received. Records reach from the second into the third; the rest of the third and the fourth is unused."""

    root: Path
    backup: Stored
    names: list[str]

    @property
    def partial(self) -> str:
        return self.names[-1]


def make_archive(cluster: Cluster, root: Path) -> Made:
    """A backup with five segments of WAL."""
    repository = Repository(root)
    repository.make()
    with receiving(repository, cluster):
        backup = base_backup(repository, cluster)
        write(cluster, 300)
        fill_segment(cluster)
        cluster.sql("SELECT pg_switch_wal()")
        write(cluster, 300)
        cluster.sql("SELECT pg_switch_wal()")
        write(cluster, 300)
    first = Segment.named(backup.manifest.start_wal, size=SIZE)
    names = [Segment(first.number + index, 1, SIZE).name for index in range(5)]
    assert sorted(path.name for path in repository.wal.iterdir())[-5:] == [*names[:-1], f"{names[-1]}.partial"]
    return Made(root, backup, names)


def fill_segment(cluster: Cluster) -> None:
    """Writes up to the end of the current segment, and a record that reaches far into the next one."""
    left = "SELECT %s - (pg_current_wal_insert_lsn() - '0/0'::pg_lsn) %% %s"
    while cluster.value(left, SIZE, SIZE) > 1_500_000:
        cluster.sql("INSERT INTO teas (name) SELECT repeat('ч', 300) FROM generate_series(1, 1000)")
    cluster.sql("SELECT pg_logical_emit_message(true, 'samovar', repeat('ч', 1000000))")


def replace(path: Path, data: bytes) -> None:
    """Gives a file, which may have other links, new content."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def flip(path: Path, offset: int, bit: int = 0) -> None:
    """Changes one bit of a file, which may have other links."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    replace(path, bytes(data))
