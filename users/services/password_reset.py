"""Choosing a password through a link in a mail: for who forgot it, and for who is invited."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from users.choices import MailKind
from users.errors import AccountIsOff, LinkUsedUp, UserMissing
from users.links import password_link_is_good
from users.locks import lock_user
from users.models import User
from users.services.accounts import create_user, put_password
from users.services.email_addresses import keep_confirmed_email
from users.services.outbox import post_mail
from users.services.passwords import require_good_password
from users.services.sign_in_limit import count_mail


def ask_for_new_password(*, email: str, site: str, language: str, address: str, now: datetime | None = None) -> None:
    """Sends a link with which a new password can be chosen, or says in the mail that there is no account.

    Who asks learns nothing: one mail is written either way. Raises TooManyMails.
    """
    email = User.objects.normalize_email(email)
    count_mail(email=email, address=address, now=now or timezone.now())
    user = User.objects.filter(email=email, is_active=True).first()
    kind = MailKind.RESET_PASSWORD if user else MailKind.UNKNOWN_ACCOUNT
    post_mail(kind=kind, to=email, user=user, site=site, language=language)


def invite(*, email: str, role: str, site: str, name: str = "", language: str = "") -> User:
    """Makes an account for somebody, and sends them a link with which to choose its password.

    Raises what `accounts.create_user` raises.
    """
    with transaction.atomic():
        user = create_user(email=email, role=role, password=None, name=name, language=language)
        post_mail(kind=MailKind.INVITATION, to=user.email, user=user, site=site, language=user.language)
    return user


def send_password_link(*, user_id: int, site: str) -> User:
    """Sends somebody a link with which to choose a password; until then the one that they have stays good.

    Raises UserMissing, and AccountIsOff for an account that is switched off: no password would open it.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise UserMissing(user_id)
    if not user.is_active:
        raise AccountIsOff
    kind = MailKind.RESET_PASSWORD if user.has_usable_password() else MailKind.INVITATION
    post_mail(kind=kind, to=user.email, user=user, site=site, language=user.language)
    return user


def reset_password(*, user_id: int, key: str, password: str) -> User:
    """Sets the password that somebody chose behind a link; the link is used up, also if two come at once.

    Every session of the account ends, its API tokens are deleted. The link came to the account's e-mail, which is
    confirmed by it; a second factor stays. Raises LinkUsedUp, and WeakPassword.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None or not password_link_is_good(user, key):
        raise LinkUsedUp
    require_good_password(password, user=user)
    hashed = make_password(password)
    with transaction.atomic():
        user = lock_user(user_id)
        if not password_link_is_good(user, key):
            raise LinkUsedUp
        put_password(user, hashed)
        keep_confirmed_email(user)
    return user
