"""Several programs that plan, send, and change alerts at the same moment, each with its own connection."""

import threading
from collections import Counter

import pytest
from django.db import connection, transaction

from monitoring.channels.base import Address, Message
from monitoring.models import Alert, Channel, Delivery, DeliveryAlert
from monitoring.services import sending
from monitoring.services.alerts import AlertText, notify, notify_many, resolve
from monitoring.services.dispatch import Planned, plan_deliveries
from monitoring.services.sending import Round, send_due
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
from tests.races.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SENDERS = 4


def messages_that_wait(number: int) -> None:
    chat = channel()
    rule(chat, group_seconds=0)
    for place in range(number):
        notify(event=LOW, subject=f"{place}", message=f"No {place}")
        plan_deliveries(at=NOON)
        # Another message for each.
        Delivery.objects.filter(rendered_at=None).update(rendered_at=NOON, text=f"No {place}")


def send_by_all(number: int) -> None:
    """As many programs as SENDERS send at once, again and again, until nothing waits."""

    def send(name: str) -> Round:
        done = Round()
        while Delivery.objects.filter(status=Delivery.Status.WAITING).exists():
            done.sent += send_due(sender=name, at=NOON).sent
        return done

    outcomes = at_once([lambda name=f"sender {place}": send(name) for place in range(SENDERS)])  # type: ignore[misc]
    assert sum(outcome.sent for outcome in outcomes) == number, outcomes


def test_each_message_is_sent_once_and_in_order_however_many_send(receiver: Receiver) -> None:  # noqa: F811
    messages_that_wait(12)

    send_by_all(12)

    assert receiver.texts("Chat") == [f"No {place}" for place in range(12)]
    assert (Channel.objects.get().claimed_by, Channel.objects.get().claimed_until) == ("", None)


def test_without_the_claim_two_who_send_at_once_say_it_twice(
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the claim is for."""
    messages_that_wait(1)
    both = threading.Barrier(2)

    def meet(_address: Address, _message: Message) -> None:
        both.wait(timeout=30)

    receiver.before = meet
    monkeypatch.setattr(sending, "claim_channel", lambda pk, **_claim: Channel.objects.get(pk=pk))

    at_once([lambda: send_due(sender="a", at=NOON), lambda: send_due(sender="b", at=NOON)])

    assert receiver.texts("Chat") == ["No 0", "No 0"]


def test_no_message_holds_a_lock_while_the_network_is_asked(receiver: Receiver) -> None:  # noqa: F811
    """Alerts are raised, ended and planned, and channels changed, while a message is on its way."""
    messages_that_wait(1)
    seen: list[Planned] = []

    def meddle(_address: Address, _message: Message) -> None:
        # The sending thread: another connection than the sender's.
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
                notify(event=LOW, subject="0", message="again")
                resolve(event=LOW, subjects=["0"])
                Channel.objects.update(hourly_limit=7)
                Delivery.objects.update(last_error="seen")
            receiver.before = None
            seen.append(plan_deliveries(at=NOON))
        finally:
            connection.close()

    receiver.before = meddle

    assert send_due(sender="a", at=NOON).sent == 2
    assert seen == [Planned(resolutions=1)]
    assert receiver.texts("Chat")[1].startswith("Back to normal after ")


def test_while_one_plans_the_others_have_nothing_to_do(receiver: Receiver) -> None:  # noqa: F811
    rule(channel("A"), channel("B"), group_seconds=0)
    notify_many(event=LOW, alerts=[AlertText(f"{number:04}", "m") for number in range(2500)])

    outcomes = at_once([lambda: plan_deliveries(at=NOON)] * SENDERS)
    plan_deliveries(at=NOON)

    assert sum((outcome for outcome in outcomes), Planned()).alerts <= 2500
    told = Counter(DeliveryAlert.objects.values_list("channel__name", flat=True))
    assert (told, Delivery.objects.count()) == ({"A": 2500, "B": 2500}, 2)
    in_order = list(DeliveryAlert.objects.filter(channel__name="A").order_by("pk").values_list("alert_id", flat=True))
    assert in_order == sorted(in_order)


def test_an_alert_that_somebody_is_writing_to_does_not_hold_up_the_others(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    notify_many(event=LOW, alerts=[AlertText("milk", "Milk"), AlertText("tea", "Tea")])
    written, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            notify(event=LOW, subject="milk", message="Milk, again")
            written.set()
            assert may_commit.wait(30)

    def look() -> Planned:
        assert written.wait(30)
        try:
            return plan_deliveries(at=NOON)
        finally:
            may_commit.set()

    assert at_once([write, look])[1] == Planned(alerts=1)
    watch(NOON)
    watch(later(seconds=1))

    told = [alert["text"] for message in receiver.received["Chat"] for alert in message.data["alerts"]]
    assert told == ["Tea", "Milk, again"]
    assert not Alert.objects.filter(dispatched_at=None).exists()


def test_an_alert_that_ends_while_its_message_is_written_is_told_to_be_over_once(receiver: Receiver) -> None:  # noqa: F811
    """Whether the message says both or a second one follows is a matter of luck; never none, and never both."""
    rule(channel(), group_seconds=0)
    for place in range(8):
        notify(event=LOW, subject=f"{place}", message=f"No {place}")
        plan_deliveries(at=NOON)

        def close(subject: str = f"{place}") -> None:
            resolve(event=LOW, subjects=[subject])
            plan_deliveries(at=NOON)

        for outcome in at_once([lambda: send_due(sender="a", at=NOON), close]):
            assert not isinstance(outcome, Exception), outcome
        watch(NOON)
        watch(later(seconds=1))

    ends = Counter(
        alert["subject"]
        for message in receiver.received["Chat"]
        for alert in message.data["alerts"]
        if alert["resolved_at"]
    )
    begins = Counter(
        alert["subject"]
        for message in receiver.received["Chat"]
        for alert in message.data["alerts"]
        if alert["kind"] == "alert"
    )
    assert ends == begins == {f"{place}": 1 for place in range(8)}


def test_a_channel_that_hangs_for_longer_than_a_round_keeps_no_other_waiting(
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What happens while it hangs goes out at once to the others."""
    monkeypatch.setattr(sending, "LONGEST_ROUND", 0.2)
    monkeypatch.setattr(sending, "LOOK_AGAIN", 0.05)
    hanging, other = channel("Hanging"), channel("Other")
    rule(hanging, events=[LOW], group_seconds=0)
    rule(other, events=[LATE], group_seconds=0)
    happen("milk", "Milk is low")
    others_told, turns = threading.Event(), []

    def hang(address: Address, message: Message) -> None:
        if address.name == "Hanging":
            assert others_told.wait(30)
        else:
            others_told.set()

    def turn() -> None:
        turns.append("turn")
        if len(turns) == 12:
            happen("order 7", "Order 7 is late", event=LATE)

    receiver.before = hang
    plan_deliveries(at=NOON)
    send_due(sender="one", at=NOON, turn=turn)

    assert (receiver.texts("Hanging"), receiver.texts("Other")) == (["Milk is low"], ["Order 7 is late"])
