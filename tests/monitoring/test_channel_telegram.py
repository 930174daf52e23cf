"""Messages to Telegram, against a stand-in that keeps to the documentation of the Bot API."""

import io
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from monitoring.channels import (
    Address,
    ChannelBusy,
    ChannelError,
    ChannelRefused,
    ChannelUnreachable,
    Message,
    MessageRefused,
    send,
    wire,
)
from monitoring.channels.bot_api import BotApi
from monitoring.channels.cutting import utf16_length
from tests.monitoring.bot_api import TOKEN, BotApiStandin, Refused, bot_api

CHAT = 42
GROUP = -100777


def png() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    return picture.getvalue()


def message(text: str = "Sugar: 300 g left.", **more: Any) -> Message:
    return Message(**{"key": "k-1", "title": "Low stock", "text": text, "severity": "warning", **more})


@pytest.fixture
def telegram(settings: Any) -> Iterator[BotApiStandin]:
    with bot_api() as standin:
        settings.TELEGRAM_API_URL = standin.url
        settings.TELEGRAM_BOT_TOKEN = ""
        standin.add_chat(CHAT, first_name="Ann", last_name="Lee")
        yield standin


@pytest.fixture
def chat(telegram: BotApiStandin) -> Address:
    return Address(kind="telegram", address=str(CHAT), secret=TOKEN, language="en", name="Kitchen")


def test_a_message_arrives_in_the_chat(telegram: BotApiStandin, chat: Address) -> None:
    assert send(chat, message()) is None

    assert telegram.texts(CHAT) == ["Low stock\n\nSugar: 300 g left."]


def test_news_without_haste_makes_no_sound(telegram: BotApiStandin, chat: Address) -> None:
    for severity in ("info", "warning", "critical"):
        send(chat, message(severity=severity))

    assert [one["is_silent"] for one in telegram.chats[str(CHAT)].sent] == [True, False, False]


def test_a_channel_without_a_token_takes_the_environments(
    telegram: BotApiStandin, chat: Address, settings: Any
) -> None:
    with pytest.raises(ChannelRefused, match="TELEGRAM_BOT_TOKEN"):
        send(replace(chat, secret=""), message())

    settings.TELEGRAM_BOT_TOKEN = TOKEN
    send(replace(chat, secret=""), message())
    assert len(telegram.texts(CHAT)) == 1


def test_markup_in_a_customers_name_arrives_as_it_was_typed(telegram: BotApiStandin, chat: Address) -> None:
    name = "<b>Robert'; *DROP* _TABLE_ [x](tg://user?id=1) </script> & `co` \\"

    send(chat, message(f"Order of {name}"))

    assert telegram.texts(CHAT) == [f"Low stock\n\nOrder of {name}"]
    assert "parse_mode" not in telegram.calls[-1][1]


@pytest.mark.parametrize(("letter", "language"), [("x", "en"), ("щ", "ru"), ("🧋", "en")])
def test_ten_thousand_characters_are_cut_with_a_remark(
    telegram: BotApiStandin, chat: Address, letter: str, language: str
) -> None:
    send(replace(chat, language=language), message(letter * 10_000))

    (text,) = telegram.texts(CHAT)
    assert 4090 <= utf16_length(text) <= 4096
    missing = 10_000 - text.count(letter)
    if language == "en":
        assert text.endswith(f"\n… {missing} more characters stand in the admin.")


def test_a_picture_goes_with_its_text_below_it(telegram: BotApiStandin, chat: Address) -> None:
    send(chat, message(picture=png()))

    assert telegram.chats[str(CHAT)].sent == [
        {"photo": [{}], "caption": "Low stock\n\nSugar: 300 g left.", "is_silent": False}
    ]


def test_a_text_that_is_no_caption_comes_before_its_picture_and_does_not_depend_on_it(
    telegram: BotApiStandin, chat: Address
) -> None:
    long = "x" * 2000
    send(chat, message(long, picture=png()))
    send(chat, message(long, picture=b"no picture"))
    send(chat, message("short", picture=b"no picture"))

    assert telegram.texts(CHAT) == [f"Low stock\n\n{long}", "", f"Low stock\n\n{long}", "Low stock\n\nshort"]


def test_too_many_messages_are_told_with_the_seconds_to_wait(telegram: BotApiStandin, chat: Address) -> None:
    telegram.too_many(retry_after=37)

    with pytest.raises(ChannelBusy) as busy:
        send(chat, message())

    assert busy.value.retry_after == 37
    assert telegram.texts(CHAT) == []


def test_a_bot_that_was_kicked_out_is_refused_for_good(telegram: BotApiStandin, chat: Address) -> None:
    telegram.kick(CHAT)

    with pytest.raises(ChannelRefused, match="bot was kicked from the supergroup chat"):
        send(chat, message())


@pytest.mark.parametrize("changes", [{"address": "999"}, {"secret": "1:" + "A" * 35}])
def test_a_chat_that_is_gone_and_a_token_that_is_revoked_are_refused_for_good(
    chat: Address, changes: dict[str, str]
) -> None:
    with pytest.raises(ChannelRefused):
        send(replace(chat, **changes), message())


def test_a_message_that_telegram_never_takes_does_not_condemn_the_channel(
    telegram: BotApiStandin, chat: Address
) -> None:
    telegram.next = [Refused(400, "Bad Request: something new")]

    with pytest.raises(MessageRefused, match="something new"):
        send(chat, message())


def test_a_group_that_became_a_supergroup_gets_the_message_at_its_new_id(
    telegram: BotApiStandin, chat: Address
) -> None:
    telegram.move(CHAT, GROUP)

    assert send(chat, message()) == str(GROUP)
    assert telegram.texts(GROUP) == ["Low stock\n\nSugar: 300 g left."]


def test_a_telegram_that_hangs_is_left_after_a_while(
    telegram: BotApiStandin, chat: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "READ_SECONDS", 0.2)
    telegram.next = ["hang"]

    with pytest.raises(ChannelUnreachable, match="does not answer in time"):
        send(chat, message())


def test_a_cut_connection_a_fault_of_theirs_and_another_page_are_tried_again_later(
    telegram: BotApiStandin, chat: Address, settings: Any
) -> None:
    telegram.next = ["cut"]
    with pytest.raises(ChannelUnreachable, match="can't be reached"):
        send(chat, message())
    telegram.next = [Refused(502, "Bad Gateway")]
    with pytest.raises(ChannelUnreachable, match="Bad Gateway"):
        send(chat, message())
    # Nobody listens there.
    settings.TELEGRAM_API_URL = "http://127.0.0.1:9"
    with pytest.raises(ChannelUnreachable) as unreachable:
        send(chat, message())
    assert not isinstance(unreachable.value, MessageRefused)


def test_the_token_stands_in_no_error_and_no_line(
    telegram: BotApiStandin, chat: Address, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    telegram.next = ["cut", Refused(400, f"Bad Request: no {TOKEN}"), Refused(500, TOKEN)]
    faults = []
    for _attempt in range(3):
        with pytest.raises(ChannelError) as caught:
            send(chat, message())
        faults.append(caught.value)
    settings.TELEGRAM_API_URL = "http://127.0.0.1:9"
    with pytest.raises(ChannelError) as caught:
        send(chat, message())
    faults.append(caught.value)

    secret = TOKEN.partition(":")[2]
    assert all(secret not in f"{fault!r} {fault.__cause__!r} {fault.__context__!r}" for fault in faults)
    assert secret not in caplog.text
    assert secret not in repr(chat)


def test_the_guided_page_learns_whose_token_it_is_and_which_chats_there_are(telegram: BotApiStandin) -> None:
    telegram.add_chat(GROUP, title="Kitchen & bar", kind="supergroup")
    telegram.add_chat(7, first_name="Old", kind="private")
    telegram.add_chat(-5, title="Left", kind="group")
    for number in range(120):
        telegram.somebody_writes(7, f"hello {number}")
    telegram.membership(-5, "member")
    telegram.membership(GROUP, "member")
    telegram.somebody_writes(CHAT, "/start")
    telegram.membership(-5, "kicked")

    api = BotApi(TOKEN)
    assert api.get_me().username == "samovar_test_bot"
    assert [(one.id, one.title, one.kind, one.said) for one in api.recent_chats()] == [
        (str(CHAT), "Ann Lee", "private", "/start"),
        (str(GROUP), "Kitchen & bar", "supergroup", ""),
        ("7", "Old", "private", "hello 119"),
    ]
    # Nothing was confirmed: asked again, they are all there.
    assert len(api.recent_chats()) == 3


def test_a_token_that_telegram_does_not_know_is_said_so(telegram: BotApiStandin) -> None:
    with pytest.raises(ChannelRefused, match="no bot token"):
        BotApi("https://api.telegram.org/bot1")
    with pytest.raises(ChannelRefused, match="does not know this token"):
        BotApi("1:" + "A" * 35).get_me()
