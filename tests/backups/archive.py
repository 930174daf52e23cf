"""An archive of WAL and base backups as the tools make them, for tests of what reads it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backups.engine.children import end_tool, run_tool, start_tool
from backups.engine.manifest import Kind, Manifest
from backups.engine.programs import Programs, find_programs
from backups.engine.repository import Repository, Stored, now
from backups.engine.wal_names import Segment, parse_lsn
from tests.backups.cluster import Cluster, wait_until

SLOT = "samovar"
SIZE = 16 * 1024**2


def programs() -> Programs:
    return find_programs()


def base_backup(repository: Repository, cluster: Cluster) -> Stored:
    """A full base backup with the WAL that it needs."""
    facts = cluster.server.facts()
    backup_id, partial = repository.begin(Kind.PHYSICAL)
    started_at = now()
    run_tool(
        [
            programs().path("pg_basebackup"),
            f"--pgdata={partial / 'data'}",
            "--format=plain",
            "--wal-method=stream",
            "--checkpoint=fast",
            "--no-sync",
        ],
        environment=cluster.server.environment(),
        folder=partial,
    )
    label = dict(
        line.split(": ", 1) for line in (partial / "data" / "backup_label").read_text().splitlines() if ": " in line
    )
    start_lsn = label["START WAL LOCATION"].split()[0]
    stop_lsn = manifest_end(partial / "data" / "backup_manifest")
    stop = Segment.at(parse_lsn(stop_lsn) - 1, timeline=facts.timeline, size=SIZE)
    return repository.finish(
        partial,
        Manifest(
            id=backup_id,
            kind=Kind.PHYSICAL,
            started_at=started_at,
            completed_at=now(),
            consistent_at=cluster.value("SELECT clock_timestamp()"),
            server_version=facts.version,
            system_identifier=facts.system_identifier,
            database="",
            size=0,
            timeline=facts.timeline,
            segment_size=facts.segment_size,
            start_lsn=start_lsn,
            stop_lsn=stop_lsn,
            start_wal=Segment.at(parse_lsn(start_lsn), timeline=facts.timeline, size=SIZE).name,
            stop_wal=stop.name,
        ),
    )


def manifest_end(path: Path) -> str:
    (span,) = json.loads(path.read_text())["WAL-Ranges"]
    return str(span["End-LSN"])


@contextmanager
def receiving(repository: Repository, cluster: Cluster) -> Iterator[None]:
    """WAL comes in meanwhile; at the end everything written so far is there."""
    if not cluster.value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s", SLOT):
        cluster.sql("SELECT pg_create_physical_replication_slot(%s, true)", SLOT)
    process = start_tool(
        [
            programs().path("pg_receivewal"),
            f"--directory={repository.wal}",
            f"--slot={SLOT}",
            "--synchronous",
            "--no-loop",
        ],
        environment=cluster.server.environment(),
        folder=repository.wal,
    )
    try:
        wait_until(lambda: cluster.value("SELECT active FROM pg_replication_slots WHERE slot_name = %s", SLOT))
        yield
        catch_up(cluster)
    finally:
        end_tool(process)


def catch_up(cluster: Cluster) -> None:
    """Waits until all that the server has written so far is in the archive."""
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
