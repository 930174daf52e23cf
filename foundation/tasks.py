"""Housekeeping of the mechanisms."""

from celery import shared_task

from foundation.services import idempotency, kept_files


@shared_task
def forget_old_idempotency_keys() -> int:
    """Deletes the keys whose time is over; says how many."""
    return idempotency.forget_old_keys()


@shared_task
def forget_kept_files() -> int:
    """Deletes the files that were handed in and not decided about within a day; says how many."""
    return kept_files.forget_old_files()
