"""Whom the demo shop tells what: its manager, by mail. `make run` keeps mails as files."""

import datetime

from django.db.models import F

from monitoring.models import AlertRule, Channel
from monitoring.services.channels import add_channel
from monitoring.services.rules import add_rule
from monitoring.severity import Severity
from orders.models import CustomerMessage, Order
from project.demo.people import email_of
from users.choices import Role

CHANNEL = "The manager's mailbox"
RULE = "Whatever somebody should see to"


def tell_the_manager(*, now: datetime.datetime) -> None:
    """Sends the manager what is a warning or worse, its end, and the daily report; at night only what is critical."""
    channel = add_channel(
        kind=Channel.Kind.EMAIL,
        name=CHANNEL,
        address=email_of(Role.MANAGER),
        quiet_from=datetime.time(23, 30),
        quiet_until=datetime.time(8, 0),
        gets_daily_report=True,
        at=now,
    )
    add_rule(name=RULE, severity=Severity.WARNING, channel_ids=[channel.pk], at=now)


def customers_were_told() -> None:
    """Of the week's orders whose customers have fetched them, the messages arrived in time."""
    fetched = CustomerMessage.objects.filter(order__status=Order.Status.COMPLETED)
    fetched.update(
        status=CustomerMessage.Status.SENT, means=CustomerMessage.Means.EMAIL, attempts=1, sent_at=F("created_at")
    )


def stop_telling(*, since: datetime.datetime) -> None:
    """Deletes what `tell_the_manager` made at the moment `since`: that mailbox goes with the demo. Channels and rules
    that somebody added stay."""
    AlertRule.objects.filter(created_at=since).delete()
    Channel.objects.filter(created_at=since).delete()
