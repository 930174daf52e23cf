"""The tasks of seller accounts. Each may run twice, or die at any line, without harm."""

from uuid import UUID

from celery import current_app, shared_task
from django.db import transaction
from django.utils import timezone

from marketplaces.models import SyncRun
from marketplaces.services import credentials, testing, tokens

TASKS_OF_RUNS = {SyncRun.What.ORDERS: "sync_orders", SyncRun.What.INVENTORY: "import_stock"}


@shared_task(name="marketplaces.tasks.try_connection")
def try_connection(account_id: str) -> None:
    """Tries the keys that somebody has just stored."""
    testing.test_account(account_id=UUID(account_id), tested_by_id=None, at=timezone.now())


def hand_over_test(account_id: UUID) -> None:
    """Has new keys or tokens tried when the transaction is through. A message that is lost, with a broker that is down,
    costs an hour: `look_after_accounts` tries them too."""
    transaction.on_commit(lambda: try_connection.delay(str(account_id)), robust=True)


@shared_task(name="marketplaces.tasks.look_after_accounts")
def look_after_accounts() -> None:
    """Refreshes tokens that are due, tries keys that nobody has tried, and tells people of old ones."""
    now = timezone.now()
    tokens.refresh_due_tokens(at=now)
    testing.test_untested_accounts(at=now)
    credentials.watch_keys(now=now)


def hand_over_sync(run: SyncRun) -> None:
    """Sends a run that somebody asked for to a worker when the transaction is through. If the message is lost, the run
    is closed when its lease is over, and the next one makes up for it."""
    name = f"marketplaces.tasks.{TASKS_OF_RUNS[SyncRun.What(run.what)]}"
    arguments = {"account_id": str(run.account_id), "run_id": str(run.pk)}
    transaction.on_commit(lambda: current_app.send_task(name, kwargs=arguments), robust=True)
