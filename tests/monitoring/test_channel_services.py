"""Channels and rules: what may be entered, what a change sets off, and what is never shown."""

import datetime
from typing import Any

import pytest

from foundation.errors import InvalidInput
from monitoring.channels.base import ChannelRefused
from monitoring.errors import ChannelClosed, UnknownChannel, UnknownRule
from monitoring.models import AlertRule, Channel, Delivery
from monitoring.own_events import CHANNEL_FAILING
from monitoring.selectors import open_alerts
from monitoring.services.channels import add_channel, change_channel, delete_channel, send_test
from monitoring.services.deliveries import retry_delivery
from monitoring.services.rules import add_rule, change_rule, delete_rule
from tests.monitoring.conftest import LATE, LOW
from tests.monitoring.receiver import Receiver
from tests.monitoring.watching import (
    NOON,
    channel,
    happen,
    later,
    receiver,  # noqa: F401 - a fixture
    rule,
    watch,
)

pytestmark = pytest.mark.django_db


def test_a_channel_is_added_with_its_address_encrypted() -> None:
    made = add_channel(kind="webhook", name=" Till ", address=" https://a.example/ ", secret="s" * 16, at=NOON)

    kept = Channel.objects.get(pk=made.pk)
    assert (kept.name, kept.address, kept.secret, kept.version) == ("Till", "https://a.example/", "s" * 16, 1)
    assert (kept.hourly_limit, kept.quiet_lets_through, kept.is_open) == (30, "critical", True)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"name": ""}, "name"),
        ({"address": "no address"}, "address"),
        ({"secret": "short"}, "secret"),
        ({"hourly_limit": 0}, "hourly_limit"),
        ({"language": "xx"}, "language"),
        ({"quiet_from": datetime.time(22)}, "non_field_errors"),
        ({"quiet_from": datetime.time(22), "quiet_until": datetime.time(22)}, "quiet_until"),
    ],
)
def test_what_is_wrong_with_a_channel_is_said_at_its_field(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        add_channel(**{"kind": "webhook", "name": "Till", "address": "https://a.example/", "at": NOON, **settings})

    assert list(refused.value.errors) == [field]
    assert not Channel.objects.exists()


def test_a_name_is_taken_once() -> None:
    channel("Till")

    with pytest.raises(InvalidInput) as refused:
        add_channel(kind="webhook", name="Till", address="https://a.example/", at=NOON)

    assert list(refused.value.errors) == ["name"]


def test_a_change_counts_a_version_and_touches_nothing_else() -> None:
    made = channel(hourly_limit=7)
    Channel.objects.filter(pk=made.pk).update(last_sent_at=NOON)

    change_channel(channel_id=made.pk, changes={"name": "Other"}, at=later(hours=1))

    made.refresh_from_db()
    assert (made.name, made.hourly_limit, made.version) == ("Other", 7, 2)
    assert (made.updated_at, made.last_sent_at) == (later(hours=1), NOON)


def test_a_new_address_opens_a_channel_that_refused(receiver: Receiver) -> None:  # noqa: F811
    made = channel()
    rule(made, group_seconds=0)
    receiver.faults["Chat"] = [ChannelRefused("Gone.")]
    happen()
    watch(NOON)
    assert receiver.texts("Chat") == []

    change_channel(channel_id=made.pk, changes={"address": "https://b.example/"}, at=later(hours=1))
    watch(later(hours=1))

    assert receiver.texts("Chat") == ["Milk is low"]
    assert not open_alerts().filter(event=CHANNEL_FAILING).exists()


def test_a_test_that_does_not_arrive_says_why_and_changes_nothing_else(receiver: Receiver) -> None:  # noqa: F811
    made = channel()
    receiver.faults["Chat"] = [ChannelRefused("Gone.")]

    tried = send_test(channel_id=made.pk, at=NOON)

    made.refresh_from_db()
    assert (tried.kind, tried.status, tried.last_error) == ("test", Delivery.Status.GIVEN_UP, "Gone.")
    assert (made.last_error, made.is_open) == ("Gone.", True)


def test_a_test_comes_at_night_too_and_before_what_waits(receiver: Receiver) -> None:  # noqa: F811
    night: dict[str, Any] = {"quiet_from": datetime.time(0), "quiet_until": datetime.time(23, 59)}
    made = channel(language="ru", **night)
    rule(made, group_seconds=0)
    happen()
    watch(NOON)

    tried = send_test(channel_id=made.pk, at=NOON)

    assert (tried.status, tried.sent_at) == (Delivery.Status.SENT, NOON)
    [message] = receiver.received["Chat"]
    assert (message.key, message.data) == (str(tried.key), {"kind": "test"})


GATEWAY = "json://sms.example/send/{phone}"


def test_an_sms_address_with_a_place_for_the_number_is_for_customers() -> None:
    made = add_channel(kind="sms", name="Gateway", address=GATEWAY, at=NOON)
    assert made.for_customers is True

    change_channel(channel_id=made.pk, changes={"address": "json://sms.example/send/48512345678"}, at=NOON)
    made.refresh_from_db()
    assert made.for_customers is False


def test_one_that_is_for_customers_from_now_on_gets_none_of_the_alerts_that_waited(
    receiver: Receiver,  # noqa: F811
) -> None:
    made = channel("Gateway", kind="sms", address="json://sms.example/send/48512345678", gets_daily_report=True)
    rule(made, group_seconds=60)
    happen()
    watch(NOON)

    change_channel(channel_id=made.pk, changes={"address": GATEWAY}, at=NOON)
    happen("tea", "Tea is low")
    watch(later(hours=1))

    assert receiver.texts("Gateway") == []
    given_up = Delivery.objects.get()
    assert (given_up.status, given_up.last_error) == ("given_up", "The channel is for messages to customers now.")
    with pytest.raises(ChannelClosed):
        retry_delivery(delivery_id=given_up.pk, at=later(hours=1))


@pytest.mark.parametrize(
    ("address", "phone", "sentence"),
    [
        (GATEWAY, "", "Enter a telephone number with the country's code, such as +48 512 345 678."),
        (GATEWAY, "12 34 56", "Enter a telephone number with the country's code, such as +48 512 345 678."),
        (GATEWAY, "1" * 16, "Enter a telephone number with the country's code, such as +48 512 345 678."),
        ("json://sms.example/x", "+48512345678", "Only a channel for messages to customers takes a number."),
    ],
)
def test_a_test_needs_a_number_where_the_channel_is_for_customers(
    receiver: Receiver,  # noqa: F811
    address: str,
    phone: str,
    sentence: str,
) -> None:
    made = add_channel(kind="sms", name="Gateway", address=address, at=NOON)

    with pytest.raises(InvalidInput) as refused:
        send_test(channel_id=made.pk, phone=phone, at=NOON)

    assert refused.value.errors == {"phone": [sentence]}
    assert receiver.received["Gateway"] == []
    assert not Delivery.objects.exists()


def test_a_channel_goes_with_its_messages_and_leaves_its_rules(receiver: Receiver) -> None:  # noqa: F811
    made = channel()
    kept = rule(made)
    happen()
    watch(NOON)

    assert delete_channel(channel_id=made.pk).name == "Chat"

    assert (list(kept.channels.all()), Delivery.objects.count()) == ([], 0)
    with pytest.raises(UnknownChannel):
        delete_channel(channel_id=made.pk)


def test_a_rule_names_events_and_channels_that_there_are() -> None:
    chat = channel()
    made = add_rule(name="Stock", events=[LOW], severity="info", channel_ids=[chat.pk], at=NOON)
    assert (made.events, list(made.channels.all())) == ([LOW], [chat])

    for wrong, field in (
        ({"events": ["test.nothing"]}, "events"),
        ({"events": "all"}, "events"),
        ({"channel_ids": [0]}, "channels"),
        ({"repeat_minutes": 0}, "repeat_minutes"),
        ({"severity": "bad"}, "severity"),
    ):
        with pytest.raises(InvalidInput) as refused:
            add_rule(**{"name": "Wrong", "channel_ids": [chat.pk], "at": NOON, **wrong})  # type: ignore[arg-type]
        assert list(refused.value.errors) == [field]
    assert AlertRule.objects.count() == 1


def test_a_rule_is_changed_and_deleted_and_may_keep_an_event_of_an_app_that_is_gone() -> None:
    made = rule(channel(), events=["gone.event"])

    change_rule(rule_id=made.pk, changes={"events": ["gone.event", LATE], "repeat_minutes": 5}, at=NOON)
    change_rule(rule_id=made.pk, changes={}, channel_ids=[], at=later(hours=1))

    made.refresh_from_db()
    assert (made.events, made.repeat_minutes, made.updated_at) == (["gone.event", LATE], 5, later(hours=1))
    assert not made.channels.exists()
    delete_rule(rule_id=made.pk)
    with pytest.raises(UnknownRule):
        delete_rule(rule_id=made.pk)
