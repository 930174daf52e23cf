"""What the tests of accounts read in the mailboxes."""

import re

from django.core import mail

from users.tasks import send_waiting_mails


def delivered() -> list[mail.EmailMessage]:
    """Empties the shop's outbox and returns what has come so far, oldest first."""
    send_waiting_mails()
    return mail.outbox


def subjects() -> list[tuple[str, str]]:
    """To whom and about what, of all that has come so far."""
    return [(letter.to[0], letter.subject) for letter in delivered()]


def link_in(letter: mail.EmailMessage) -> str:
    """The path of the first link of a mail, whatever address the shop has in the test."""
    found = re.search(r"https?://[^/\s]+(/\S+)", letter.body)
    assert found is not None, letter.body
    return found[1]
