"""Background work of the store room."""

from celery import shared_task

from inventory.services.expiring import tell_expiring
from inventory.services.unavailable import tell_unavailable


@shared_task
def tell_what_expires() -> None:
    """Raises the alerts of what expires soon, and closes those of what is gone. Running it twice says it once."""
    tell_expiring()


@shared_task
def tell_what_is_unavailable() -> None:
    """Raises the alerts of what can't be sold for want of something, and closes those of what is there again."""
    tell_unavailable()
