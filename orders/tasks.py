"""Background work of orders."""

from celery import shared_task

from orders.services.batch import run_batch_part


@shared_task
def run_batch(run_id: str) -> None:
    """Deals with one part of a large batch and calls itself for the next one."""
    if run_batch_part(run_id=run_id):
        run_batch.delay(run_id)
