"""Background work of orders."""

from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from orders.selectors import stalled_batches
from orders.services.batch import run_batch_part


@shared_task
def run_batch(run_id: str) -> None:
    """Deals with one part of a large batch and calls itself for the next one."""
    if run_batch_part(run_id=run_id):
        run_batch.delay(run_id)


def hand_over(run_id: UUID) -> None:
    """Sends a batch to a worker when the transaction is through.

    A message that is lost, with a broker that is down, is sent again by `carry_on_stalled_batches`. Not a partial:
    where it fails, Django asks for its name.
    """
    transaction.on_commit(lambda: run_batch.delay(str(run_id)), robust=True)


@shared_task
def carry_on_stalled_batches() -> None:
    """Calls again for batches whose message was lost. Two calls for one batch do no harm: parts are locked."""
    for run_id in stalled_batches(at=timezone.now()).values_list("pk", flat=True):
        run_batch.delay(str(run_id))
