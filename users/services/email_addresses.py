"""The e-mail of an account: it opens one account, and somebody has shown that it is theirs.

Each account has a row of allauth's for its e-mail, and one more, unconfirmed, while it is being changed. Only the
e-mail of `User` counts as the account's; an account without a row was made by hand, and counts as confirmed.
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from users.choices import MailKind
from users.errors import EmailTaken, LinkUsedUp
from users.locks import lock_user
from users.models import User
from users.services.outbox import post_mail
from users.services.sign_in_limit import count_mail


def ask_to_change_email(
    *, user_id: int, email: str, site: str, language: str, address: str, now: datetime | None = None
) -> None:
    """Sends a link to the new e-mail; the account keeps the old one until the link is opened.

    Whether another account has the new one is told to its mailbox alone. Raises TooManyMails, UserMissing, and
    InvalidInput at `email`.
    """
    email = User.objects.normalize_email(email)
    count_mail(email=email, address=address, now=now or timezone.now())
    with transaction.atomic():
        user = lock_user(user_id)
        if email == user.email:
            raise InvalidInput.at("email", _("This is your e-mail already. Enter another one."))
        _pending(user).delete()
        pending = EmailAddress.objects.create(user=user, email=email)
        if User.objects.filter(email=email).exists():
            post_mail(kind=MailKind.ACCOUNT_EXISTS, to=email, site=site, language=language)
        else:
            post_mail(
                kind=MailKind.CONFIRM_EMAIL, to=email, user=user, email_address=pending, site=site, language=language
            )


def send_confirmation_again(
    *, address_id: int, site: str, language: str, address: str, now: datetime | None = None
) -> None:
    """Sends the link once more. Raises TooManyMails, and LinkUsedUp if there is nothing to confirm any more."""
    waiting = EmailAddress.objects.filter(pk=address_id, verified=False).select_related("user").first()
    if waiting is None:
        raise LinkUsedUp
    count_mail(email=waiting.email, address=address, now=now or timezone.now())
    if waiting.email != waiting.user.email and User.objects.filter(email=waiting.email).exists():
        post_mail(kind=MailKind.ACCOUNT_EXISTS, to=waiting.email, site=site, language=language)
        return
    post_mail(
        kind=MailKind.CONFIRM_EMAIL,
        to=waiting.email,
        user=waiting.user,
        email_address=waiting,
        site=site,
        language=language,
    )


def forget_email_change(*, user_id: int) -> None:
    """Gives up a change of e-mail that nobody has confirmed yet. Raises UserMissing."""
    with transaction.atomic():
        _pending(lock_user(user_id)).delete()


def confirm_email(*, address_id: int) -> User:
    """The link was opened: the e-mail is this account's from now on. Tells the old one if it was a change.

    Raises LinkUsedUp, and EmailTaken if another account has got the e-mail in the meantime.
    """
    waiting = EmailAddress.objects.filter(pk=address_id).first()
    if waiting is None:
        raise LinkUsedUp
    with transaction.atomic():
        user = lock_user(waiting.user_id)
        waiting = EmailAddress.objects.filter(pk=address_id, verified=False).first()
        if waiting is None:
            raise LinkUsedUp
        before = user.email
        if waiting.email != before:
            user.email = waiting.email
            write_with_free_email(user, update_fields=["email"])
            post_mail(kind=MailKind.EMAIL_CHANGED, to=before, user=user, language=user.language)
        keep_confirmed_email(user)
    return user


def keep_email(user: User, *, is_confirmed: bool) -> None:
    """Notes the e-mail of a new account, in the transaction that makes it."""
    EmailAddress.objects.create(user=user, email=user.email, verified=is_confirmed, primary=True)


def keep_confirmed_email(user: User) -> None:
    """Notes that the account's e-mail is its owner's, and forgets every other; called with the user locked."""
    addresses = EmailAddress.objects.filter(user=user)
    addresses.exclude(email=user.email).delete()
    if not addresses.update(verified=True, primary=True):
        keep_email(user, is_confirmed=True)


def write_with_free_email(user: User, *, update_fields: list[str] | None = None) -> None:
    """Saves the user; the table's unique key decides who was first with an e-mail. Raises EmailTaken."""
    try:
        with transaction.atomic():
            user.save(update_fields=update_fields)
    except IntegrityError:
        if User.objects.filter(email=user.email).exclude(pk=user.pk).exists():
            raise EmailTaken(user.email) from None
        raise


def _pending(user: User) -> QuerySet[EmailAddress]:
    return EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email)
