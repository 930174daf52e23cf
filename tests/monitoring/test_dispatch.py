"""Which alerts come together in one message, to whom, and what it says."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext_lazy as _

from foundation.shop import CurrentShop, remember_shop
from monitoring.models import Alert, Delivery, DeliveryAlert
from monitoring.own_events import CHANNEL_FAILING
from monitoring.registry import Event, register_event
from monitoring.services.alerts import AlertText, acknowledge, notify, notify_many
from monitoring.services.dispatch import Planned, plan_deliveries, post_message
from monitoring.severity import Severity
from tests.monitoring.conftest import LATE, LOW
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
from users.models import User

pytestmark = pytest.mark.django_db


# --- grouping -----------------------------------------------------------------------------------------


def test_what_happens_within_half_a_minute_comes_in_one_message(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    happen("milk", "Milk is low")
    watch(NOON)
    happen("tea", "Tea is low", at=later(seconds=20))
    watch(later(seconds=20))
    assert receiver.texts("Chat") == []

    watch(later(seconds=30))

    [message] = receiver.received["Chat"]
    assert (message.title, message.text) == ("2 alerts – Samovar", "• Milk is low\n• Tea is low")
    assert message.severity == "warning"


def test_what_is_critical_is_sent_at_once_and_takes_the_others_along(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    happen("milk", "Milk is low")
    watch(NOON)
    happen("backup", "No backup", event=LATE, at=later(seconds=5))

    watch(later(seconds=5))

    [message] = receiver.received["Chat"]
    assert (message.severity, message.text) == ("critical", "• No backup\n• Milk is low")


def test_ten_thousand_of_one_alert_are_one_row_and_one_message_with_their_number(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    for _minute in range(10):
        notify_many(event=LOW, alerts=[AlertText("milk", "Milk is low")] * 1000)
        plan_deliveries(at=NOON)
    Alert.objects.update(created_at=NOON)

    watch(later(seconds=30))
    watch(later(hours=1))

    assert Alert.objects.values_list("count", flat=True).get() == 10_000
    [message] = receiver.received["Chat"]
    assert message.title == "Warning: Low stock – Samovar"
    assert message.text == "Milk is low (10,000 times since 12:00)"


@pytest.mark.slow
def test_ten_thousand_different_alerts_are_one_message_of_twenty_lines(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    notify_many(event=LOW, alerts=[AlertText(f"{number:05}", f"No {number:05}") for number in range(10_000)])

    planned = plan_deliveries(at=NOON)
    assert plan_deliveries(at=NOON) == Planned()
    watch(later(seconds=30))

    [message] = receiver.received["Chat"]
    lines = message.text.splitlines()
    assert (planned, message.title) == (Planned(alerts=10_000), "10,000 alerts – Samovar")
    assert (len(lines), lines[0], lines[-1]) == (21, "• No 00000", "… and 9,980 more.")
    assert (len(message.data["alerts"]), message.data["number"], message.data["left_out"]) == (500, 10_000, 9_500)


def test_something_that_comes_and_goes_is_one_line(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    for minute in range(3):
        happen(at=later(minutes=minute))
        end(at=later(minutes=minute, seconds=30))
    happen(at=later(minutes=3))
    plan_deliveries(at=later(minutes=3))

    watch(later(minutes=4))

    assert receiver.texts("Chat") == ["Milk is low (4 times since 12:00)"]


def test_planning_takes_the_same_number_of_queries_for_one_alert_as_for_a_hundred() -> None:
    channels = [channel(name) for name in ("A", "B")]
    rule(*channels, repeat_minutes=5)

    def queries_for(subjects: range) -> int:
        for subject in subjects:
            happen(str(subject))
        with CaptureQueriesContext(connection) as queries:
            plan_deliveries(at=NOON)
        return len(queries)

    queries_for(range(1))
    assert queries_for(range(1, 2)) == queries_for(range(2, 102)) == 13


# --- rules --------------------------------------------------------------------------------------------


def test_a_rule_takes_its_events_and_what_is_severe_enough(receiver: Receiver) -> None:  # noqa: F811
    chat, mail, nobody = channel("Chat"), channel("Mail"), channel("Nobody")
    rule(chat, events=[LOW], severity="info")
    rule(mail, severity="critical")
    rule(nobody, events=[LATE], severity="info", is_enabled=False)
    happen("milk", "Milk is low")
    happen("sync", "Too late", event=LATE)

    watch(NOON)
    watch(later(seconds=30))

    assert (receiver.texts("Chat"), receiver.texts("Mail")) == (["Milk is low"], ["Too late"])
    assert receiver.texts("Nobody") == []
    assert not Alert.objects.filter(dispatched_at=None).exists()


def test_two_rules_that_lead_to_one_channel_tell_it_once_and_the_sooner_one_decides(receiver: Receiver) -> None:  # noqa: F811
    chat = channel()
    rule(chat, group_seconds=300, tells_resolution=False)
    rule(chat, group_seconds=10, tells_resolution=True)
    happen()

    watch(NOON)
    watch(later(seconds=10))
    end(at=later(minutes=1))
    watch(later(minutes=1))
    watch(later(minutes=1, seconds=10))

    assert receiver.texts("Chat") == ["Milk is low", "Back to normal after 1 min: Milk is low"]


def test_a_channel_that_is_switched_off_or_for_customers_gets_nothing() -> None:
    rule(channel("Off", is_enabled=False), channel("Customers", kind="sms", for_customers=True))
    happen()

    assert plan_deliveries(at=NOON) == Planned(alerts=1)
    assert not Delivery.objects.exists()


def test_a_channel_is_not_told_that_it_takes_nothing_itself(receiver: Receiver) -> None:  # noqa: F811
    chat, mail = channel("Chat"), channel("Mail")
    rule(chat, mail)
    details = {"channel_id": chat.pk, "channel": "Chat", "error": "Kicked out."}
    notify(event=CHANNEL_FAILING, subject="Chat", message="m", details=details)

    watch(NOON)
    watch(later(seconds=30))

    assert receiver.texts("Mail") == ["The channel “Chat” takes no messages: Kicked out. They wait."]
    assert receiver.texts("Chat") == []


def test_an_alert_that_is_put_back_by_hand_is_not_told_twice(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    happen()
    watch(NOON)
    watch(later(seconds=30))
    Alert.objects.update(dispatched_at=None)

    watch(later(minutes=1))
    watch(later(minutes=2))

    assert receiver.texts("Chat") == ["Milk is low"]
    assert DeliveryAlert.objects.count() == 1
    assert not Delivery.objects.filter(status=Delivery.Status.WAITING).exists()


# --- the end ------------------------------------------------------------------------------------------


def test_what_is_over_is_said_to_be_back_to_normal_and_after_how_long(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    happen()
    watch(NOON)
    watch(later(seconds=30))
    end(at=later(minutes=14, seconds=20))

    watch(later(minutes=15))
    assert len(receiver.received["Chat"]) == 1
    watch(later(minutes=15, seconds=30))
    watch(later(hours=5))

    _alert, message = receiver.received["Chat"]
    assert message.title == "Back to normal: Low stock – Samovar"
    assert message.text == "Back to normal after 14 min: Milk is low"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ({"seconds": 45}, "45 s"),
        ({"seconds": 60}, "1 min"),
        ({"minutes": 59, "seconds": 59}, "59 min"),
        ({"hours": 3, "minutes": 5}, "3 h 5 min"),
        ({"days": 2, "hours": 3}, "2 d 3 h"),
    ],
)
def test_how_long_it_took_is_said_in_two_units_at_most(
    receiver: Receiver,  # noqa: F811
    span: dict[str, float],
    said: str,
) -> None:
    rule(channel(), group_seconds=0)
    happen()
    watch(NOON)
    end(at=later(**span))
    watch(later(days=3))

    assert receiver.texts("Chat")[-1] == f"Back to normal after {said}: Milk is low"


def test_what_is_over_before_it_was_told_is_one_message_that_says_both(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    happen()
    watch(NOON)
    end(at=later(seconds=20))
    watch(later(seconds=20))

    watch(later(seconds=30))
    watch(later(minutes=5))

    [message] = receiver.received["Chat"]
    assert message.title == "Back to normal: Low stock – Samovar"
    assert message.text == "Milk is low. Back to normal after 20 s."


def test_news_are_never_back_to_normal(receiver: Receiver) -> None:  # noqa: F811
    register_event(Event("test.done", Severity.WARNING, _("Done"), is_news=True))
    rule(channel())
    happen("backup", "A backup is done.", event="test.done")

    watch(NOON)
    watch(later(seconds=30))
    watch(later(minutes=5))

    [message] = receiver.received["Chat"]
    assert (message.title, message.text) == ("Warning: Done – Samovar", "A backup is done.")


def test_the_end_is_told_only_where_the_beginning_was_and_where_a_rule_says_so(receiver: Receiver) -> None:  # noqa: F811
    chat, quiet, new = channel("Chat"), channel("No ends"), channel("New")
    rule(chat)
    rule(quiet, tells_resolution=False)
    happen()
    watch(NOON)
    watch(later(seconds=30))
    rule(new)
    end(at=later(minutes=1))

    watch(later(minutes=1))
    watch(later(minutes=2))

    assert [len(receiver.received[name]) for name in ("Chat", "No ends", "New")] == [2, 1, 0]


# --- repetition ---------------------------------------------------------------------------------------


def test_what_stays_open_is_repeated_until_somebody_has_seen_it(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), repeat_minutes=15, group_seconds=0)
    alert = happen()
    watch(NOON)
    watch(later(minutes=14))
    assert len(receiver.received["Chat"]) == 1

    watch(later(minutes=15))
    watch(later(minutes=29))
    happen(at=later(minutes=29))
    watch(later(minutes=30))
    acknowledge(alert_ids=[alert.pk], user=User.objects.create_user("ann@shop.example"))
    watch(later(minutes=60))

    assert receiver.texts("Chat") == [
        "Milk is low",
        "Still open since 12:00: Milk is low",
        "Still open since 12:00: Milk is low (2 times)",
    ]
    assert receiver.received["Chat"][1].title == "Still open: Low stock – Samovar"
    parts = DeliveryAlert.objects.order_by("pk").values_list("kind", "number")
    assert list(parts) == [("alert", 0), ("repeat", 1), ("repeat", 2)]


def test_the_end_comes_after_the_reminders_and_nothing_after_the_end(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), repeat_minutes=15, group_seconds=60)
    happen()
    watch(NOON)
    watch(later(minutes=1))
    # The reminder gathers while the alert ends: it says both.
    watch(later(minutes=16))
    end(at=later(minutes=16, seconds=30))
    watch(later(minutes=16, seconds=30))

    watch(later(minutes=17))
    watch(later(hours=2))

    assert receiver.texts("Chat") == ["Milk is low", "Back to normal after 16 min: Milk is low"]


def test_a_reminder_waits_until_the_last_message_about_it_has_arrived() -> None:
    rule(channel(), repeat_minutes=1, group_seconds=0)
    happen()
    for minute in range(5):
        plan_deliveries(at=later(minutes=minute))

    assert DeliveryAlert.objects.count() == 1


# --- words --------------------------------------------------------------------------------------------


def test_a_message_speaks_the_language_of_its_channel_by_the_clock_of_the_shop(receiver: Receiver) -> None:  # noqa: F811
    remember_shop(CurrentShop(name="Tea House", currency="PLN", time_zone="Asia/Bangkok", phone_region="TH"))
    register_event(
        Event("test.told", Severity.WARNING, _("Low stock"), tell=lambda details: str(_("Low stock")) + details["x"])
    )
    rule(channel("English"), channel("Russian", language="ru"))
    notify_many(event="test.told", alerts=[AlertText("milk", "m", {"x": "!"})] * 1500)
    Alert.objects.update(created_at=NOON)
    watch(NOON)

    watch(later(seconds=30))

    [english], [russian] = receiver.received["English"], receiver.received["Russian"]
    assert english.title == "Warning: Low stock – Tea House"
    assert english.text == "Low stock! (1,500 times since 19:00)"
    assert russian.text.startswith("Нехватка! (1\xa0500 ")


def test_words_that_fail_keep_no_message_back(receiver: Receiver) -> None:  # noqa: F811
    register_event(Event("test.told", Severity.WARNING, _("Told"), tell=lambda details: f"{details['left'] / 0}"))
    rule(channel(), group_seconds=0)
    notify(event="test.told", message="As it was written.", details={"left": 1})
    watch(NOON)

    assert receiver.texts("Chat") == ["As it was written."]


def test_the_day_is_named_if_it_was_another_one(receiver: Receiver) -> None:  # noqa: F811
    rule(channel())
    happen(at=later(days=-1))
    happen(at=NOON)
    watch(NOON)
    watch(later(seconds=30))

    assert receiver.texts("Chat") == ["Milk is low (2 times since 19 November 12:00)"]


def test_a_long_text_is_whole_by_itself_and_short_among_others(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    happen("milk", "m" * 10_000)
    watch(NOON)
    happen("tea", "t" * 10_000)
    happen("cup", "c" * 300)
    watch(later(minutes=1))

    alone, together = receiver.texts("Chat")
    assert alone == "m" * 10_000
    assert together == f"• {'t' * 299}…\n• {'c' * 300}"


def test_markup_in_a_name_stays_what_it_is(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    name = "<b>Ann</b> & [x](y) *_`% {0} %(text)s"
    happen("ann", name)
    watch(NOON)

    assert receiver.texts("Chat") == [name]


def test_programs_read_each_alert_by_itself(receiver: Receiver) -> None:  # noqa: F811
    rule(channel(), group_seconds=0)
    alert = happen()
    watch(NOON)

    [message] = receiver.received["Chat"]
    assert message.key == str(Delivery.objects.get().key)
    assert message.data == {
        "kind": "alert",
        "shop": "Samovar",
        "number": 1,
        "left_out": 0,
        "alerts": [
            {
                "id": alert.pk,
                "kind": "alert",
                "event": LOW,
                "subject": "milk",
                "severity": "warning",
                "text": "Milk is low",
                "count": 1,
                "since": "2026-11-20T12:00:00+00:00",
                "last_seen_at": "2026-11-20T12:00:00+00:00",
                "resolved_at": None,
            }
        ],
    }


def test_a_message_with_words_of_its_own_comes_after_what_waits(receiver: Receiver) -> None:  # noqa: F811
    chat = channel()
    rule(chat)
    happen()
    watch(NOON)
    post_message(
        channel_id=chat.pk, kind=Delivery.Kind.REPORT, title="Friday", text="Revenue: 1", picture=b"png", at=NOON
    )
    watch(later(seconds=10))
    assert receiver.texts("Chat") == []

    watch(later(seconds=30))

    assert receiver.texts("Chat") == ["Milk is low", "Revenue: 1"]
    assert receiver.received["Chat"][1].picture == b"png"
    assert receiver.received["Chat"][1].data == {"kind": "report"}
