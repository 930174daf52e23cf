"""Who receives what this server writes, and how far behind they are: pg_stat_replication, pg_replication_slots."""

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from monitoring.database.reading import read


@dataclass(frozen=True)
class Standby:
    """A server, or a program that only receives, as for backups. Behind by so many bytes and seconds."""

    name: str
    state: str
    mode: str
    bytes: int
    seconds: int


@dataclass(frozen=True)
class Slot:
    """A place in the WAL up to which the server keeps it for somebody."""

    name: str
    is_active: bool
    kept: int
    """Bytes of WAL."""
    state: str


def standbys(connection: BaseDatabaseWrapper) -> list[Standby]:
    return [Standby(**row) for row in read(connection, STANDBYS)]


def slots(connection: BaseDatabaseWrapper) -> list[Slot]:
    return [Slot(**row) for row in read(connection, SLOTS)]


# Where the server itself is. One that follows another writes nothing of its own.
HERE = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END"
# A program that only receives applies nothing: only where it writes is known of it, and how long ago it last said so is
# no lag of its own (pg_receivewal tells only now and then). What the account may not see counts as nothing.
STANDBYS = f"""
    SELECT
        coalesce(application_name, '') AS name,
        coalesce(state, '') AS state,
        coalesce(sync_state, '') AS mode,
        coalesce(pg_wal_lsn_diff({HERE}, coalesce(replay_lsn, flush_lsn, write_lsn)), 0)::bigint AS bytes,
        CASE WHEN replay_lsn IS NULL THEN 0 ELSE coalesce(extract(epoch FROM replay_lag), 0) END::bigint AS seconds
    FROM pg_stat_replication ORDER BY name
"""  # noqa: S608 - nothing of it comes from outside
SLOTS = f"""
    SELECT
        slot_name AS name,
        active AS is_active,
        coalesce(pg_wal_lsn_diff({HERE}, restart_lsn), 0)::bigint AS kept,
        coalesce(wal_status, '') AS state
    FROM pg_replication_slots ORDER BY slot_name
"""  # noqa: S608
