"""Alerts of which nobody says that they are over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplaces.services.alarms import CANCELLATION_REFUSED, DATABASE_ERRORS
from marketplaces.services.mirror import ORDER_UNKNOWN_STATUS
from monitoring.logs.raising import EVENT as ERRORS
from monitoring.models import Alert
from monitoring.tasks import resolve_gone_quiet
from orders.services.pins import PIN_LOCKED
from users.watch import SIGN_IN_LOCKED

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("event", "hours"),
    [
        (ERRORS, 24),
        (SIGN_IN_LOCKED, 1),
        (PIN_LOCKED, 1),
        (CANCELLATION_REFUSED, 7 * 24),
        (ORDER_UNKNOWN_STATUS, 24),
        (DATABASE_ERRORS, 24),
    ],
)
def test_one_that_was_not_seen_for_so_long_is_over(event: str, hours: int) -> None:
    now = timezone.now()
    for subject, minutes in (("quiet", 1), ("lately", -1)):
        seen = now - timedelta(hours=hours, minutes=minutes)
        Alert.objects.create(event=event, severity="error", subject=subject, message="m", last_seen_at=seen)
    assert resolve_gone_quiet() == 1
    assert Alert.objects.get(subject="quiet").resolved_at is not None
    assert Alert.objects.get(subject="lately").resolved_at is None


def test_others_stay_open_until_somebody_says_so() -> None:
    seen = timezone.now() - timedelta(days=400)
    Alert.objects.create(event="stock.low", severity="warning", subject="milk", message="m", last_seen_at=seen)
    assert resolve_gone_quiet() == 0
