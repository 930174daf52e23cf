"""Questions about alerts."""

from django.db.models import QuerySet

from monitoring.models import Alert


def open_alerts() -> QuerySet[Alert]:
    """What is not resolved yet, the latest news first."""
    return Alert.objects.filter(resolved_at=None).select_related("acknowledged_by").order_by("-last_seen_at", "-id")


def alerts_waiting_for_dispatch() -> QuerySet[Alert]:
    """The outbox: what nobody has been sent yet, the oldest first. What has been resolved meanwhile is in it."""
    return Alert.objects.filter(dispatched_at=None).order_by("id")
