"""What waits: for the end of quiet hours, and for the next hour of a channel at its limit."""

import datetime
from typing import Any

import pytest

from foundation.shop import CurrentShop, remember_shop
from monitoring.models import Delivery
from monitoring.services.dispatch import post_message
from monitoring.services.sending import Round
from tests.monitoring.conftest import LATE
from tests.monitoring.receiver import Receiver
from tests.monitoring.watching import (
    channel,
    end,
    happen,
    later,
    receiver,  # noqa: F401 - a fixture
    rule,
    watch,
)

pytestmark = pytest.mark.django_db


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
