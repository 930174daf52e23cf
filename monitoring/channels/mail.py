"""Messages as e-mail, through the shop's own mail server (EMAIL_URL)."""

import hashlib
import smtplib
from collections.abc import Callable, Mapping
from email.utils import parseaddr

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import gettext as _

from foundation.logs import mask_text
from monitoring.channels.base import (
    Address,
    ChannelError,
    ChannelRefused,
    ChannelUnreachable,
    Message,
    MessageRefused,
)
from monitoring.channels.cutting import one_line

LONGEST_SUBJECT = 200
LONGEST_WORDS = 200
# Recipients of one channel: each is a mail of its own, so that they do not learn of each other.
MOST_RECIPIENTS = 10

logger = structlog.get_logger(__name__)


def send(address: Address, message: Message) -> None:
    """One mail to each recipient. Taken is a message that one of them got and that none may get later.

    Raises ChannelRefused if the mail server will never take any of the recipients, MessageRefused if it never takes
    this text, ChannelUnreachable otherwise. Sent again it has the same Message-ID, by which mail programs drop the
    second one for those who had got it.
    """
    recipients = recipients_in(address.address)
    if not recipients:
        raise ChannelRefused(_("The channel has no recipients."))
    connection = get_connection()
    refusals: list[ChannelRefused] = []
    try:
        open_connection(connection)
        for recipient in recipients:
            try:
                deliver(connection, mail_for(recipient, message, connection))
            except ChannelRefused as refusal:
                refusals.append(refusal)
    finally:
        close(connection)
    if len(refusals) == len(recipients):
        raise refusals[0]
    for one in refusals:
        logger.warning("mail_recipient_refused", channel=address.name, error=one.sentence)


def recipients_in(text: str) -> list[str]:
    return list(dict.fromkeys(part for part in (part.strip() for part in text.split(",")) if part))


def mail_for(recipient: str, message: Message, connection: BaseEmailBackend) -> EmailMessage:
    mail = EmailMessage(
        subject=one_line(message.title)[:LONGEST_SUBJECT],
        body=message.text,
        to=[recipient],
        headers={
            "Message-ID": message_id(message.key),
            # RFC 3834: nobody's absence note answers it.
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )
    if message.picture:
        mail.attach("chart.png", message.picture, "image/png")
    return mail


def message_id(key: str) -> str:
    """The same for the same key. The key itself may hold what stands in no header."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def open_connection(connection: BaseEmailBackend) -> None:
    fault = try_smtp(lambda: connection.open())
    if fault is not None:
        raise fault


def deliver(connection: BaseEmailBackend, mail: EmailMessage) -> None:
    fault = try_smtp(lambda: connection.send_messages([mail]))
    if fault is not None:
        raise fault


def close(connection: BaseEmailBackend) -> None:
    """What goes wrong here, after everything was said, is no fault of the message."""
    try_smtp(lambda: connection.close())


def try_smtp(step: Callable[[], object]) -> ChannelError | None:
    """What a step of the conversation came to: None, or the error to raise. The errors of smtplib hold addresses; they
    are not handed on as causes."""
    try:
        step()
    except smtplib.SMTPRecipientsRefused as error:
        return recipients_refused(error.recipients)
    except smtplib.SMTPAuthenticationError as error:
        return ChannelUnreachable(
            _("The mail server does not take the shop's name and password: %(words)s") % {"words": words_of(error)}
        )
    except smtplib.SMTPDataError as error:
        sentence = _("The mail server refuses the message: %(words)s") % {"words": words_of(error)}
        return MessageRefused(sentence) if error.smtp_code >= 500 else ChannelUnreachable(sentence)
    except smtplib.SMTPResponseException as error:
        return ChannelUnreachable(_("The mail server refuses: %(words)s") % {"words": words_of(error)})
    except smtplib.SMTPException:
        return ChannelUnreachable(_("The mail server ends the conversation."))
    except TimeoutError:
        return ChannelUnreachable(_("The mail server does not answer in time."))
    except OSError:
        return ChannelUnreachable(_("The mail server can't be reached."))
    except ValueError:
        # An address or a header that can't be written as one.
        return MessageRefused(_("No mail can be made of this message or of the channel's recipients."))
    return None


def recipients_refused(recipients: Mapping[str, tuple[int, bytes]]) -> ChannelError:
    code, text = next(iter(recipients.values()))
    sentence = _("The mail server refuses the recipient: %(words)s") % {"words": f"{code} {readable(text)}"}
    # RFC 5321, 4.2.1: 5yz is for good, 4yz for now.
    return ChannelRefused(sentence) if code >= 500 else ChannelUnreachable(sentence)


def words_of(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {readable(error.smtp_error)}"


def readable(text: bytes | str) -> str:
    """The server's words in one line, without the addresses that they like to repeat."""
    plain = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    return mask_text(one_line(plain))[:LONGEST_WORDS]
