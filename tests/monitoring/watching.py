"""Channels, rules and alerts for tests, at moments of their own."""

import datetime
from typing import Any

import pytest

from monitoring.channels.base import ChannelUnreachable
from monitoring.models import Alert, AlertRule, Channel, Delivery
from monitoring.services.alerts import notify, resolve
from monitoring.services.dispatch import plan_deliveries
from monitoring.services.sending import Round, send_due
from tests.monitoring.conftest import LOW
from tests.monitoring.receiver import Receiver

NOON = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)
DOWN = ChannelUnreachable("Nobody answers.")


def later(**span: float) -> datetime.datetime:
    """So long after noon."""
    return NOON + datetime.timedelta(**span)


def channel(name: str = "Chat", **fields: Any) -> Channel:
    return Channel.objects.create(
        **{"name": name, "kind": Channel.Kind.WEBHOOK, "address": "https://a.example/", **fields}
    )


def rule(*channels: Channel, **fields: Any) -> AlertRule:
    made = AlertRule.objects.create(**{"name": f"Rule {AlertRule.objects.count()}", **fields})
    made.channels.set(channels)
    return made


def happen(
    subject: str = "milk", message: str = "Milk is low", *, event: str = LOW, at: datetime.datetime = NOON
) -> Alert:
    """Something happens at that moment."""
    notify(event=event, subject=subject, message=message, details={})
    alert = Alert.objects.filter(event=event, subject=subject).latest("pk")
    began = at if alert.count == 1 else alert.created_at
    ended = None if alert.resolved_at is None else at
    Alert.objects.filter(pk=alert.pk).update(created_at=began, last_seen_at=at, resolved_at=ended)
    return alert


def end(subject: str = "milk", *, event: str = LOW, at: datetime.datetime = NOON) -> None:
    """It is over at that moment."""
    open_ones = list(Alert.objects.filter(event=event, subject=subject, resolved_at=None).values_list("pk", flat=True))
    assert resolve(event=event, subjects=[subject]) == len(open_ones) == 1
    Alert.objects.filter(pk__in=open_ones).update(resolved_at=at)


def watch(at: datetime.datetime, sender: str = "watchdog") -> Round:
    """What the watchdog does every second."""
    plan_deliveries(at=at)
    return send_due(sender=sender, at=at)


def waiting() -> int:
    """How many messages wait."""
    return Delivery.objects.filter(status=Delivery.Status.WAITING).count()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """The other side of all channels."""
    receiver = Receiver()
    monkeypatch.setattr("monitoring.channels.send", receiver.send)
    return receiver
