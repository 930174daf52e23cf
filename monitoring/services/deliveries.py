"""Messages afterwards: sent once more by hand, and forgotten when they are old."""

import datetime

from django.db import transaction

from monitoring.errors import ChannelClosed, SentAlready
from monitoring.locks import lock_channel, lock_delivery
from monitoring.models import Alert, Delivery
from monitoring.services.dispatch import GIVE_UP_AFTER

# Deleted in one statement, so that nothing waits long for it.
PORTION = 1000


@transaction.atomic
def retry_delivery(*, delivery_id: int, at: datetime.datetime) -> Delivery:
    """Has a message that waits or was given up sent now; it has as long again to arrive.

    Raises UnknownDelivery, SentAlready, and ChannelClosed while its channel takes nothing, or is for customers by now.
    """
    # The channel before its messages: see monitoring.locks.
    channel_id = Delivery.objects.filter(pk=delivery_id).values_list("channel_id", flat=True).first()
    if channel_id is not None:
        lock_channel(channel_id)
    delivery = lock_delivery(delivery_id)
    if delivery.status == Delivery.Status.SENT:
        raise SentAlready
    if not delivery.channel.is_open or delivery.channel.for_customers:
        raise ChannelClosed(delivery.channel.name)
    delivery.status = Delivery.Status.WAITING
    delivery.next_attempt_at = at
    delivery.give_up_at = at + GIVE_UP_AFTER
    delivery.save(update_fields=["status", "next_attempt_at", "give_up_at"])
    return delivery


def forget_old_alerts(*, before: datetime.datetime) -> int:
    """Deletes alerts that were over before and of which everybody has been told, and says how many."""
    number = 0
    old = Alert.objects.filter(resolved_at__lt=before, resolution_dispatched_at__isnull=False)
    old = old.exclude(deliveries__delivery__status=Delivery.Status.WAITING)
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:PORTION]):
        number += Alert.objects.filter(pk__in=ids).delete()[1]["monitoring.Alert"]
    return number


def forget_old_deliveries(*, before: datetime.datetime) -> int:
    """Deletes messages that were made before and wait no more, and says how many. Those that speak of an alert that is
    still open stay: its end and its reminders depend on them."""
    number = 0
    old = Delivery.objects.filter(created_at__lt=before).exclude(status=Delivery.Status.WAITING)
    old = old.exclude(parts__alert__resolved_at=None, parts__isnull=False)
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:PORTION]):
        number += Delivery.objects.filter(pk__in=ids).delete()[1]["monitoring.Delivery"]
    return number
