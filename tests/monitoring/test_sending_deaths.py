"""What a sender that died in the middle leaves behind."""

import pytest
from django.db import transaction

from monitoring.channels.base import Address, Message
from monitoring.models import Channel, Delivery
from monitoring.services import sending
from monitoring.services.channels import send_test
from monitoring.services.dispatch import plan_deliveries
from monitoring.services.sending import LEASE, InsideATransaction, Round, begin_attempt, send_due
from tests.monitoring.receiver import Receiver
from tests.monitoring.watching import (
    DOWN,
    NOON,
    channel,
    happen,
    later,
    receiver,  # noqa: F401 - a fixture
    rule,
    watch,
)

pytestmark = pytest.mark.django_db

Status = Delivery.Status


class Died(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


def test_what_a_dead_sender_left_behind_is_sent_again_under_the_same_key_when_its_claim_is_over(
    receiver: Receiver,  # noqa: F811
) -> None:
    rule(channel("Program"), channel("Person", kind="telegram"), group_seconds=0)
    happen()

    def die(address: Address, message: Message) -> None:
        receiver.received[address.name].append(message)
        raise Died

    receiver.before = die
    with pytest.raises(Died):
        watch(NOON, sender="first")
    receiver.before = None

    assert watch(later(seconds=LEASE.total_seconds() - 1), sender="second") == Round()
    assert watch(NOON + LEASE, sender="second") == Round(sent=2)
    for name in ("Program", "Person"):
        first, second = receiver.received[name]
        assert first.key == second.key
    assert receiver.texts("Program") == ["Milk is low", "Milk is low"]
    assert receiver.texts("Person")[1] == (
        "Milk is low\n\n(Sent again: it is not known whether this has arrived before.)"
    )


def test_who_comes_back_under_the_name_of_the_dead_goes_on_at_once(receiver: Receiver) -> None:  # noqa: F811
    chat = channel()
    rule(chat, group_seconds=0)
    happen()
    plan_deliveries(at=NOON)
    begin_attempt(chat.pk, sender="watchdog", at=NOON, done=Round())

    assert watch(later(seconds=1), sender="another") == Round()
    assert watch(later(seconds=1), sender="watchdog") == Round(sent=1)


def test_what_comes_late_from_a_sender_that_lost_its_claim_changes_nothing(receiver: Receiver) -> None:  # noqa: F811
    """The first one hangs for longer than its claim; another one sends meanwhile, and then the first one fails."""
    chat = channel()
    rule(chat, group_seconds=0)
    happen()

    def hang(_address: Address, _message: Message) -> None:
        receiver.before = None
        Channel.objects.update(claimed_until=NOON)
        assert send_due(sender="second", at=later(minutes=5)) == Round(sent=1)
        raise DOWN

    plan_deliveries(at=NOON)
    # In this thread, so that it has this test's connection.
    attempt = begin_attempt(chat.pk, sender="first", at=NOON, done=Round())
    assert attempt is not None
    receiver.before = hang
    done = Round()
    sending.note(attempt, sending.ask_the_network(attempt), sender="first", at=later(minutes=6), done=done)

    assert (done, len(receiver.received["Chat"])) == (Round(failed=1), 1)
    assert Delivery.objects.get().status == Status.SENT


def test_nothing_is_sent_inside_a_transaction(receiver: Receiver) -> None:  # noqa: F811
    chat = channel()
    with transaction.atomic():
        with pytest.raises(InsideATransaction):
            send_due(sender="a", at=NOON)
        with pytest.raises(InsideATransaction):
            send_test(channel_id=chat.pk, at=NOON)
