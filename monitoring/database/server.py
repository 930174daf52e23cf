"""The server and the database as a whole."""

import datetime
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from monitoring.database.reading import read


@dataclass(frozen=True)
class Server:
    """Counts are those since `counted_since`, or since the database was made where that is None."""

    version: str
    started_at: datetime.datetime
    size: int
    connections: int
    connection_limit: int
    committed: int
    rolled_back: int
    deadlocks: int
    temporary: int
    """Bytes written to the disk because work_mem was too small for a statement."""
    from_cache: int
    from_disk: int
    """Blocks that statements read, by where the server found them."""
    counted_since: datetime.datetime | None
    transaction_age: int
    sees_everything: bool
    """Whether the shop's account is told about the connections of others too."""

    @property
    def cache_hit_rate(self) -> float | None:
        blocks = self.from_cache + self.from_disk
        return self.from_cache / blocks if blocks else None


def server(connection: BaseDatabaseWrapper) -> Server:
    (row,) = read(connection, SERVER)
    return Server(**row)


SERVER = """
    SELECT
        current_setting('server_version') AS version,
        pg_postmaster_start_time() AS started_at,
        pg_database_size(current_database()) AS size,
        (SELECT count(*) FROM pg_stat_activity WHERE coalesce(backend_type, 'client backend') = 'client backend')
            AS connections,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            AS connection_limit,
        xact_commit AS committed,
        xact_rollback AS rolled_back,
        deadlocks,
        temp_bytes AS temporary,
        blks_hit AS from_cache,
        blks_read AS from_disk,
        stats_reset AS counted_since,
        (SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()) AS transaction_age,
        pg_has_role('pg_read_all_stats', 'usage') AS sees_everything
    FROM pg_stat_database WHERE datname = current_database()
"""
