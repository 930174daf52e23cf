"""Messages on their way: in order, tried again, paused and given up."""

import datetime

import pytest
from django.db import transaction

from monitoring.channels.base import ChannelBusy, ChannelRefused, MessageRefused
from monitoring.models import Alert, Channel, Delivery
from monitoring.own_events import CHANNEL_FAILING, MESSAGE_GIVEN_UP
from monitoring.selectors import open_alerts
from monitoring.services.channels import send_test
from monitoring.services.sending import Round
from tests.monitoring.conftest import LATE
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
    waiting,
    watch,
)

pytestmark = pytest.mark.django_db


# --- trying again -------------------------------------------------------------------------------------


def test_a_message_that_does_not_arrive_is_tried_again_later_and_later(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.broken["Chat"] = DOWN
    happen()

    tried, at = [], NOON
    for _attempt in range(12):
        assert watch(at) == Round(failed=1)
        delivery = Delivery.objects.get()
        tried.append(int((delivery.next_attempt_at - at).total_seconds()))
        assert watch(delivery.next_attempt_at - datetime.timedelta(seconds=1)) == Round()
        at = delivery.next_attempt_at

    assert tried == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]
    assert (delivery.attempts, delivery.last_error, delivery.sending_since) == (12, "Nobody answers.", None)
    assert len(set(receiver.attempts)) == 1


def test_later_messages_wait_for_the_one_that_is_tried_again(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.faults["Chat"] = [DOWN]
    happen("milk", "Milk is low")
    watch(NOON)
    happen("tea", "Tea is low", event=LATE)
    watch(later(seconds=5))
    assert receiver.texts("Chat") == []

    watch(later(seconds=10))

    assert receiver.texts("Chat") == ["Milk is low", "Tea is low"]


def test_a_message_that_is_tried_again_says_the_same_though_the_alert_has_changed(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.faults["Chat"] = [DOWN]
    happen()
    watch(NOON)
    happen(message="Milk is very low")
    end(at=later(seconds=5))

    watch(later(seconds=10))
    watch(later(seconds=11))

    assert receiver.texts("Chat") == [
        "Milk is low",
        "Back to normal after 5 s: Milk is very low (2 times)",
    ]


def test_one_channel_that_is_down_holds_up_no_other(receiver: Receiver) -> None:  # noqa: F811
    rule(channel("Down"), channel("Up"), group_seconds=0)
    receiver.broken["Down"] = DOWN
    happen()

    assert watch(NOON) == Round(sent=1, failed=1)
    assert receiver.texts("Up") == ["Milk is low"]


def test_after_three_days_a_message_is_given_up_and_the_next_one_has_its_turn(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.broken["Chat"] = DOWN
    happen("milk", "Milk is low")
    watch(NOON)
    happen("tea", "Tea is low")
    watch(later(days=2))
    assert waiting() == 2

    assert watch(later(days=3)) == Round(given_up=1, failed=1)
    assert Alert.objects.get(event=MESSAGE_GIVEN_UP).text == "A message to “Chat” was given up: Nobody answers."
    receiver.broken.clear()
    watch(later(days=3, seconds=10))

    assert list(Delivery.objects.order_by("pk").values_list("status", "last_error")) == [
        ("given_up", "Nobody answers."),
        ("sent", ""),
    ]
    assert receiver.texts("Chat") == ["Tea is low"]


def test_a_fault_of_our_own_is_a_failed_attempt_and_says_nothing_of_the_address(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.faults["Chat"] = [ValueError("https://token@a.example/")]  # type: ignore[list-item]
    happen()

    assert watch(NOON) == Round(failed=1)
    assert Delivery.objects.get().last_error == "ValueError"


# --- what the other side says -------------------------------------------------------------------------


def test_a_channel_that_is_busy_gets_nothing_until_it_wants_to(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.faults["Chat"] = [ChannelBusy(120)]
    happen("milk", "Milk is low")
    watch(NOON)
    happen("tea", "Tea is low", event=LATE)

    watch(later(seconds=119))
    assert len(receiver.attempts) == 1
    watch(later(seconds=120))

    assert receiver.texts("Chat") == ["Milk is low", "Tea is low"]
    chat = Channel.objects.get()
    assert (chat.blocked_until, chat.failing_since, chat.last_error) == (None, None, "")


def test_a_channel_that_refuses_is_closed_told_of_elsewhere_and_loses_nothing(receiver: Receiver) -> None:  # noqa: F811
    chat = channel("Chat")
    rule(chat, channel("Mail"), group_seconds=0)
    receiver.broken["Chat"] = ChannelRefused("The bot was kicked out.")
    happen("milk", "Milk is low")
    watch(NOON)
    happen("tea", "Tea is low")
    watch(later(hours=1))

    chat.refresh_from_db()
    assert (chat.disabled_reason, chat.failing_since, chat.is_open) == ("The bot was kicked out.", NOON, False)
    assert len(receiver.attempts) == 3
    assert receiver.texts("Mail")[1].splitlines()[0] == (
        "• The channel “Chat” takes no messages: The bot was kicked out. They wait."
    )

    receiver.broken.clear()
    send_test(channel_id=chat.pk, at=later(hours=2))
    watch(later(hours=2))

    assert receiver.texts("Chat") == ["If you can read this, “Chat” works.", "Milk is low", "Tea is low"]
    assert not open_alerts().filter(event=CHANNEL_FAILING).exists()
    assert receiver.texts("Mail")[-1].startswith("Back to normal after ")


def test_a_channel_that_fails_for_five_minutes_is_told_of_until_it_works(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    receiver.broken["Chat"] = DOWN
    happen()
    for moment in (0, 10, 30, 70, 150):
        watch(later(seconds=moment))
    assert not open_alerts().filter(event=CHANNEL_FAILING).exists()

    watch(later(seconds=310))
    alert = open_alerts().get(event=CHANNEL_FAILING)
    assert (alert.subject, alert.text) == ("Chat", "The channel “Chat” takes no messages: Nobody answers. They wait.")

    receiver.broken.clear()
    watch(later(seconds=700))
    assert not open_alerts().filter(event=CHANNEL_FAILING).exists()


def test_a_message_that_is_never_taken_holds_back_none_after_it(receiver: Receiver) -> None:  # noqa: F811
    rule(channel("Chat"), channel("Mail"), group_seconds=0)
    receiver.faults["Chat"] = [MessageRefused("Too long.")]
    happen("milk", "Milk is low")
    assert watch(NOON) == Round(sent=1, given_up=1)
    happen("tea", "Tea is low")
    watch(later(seconds=1))

    assert receiver.texts("Chat") == ["Tea is low"]
    assert "• A message to “Chat” was given up: Too long." in receiver.texts("Mail")[-1]


def test_two_channels_that_take_nothing_do_not_tell_each_other_so_without_end(receiver: Receiver) -> None:  # noqa: F811
    rule(channel("A"), channel("B"), group_seconds=0)
    receiver.broken = {"A": MessageRefused("No."), "B": MessageRefused("No.")}
    happen()
    for second in range(20):
        watch(later(seconds=second))

    assert Alert.objects.filter(event=MESSAGE_GIVEN_UP).count() == 2
    assert len(receiver.attempts) == 4


def test_a_chat_that_got_another_id_is_sent_to_there_from_now_on(receiver: Receiver) -> None:  # noqa: F811
    chat = channel()
    rule(chat, group_seconds=0)
    receiver.new_address = "-100777"
    happen()
    watch(NOON)

    chat.refresh_from_db()
    assert (chat.address, chat.version) == ("-100777", 2)


def test_an_address_that_no_key_opens_keeps_nobody_else_from_theirs(receiver: Receiver) -> None:  # noqa: F811
    lost = channel("Lost")
    rule(lost, channel("Found"), group_seconds=0)
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("UPDATE monitoring_channel SET address = 'gAAAAA' WHERE id = %s", [lost.pk])
    happen()

    assert watch(NOON) == Round(sent=1)
    assert Channel.objects.defer("address").get(name="Lost").disabled_reason.startswith("A stored value can't be")
    assert open_alerts().get(event=CHANNEL_FAILING).subject == "Lost"
