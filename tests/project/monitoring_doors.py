"""The doors of monitoring: managers see what was said and to whom, the admin decides who is told."""

import datetime
from typing import Any

from django.utils import timezone

from monitoring.models import Alert, AlertRule, Channel, DailyReport, Delivery
from tests.project.admin_doors import ADMINS, MANAGERS, Attempt, Keys, action, deed, page, records, verb


def watching_of() -> dict[str, Any]:
    """An alert, a channel, a rule that leads to it, and a message to it that was given up."""
    at = timezone.now()
    channel = Channel.objects.create(name="Kitchen", kind=Channel.Kind.WEBHOOK, address="https://kitchen.example/hook")
    rule = AlertRule.objects.create(name="Everything")
    rule.channels.add(channel)
    return {
        "alert": Alert.objects.create(event="inventory.low_stock", severity="warning", subject="sugar", message="Low"),
        "channel": channel,
        "spare_channel": Channel.objects.create(name="Spare", kind=Channel.Kind.EMAIL, address="a@shop.example"),
        "silent_channel": Channel.objects.create(
            name="Silent", kind=Channel.Kind.EMAIL, address="c@shop.example", is_enabled=False
        ),
        "rule": rule,
        "daily_report": DailyReport.objects.create(
            place="1", place_name="Main Street", time_zone="UTC", day=at.date(), until=at
        ),
        "delivery": Delivery.objects.create(
            channel=channel,
            kind=Delivery.Kind.ALERT,
            title="Low stock",
            text="Sugar is low.",
            status=Delivery.Status.GIVEN_UP,
            rendered_at=at,
            give_up_at=at + datetime.timedelta(days=3),
        ),
    }


HEALTH, DATABASE, LOGS = (f"monitoring/alert/{name}/" for name in ("health", "database", "logs"))

CHANNELS = "monitoring/channel/"
NEW, TELEGRAM, SPARE = f"{CHANNELS}new/email/", f"{CHANNELS}telegram/", f"{CHANNELS}{{spare_channel}}/"


def new_channel(it: Keys) -> dict[str, Any]:
    return {"name": "New", "address": "new@shop.example", "language": "en"}


def no_token(it: Keys) -> dict[str, Any]:
    return {"do": "token", "name": "New", "language": "en"}


def channel_settings(it: Keys) -> dict[str, Any]:
    return {"name": "Renamed", "language": "ru", "quiet_lets_through": "critical", "hourly_limit": "10"}


def rule(it: Keys) -> dict[str, Any]:
    return {
        "name": "Renamed",
        "is_enabled": "on",
        "severity": "critical",
        "events": ["inventory.low_stock"],
        "channels": [it["channel"]],
        "group_seconds": "60",
        "repeat_minutes": "",
    }


MONITORING = [
    page(HEALTH, MANAGERS, Attempt(address=HEALTH, may=MANAGERS, method="POST", then=405)),
    page(DATABASE, ADMINS, Attempt(address=DATABASE, may=ADMINS, method="POST", then=405)),
    page(LOGS, ADMINS, Attempt(address=LOGS, may=ADMINS, method="POST", then=405)),
    records("monitoring/alert", "alert", see=MANAGERS, form=lambda it: {"message": "no"}),
    records("monitoring/dailyreport", "daily_report", see=MANAGERS),
    action("monitoring/alert/", MANAGERS, "acknowledge", "alert", MANAGERS),
    verb("monitoring/alert/{alert}/", MANAGERS, "acknowledge"),
    page("monitoring/", MANAGERS, refused=404),
    page(CHANNELS, MANAGERS),
    page(f"{CHANNELS}add/", ADMINS, then=f"{CHANNELS}new/"),
    page(f"{CHANNELS}new/", ADMINS, Attempt(address=f"{CHANNELS}new/", may=ADMINS, method="POST", then=405)),
    page(NEW, ADMINS, deed(NEW, ADMINS, "add", new_channel, then=f"{CHANNELS}*/change/")),
    # Telegram's page looks at its own token first; without one it says so, and nobody is asked.
    page(TELEGRAM, ADMINS, Attempt(address=TELEGRAM, may=ADMINS, method="POST", body=no_token)),
    records(
        "monitoring/channel",
        "channel",
        see=MANAGERS,
        change=ADMINS,
        delete=ADMINS,
        spare="spare_channel",
        form=channel_settings,
        without=["list", "add"],
    ),
    verb(SPARE, ADMINS, "test"),
    verb(SPARE, ADMINS, "address", lambda it: {"address-address": "b@shop.example"}, asks=True),
    verb(SPARE, ADMINS, "switch_off", asks=True),
    verb(f"{CHANNELS}{{silent_channel}}/", ADMINS, "switch_on"),
    page("monitoring/alertrule/", MANAGERS),
    records(
        "monitoring/alertrule",
        "rule",
        see=MANAGERS,
        add=ADMINS,
        change=ADMINS,
        delete=ADMINS,
        form=rule,
        without=["list"],
    ),
    records("monitoring/delivery", "delivery", see=MANAGERS),
    verb("monitoring/delivery/{delivery}/", ADMINS, "retry"),
]
