"""The tasks of marketplaces. Each may run twice, or die at any line, without harm."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from celery import current_app, shared_task
from django.db import transaction
from django.utils import timezone

from marketplaces.errors import NotConnected, UnknownAccount
from marketplaces.models import StockOperation, SyncRun
from marketplaces.services import credentials, pipeline, pushes, testing, tokens

# --- accounts -----------------------------------------------------------------------------------------


@shared_task
def try_connection(account_id: str) -> None:
    """Tries the keys that somebody has just stored."""
    testing.test_account(account_id=UUID(account_id), tested_by_id=None, at=timezone.now())


def hand_over_test(account_id: UUID) -> None:
    """Has new keys tried when the transaction is through. A message that is lost, with a broker that is down, costs an
    hour: `look_after_accounts` tries them too."""
    transaction.on_commit(lambda: try_connection.delay(str(account_id)), robust=True)


@shared_task
def look_after_accounts() -> None:
    """Refreshes tokens that are due, tries keys that nobody has tried, and tells people of old ones."""
    now = timezone.now()
    tokens.refresh_due_tokens(at=now)
    testing.test_untested_accounts(at=now)
    credentials.watch_keys(now=now)


def hand_over_sync(run: SyncRun) -> None:
    """Sends a run that somebody asked for to a worker when the transaction is through. If the message is lost, the run
    is closed when its lease is over, and the next one makes up for it."""
    name = "sync_orders" if run.what == SyncRun.What.ORDERS else "import_stock"
    arguments = {"account_id": str(run.account_id), "run_id": str(run.pk)}
    transaction.on_commit(lambda: current_app.send_task(f"marketplaces.tasks.{name}", kwargs=arguments), robust=True)


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
    for account_id in pushes.accounts_to_push(now=timezone.now()):
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
    ids = [str(operation.pk) for operation in operations]
    if ids:
        transaction.on_commit(lambda: run_operations.delay(ids), robust=True)
