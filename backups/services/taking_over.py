"""Everything of a loaded database is taken over: it takes the place of the one that serves, under maintenance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connections
from django.utils.translation import gettext as _

from backups.engine.carrying import Carried, has_table, read_what_stays, write_what_stays
from backups.engine.counting import meanings
from backups.engine.databases import Progress, discard_dumps, drop_unfinished
from backups.engine.jobs import say_done
from backups.engine.kept_databases import close_old, old_databases, opened
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.engine.swapping import (
    PATIENCE,
    Settled,
    Swap,
    finish_or_undo_swap,
    is_unsettled,
    leave_unsaid,
    read_swap,
    swap_in,
    unsaid_of,
)
from backups.errors import BackupFailed, SwapFailed, UnknownDatabase
from backups.maintenance import (
    begin_maintenance,
    current_maintenance,
    end_maintenance,
    is_under_maintenance,
    note_swap,
)
from backups.services.erasures import (
    is_repetition_due,
    kept_erasures,
    repeat_them,
    repeat_what_is_due,
    this_shop,
)
from backups.services.index import refresh_index
from backups.services.other_database import bring_up_to_date, forget_what_was_read, in_database
from backups.waiting import empty_queue
from orders.models import ErasedPerson
from orders.services.erasing import erased_people

logger = structlog.get_logger("backups.taking_over")

# By this a maintenance is known for that of a swap; one that somebody began by hand is theirs to end.
SWAP = "swap"


@dataclass(slots=True)
class TakenOver:
    """What came of it. `erased_again` are the customers who were erased once more; `refused` says of which it could not
    be done, and why: somebody has to look after them by hand."""

    swap: Swap
    carried: Carried = field(default_factory=Carried)
    erased_again: list[int] = field(default_factory=list)
    erased_elsewhere: int = 0
    refused: dict[int, str] = field(default_factory=dict)

    def to_result(self) -> dict[str, Any]:
        """For a job's file."""
        return {
            "database": self.swap.name,
            "kept": self.swap.kept,
            "at": self.swap.at.isoformat(),
            **asdict(self.carried),
            "erased_again": self.erased_again,
            "erased_elsewhere": self.erased_elsewhere,
            "erasures_refused": {str(pk): why for pk, why in self.refused.items()},
        }


def take_over(
    *,
    repository: Repository,
    server: Server,
    new_database: str,
    reason: str = "",
    job: str = "",
    sentence: str = "",
    patience: float = PATIENCE,
    progress: Progress = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> TakenOver:
    """Puts a loaded database in the place of the shop's; only for who holds the lock "work".

    It is brought up to date first, while the shop works. Then everybody is told to wait (`sentence`), what must not go
    back in time is carried over, the databases change places, and tasks that waited are thrown away: what they were to
    do stands in the database. Where the old database is gone, the list in the folder of backups says who was erased.
    `job` is the id of the work that does it: it is done as soon as the new database is in its place, whoever is killed.

    Raises WrongVersion, CannotRest, and what `swap_in` raises: the shop is as it was then.
    """
    outcome = TakenOver(Swap(server.database, new_database, "", 0, 0, was_closed=False))

    @contextmanager
    def carry(old: Server, new: Server) -> Iterator[CarryOver]:
        with in_database(old) as connection:
            connection.ensure_connection()
            yield CarryOver(connection.connection, old, new, outcome)

    def after(swap: Swap) -> None:
        after_a_swap(repository, server, replace(outcome, swap=swap))

    with opened(server, new_database):
        bring_up_to_date(server.of(new_database))
        with in_database(server.of(new_database)):
            erase_again(kept_erasures(repository=repository, shop=this_shop()), outcome)
    with at_rest(repository, sentence):
        outcome.swap = swap_in(
            repository,
            server,
            new_database,
            reason=reason,
            job=job,
            carry=carry,
            after=after,
            patience=patience,
            progress=progress,
            is_stopped=is_stopped,
        )
    logger.info("taken_over", **outcome.to_result())
    return outcome


def take_back(*, repository: Repository, server: Server, kept: str, **options: Any) -> TakenOver:
    """Puts a kept database in its place again, with what must not go back in time. Takes what `take_over` takes.
    Raises UnknownDatabase for one that was not replaced, and what `take_over` raises."""
    if kept not in [one.name for one in old_databases(server)]:
        raise UnknownDatabase(kept)
    return take_over(repository=repository, server=server, new_database=kept, **options)


def settle_swap(*, repository: Repository, server: Server) -> Settled | None:
    """Puts right what somebody who was killed has left: the swap is finished or undone, the shop works again, and half
    databases are dropped; who was to be erased again is. To be called by everybody who has just got the lock "work".
    Raises ServerGone, DiskIsFull, NotWritable."""
    settled = finish_or_undo_swap(
        repository, server, after=lambda swap: after_a_swap(repository, server, TakenOver(swap))
    )
    said = current_maintenance()
    if said is not None and said.by == SWAP:
        end_maintenance()
    close_old(server)
    drop_unfinished(server)
    discard_dumps(settings.RECOVERY_DIR)
    if is_repetition_due(repository=repository):
        with in_database(server):
            repeat_what_is_due(repository=repository)
    say_what_is_unsaid(repository)
    return settled


def is_to_be_settled(*, repository: Repository) -> bool:
    """Whether somebody was killed in a swap, so that the shop may be resting for nothing, its work does not say yet
    that it is done, or who was erased may be back; cheap, for whoever looks often. True also while such work is under
    way: the lock "work" tells these apart."""
    said = current_maintenance()
    return (
        is_unsettled(repository)
        or unsaid_of(repository).exists()
        or is_repetition_due(repository=repository)
        or (said is not None and said.by == SWAP)
    )


# --- the parts -----------------------------------------------------------------------------------------


@contextmanager
def at_rest(repository: Repository, sentence: str) -> Iterator[None]:
    """Everybody waits meanwhile, and goes on waiting while nobody knows which database is in its place."""
    is_ours = not is_under_maintenance()
    if is_ours:
        begin_maintenance(sentence, by=SWAP)
    try:
        yield
    finally:
        if is_ours and not is_unsettled(repository):
            end_maintenance()


class CarryOver:
    """What must not go back in time, out of the old database (by a connection that was opened before it was closed)
    into the new one."""

    def __init__(self, connection: Any, old: Server, new: Server, outcome: TakenOver) -> None:
        self.connection, self.old, self.new, self.outcome = connection, old, new, outcome
        self.pids: list[int] = [connection.info.backend_pid]

    def carry(self) -> None:
        """Raises SwapFailed, ServerGone, BackupFailed."""
        with meanings(self.old), self.connection.cursor() as cursor:
            read = read_what_stays(cursor)
            # The database of a new server may be empty: the list in the folder of backups has been repeated already.
            has_list = has_table(cursor, ErasedPerson._meta.db_table)
        try:
            # This thread works in the old database still.
            people = erased_people() if has_list else []
        except DatabaseError as error:
            raise not_carried(error) from error
        with meanings(self.new), self.new.connected() as connection:
            connection.autocommit = False
            with connection, connection.cursor() as cursor:
                self.outcome.carried = write_what_stays(cursor, read)
        if self.outcome.carried.is_same_shop:
            with in_database(self.new):
                erase_again(people, self.outcome)


def erase_again(people: list[dict[str, Any]], outcome: TakenOver) -> None:
    """Raises SwapFailed."""
    try:
        done = repeat_them(people)
    except (DatabaseError, KeyError, ValueError) as error:
        raise not_carried(error) from error
    outcome.erased_again += done.erased
    outcome.erased_elsewhere += done.elsewhere
    outcome.refused |= {pk: str(refusal.detail) for pk, refusal in done.refused.items()}


def not_carried(error: Exception) -> SwapFailed:
    return SwapFailed(
        _("The list of erased persons could not be carried over, so nothing was restored: %(why)s") % {"why": error}
    )


def say_outcome(repository: Repository, outcome: TakenOver) -> None:
    """The work says that it is done and what came of it, so that there is a way back, though its process may be gone.
    The shop does not wait for that: what can't be written now is said later."""
    if not outcome.swap.job:
        return
    try:
        say_done(repository, outcome.swap.job, outcome.to_result())
    except BackupFailed as error:
        logger.warning("outcome_not_said", job=outcome.swap.job, reason=str(error))
        leave_unsaid(repository)


def say_what_is_unsaid(repository: Repository) -> None:
    """Raises DiskIsFull, NotWritable."""
    path = unsaid_of(repository)
    if (swap := read_swap(path)) is not None:
        say_done(repository, swap.job, TakenOver(swap).to_result())
    path.unlink(missing_ok=True)


def after_a_swap(repository: Repository, server: Server, outcome: TakenOver) -> None:
    """What was of the old database and lies elsewhere. May be done twice."""
    say_outcome(repository, outcome)
    note_swap()
    connections.close_all()
    forget_what_was_read()
    dropped = empty_queue()
    try:
        cache.clear()
    except Exception as error:
        # Losing it costs only time, and so does keeping it: its entries are short-lived.
        logger.warning("cache_not_emptied", reason=f"{type(error).__name__}: {error}")
    try:
        with in_database(server):
            refresh_index(repository=repository)
    except DatabaseError as error:
        logger.warning("index_not_refreshed", reason=str(error))
    logger.info("after_the_swap", database=server.database, tasks_dropped=dropped)
