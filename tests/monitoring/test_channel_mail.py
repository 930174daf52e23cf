"""Messages by e-mail, against a mail server that refuses at any step."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from monitoring.channels import (
    Address,
    ChannelError,
    ChannelRefused,
    ChannelUnreachable,
    Message,
    MessageRefused,
    send,
)
from tests.monitoring.smtp_server import MailServer, mail_server

TWO = Address(kind="email", address="ann@shop.example, bob@shop.example", secret="", language="en", name="Office")
ONE = replace(TWO, address="ann@shop.example")


def message(**more: Any) -> Message:
    return Message(
        **{"key": "k-1", "title": "Low\r\nBcc: x@y.z", "text": "Sugar: 300 g\n.\nleft", "severity": "warning", **more}
    )


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "Shop <shop@samovar.example>"
        yield server


def test_each_recipient_gets_a_mail_of_their_own(server: MailServer) -> None:
    send(TWO, message())

    assert [recipient for recipient, _mail in server.mails] == ["ann@shop.example", "bob@shop.example"]
    _recipient, mail = server.mails[0]
    assert mail["To"] == "ann@shop.example"
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Low Bcc: x@y.z"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().split() == ["Sugar:", "300", "g", ".", "left"]


def test_a_message_that_is_sent_again_has_the_same_message_id(server: MailServer) -> None:
    for key in ("k-1", "k-1", "k-2"):
        send(ONE, message(key=key))

    first, again, another = (mail["Message-ID"] for _recipient, mail in server.mails)
    assert first == again != another
    assert first.endswith("@samovar.example>")


def test_a_picture_comes_as_an_attachment(server: MailServer) -> None:
    png = io.BytesIO()
    Image.new("RGB", (4, 4)).save(png, "PNG")

    send(ONE, message(picture=png.getvalue()))

    (attachment,) = server.mails[0][1].iter_attachments()
    assert attachment.get_content_type() == "image/png"
    assert attachment.get_content() == png.getvalue()


@pytest.mark.parametrize(
    ("step", "answer", "error", "words"),
    [
        ("", "554 No service for you", ChannelUnreachable, "554"),
        ("", "421 Come later", ChannelUnreachable, "421"),
        ("MAIL", "451 Try later", ChannelUnreachable, "451"),
        ("MAIL", "550 The sender is not known", ChannelUnreachable, "550 The sender"),
        ("RCPT", "450 Mailbox busy", ChannelUnreachable, "450 Mailbox busy"),
        ("RCPT", "550 5.1.1 <ann@shop.example>: no such person", ChannelRefused, "550 5.1.1 <\\[masked\\]>: no such"),
        ("DATA", "451 Greylisted", ChannelUnreachable, "451 Greylisted"),
        (".", "554 Looks like spam", MessageRefused, "554 Looks like spam"),
        (".", "452 Disk full", ChannelUnreachable, "452 Disk full"),
    ],
)
def test_a_server_that_refuses_is_understood(
    server: MailServer, step: str, answer: str, error: type[ChannelError], words: str
) -> None:
    server.refuses = {step: answer}

    with pytest.raises(error, match=words) as caught:
        send(ONE, message())

    assert type(caught.value) is error
    assert "ann@" not in f"{caught.value} {caught.value.__context__!r}"
    assert server.mails == []


def test_a_recipient_who_is_gone_does_not_keep_the_others_from_hearing(server: MailServer) -> None:
    server.refuses = {"RCPT TO:<ann@shop.example>": "550 No such person"}

    send(TWO, message())

    assert [recipient for recipient, _mail in server.mails] == ["bob@shop.example"]


def test_a_recipient_who_can_not_be_reached_now_is_tried_again_with_the_same_mail(server: MailServer) -> None:
    server.refuses = {"RCPT TO:<bob@shop.example>": "450 Mailbox busy"}
    with pytest.raises(ChannelUnreachable):
        send(TWO, message())

    server.refuses = {}
    send(TWO, message())

    assert [recipient[0] for recipient, _mail in server.mails] == ["a", "a", "b"]
    assert len({mail["Message-ID"] for _recipient, mail in server.mails}) == 1


def test_a_server_that_is_not_there_is_tried_again_later(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    with pytest.raises(ChannelUnreachable, match="can't be reached"):
        send(ONE, message())
