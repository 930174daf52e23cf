"""The task that keeps Allegro's tokens fresh. It may run twice, or die at any line, without harm."""

from celery import shared_task
from django.utils import timezone

from marketplaces.services.tokens import refresh_due_tokens


@shared_task(name="marketplaces.tasks.refresh_tokens")
def refresh_tokens() -> None:
    """Refreshes tokens that are due, and repeats a refresh that was cut short: within the minute in which the old
    token is still taken, so beat sends this every 20 seconds."""
    refresh_due_tokens(at=timezone.now())
