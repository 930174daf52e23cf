"""Mails: written with what causes them, sent afterwards, again and again until the mail server takes them."""

from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused

import structlog
from allauth.account.models import EmailAddress
from django.db import transaction

from monitoring.services.alerts import notify, resolve
from users.choices import MailKind
from users.letters import is_pointless, write_letter
from users.locks import claim_next_mail
from users.models import OutgoingMail, User
from users.watch import MAIL_REFUSED, refused_sentence

# What the next attempt waits for. After the last one the mail is given up: its links would be too old.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))

# The next mail may fare better; what else can happen would happen to it too.
ABOUT_ONE_MAIL = (SMTPRecipientsRefused, SMTPDataError)

logger = structlog.get_logger(__name__)


def post_mail(
    *,
    kind: MailKind,
    to: str,
    user: User | None = None,
    email_address: EmailAddress | None = None,
    site: str = "",
    language: str = "",
) -> OutgoingMail:
    """Puts a mail into the outbox, in the caller's transaction: rolled back, it has never been.

    Args:
        user: whom the mail is about; needed where its links are.
        email_address: what the mail asks to confirm.
        site: where links lead, "https://shop.example".
        language: of the person who reads it; the shop's if empty.
    """
    return OutgoingMail.objects.create(
        kind=kind, to=to, user=user, email_address=email_address, site=site, language=language
    )


def send_next_mail(*, now: datetime) -> bool:
    """Sends the next mail that is due, and says whether it makes sense to go on with the one after it.

    The mail server is spoken to outside of every transaction. A worker that dies in between leaves a mail that is
    sent again: twice is better than never. If the server refuses, the mail waits for its next attempt, and the staff
    are told.
    """
    with transaction.atomic():
        mail = claim_next_mail(now)
        if mail is None:
            return False
        mail.attempts += 1
        mail.next_attempt_at = now + WAITS[min(mail.attempts, len(WAITS)) - 1]
        mail.save(update_fields=["attempts", "next_attempt_at"])
    if is_pointless(mail):
        mail.delete()
        return True
    try:
        write_letter(mail).send()
    except (SMTPException, OSError) as error:
        _put_back(mail, error)
        return isinstance(error, ABOUT_ONE_MAIL)
    mail.delete()
    resolve(event=MAIL_REFUSED, subjects=[""])
    return True


def _put_back(mail: OutgoingMail, error: Exception) -> None:
    """Leaves the mail for its next attempt, or gives it up after the last; tells the staff either way."""
    # Only the kind of error: a mail server repeats addresses and more in its words.
    details = {"error": type(error).__name__, "attempts": mail.attempts}
    logger.warning("mail_refused", kind=mail.kind, mail_id=mail.pk, **details)
    with transaction.atomic():
        if mail.attempts > len(WAITS):
            mail.delete()
        notify(event=MAIL_REFUSED, message=refused_sentence(details), details=details)
