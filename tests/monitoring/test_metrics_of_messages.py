"""What the metrics say of messages: what was given up, and what is overdue."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from monitoring.metrics import deliveries_of_the_day, overdue_deliveries
from monitoring.models import Channel, Delivery
from tests.monitoring.watching import channel

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)


def message(to: Channel, **fields: Any) -> Delivery:
    now = timezone.now()
    usual = {"kind": "alert", "severity": "warning", "title": "t", "text": "x", "status": "waiting", "created_at": now}
    moments = {"next_attempt_at": now - HOUR, "give_up_at": now + 70 * HOUR, "rendered_at": now}
    return Delivery.objects.create(channel=to, **(usual | moments | fields))


def test_what_was_given_up_after_three_days_counts_for_a_day() -> None:
    chat, now = channel("Chat"), timezone.now()
    message(chat, status="given_up", created_at=now - 73 * HOUR, give_up_at=now - HOUR)
    message(chat, status="given_up", created_at=now - 100 * HOUR, give_up_at=now - 28 * HOUR)
    # Refused for itself, at once; and a test, which somebody has watched.
    message(chat, status="given_up", created_at=now - HOUR)
    message(chat, status="given_up", kind="test", give_up_at=now)
    assert list(deliveries_of_the_day()) == [({"channel": "Chat", "status": "given_up"}, 2.0)]


def test_what_waits_for_the_end_of_quiet_hours_is_not_overdue() -> None:
    quiet: dict[str, Any] = {"quiet_from": datetime.time(0), "quiet_until": datetime.time(23, 59, 59)}
    asleep, woken, awake = channel("Asleep", **quiet), channel("Woken", **quiet), channel("Awake")
    for one in (asleep, woken, awake):
        message(one, created_at=timezone.now() - 2 * HOUR)
    message(woken, severity="critical")
    overdue = {labels["channel"]: round(seconds / 3600) for labels, seconds in overdue_deliveries()}
    assert overdue == {"Woken": 2, "Awake": 2}
