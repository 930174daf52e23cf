"""Alerts of which nobody says that they are over: they are, when they have not been seen for so long."""

import datetime

from monitoring.models import Alert
from monitoring.registry import events


def resolve_gone_quiet(*, at: datetime.datetime) -> int:
    """Closes the alerts of events with a `quiet_after` that were last seen longer ago, and says how many: what comes
    again after a long time would only count else, and nobody be told."""
    return sum(
        Alert.objects.filter(event=event.name, resolved_at=None, last_seen_at__lt=at - event.quiet_after).update(
            resolved_at=at
        )
        for event in events.all()
        if event.quiet_after is not None
    )
