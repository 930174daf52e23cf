"""The tasks of marketplaces. Each may run twice, or die at any line, without harm."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from marketplaces.account_tasks import look_after_accounts, try_connection  # noqa: F401 - the worker finds them here
from marketplaces.errors import AccountSwitchedOff, NotConnected, SyncRunning, UnknownAccount
from marketplaces.models import StockOperation, SyncRun
from marketplaces.services import anomalies, order_sync, partitions, pipeline, pushes, snapshots, stock_import
from marketplaces.services.schedule import due_syncs
from marketplaces.token_tasks import refresh_tokens  # noqa: F401 - the worker finds it here

# --- orders and stock ---------------------------------------------------------------------------------

# A message that waited longer is of no use: by then another one has been sent.
EXPIRES_AFTER = 60


@shared_task
def start_due_syncs() -> None:
    """Sends what is to be read now to the workers, each account and subject by itself, so that they run in parallel.
    What is lost on the way is still due the next time."""
    for account_id, what in due_syncs(now=timezone.now()):
        task = sync_orders if what == SyncRun.What.ORDERS else import_stock
        task.apply_async(kwargs={"account_id": str(account_id)}, expires=EXPIRES_AFTER)


@shared_task
def sync_orders(account_id: str, run_id: str | None = None) -> None:
    """Reads what is new among an account's orders, if it is time and nobody does; or carries out the run that
    somebody asked for. What is read is gone on with at once."""
    with suppress(*NOT_TO_BE_READ):
        order_sync.sync_orders(
            account_id=UUID(account_id),
            run_id=UUID(run_id) if run_id else None,
            is_due_only=True,
            hand_over=hand_over_operations,
        )


@shared_task
def import_stock(account_id: str, run_id: str | None = None) -> None:
    """Reads an account's stock, as `sync_orders` its orders."""
    with suppress(*NOT_TO_BE_READ):
        stock_import.import_stock(
            account_id=UUID(account_id), run_id=UUID(run_id) if run_id else None, is_due_only=True
        )


# It was changed, or done, while the message was on its way.
NOT_TO_BE_READ = (SyncRunning, UnknownAccount, AccountSwitchedOff, NotConnected)


@shared_task
def watch_marketplaces() -> None:
    """Opens alerts of what looks wrong, and closes those of what has ended."""
    anomalies.watch_marketplaces(now=timezone.now())


@shared_task
def tidy_sync_runs() -> None:
    """Makes the table of runs ready for the next months, drops old months, and forgets old snapshots of stock."""
    now = timezone.now()
    partitions.ensure_partitions(now=now)
    partitions.drop_old_partitions(now=now)
    while snapshots.forget_old_snapshots(now=now) == snapshots.PART:
        pass


# --- quantities ---------------------------------------------------------------------------------------


@shared_task
def push_quantities(account_id: str, is_sure: bool = False, by_id: int | None = None) -> None:
    """Brings the quantities that an account's listings show to what the stock allows. An account that was deleted or
    disconnected meanwhile needs nothing."""
    with suppress(UnknownAccount, NotConnected):
        pushes.push_quantities(account_id=UUID(account_id), at=timezone.now(), is_sure=is_sure, by_id=by_id)


def hand_over_push(account_id: UUID, *, is_sure: bool = False, by_id: int | None = None) -> None:
    """Has an account's quantities sent when the transaction is through. A message that is lost is made good by
    `push_changed_quantities`."""
    transaction.on_commit(lambda: push_quantities.delay(str(account_id), is_sure, by_id), robust=True)


@shared_task
def push_changed_quantities() -> None:
    """Sends the quantities of the accounts where a listing may show something else than it should, whatever has
    changed the stock: a sale at the counter, a delivery, a lot that expired."""
    for account_id in pushes.look_for_pushes(now=timezone.now()):
        push_quantities.delay(str(account_id))


# --- stock operations ---------------------------------------------------------------------------------


@shared_task
def run_operations(operation_ids: list[str] | None = None) -> None:
    """Goes on with these operations, or with all that are due, and calls for the quantities that have changed by it."""
    ids = None if operation_ids is None else [UUID(pk) for pk in operation_ids]
    progress = pipeline.advance_operations(operation_ids=ids)
    for account_id in progress.accounts_to_push:
        push_quantities.delay(str(account_id))
    if progress.is_more_due:
        run_operations.delay(operation_ids)


@shared_task
def carry_on_operations() -> None:
    """Goes on with what is due: tries that were put off, and operations whose message was lost or whose worker died."""
    run_operations()


def hand_over_operations(operations: Sequence[StockOperation]) -> None:
    """Sends operations to a worker when the transaction is through. A message that is lost, with a broker that is down,
    costs half a minute: `carry_on_operations` finds them."""
    hand_over_operations_by_id([operation.pk for operation in operations])


def hand_over_operations_by_id(operation_ids: Sequence[UUID]) -> None:
    """The same, where only their ids are known."""
    ids = [str(pk) for pk in operation_ids]
    if ids:
        transaction.on_commit(lambda: run_operations.delay(ids), robust=True)
