"""The housekeeping of monitoring, and the daily reports. Sending is the watchdog's, which works without a worker."""

import datetime

from celery import shared_task
from django.utils import timezone

from monitoring.services import deliveries, gone_quiet, reports

KEEP_DELIVERIES = datetime.timedelta(days=90)
KEEP_ALERTS = datetime.timedelta(days=365)


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
def resolve_gone_quiet() -> int:
    """Closes alerts about what did not come again, such as errors, and says how many."""
    return gone_quiet.resolve_gone_quiet(at=timezone.now())
