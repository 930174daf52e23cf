"""Another database takes the place of the one that serves; the old one is kept, closed, and can come back.

Both change their names in one transaction: whoever is killed, at whatever line, leaves the old database in its place or
the new one, and never none. What was begun stands in a journal in the folder of backups, which names the databases by
their numbers too: these stay when names change, so what has happened is asked of the server and not of the journal.
"""

import datetime
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psycopg2
import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from psycopg2 import sql

from backups.engine import files
from backups.engine.databases import REPLACED, Cursor, Progress, all_names, copy_settings, dated_name, lobby, mark
from backups.engine.kept_databases import admit, drop_old, old_databases
from backups.engine.records import read_record, write_record
from backups.engine.repository import Repository, now
from backups.engine.server import Server
from backups.errors import BackupFailed, Busy, Interrupted, NotAllowed, SwapFailed, UnknownDatabase

__all__ = [
    "Settled",
    "Swap",
    "drop_old",
    "finish_or_undo_swap",
    "is_unsettled",
    "leave_unsaid",
    "old_databases",
    "read_swap",
    "swap_back",
    "swap_in",
    "unsaid_of",
]

JOURNAL = "swap.json"
UNSAID = "swapped.json"
# So long requests that are under way may take, in seconds, until they are cut off.
PATIENCE = 10.0
# So long whoever was sent away may take to leave.
LEAVE_WITHIN = 30.0
LOOK_EVERY = 0.1
# PostgreSQL's own, which leave by themselves when a database is renamed.
OWN = ("autovacuum worker", "parallel worker")

logger = structlog.get_logger("backups.swapping")


@dataclass(frozen=True, slots=True)
class Swap:
    """One change of places. `name` is the database that serves, `new` what takes its place, `kept` what the old one is
    called afterwards; "" if there was none. `was_closed`: the new one let nobody in before. `job`: the id of the work
    that does it, "" for none."""

    name: str
    new: str
    kept: str
    old_oid: int
    new_oid: int
    was_closed: bool
    at: datetime.datetime = field(default_factory=now)
    reason: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a killed swap came to: the new database is in its place, or the old one."""

    swap: Swap
    is_done: bool


class Carrying(Protocol):
    """What is to go from the old database into the new one, once nobody else writes into the old one."""

    @property
    def pids(self) -> Sequence[int]:
        """The connections that it has opened to the old database, which are not cut off."""

    def carry(self) -> None:
        """Raises what stops the swap."""


# Opens the connections to the old database (which lets nobody in later), and closes them at the end.
Carry = Callable[[Server, Server], AbstractContextManager[Carrying]]


def swap_in(
    repository: Repository,
    server: Server,
    new_database: str,
    *,
    reason: str = "",
    job: str = "",
    carry: Carry | None = None,
    after: Callable[[Swap], None] = lambda swap: None,
    patience: float = PATIENCE,
    progress: Progress = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Swap:
    """Puts `new_database` in the place of the server's database. To be called under maintenance and with the lock
    "work".

    Requests that are under way have `patience` seconds to end; then the old database lets nobody in, everybody is sent
    away, `carry` takes over what must not go back in time, and the names change. `after` is called when the new one is
    in its place, and called again if somebody is killed in it. If it fails the old one serves as before. `job` is the
    id of the work that does it, for whoever settles the swap.

    Raises UnknownDatabase, Busy while an older swap is not settled, NotAllowed, SwapFailed, BackupFailed for what the
    server refuses, ServerGone, Interrupted, and what `carry` raises.
    """
    progress(gettext_noop("preparing the swap"), None)
    swap = begin(repository, server, new_database, reason, job)
    try:
        change_places(server, swap, carry, patience, progress, is_stopped)
    except BaseException as error:
        if not has_happened(repository, server, error):
            raise
    tell(progress, gettext_noop("tidying up after the swap"))
    after(swap)
    forget(repository)
    logger.info("databases_swapped", name=swap.name, new=swap.new, kept=swap.kept, reason=swap.reason)
    return swap


def swap_back(repository: Repository, server: Server, kept: str, **options: Any) -> Swap:
    """Puts a kept database in its place again; the one that serves now is kept in turn. Takes what `swap_in` takes.
    Raises UnknownDatabase for one that was not replaced, and what `swap_in` raises."""
    if kept not in [one.name for one in old_databases(server)]:
        raise UnknownDatabase(kept)
    return swap_in(repository, server, kept, **options)


def finish_or_undo_swap(
    repository: Repository, server: Server, *, after: Callable[[Swap], None] = lambda swap: None
) -> Settled | None:
    """Settles what a killed swap has left: the new database is in its place and `after` is called, or the old one
    serves as before. None if there is nothing to settle. Only for who holds the lock "work". Raises ServerGone."""
    if not journal_of(repository).exists():
        return None
    swap = read_journal(repository)
    if swap is None:
        logger.warning("swap_journal_unreadable", file=str(journal_of(repository)))
        with lobby(server) as cursor:
            admit(cursor, server.database, is_open=True)
        forget(repository)
        return None
    settled = settle(server, swap)
    if settled.is_done:
        after(swap)
    forget(repository)
    logger.info("swap_settled", name=swap.name, new=swap.new, kept=swap.kept, is_done=settled.is_done)
    return settled


# --- the steps -----------------------------------------------------------------------------------------


def begin(repository: Repository, server: Server, new: str, reason: str, job: str) -> Swap:
    """Looks whether it can be done, and writes the journal."""
    if journal_of(repository).exists():
        raise Busy(_("A swap of databases"))
    with lobby(server) as cursor:
        names = all_names(cursor)
        oids = {name: oid for oid, name in names.items()}
        if new not in oids or new == server.database:
            raise UnknownDatabase(new)
        refuse_without_rights(cursor, [name for name in (server.database, new) if name in oids])
        cursor.execute("SELECT NOT datallowconn FROM pg_database WHERE datname = %s", [new])
        was_closed = bool(cursor.fetchall()[0][0])
    at = now()
    old_oid = oids.get(server.database, 0)
    swap = Swap(
        name=server.database,
        new=new,
        kept=dated_name(server, "before", at, taken=list(oids)) if old_oid else "",
        old_oid=old_oid,
        new_oid=oids[new],
        was_closed=was_closed,
        at=at,
        reason=reason,
        job=job,
    )
    values = asdict(swap) | {"at": at.isoformat()}
    files.write_whole(journal_of(repository), write_record(values))
    return swap


def refuse_without_rights(cursor: Cursor, names: Sequence[str]) -> None:
    """Before anybody is sent away. Raises NotAllowed."""
    cursor.execute(
        """
        SELECT current_user, rolsuper OR rolcreatedb,
               (SELECT string_agg(datname, ', ') FROM pg_database
                WHERE datname = ANY(%s) AND NOT pg_has_role(current_user, datdba, 'USAGE'))
        FROM pg_roles WHERE rolname = current_user
        """,
        [list(names)],
    )
    user, may_create, foreign = cursor.fetchall()[0]
    if not may_create:
        raise NotAllowed(
            _('The database account %(user)s may not make databases. Allow it: ALTER ROLE "%(user)s" CREATEDB;')
            % {"user": user}
        )
    if foreign:
        raise NotAllowed(
            _(
                "The database %(names)s does not belong to the account %(user)s. Give it to that account: "
                'ALTER DATABASE … OWNER TO "%(user)s";'
            )
            % {"names": foreign, "user": user}
        )


def change_places(
    server: Server,
    swap: Swap,
    carry: Carry | None,
    patience: float,
    progress: Progress,
    is_stopped: Callable[[], bool],
) -> None:
    """Everything between the journal and the moment in which the new database is in its place."""
    new = server.of(swap.new)
    with lobby(server) as cursor:
        admit(cursor, swap.new, is_open=True)
        if swap.old_oid:
            copy_settings(cursor, swap.name, swap.new)
        progress(gettext_noop("waiting for requests that are under way"), None)
        wait_for_quiet(cursor, swap.name, patience, is_stopped)
        with carry(server, new) if carry is not None and swap.old_oid else nullcontext() as carrying:
            spared = list(carrying.pids) if carrying is not None else []
            if swap.old_oid:
                progress(gettext_noop("closing the old database"), None)
                admit(cursor, swap.name, is_open=False)
                progress(gettext_noop("sending everybody away"), None)
                send_away(cursor, swap.name, spared)
            if is_stopped():
                raise Interrupted(_("It was stopped."))
            if carrying is not None:
                progress(gettext_noop("carrying over"), None)
                carrying.carry()
        for name in (swap.name, swap.new):
            send_away(cursor, name, [])
    progress(gettext_noop("changing places"), None)
    rename(server, swap)
    tell(progress, gettext_noop("the new database is in its place"))


def tell(progress: Progress, stage: str) -> None:
    """Says how far it is; once the names have changed, a full disk that hinders that hinders nothing else."""
    try:
        progress(stage, None)
    except BackupFailed as error:
        logger.warning("swap_stage_not_told", stage=stage, reason=str(error))


def wait_for_quiet(cursor: Cursor, name: str, patience: float, is_stopped: Callable[[], bool]) -> None:
    """Until nobody does anything in it, twice in a row: between two statements a request looks idle for a moment."""
    deadline = time.monotonic() + patience
    quiet = 0
    while quiet < 2 and time.monotonic() < deadline:
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = %s AND backend_type = 'client backend' AND state <> 'idle'",
            [name],
        )
        quiet = quiet + 1 if cursor.fetchall()[0][0] == 0 else 0
        time.sleep(LOOK_EVERY)


def send_away(cursor: Cursor, name: str, spared: Sequence[int]) -> None:
    """Ends all other connections to it. Raises SwapFailed for somebody who does not go, and says who it is."""
    deadline = time.monotonic() + LEAVE_WITHIN
    while True:
        cursor.execute(
            "SELECT pid, usename, coalesce(application_name, '') FROM pg_stat_activity"
            " WHERE datname = %s AND usename IS NOT NULL AND pid <> ALL(%s)"
            # What others do is hidden from an account that is no superuser.
            " AND coalesce(backend_type, '') <> ALL(%s)",
            [name, list(spared), list(OWN)],
        )
        left = cursor.fetchall()
        if not left:
            return
        refused = [one for one in left if not end_connection(cursor, one[0])]
        if refused or time.monotonic() > deadline:
            pid, user, application = (refused or left)[0]
            raise SwapFailed(
                _(
                    "%(user)s is connected to the database %(name)s (process %(pid)d, %(application)s) and can't be "
                    "sent away. End that connection, then try again."
                )
                % {"user": user, "name": name, "pid": pid, "application": application or "?"}
            )
        time.sleep(LOOK_EVERY)


def end_connection(cursor: Cursor, pid: int) -> bool:
    """False if we may not."""
    try:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    except psycopg2.errors.InsufficientPrivilege:
        return False
    return True


def rename(server: Server, swap: Swap) -> None:
    """Both names, in one transaction."""
    with lobby(server, is_one_transaction=True) as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '30s'")
        change = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        if swap.old_oid:
            cursor.execute(change.format(sql.Identifier(swap.name), sql.Identifier(swap.kept)))
            mark(cursor, swap.kept, REPLACED, of=swap.name, at=swap.at, reason=swap.reason)
        cursor.execute(change.format(sql.Identifier(swap.new), sql.Identifier(swap.name)))
        cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS NULL").format(sql.Identifier(swap.name)))


# --- the journal, and what it leads to -----------------------------------------------------------------


def journal_of(repository: Repository) -> Path:
    return repository.root / JOURNAL


def is_unsettled(repository: Repository) -> bool:
    """Whether a swap was begun of which nobody knows yet what it came to."""
    return journal_of(repository).exists()


def read_journal(repository: Repository) -> Swap | None:
    """None if it can't be read."""
    return read_swap(journal_of(repository))


def read_swap(path: Path) -> Swap | None:
    """None if there is none, or none that can be read."""
    try:
        values = read_record(path.read_text(encoding="utf-8"))
        return Swap(**values | {"at": datetime.datetime.fromisoformat(values["at"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(repository: Repository) -> None:
    journal_of(repository).unlink(missing_ok=True)
    files.sync_folder(repository.root)


def unsaid_of(repository: Repository) -> Path:
    """Where the journal of a swap lies that is done and whose work does not say so yet."""
    return repository.root / UNSAID


def leave_unsaid(repository: Repository) -> None:
    """Keeps the journal for who says it later. A full disk has room for another name."""
    journal_of(repository).replace(unsaid_of(repository))
    files.sync_folder(repository.root)


def settle(server: Server, swap: Swap) -> Settled:
    """Looks which database has the name, and has that one let everybody in."""
    with lobby(server) as cursor:
        names = all_names(cursor)
        is_done = names.get(swap.new_oid) == swap.name
        admit(cursor, swap.name, is_open=True)
        if not is_done and swap.was_closed and names.get(swap.new_oid) == swap.new:
            admit(cursor, swap.new, is_open=False)
    return Settled(swap, is_done)


def has_happened(repository: Repository, server: Server, error: BaseException) -> bool:
    """After a failure: whether the names had changed all the same. If not, the old database serves again; where that
    can't be said now, the journal stays for later."""
    swap = read_journal(repository)
    if swap is None:
        return False
    try:
        settled = settle(server, swap)
    except BackupFailed as trouble:
        logger.warning("swap_not_settled", reason=str(trouble), after=f"{type(error).__name__}: {error}")
        return False
    if not settled.is_done:
        forget(repository)
    return settled.is_done
