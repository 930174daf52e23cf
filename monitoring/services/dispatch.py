"""From alerts to messages: which channel is told what, and when. The words are found later, when a message is sent.

An alert is put into messages in one transaction with the note that it was (`dispatched_at`): a program that dies
before has planned nothing, one that dies after has planned all of it.
"""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q
from django.db.models.functions import Coalesce

from monitoring.locks import (
    lock_alerts_to_repeat,
    lock_gathering,
    lock_resolved_alerts,
    lock_undispatched_alerts,
    take_planning,
)
from monitoring.models import Alert, Delivery, DeliveryAlert
from monitoring.services.routing import RuleInUse, Wish, rules_in_use, wishes_of
from monitoring.severity import Severity

# Alerts that one transaction plans.
CHUNK = 1000
# After so long nobody wants to hear of it any more.
GIVE_UP_AFTER = datetime.timedelta(days=3)
# The weightier first: what a message is called that says several things.
KINDS = (Delivery.Kind.ALERT, Delivery.Kind.REPEAT, Delivery.Kind.RESOLUTION)


@dataclass(frozen=True, slots=True)
class Planned:
    """How many alerts, ends of alerts and reminders have been dealt with."""

    alerts: int = 0
    resolutions: int = 0
    repeats: int = 0

    def __add__(self, other: "Planned") -> "Planned":
        return Planned(self.alerts + other.alerts, self.resolutions + other.resolutions, self.repeats + other.repeats)

    @property
    def is_full(self) -> bool:
        """Whether there may be more."""
        return max(self.alerts, self.resolutions, self.repeats) >= CHUNK


@dataclass(slots=True)
class ChannelPlan:
    """What one channel is to be told now."""

    parts: list[DeliveryAlert] = field(default_factory=list)
    due: list[datetime.datetime] = field(default_factory=list)
    severities: set[Severity] = field(default_factory=set)


def plan_deliveries(*, at: datetime.datetime) -> Planned:
    """Puts what has happened into messages: new alerts, alerts that are over, and those that are to be repeated.

    Several calls at once do no harm: one of them plans, the others have nothing to do. Channels that are switched off
    get nothing; those that do not answer, or refuse, get it when they do again.

    Args:
        at: now.
    """
    planned = Planned()
    while True:
        step = plan_chunk(at=at)
        planned += step
        if not step.is_full:
            return planned


@transaction.atomic
def plan_chunk(*, at: datetime.datetime) -> Planned:
    """Plans up to CHUNK alerts of each sort."""
    if not take_planning():
        return Planned()
    rules = rules_in_use()
    news, over = lock_undispatched_alerts(limit=CHUNK), lock_resolved_alerts(limit=CHUNK)
    repeated, numbers = alerts_to_repeat(rules, at=at)
    gathering = lock_gathering() if news or over or repeated else {}
    plans: dict[int, ChannelPlan] = {}

    for alert in news:
        for channel_id, wish in wishes_of(alert, rules).items():
            add(plans, channel_id, alert, Delivery.Kind.ALERT, wish, at=at)
    for alert, channel_id, wish in resolutions_to_tell(over, rules, gathering):
        add(plans, channel_id, alert, Delivery.Kind.RESOLUTION, wish, at=at)
    for alert, channel_id, wish in repeated:
        number = numbers[alert.pk, channel_id] + 1
        add(plans, channel_id, alert, Delivery.Kind.REPEAT, wish, at=at, number=number)

    write(plans, gathering, at=at)
    Alert.objects.filter(pk__in=[alert.pk for alert in news]).update(dispatched_at=at)
    # What is over before its message has words is said to be over by that message.
    told = [alert.pk for alert in over] + [alert.pk for alert in news if alert.resolved_at is not None]
    Alert.objects.filter(pk__in=told).update(resolution_dispatched_at=at)
    return Planned(len(news), len(over), len(repeated))


def add(
    plans: dict[int, ChannelPlan],
    channel_id: int,
    alert: Alert,
    kind: Delivery.Kind,
    wish: Wish,
    *,
    at: datetime.datetime,
    number: int = 0,
) -> None:
    """Notes that the channel is told this. Something critical that is new is told at once."""
    plan = plans.setdefault(channel_id, ChannelPlan())
    severity = Severity(alert.severity)
    is_urgent = severity is Severity.CRITICAL and kind is Delivery.Kind.ALERT
    plan.parts.append(DeliveryAlert(channel_id=channel_id, alert=alert, kind=kind, number=number))
    plan.due.append(at if is_urgent else at + datetime.timedelta(seconds=wish.group_seconds))
    plan.severities.add(severity)


def resolutions_to_tell(
    over: Sequence[Alert], rules: Sequence[RuleInUse], gathering: Mapping[int, Delivery]
) -> list[tuple[Alert, int, Wish]]:
    """Which channels are told that an alert is over: those that have been told of it, and whose rules say so.

    A message that has no words yet will say it by itself; one with words may have said it already. To be called with
    the gathering messages locked.
    """
    without_words = {delivery.pk for delivery in gathering.values()}
    told: dict[int, dict[int, bool]] = {alert.pk: {} for alert in over}
    parts = DeliveryAlert.objects.filter(alert__in=over).order_by("pk")
    for alert_id, channel_id, delivery_id, kind, says_both in parts.values_list(
        "alert_id", "channel_id", "delivery_id", "kind", "tells_resolution"
    ):
        says_it = says_both or kind == Delivery.Kind.RESOLUTION or delivery_id in without_words
        told[alert_id][channel_id] = told[alert_id].get(channel_id, False) or says_it
    found = []
    for alert in over:
        for channel_id, wish in wishes_of(alert, rules).items():
            if wish.tells_resolution and told[alert.pk].get(channel_id) is False:
                found.append((alert, channel_id, wish))
    return found


def alerts_to_repeat(
    rules: Sequence[RuleInUse], *, at: datetime.datetime
) -> tuple[list[tuple[Alert, int, Wish]], Counter[tuple[int, int]]]:
    """The alerts of which a channel is to be told once more, and how often it has been reminded of each.

    The interval runs from when the last message about it arrived (or was given up): while one waits, none is added.
    """
    numbers: Counter[tuple[int, int]] = Counter()
    intervals = [rule.wish.repeat_minutes for rule in rules if rule.wish.repeat_minutes is not None]
    if not intervals:
        return [], numbers
    channel_ids = {channel_id for rule in rules if rule.wish.repeat_minutes for channel_id in rule.channel_ids}
    last_told: dict[tuple[int, int], datetime.datetime] = {}
    parts = DeliveryAlert.objects.filter(
        alert__resolved_at=None, alert__acknowledged_at=None, channel_id__in=channel_ids
    ).values("alert_id", "channel_id")
    rows = parts.annotate(
        last=Max(Coalesce("delivery__sent_at", "delivery__created_at")),
        reminders=Max("number"),
        waiting=Count("pk", filter=Q(delivery__status=Delivery.Status.WAITING)),
    ).filter(waiting=0, last__lte=at - datetime.timedelta(minutes=min(intervals)))
    for row in rows.order_by("alert_id", "channel_id")[:CHUNK]:
        key = row["alert_id"], row["channel_id"]
        last_told[key], numbers[key] = row["last"], row["reminders"]
    found = []
    for alert in lock_alerts_to_repeat(sorted({alert_id for alert_id, _channel_id in last_told})):
        for channel_id, wish in wishes_of(alert, rules).items():
            last = last_told.get((alert.pk, channel_id))
            if last is None or wish.repeat_minutes is None:
                continue
            if last <= at - datetime.timedelta(minutes=wish.repeat_minutes):
                found.append((alert, channel_id, wish))
    return found, numbers


def write(plans: Mapping[int, ChannelPlan], gathering: Mapping[int, Delivery], *, at: datetime.datetime) -> None:
    """Puts what each channel is to be told into the message that gathers for it, or into a new one."""
    parts: list[DeliveryAlert] = []
    for channel_id, plan in sorted(plans.items()):
        kind = next(kind for kind in KINDS if any(part.kind == kind for part in plan.parts))
        severity = max(plan.severities, key=lambda one: one.weight)
        delivery = gathering.get(channel_id)
        if delivery is None:
            delivery = Delivery.objects.create(
                channel_id=channel_id,
                kind=kind,
                severity=severity,
                number=len(plan.parts),
                next_attempt_at=min(plan.due),
                give_up_at=at + GIVE_UP_AFTER,
                created_at=at,
            )
        else:
            delivery.kind = min(Delivery.Kind(delivery.kind), kind, key=KINDS.index)
            delivery.severity = max(Severity(delivery.severity), severity, key=lambda one: one.weight)
            delivery.number += len(plan.parts)
            delivery.next_attempt_at = min(delivery.next_attempt_at, *plan.due)
            delivery.save(update_fields=["kind", "severity", "number", "next_attempt_at"])
        for part in plan.parts:
            part.delivery = delivery
        parts += plan.parts
    # An alert whose note that it was planned is taken back by hand is not told twice.
    DeliveryAlert.objects.bulk_create(parts, ignore_conflicts=True)


def post_message(
    *,
    channel_id: int,
    kind: Delivery.Kind,
    title: str,
    text: str,
    at: datetime.datetime,
    picture: bytes | None = None,
    data: Mapping[str, Any] | None = None,
    severity: Severity = Severity.INFO,
) -> Delivery:
    """Has a message with these words sent to a channel, after those that wait already, in the caller's transaction.

    Args:
        title, text: in the channel's language.
        picture: a PNG.
        data: what programs are to read of it.
    """
    return Delivery.objects.create(
        channel_id=channel_id,
        kind=kind,
        severity=severity,
        title=title,
        text=text,
        picture=picture,
        data=dict(data or {}),
        next_attempt_at=at,
        give_up_at=at + GIVE_UP_AFTER,
        created_at=at,
        rendered_at=at,
    )
