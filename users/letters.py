"""The words of a mail: templates/account/mail/<kind>.txt, whose first line is the subject."""

from allauth.account.models import EmailConfirmationHMAC
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from foundation.shop import current_shop
from users.choices import MailKind
from users.links import password_link
from users.models import OutgoingMail


def write_letter(mail: OutgoingMail) -> EmailMessage:
    """The mail as it goes out, in its reader's language. Its links are made now, and nowhere kept."""
    with translation.override(mail.language or settings.LANGUAGE_CODE):
        text = render_to_string(
            f"account/mail/{mail.kind}.txt",
            {
                "shop": current_shop().name,
                "name": mail.user.name if mail.user else "",
                "email": mail.to,
                "new_email": mail.user.email if mail.user else "",
                "link": _link(mail),
                "sign_in_link": mail.site + reverse("account_login"),
                "reset_link": mail.site + reverse("account_reset_password"),
                "sign_up_link": mail.site + reverse("account_signup"),
            },
        )
    subject, _newline, body = text.strip().partition("\n")
    # No machine answers to a machine: https://www.rfc-editor.org/rfc/rfc3834
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject.strip(), body.strip() + "\n", to=[mail.to], headers=headers)


def is_pointless(mail: OutgoingMail) -> bool:
    """Whether what the mail asks for has been done, or can't be done any more."""
    if mail.email_address is not None:
        return mail.email_address.verified
    if mail.kind in (MailKind.RESET_PASSWORD, MailKind.INVITATION):
        return mail.user is None or not mail.user.is_active or mail.user.email != mail.to
    return False


def _link(mail: OutgoingMail) -> str:
    if mail.kind == MailKind.CONFIRM_EMAIL and mail.email_address is not None:
        key = EmailConfirmationHMAC.create(mail.email_address).key
        return mail.site + reverse("account_confirm_email", args=[key])
    if mail.kind in (MailKind.RESET_PASSWORD, MailKind.INVITATION) and mail.user is not None:
        return mail.site + password_link(mail.user)
    return ""
