"""The replication slot, which has the server keep the WAL that was not received yet."""

from dataclasses import dataclass

import psycopg2
from django.utils.translation import gettext as _

from backups.engine.server import Server, last_line
from backups.errors import NoReplication, ToolFailed

LOST = "lost"


@dataclass(frozen=True, slots=True)
class SlotState:
    """What the server says of a slot.

    `wal_status`: "reserved"; "extended" (more is kept than max_wal_size); "unreserved" (about to be lost); "lost" (what
    comes next is gone: max_slot_wal_keep_size was reached); "" where nothing is reserved yet. `lag_bytes`: what the
    server has written and the receiver has not confirmed. `safe_wal_size`: how much may still be written before the
    slot is lost; None means that there is no limit.
    """

    exists: bool = False
    active: bool = False
    restart_lsn: str = ""
    wal_status: str = ""
    lag_bytes: int | None = None
    safe_wal_size: int | None = None

    @property
    def is_lost(self) -> bool:
        return self.wal_status == LOST


def slot_state(server: Server, slot: str) -> SlotState:
    """Asks the server. Raises ServerGone."""
    rows = server.ask(
        """
        SELECT active, coalesce(restart_lsn::text, ''), coalesce(wal_status, ''),
               pg_wal_lsn_diff(
                   CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_flush_lsn() END,
                   restart_lsn
               )::bigint,
               safe_wal_size
        FROM pg_replication_slots WHERE slot_name = %s AND slot_type = 'physical'
        """,
        slot,
    )
    return SlotState(True, *rows[0]) if rows else SlotState()


def make_slot(server: Server, slot: str) -> None:
    """Makes it; from here on the server keeps its WAL. Raises ServerGone, NoReplication, ToolFailed."""
    _change(server, slot, "SELECT pg_create_physical_replication_slot(%s, true)")


def drop_slot(server: Server, slot: str) -> None:
    """Drops it; the server keeps nothing for it any more. Raises ServerGone, NoReplication, ToolFailed."""
    _change(server, slot, "SELECT pg_drop_replication_slot(%s)")


def _change(server: Server, slot: str, statement: str) -> None:
    try:
        server.ask(statement, slot)
    except psycopg2.errors.InsufficientPrivilege as error:
        raise NoReplication(server.user, last_line(str(error).splitlines()[0])) from error
    except psycopg2.Error as error:
        raise ToolFailed(
            _("The replication slot %(slot)s can't be made or dropped: %(why)s")
            % {"slot": slot, "why": str(error).splitlines()[0]}
        ) from error
