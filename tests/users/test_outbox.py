"""Mails wait in the outbox until the mail server takes them, and none is lost."""

from datetime import timedelta
from smtplib import SMTPConnectError, SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client

from monitoring.models import Alert
from tests.users.conftest import NOON, PASSWORD
from users.choices import MailKind
from users.models import OutgoingMail, User
from users.services.outbox import WAITS, post_mail, send_next_mail

pytestmark = pytest.mark.django_db


class MoodyServer(EmailBackend):
    """A mail server that refuses with `MoodyServer.mood`, if it has one. Notes whether a transaction was open."""

    mood: Exception | None = None
    in_transaction: list[bool] = []

    def send_messages(self, messages: Any) -> int:
        # The test itself is one, with one savepoint less than a service's.
        MoodyServer.in_transaction.append(bool(connection.savepoint_ids))
        if MoodyServer.mood is not None:
            raise MoodyServer.mood
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def server(settings) -> type[MoodyServer]:
    settings.EMAIL_BACKEND = f"{__name__}.MoodyServer"
    MoodyServer.mood, MoodyServer.in_transaction = None, []
    return MoodyServer


@pytest.fixture
def waiting(db: None) -> OutgoingMail:
    letter = post_mail(kind=MailKind.UNKNOWN_ACCOUNT, to="a@example.com", site="http://testserver")
    OutgoingMail.objects.update(next_attempt_at=NOON)
    return letter


def test_a_mail_that_is_sent_is_gone_from_the_outbox(waiting: OutgoingMail, server) -> None:
    assert send_next_mail(now=NOON) is True
    assert send_next_mail(now=NOON) is False

    assert [letter.to for letter in mail.outbox] == [["a@example.com"]]
    assert mail.outbox[0].extra_headers["Auto-Submitted"] == "auto-generated"
    assert not OutgoingMail.objects.exists()
    assert server.in_transaction == [False]


def test_a_server_that_refuses_loses_no_sign_up(client: Client, server) -> None:
    server.mood = SMTPConnectError(421, b"busy")
    client.post("/accounts/signup/", {"email": "nina@example.com", "password1": PASSWORD, "name": ""})
    OutgoingMail.objects.update(next_attempt_at=NOON)

    assert send_next_mail(now=NOON) is False
    assert User.objects.filter(email="nina@example.com").exists()
    assert send_next_mail(now=NOON + timedelta(seconds=59)) is False
    assert Alert.objects.get().message == (
        "The mail server does not take our mails (SMTPConnectError). They wait and are tried again."
    )

    server.mood = None
    assert send_next_mail(now=NOON + timedelta(minutes=1)) is True
    assert [letter.to for letter in mail.outbox] == [["nina@example.com"]]
    assert Alert.objects.get().resolved_at is not None


def test_a_mailbox_that_is_refused_does_not_hold_up_the_next_one(waiting: OutgoingMail, server) -> None:
    server.mood = SMTPRecipientsRefused({"a@example.com": (550, b"unknown")})

    assert send_next_mail(now=NOON) is True


def test_a_mail_is_given_up_after_its_last_attempt(waiting: OutgoingMail, server) -> None:
    server.mood = ConnectionRefusedError()
    now = NOON
    for wait in (timedelta(0), *WAITS):
        now += wait
        send_next_mail(now=now)

    assert len(server.in_transaction) == len(WAITS) + 1
    assert not OutgoingMail.objects.exists()
    assert Alert.objects.get().count == len(WAITS) + 1


def test_a_worker_that_dies_while_it_sends_leaves_the_mail_for_another(waiting: OutgoingMail, server) -> None:
    server.mood = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        send_next_mail(now=NOON)

    server.mood = None
    assert send_next_mail(now=NOON + WAITS[0]) is True
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("kind", MailKind.values)
def test_every_mail_has_a_subject_a_text_and_its_links(person, kind: str) -> None:
    vera = person("customer", email="vera@example.com", name="Vera <b>")
    post_mail(kind=MailKind(kind), to=vera.email, user=vera, site="http://testserver", language="en")

    send_next_mail(now=OutgoingMail.objects.get().next_attempt_at)

    letter = mail.outbox[0]
    assert "Samovar" in letter.subject
    assert letter.body.startswith("Hello Vera <b>,\n\n")
    assert letter.body.endswith("\n\nSamovar\n")


def test_a_link_that_nobody_needs_any_more_is_not_sent(person) -> None:
    vera = person("customer", email="vera@example.com")
    post_mail(kind=MailKind.RESET_PASSWORD, to=vera.email, user=vera, site="http://testserver")
    User.objects.update(is_active=False)

    assert send_next_mail(now=OutgoingMail.objects.get().next_attempt_at) is True
    assert (mail.outbox, OutgoingMail.objects.count()) == ([], 0)


def test_no_secret_of_a_link_stands_in_the_outbox(person) -> None:
    vera = person("customer", email="vera@example.com")
    post_mail(kind=MailKind.RESET_PASSWORD, to=vera.email, user=vera, site="http://testserver")

    kept = str(OutgoingMail.objects.values().get())
    send_next_mail(now=OutgoingMail.objects.get().next_attempt_at)

    assert "/accounts/password/reset/key/" in mail.outbox[0].body
    assert "reset/key" not in kept
