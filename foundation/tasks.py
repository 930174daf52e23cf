"""Housekeeping of the mechanisms."""

from celery import shared_task

from foundation.services import idempotency


@shared_task
def forget_old_idempotency_keys() -> int:
    """Deletes the keys whose time is over; says how many."""
    return idempotency.forget_old_keys()
