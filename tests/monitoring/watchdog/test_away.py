"""Telling people while the database is away, from files alone; and what the database finds when it is back."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from foundation.shop import forget_shop
from monitoring.channels.base import Address, ChannelBusy, ChannelUnreachable, Message, MessageRefused
from monitoring.models import Alert, Channel, Delivery, DeliveryAlert
from monitoring.services.spooled import Abandoned, bring_in
from monitoring.spool import Spool
from monitoring.watchdog.away import tell
from monitoring.watchdog.copy import Copy, copy_now
from monitoring.watchdog.messages import forget_messages, read_messages
from tests.monitoring.conftest import LATE, LOW
from tests.monitoring.receiver import Receiver
from tests.monitoring.watching import NOON, channel, end, happen, later, rule, watch

pytestmark = pytest.mark.django_db


class Outage:
    """The database is away: what happens goes to the spool, and is told from there."""

    def __init__(self, spool: Spool, blocker: DjangoDbBlocker) -> None:
        self.spool, self.blocker = spool, blocker
        self.copy: Copy = copy_now()

    def happen(self, subject: str = "milk", *, at: datetime.datetime = NOON, **more: Any) -> None:
        said = {"event": LOW, "severity": "warning", "message": f"{subject} is low", "details": {}} | more
        self.spool.note(subject=subject, at=at, **said)

    def end(self, subject: str = "milk", *, at: datetime.datetime, event: str = LOW) -> None:
        self.spool.note_end(event=event, subject=subject, severity="warning", at=at)

    def tell(self, *, at: datetime.datetime) -> int:
        """Asks no database, or the test fails."""
        with self.blocker.block():
            return tell(self.spool, self.copy, at=at)

    def is_over(self, *, at: datetime.datetime) -> int:
        alerts, messages = self.spool.take(), read_messages(self.spool)
        number = bring_in(alerts=alerts, messages=messages, at=at)
        self.spool.forget(alerts)
        forget_messages(self.spool, messages)
        return number


@pytest.fixture
def chat() -> Channel:
    made = channel()
    rule(made)
    return made


@pytest.fixture
def outage(chat: Channel, spool: Spool, receiver: Receiver, django_db_blocker: DjangoDbBlocker) -> Iterator[Outage]:
    yield Outage(spool, django_db_blocker)
    forget_shop()


def test_what_is_critical_is_told_at_once_and_once(outage: Outage, receiver: Receiver) -> None:
    outage.happen("order 7", event=LATE, severity="critical", message="Order 7 is late")

    assert [outage.tell(at=later(seconds=seconds)) for seconds in (0, 1, 90)] == [1, 0, 0]
    (message,) = receiver.received["Chat"]
    assert (message.title, message.text, message.severity) == (
        "Critical: Late – Samovar",
        "Order 7 is late",
        "critical",
    )
    (said,) = message.data["alerts"]
    assert (said["event"], said["subject"], said["since"]) == (LATE, "order 7", NOON.isoformat())


def test_other_things_gather_and_count(outage: Outage, receiver: Receiver) -> None:
    for second in range(20):
        outage.happen("milk", at=later(seconds=second))
    outage.happen("tea", at=later(seconds=20))
    assert outage.tell(at=later(seconds=29)) == 0

    assert outage.tell(at=later(seconds=30)) == 1
    assert receiver.texts("Chat") == ["• milk is low (20 times since 12:00)\n• tea is low"]


def test_its_end_is_told_once(outage: Outage, receiver: Receiver) -> None:
    outage.happen()
    outage.tell(at=later(seconds=30))
    outage.end(at=later(minutes=14))

    assert [outage.tell(at=later(minutes=minutes)) for minutes in (14, 15, 16)] == [0, 1, 0]
    assert receiver.texts("Chat")[1:] == ["Back to normal after 14 min: milk is low"]


def test_what_is_over_before_it_is_told_is_one_message(outage: Outage, receiver: Receiver) -> None:
    outage.happen()
    outage.end(at=later(seconds=20))

    assert [outage.tell(at=later(seconds=seconds)) for seconds in (30, 60, 90)] == [1, 0, 0]
    assert receiver.texts("Chat") == ["milk is low. Back to normal after 20 s."]


def test_a_channel_that_does_not_answer_is_tried_again_with_the_same_key(outage: Outage, receiver: Receiver) -> None:
    receiver.faults["Chat"] = [ChannelUnreachable("Nobody there."), ChannelBusy(120)]
    outage.happen()
    for second in (30, 35, 40, 45):
        outage.tell(at=later(seconds=second))
    outage.happen("tea", at=later(seconds=45))
    # Ten seconds after the first attempt, two minutes after the second; what happened meanwhile is the next message.
    assert len(receiver.attempts) == 2
    assert [outage.tell(at=later(seconds=second)) for second in (159, 160, 161)] == [0, 1, 1]

    assert len({key for _name, key in receiver.attempts}) == 2
    assert receiver.texts("Chat") == ["milk is low", "tea is low"]


def test_a_fault_of_ours_is_noted_and_keeps_nobody_else_waiting(outage: Outage, receiver: Receiver) -> None:
    def stumble(address: Address, message: Message) -> None:
        raise ValueError("nobody thought of that")

    receiver.before = stumble
    outage.happen()
    assert outage.tell(at=later(seconds=30)) == 0
    (message,) = read_messages(outage.spool)
    assert (message.attempts, message.last_error, message.next_attempt_at) == (1, "ValueError", later(seconds=40))

    receiver.before = None
    assert [outage.tell(at=later(seconds=second)) for second in (39, 40)] == [0, 1]


def test_a_message_that_is_refused_holds_back_no_other(outage: Outage, receiver: Receiver) -> None:
    receiver.faults["Chat"] = [MessageRefused("Too long.")]
    outage.happen()
    assert outage.tell(at=later(seconds=30)) == 0
    outage.happen("tea", at=later(seconds=60))
    assert outage.tell(at=later(seconds=90)) == 1

    assert outage.is_over(at=later(seconds=100)) == 2
    assert list(Delivery.objects.order_by("pk").values_list("status", "last_error")) == [
        ("given_up", "Too long."),
        ("sent", ""),
    ]


def test_quiet_hours_and_the_limit_hold(chat: Channel, outage: Outage, receiver: Receiver) -> None:
    Channel.objects.update(quiet_from=datetime.time(11), quiet_until=datetime.time(13), hourly_limit=2)
    outage.copy = copy_now()
    outage.happen()
    assert outage.tell(at=later(minutes=4)) == 0
    outage.happen("order 7", event=LATE, severity="critical", at=later(minutes=5))
    # What may disturb takes along what waits.
    assert outage.tell(at=later(minutes=5)) == 1

    for number in range(3):
        outage.happen(str(number), at=later(minutes=61 + number))
        outage.tell(at=later(minutes=62 + number))
    assert [len(message.data["alerts"]) for message in receiver.received["Chat"]] == [2, 1]
    # An hour after the first of them.
    assert [outage.tell(at=later(minutes=minutes)) for minutes in (64, 66)] == [0, 1]
    assert [message.data["number"] for message in receiver.received["Chat"]] == [2, 1, 2]


def test_two_rules_and_two_channels(chat: Channel, spool: Spool, receiver: Receiver, django_db_blocker: Any) -> None:
    other = channel("Other", language="ru")
    rule(other, events=[LATE])
    rule(other, severity="critical", group_seconds=0)
    outage = Outage(spool, django_db_blocker)
    receiver.broken["Chat"] = ChannelUnreachable("Nobody there.")
    outage.happen()
    outage.happen("order 7", event=LATE, severity="critical")

    assert outage.tell(at=later(seconds=30)) == 1
    assert [message.data["number"] for message in receiver.received["Other"]] == [1]


# --- the database is back -----------------------------------------------------------------------------------


def test_the_database_finds_what_was_told_as_told(chat: Channel, outage: Outage, receiver: Receiver) -> None:
    outage.happen(details={"left": "5"})
    outage.happen(at=later(seconds=10))
    outage.tell(at=later(seconds=30))

    assert outage.is_over(at=later(minutes=3)) == 1

    alert, delivery, part = Alert.objects.get(), Delivery.objects.get(), DeliveryAlert.objects.get()
    assert (alert.subject, alert.count, alert.created_at, alert.last_seen_at) == ("milk", 2, NOON, later(seconds=10))
    assert alert.dispatched_at == later(minutes=3)
    assert (delivery.status, delivery.sent_at, delivery.channel) == ("sent", later(seconds=30), chat)
    assert str(delivery.key) == receiver.received["Chat"][0].key
    assert (part.alert, part.delivery, part.kind) == (alert, delivery, "alert")
    assert watch(later(minutes=4)).sent == 0

    end(at=later(minutes=14))
    watch(later(minutes=14))
    watch(later(minutes=15))
    assert receiver.texts("Chat") == [
        "milk is low (2 times since 12:00)",
        "Back to normal after 14 min: milk is low (2 times)",
    ]


def test_brought_in_twice_is_there_once(outage: Outage, spool: Spool) -> None:
    outage.happen()
    outage.tell(at=later(seconds=30))
    alerts, messages = spool.take(), read_messages(spool)

    assert [bring_in(alerts=alerts, messages=messages, at=later(minutes=3)) for _time in range(2)] == [1, 0]
    assert (Alert.objects.get().count, Delivery.objects.count(), DeliveryAlert.objects.count()) == (1, 1, 1)


def test_what_nobody_was_told_is_planned_as_always(outage: Outage, receiver: Receiver) -> None:
    outage.happen()
    outage.is_over(at=later(seconds=10))

    assert watch(later(seconds=10)).sent == 0
    assert watch(later(seconds=41)).sent == 1
    assert receiver.texts("Chat") == ["milk is low"]


def test_what_nobody_waits_for_any_more_is_not_written(outage: Outage, receiver: Receiver, spool: Spool) -> None:
    outage.happen()
    with pytest.raises(Abandoned):
        bring_in(alerts=spool.take(), messages=[], at=later(seconds=100), is_abandoned=lambda: True)
    assert not Alert.objects.exists()
    assert outage.is_over(at=later(seconds=110)) == 1


def test_a_message_that_nobody_can_read_is_set_aside(outage: Outage, receiver: Receiver, spool: Spool) -> None:
    outage.happen()
    outage.tell(at=later(seconds=30))
    (spool.messages_folder / "0.json").write_text('{"key": 1}')
    assert len(read_messages(spool)) == 1
    assert [path.name for path in spool.messages_folder.glob("*.unreadable")] == ["0.unreadable"]
    assert outage.is_over(at=later(seconds=100)) == 1
    assert not [*spool.messages_folder.glob("*.json")]


def test_what_waits_goes_on_under_its_key(outage: Outage, receiver: Receiver) -> None:
    receiver.faults["Chat"] = [ChannelUnreachable("Nobody there.")]
    outage.happen()
    outage.tell(at=later(seconds=30))
    outage.is_over(at=later(seconds=35))

    assert [watch(later(seconds=second)).sent for second in (36, 41, 60)] == [0, 1, 0]
    (first, second) = receiver.attempts
    assert first == second


def test_a_channel_that_was_not_to_be_disturbed_is_told_later(outage: Outage, receiver: Receiver) -> None:
    rule(channel("Night", quiet_from=datetime.time(11), quiet_until=datetime.time(13)))
    outage.copy = copy_now()
    outage.happen()
    outage.tell(at=later(seconds=30))
    outage.is_over(at=later(minutes=3))

    assert watch(later(minutes=61)).sent == 1
    assert (receiver.texts("Chat"), receiver.texts("Night")) == (
        ["milk is low"],
        ["milk is low (1 time since 12:00)"],
    ) or (receiver.texts("Night") == ["milk is low"])
    assert DeliveryAlert.objects.count() == 2


def test_what_was_open_before_counts_on(outage: Outage, receiver: Receiver) -> None:
    happen()
    watch(NOON)
    watch(later(seconds=30))
    outage.happen(at=later(minutes=5), message="Milk is gone")
    outage.tell(at=later(minutes=6))
    outage.is_over(at=later(minutes=7))

    alert = Alert.objects.get()
    assert (alert.count, alert.message, alert.created_at) == (2, "Milk is gone", NOON)
    assert list(DeliveryAlert.objects.order_by("pk").values_list("kind", "number")) == [("alert", 0), ("repeat", 1)]
    assert watch(later(minutes=8)).sent == 0


def test_an_end_closes_what_the_database_has_and_not_what_came_later(outage: Outage, receiver: Receiver) -> None:
    happen()
    happen("tea", "tea is low", at=later(minutes=9))
    watch(later(minutes=9))
    watch(later(minutes=9, seconds=30))
    outage.end(at=later(minutes=5))
    outage.end("tea", at=later(minutes=5))
    outage.is_over(at=later(minutes=10))
    watch(later(minutes=10))
    watch(later(minutes=11))

    assert list(Alert.objects.order_by("pk").values_list("subject", "resolved_at")) == [
        ("milk", later(minutes=5)),
        ("tea", None),
    ]
    assert receiver.texts("Chat")[1:] == ["Back to normal after 5 min: Milk is low"]


def test_beginning_and_end_that_were_both_told_are_told_no_more(outage: Outage, receiver: Receiver) -> None:
    outage.happen()
    outage.tell(at=later(seconds=30))
    outage.end(at=later(minutes=3))
    outage.tell(at=later(minutes=4))
    outage.is_over(at=later(minutes=5))

    assert watch(later(minutes=6)).sent == 0
    assert (Alert.objects.get().resolved_at, Delivery.objects.count()) == (later(minutes=3), 2)
    assert len(receiver.received["Chat"]) == 2


def test_an_alert_that_no_table_holds_keeps_nobody_waiting(outage: Outage, spool: Spool) -> None:
    outage.happen("x" * 300)
    outage.happen("tea")

    assert outage.is_over(at=later(minutes=1)) == 2
    assert [alert.subject for alert in Alert.objects.all()] == ["tea"]
    assert spool.is_empty()
