"""From an alert to the chat, through everything that can go wrong on the way: with the real sender, against a stand-in
of Telegram's Bot API and a mail server that refuses."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from monitoring.channels import wire
from monitoring.models import AlertRule, Channel, Delivery
from monitoring.services.alerts import notify
from monitoring.services.channels import send_test
from monitoring.services.dispatch import plan_deliveries
from monitoring.services.sending import send_due
from tests.monitoring.bot_api import TOKEN, BotApiStandin, bot_api
from tests.monitoring.conftest import LATE, LOW
from tests.monitoring.smtp_server import mail_server

pytestmark = pytest.mark.django_db

CHAT, GROUP = 42, -100777
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def telegram(settings: Any) -> Iterator[BotApiStandin]:
    with bot_api() as standin:
        settings.TELEGRAM_API_URL = standin.url
        standin.add_chat(CHAT, title="Kitchen", kind="group")
        yield standin


@pytest.fixture
def kitchen(telegram: BotApiStandin) -> Channel:
    return told_of_everything(name="Kitchen", kind=Channel.Kind.TELEGRAM, address=str(CHAT), secret=TOKEN)


def told_of_everything(**settings: Any) -> Channel:
    channel = Channel.objects.create(**settings)
    rule = AlertRule.objects.create(name=f"All to {channel}", severity="info", group_seconds=0)
    rule.channels.add(channel)
    return channel


def after(seconds: float) -> None:
    """What the watchdog does so many seconds later."""
    at = NOW + datetime.timedelta(seconds=seconds)
    plan_deliveries(at=at)
    send_due(sender="watchdog", at=at)


def words(telegram: BotApiStandin, chat: int = CHAT) -> list[str]:
    """What arrived, without the titles."""
    return [text.partition("\n\n")[2] for text in telegram.texts(chat)]


def test_a_telegram_that_has_enough_is_left_alone_for_as_long_as_it_asks(
    telegram: BotApiStandin, kitchen: Channel
) -> None:
    telegram.too_many(retry_after=37)
    notify(event=LATE, subject="1", message="first")
    after(0)
    notify(event=LATE, subject="2", message="second")
    after(36)
    assert (len(telegram.calls), words(telegram)) == (0, [])

    after(38)

    assert words(telegram) == ["first", "second"]
    kitchen.refresh_from_db()
    assert (kitchen.failing_since, kitchen.blocked_until) == (None, None)


def test_a_bot_that_was_kicked_out_waits_until_a_person_has_put_it_right(
    telegram: BotApiStandin, kitchen: Channel
) -> None:
    telegram.kick(CHAT)
    notify(event=LATE, subject="1", message="first")
    after(0)
    kitchen.refresh_from_db()
    assert kitchen.disabled_reason == "Telegram: Forbidden: bot was kicked from the supergroup chat"
    notify(event=LATE, subject="2", message="second")
    after(3600)
    calls = len(telegram.calls)
    assert calls == 1

    telegram.chats[str(CHAT)].fault = None
    send_test(channel_id=kitchen.pk, at=NOW + datetime.timedelta(hours=2))
    after(7300)

    told = words(telegram)
    assert told[1] == "first"
    # That the channel had failed is told as well, as to any other.
    assert "second" in told[2]
    assert sum(text.count("first") for text in told) == sum(text.count("second") for text in told) == 1


def test_a_telegram_that_hangs_or_is_not_there_keeps_no_other_channel_waiting(
    telegram: BotApiStandin, kitchen: Channel, monkeypatch: pytest.MonkeyPatch, mailoutbox: Any
) -> None:
    told_of_everything(name="Office", kind=Channel.Kind.EMAIL, address="ann@shop.example")
    monkeypatch.setattr(wire, "READ_SECONDS", 0.3)
    telegram.next = ["hang", "cut"]
    notify(event=LATE, subject="1", message="first")

    after(0)
    assert (len(mailoutbox), words(telegram)) == (1, [])
    after(11)
    assert words(telegram) == []
    after(60)

    assert (len(mailoutbox), words(telegram)) == (1, ["first"])
    assert Delivery.objects.get(channel=kitchen).attempts == 3


def test_a_mail_server_that_refuses_gets_the_message_later_and_once(settings: Any) -> None:
    channel = told_of_everything(name="Office", kind=Channel.Kind.EMAIL, address="ann@shop.example")
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        server.refuses = {"MAIL": "451 Try again later"}
        notify(event=LATE, subject="1", message="first")
        after(0)
        channel.refresh_from_db()
        assert channel.last_error == "The mail server refuses: 451 Try again later"
        server.refuses = {}
        after(11)
        after(120)

    assert [mail.get_content().strip() for _recipient, mail in server.mails] == ["first"]


def test_ten_thousand_characters_and_a_name_full_of_markup_arrive(telegram: BotApiStandin, kitchen: Channel) -> None:
    name = '<a href="tg://user?id=1">*Bobby*</a> _`;--'
    notify(event=LOW, subject="1", message=f"{name} {'x' * 10_000}")

    after(0)

    (text,) = telegram.texts(CHAT)
    assert name in text
    assert len(text) <= 4096
    assert "more characters stand in the admin" in text
    assert len(Delivery.objects.get().text) > 10_000


def test_a_group_that_became_a_supergroup_is_followed(telegram: BotApiStandin, kitchen: Channel) -> None:
    telegram.move(CHAT, GROUP)
    notify(event=LATE, subject="1", message="first")
    after(0)

    kitchen.refresh_from_db()
    assert (kitchen.address, words(telegram, GROUP)) == (str(GROUP), ["first"])


def test_a_test_message_follows_a_group_that_moved(telegram: BotApiStandin, kitchen: Channel) -> None:
    telegram.move(CHAT, GROUP)

    assert send_test(channel_id=kitchen.pk, at=NOW).status == Delivery.Status.SENT

    kitchen.refresh_from_db()
    assert (kitchen.address, kitchen.version, len(telegram.texts(GROUP))) == (str(GROUP), 2, 1)
