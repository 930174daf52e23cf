"""Messages on their way: in order, tried again, paused, given up, and what a death in the middle leaves behind."""

import datetime
from typing import Any

import pytest
from django.db import transaction

from foundation.shop import CurrentShop, remember_shop
from monitoring.channels.base import (
    Address,
    ChannelBusy,
    ChannelRefused,
    ChannelUnreachable,
    Message,
    MessageRefused,
)
from monitoring.errors import ChannelClosed, SentAlready
from monitoring.models import Alert, Channel, Delivery, DeliveryAlert
from monitoring.own_events import CHANNEL_FAILING, MESSAGE_GIVEN_UP
from monitoring.selectors import open_alerts
from monitoring.services import sending
from monitoring.services.channels import change_channel, send_test
from monitoring.services.deliveries import forget_old_alerts, forget_old_deliveries, retry_delivery
from monitoring.services.dispatch import plan_deliveries, post_message
from monitoring.services.sending import LEASE, InsideATransaction, Round, begin_attempt, send_due
from tests.monitoring.conftest import LATE
from tests.monitoring.receiver import Receiver
from tests.monitoring.watching import (
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

DOWN = ChannelUnreachable("Nobody answers.")
Status = Delivery.Status


def waiting() -> int:
    return Delivery.objects.filter(status=Status.WAITING).count()


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


# --- deaths -------------------------------------------------------------------------------------------


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


# --- quiet hours and limits ---------------------------------------------------------------------------


NIGHT: dict[str, Any] = {"quiet_from": datetime.time(22), "quiet_until": datetime.time(7)}


def test_in_quiet_hours_only_what_is_critical_comes_and_the_rest_in_the_morning(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(**NIGHT), group_seconds=0)
    happen("milk", "Milk is low")
    watch(later(hours=10))
    happen("tea", "Tea is low")
    watch(later(hours=18, minutes=59))
    assert receiver.attempts == []

    watch(later(hours=19))

    assert receiver.texts("Chat") == ["• Milk is low\n• Tea is low"]


def test_what_may_disturb_takes_along_what_waits_before_it(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(**NIGHT), group_seconds=0)
    happen("milk", "Milk is low")
    watch(later(hours=10))
    happen("shop", "The shop burns", event=LATE)
    watch(later(hours=11))
    end("shop", event=LATE, at=later(hours=12))
    watch(later(hours=12))

    assert receiver.texts("Chat") == [
        "• The shop burns\n• Milk is low",
        "Back to normal after 12 h 0 min: The shop burns",
    ]


def test_what_is_critical_takes_along_what_waits_before_it_at_the_limit_too(receiver: Receiver) -> None:  # noqa: F811
    made = channel(hourly_limit=10)
    rule(made, group_seconds=0)
    for number in range(8):
        happen(f"ingredient {number}", f"{number} is low", at=later(seconds=number))
        watch(later(seconds=number))
    # Two of ten are kept for what is critical; a report with words of its own waits before it.
    post_message(channel_id=made.pk, kind=Delivery.Kind.REPORT, title="The day", text="figures", at=later(seconds=10))
    watch(later(seconds=20))
    assert len(receiver.attempts) == 8

    happen("shop", "The shop burns", event=LATE, at=later(seconds=30))
    watch(later(seconds=30))
    assert receiver.texts("Chat")[8:] == ["figures", "The shop burns"]


def test_quiet_hours_may_let_nothing_through(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(quiet_lets_through="", **NIGHT), group_seconds=0)
    happen(event=LATE)
    watch(later(hours=10))

    assert receiver.attempts == []


@pytest.mark.parametrize(
    ("moment", "is_sent"),
    [
        # The clock was put forward from 2:00 to 3:00, by Central European Time.
        (datetime.datetime(2026, 3, 29, 4, 59, tzinfo=datetime.UTC), False),
        (datetime.datetime(2026, 3, 29, 5, 0, tzinfo=datetime.UTC), True),
        # And back from 3:00 to 2:00.
        (datetime.datetime(2026, 10, 25, 5, 59, tzinfo=datetime.UTC), False),
        (datetime.datetime(2026, 10, 25, 6, 0, tzinfo=datetime.UTC), True),
        (datetime.datetime(2026, 10, 25, 20, 59, tzinfo=datetime.UTC), True),
        (datetime.datetime(2026, 10, 25, 21, 0, tzinfo=datetime.UTC), False),
    ],
)
def test_quiet_hours_go_by_the_wall_clock_when_it_is_put_forward_and_back(
    receiver: Receiver,  # noqa: F811
    moment: datetime.datetime,
    *,
    is_sent: bool,
) -> None:
    remember_shop(CurrentShop(name="Kawa", currency="PLN", time_zone="Europe/Warsaw", phone_region="PL"))
    rule(channel(**NIGHT), group_seconds=0)
    happen()

    assert watch(moment) == (Round(sent=1) if is_sent else Round())


def test_what_is_over_the_limit_of_the_hour_waits_and_comes_together(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(hourly_limit=3), group_seconds=0)
    for minute in range(5):
        happen(f"{minute}", f"No {minute}", at=later(minutes=minute))
        watch(later(minutes=minute))
    assert receiver.texts("Chat") == ["No 0", "No 1", "No 2"]

    watch(later(minutes=59, seconds=59))
    assert len(receiver.attempts) == 3
    watch(later(minutes=60))

    assert receiver.texts("Chat")[3] == "• No 3\n• No 4"


def test_a_fifth_of_the_hours_messages_is_kept_for_what_is_critical(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(hourly_limit=5), group_seconds=0)
    for number in range(6):
        happen(f"{number}", "Small", at=later(seconds=number))
        watch(later(seconds=number))
    assert len(receiver.attempts) == 4

    for number in range(2):
        happen(f"{number}", "Large", event=LATE)
        watch(later(minutes=1, seconds=number))

    assert len(receiver.attempts) == 5
    assert receiver.received["Chat"][4].title == "3 alerts – Samovar"


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
