"""Signing up: a customer makes an account, which opens when the link in the mail is followed."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from users.choices import MailKind, Role
from users.errors import EmailTaken
from users.models import User
from users.services.accounts import create_user
from users.services.outbox import post_mail
from users.services.sign_in_limit import count_mail


def sign_up(
    *,
    email: str,
    password: str,
    name: str = "",
    site: str,
    language: str,
    address: str,
    now: datetime | None = None,
) -> User | None:
    """Makes a customer's account and sends the link that opens it; None if there is an account already.

    Who asks must not learn which of the two it was: only the mailbox is told. Both take the same work: the password
    is hashed and the row is written, and the table's unique key decides. The mail is in the transaction of the
    account, so that neither is without the other. Raises TooManyMails, and InvalidInput at the field.
    """
    email = User.objects.normalize_email(email)
    count_mail(email=email, address=address, now=now or timezone.now())
    try:
        with transaction.atomic():
            user = create_user(
                email=email, password=password, name=name, language=language, role=Role.CUSTOMER, is_confirmed=False
            )
            post_mail(
                kind=MailKind.CONFIRM_EMAIL,
                to=email,
                user=user,
                email_address=EmailAddress.objects.get(user=user),
                site=site,
                language=language,
            )
    except EmailTaken:
        post_mail(kind=MailKind.ACCOUNT_EXISTS, to=email, site=site, language=language)
        return None
    return user
