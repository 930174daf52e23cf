"""Alerts of what is looked at again and again: opened when something begins, brought up to date, closed when it has
ended."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from monitoring.models import Alert
from monitoring.services.alerts import AlertText, notify_many, resolve


def tell_what_stands(*, event: str, alerts: Iterable[AlertText], tells_changes: bool = False) -> None:
    """Has the open alerts of an event say exactly this, in the caller's transaction.

    Args:
        alerts: all that is so now, one of a subject.
        tells_changes: whether other details of the same subject are news, which count once more; otherwise the alert
            only says them from now on.

    Raises NotRegistered for an event that no app has registered.
    """
    now_said = {alert.subject: alert for alert in alerts}
    open_alerts = Alert.objects.filter(event=event, resolved_at=None)
    said = dict(open_alerts.values_list("subject", "details"))
    changed = {
        subject for subject, alert in now_said.items() if subject in said and said[subject] != as_kept(alert.details)
    }
    news = (now_said.keys() - said.keys()) | (changed if tells_changes else set())
    notify_many(event=event, alerts=[alert for subject, alert in now_said.items() if subject in news])
    for subject in sorted(changed - news):
        alert = now_said[subject]
        open_alerts.filter(subject=subject).update(
            message=alert.message, details=as_kept(alert.details), last_seen_at=timezone.now()
        )
    resolve(event=event, subjects=sorted(said.keys() - now_said.keys()))


def as_kept(details: Mapping[str, Any]) -> Any:
    """The details as they come back from the database."""
    return json.loads(json.dumps(dict(details), cls=DjangoJSONEncoder))
