"""The housekeeping of monitoring, and the daily reports. Sending is the watchdog's, which works without a worker."""

import datetime

from celery import shared_task
from django.utils import timezone

from monitoring.services import deliveries, reports
from monitoring.services.error_alerts import resolve_quiet_errors

KEEP_DELIVERIES = datetime.timedelta(days=90)
KEEP_ALERTS = datetime.timedelta(days=365)
# An error that did not come again for so long is taken to be over.
QUIET_AFTER = datetime.timedelta(days=1)


@shared_task
def forget_old_messages() -> tuple[int, int]:
    """Deletes messages and alerts that nobody looks for any more, and says how many of each."""
    now = timezone.now()
    messages = deliveries.forget_old_deliveries(before=now - KEEP_DELIVERIES)
    return messages, deliveries.forget_old_alerts(before=now - KEEP_ALERTS)


@shared_task
def send_daily_reports() -> int:
    """Makes the reports whose hour has come, with the messages that carry them, and says how many."""
    return len(reports.send_due_reports(at=timezone.now()))


@shared_task
def resolve_errors_gone_quiet() -> int:
    """Closes alerts about errors that did not come again, and says how many."""
    now = timezone.now()
    return resolve_quiet_errors(quiet_since=now - QUIET_AFTER, at=now)
