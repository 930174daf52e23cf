"""Alerts: raise, close, acknowledge. Each is one statement in the caller's transaction."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils import timezone

from monitoring.models import Alert
from monitoring.registry import events


@dataclass(frozen=True)
class AlertText:
    """What one alert says about one subject."""

    subject: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1
    """How many times it happened."""


def notify(
    *, event: str, subject: str = "", message: str, details: Mapping[str, Any] | None = None, count: int = 1
) -> None:
    """Raises an alert, in the caller's transaction: rolled back, it has never been.

    If one of the same event and subject is open already, that one counts `count` more and takes the newer text, unless
    its event keeps the first. Raises NotRegistered for an event that no app has registered.
    """
    notify_many(event=event, alerts=[AlertText(subject, message, details or {}, count)])


def notify_many(*, event: str, alerts: Sequence[AlertText]) -> None:
    """Raises several alerts of one event in one statement. See `notify`."""
    registered = events.get(event)
    if not alerts:
        return
    latest = {alert.subject: alert for alert in alerts}
    subjects = sorted(latest)
    times: Counter[str] = Counter()
    for alert in alerts:
        times[alert.subject] += alert.count
    now = timezone.now()
    with connection.cursor() as cursor:
        # In the order of subjects, so that two callers with common subjects wait for each other, not in a circle.
        cursor.execute(
            """
            INSERT INTO monitoring_alert
                (event, severity, subject, message, details, count, created_at, last_seen_at, resolved_at)
            SELECT %(event)s, %(severity)s, subject, message, details, times, %(now)s, %(now)s, %(resolved_at)s
            FROM unnest(%(subjects)s::text[], %(messages)s::text[], %(details)s::jsonb[], %(times)s::int[])
                AS given (subject, message, details, times)
            ORDER BY subject
            ON CONFLICT (event, subject) WHERE resolved_at IS NULL DO UPDATE SET
                severity = excluded.severity,
                message = CASE WHEN %(keeps_first)s THEN monitoring_alert.message ELSE excluded.message END,
                details = CASE WHEN %(keeps_first)s THEN monitoring_alert.details ELSE excluded.details END,
                count = monitoring_alert.count + excluded.count,
                last_seen_at = greatest(monitoring_alert.last_seen_at, excluded.last_seen_at)
            """,
            {
                "event": event,
                "severity": registered.severity.value,
                "now": now,
                "keeps_first": registered.keeps_first,
                "resolved_at": now if registered.is_news else None,
                "subjects": subjects,
                "messages": [str(latest[subject].message) for subject in subjects],
                "details": [json.dumps(dict(latest[subject].details), cls=DjangoJSONEncoder) for subject in subjects],
                "times": [times[subject] for subject in subjects],
            },
        )


def resolve(*, event: str, subjects: Sequence[str]) -> int:
    """Closes the open alerts of the event about these subjects, and says how many there were.

    Raises NotRegistered for an event that no app has registered.
    """
    events.get(event)
    if not subjects:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE monitoring_alert SET resolved_at = %(now)s
            WHERE id IN (
                SELECT id FROM monitoring_alert
                WHERE event = %(event)s AND subject = ANY(%(subjects)s::text[]) AND resolved_at IS NULL
                ORDER BY subject
                FOR UPDATE
            )
            """,
            {"now": timezone.now(), "event": event, "subjects": list(subjects)},
        )
        return cursor.rowcount


def acknowledge(*, alert_ids: Sequence[int], user: Any) -> int:
    """Notes that `user` has seen these alerts; who was first stays. Says how many were new to people."""
    return Alert.objects.filter(pk__in=alert_ids, acknowledged_at=None).update(
        acknowledged_at=timezone.now(), acknowledged_by=user
    )
