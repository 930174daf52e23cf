"""The locks of monitoring, in the documented order: the planning as a whole, alerts by id, the channel, deliveries by
id.

Nothing else in this app calls `select_for_update`.
"""

import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from monitoring.errors import UnknownChannel, UnknownDelivery, UnknownRule
from monitoring.models import Alert, AlertRule, Channel, Delivery

# An advisory lock of its own; the number says nothing.
PLANNING = 7_245_001


def take_planning() -> bool:
    """Whether this transaction alone plans: two at once would tell a channel of later alerts before earlier ones."""
    inside_a_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [PLANNING])
        return bool(cursor.fetchone()[0])


def lock_undispatched_alerts(*, limit: int) -> list[Alert]:
    """The oldest alerts that no message holds yet. Those that somebody writes to just now come later."""
    return _lock_alerts(Q(dispatched_at=None), limit=limit)


def lock_resolved_alerts(*, limit: int) -> list[Alert]:
    """The oldest alerts that are over, and of which that is not said yet."""
    return _lock_alerts(
        Q(dispatched_at__isnull=False, resolved_at__isnull=False, resolution_dispatched_at=None), limit=limit
    )


def lock_alerts_to_repeat(alert_ids: list[int]) -> list[Alert]:
    """Those of these alerts that are still open and that nobody has acknowledged."""
    return _lock_alerts(Q(pk__in=alert_ids, resolved_at=None, acknowledged_at=None), limit=len(alert_ids))


def _lock_alerts(which: Q, *, limit: int) -> list[Alert]:
    inside_a_transaction()
    rows = Alert.objects.select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(which)
    return list(rows.order_by("pk")[:limit])


def lock_gathering() -> dict[int, Delivery]:
    """The messages that take up what happens, by their channel: none of them gets its words meanwhile."""
    inside_a_transaction()
    rows = Delivery.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.filter(status=Delivery.Status.WAITING, rendered_at=None)
    return {delivery.channel_id: delivery for delivery in rows.order_by("pk")}


def claim_channel(channel_id: int, *, sender: str, at: datetime.datetime, until: datetime.datetime) -> Channel | None:
    """Gives the channel to this sender until then; None if it takes nothing now, or is somebody else's."""
    inside_a_transaction()
    free = Q(claimed_until=None) | Q(claimed_until__lte=at) | Q(claimed_by=sender)
    unblocked = Q(blocked_until=None) | Q(blocked_until__lte=at)
    rows = Channel.objects.filter(free, unblocked, pk=channel_id, is_enabled=True, disabled_reason="")
    if not rows.update(claimed_by=sender, claimed_until=until):
        return None
    return Channel.objects.defer(*Channel.SEALED).get(pk=channel_id)


def release_channel(channel_id: int, *, sender: str) -> None:
    """Lets others send to the channel, if it is still this sender's."""
    Channel.objects.filter(pk=channel_id, claimed_by=sender).update(claimed_by="", claimed_until=None)


def lock_channel(channel_id: int) -> Channel:
    """Locks the channel until the end of the transaction and returns it as it is now. Raises UnknownChannel."""
    inside_a_transaction()
    rows = Channel.objects.select_for_update(no_key=True).defer(*Channel.SEALED)
    channel = rows.filter(pk=channel_id).first()
    if channel is None:
        raise UnknownChannel(channel_id)
    return channel


def lock_rule(rule_id: int) -> AlertRule:
    """Locks the rule until the end of the transaction and returns it as it is now. Raises UnknownRule."""
    inside_a_transaction()
    rule = AlertRule.objects.select_for_update(no_key=True).filter(pk=rule_id).first()
    if rule is None:
        raise UnknownRule(rule_id)
    return rule


def lock_first_waiting(channel_id: int) -> Delivery | None:
    """The message that is the channel's next one. To be taken with the channel claimed or locked."""
    return _lock_deliveries(Q(channel_id=channel_id, status=Delivery.Status.WAITING)).first()


def lock_waiting(channel_id: int) -> list[Delivery]:
    """All messages that wait for the channel. To be taken with the channel locked."""
    return list(_lock_deliveries(Q(channel_id=channel_id, status=Delivery.Status.WAITING)))


def lock_delivery(delivery_id: int) -> Delivery:
    """Locks the message until the end of the transaction and returns it as it is now. Raises UnknownDelivery."""
    delivery = _lock_deliveries(Q(pk=delivery_id)).first()
    if delivery is None:
        raise UnknownDelivery(delivery_id)
    return delivery


def _lock_deliveries(which: Q) -> QuerySet[Delivery]:
    inside_a_transaction()
    rows = Delivery.objects.select_for_update(no_key=True, of=("self",)).filter(which)
    return rows.select_related("channel").defer(*(f"channel__{name}" for name in Channel.SEALED)).order_by("pk")


def inside_a_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A lock outside a transaction would be gone at once.")
