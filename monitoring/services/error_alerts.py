"""Errors that have not come again."""

import datetime

from monitoring.logs.raising import EVENT
from monitoring.models import Alert


def resolve_quiet_errors(*, quiet_since: datetime.datetime, at: datetime.datetime) -> int:
    """Closes the alerts about errors that were seen last before `quiet_since`: nobody says of an error that it is over,
    so that one which comes again after a long time would only count. Says how many."""
    quiet = Alert.objects.filter(event=EVENT, resolved_at=None, last_seen_at__lt=quiet_since)
    return quiet.update(resolved_at=at)
