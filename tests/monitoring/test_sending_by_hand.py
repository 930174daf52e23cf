"""Messages that people send again or that nobody waits for, and what is forgotten."""

import pytest

from monitoring.channels.base import ChannelRefused, MessageRefused
from monitoring.errors import ChannelClosed, SentAlready
from monitoring.models import Alert, Delivery, DeliveryAlert
from monitoring.services.channels import change_channel
from monitoring.services.deliveries import forget_old_alerts, forget_old_deliveries, retry_delivery
from monitoring.services.dispatch import plan_deliveries
from monitoring.services.sending import Round
from tests.monitoring.receiver import Receiver
from tests.monitoring.watching import (
    DOWN,
    NOON,
    channel,
    end,
    happen,
    later,
    receiver,  # noqa: F401 - a fixture
    rule,
    watch,
)

pytestmark = pytest.mark.django_db

Status = Delivery.Status


# --- by hand ------------------------------------------------------------------------------------------


def test_a_person_sends_a_message_again_that_was_given_up(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.faults["Chat"] = [MessageRefused("Too long.")]
    happen()
    watch(NOON)
    delivery = Delivery.objects.get()

    retry_delivery(delivery_id=delivery.pk, at=later(days=5))
    watch(later(days=5))

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.sent_at) == (Status.SENT, 2, later(days=5))
    with pytest.raises(SentAlready):
        retry_delivery(delivery_id=delivery.pk, at=later(days=5))


def test_what_waits_for_a_channel_that_is_switched_off_is_given_up_with_its_words() -> None:
    chat = channel()
    rule(chat)
    happen()
    plan_deliveries(at=NOON)
    change_channel(channel_id=chat.pk, changes={"is_enabled": False}, at=NOON)

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.text) == (Status.GIVEN_UP, "Milk is low")
    assert delivery.last_error == "The channel was switched off."
    with pytest.raises(ChannelClosed):
        retry_delivery(delivery_id=delivery.pk, at=NOON)


def test_what_waits_three_days_for_a_channel_that_refuses_is_given_up(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.broken["Chat"] = ChannelRefused("Kicked out.")
    happen()
    watch(NOON)
    happen("tea", "Tea is low")
    watch(later(days=1))

    assert watch(later(days=3)) == Round(given_up=1)
    assert watch(later(days=4)) == Round(given_up=1)
    assert list(Delivery.objects.order_by("pk").values_list("text", "last_error")) == [
        ("Milk is low", "Kicked out."),
        ("Tea is low", "Kicked out."),
    ]


# --- housekeeping -------------------------------------------------------------------------------------


def test_old_messages_are_forgotten_but_for_those_that_wait_or_whose_alert_is_open(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    happen("milk")
    watch(NOON)
    happen("tea")
    watch(later(minutes=1))
    end("tea", at=later(minutes=2))
    watch(later(minutes=2))
    receiver.broken["Chat"] = DOWN
    happen("cup")
    watch(later(minutes=3))

    assert forget_old_deliveries(before=later(minutes=1)) == 0
    assert forget_old_deliveries(before=later(days=90)) == 2
    assert forget_old_alerts(before=later(days=90)) == 1

    assert sorted(DeliveryAlert.objects.values_list("alert__subject", "delivery__status")) == [
        ("cup", "waiting"),
        ("milk", "sent"),
    ]
    assert sorted(Alert.objects.values_list("subject", flat=True)) == ["cup", "milk"]
