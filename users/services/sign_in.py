"""Signing in with e-mail and password: the admin's form and the API go through here."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login
from django.utils import timezone
from django.utils.translation import gettext as _

from users.errors import SignInRefused
from users.models import User
from users.services.sign_in_limit import count_attempt
from users.services.tokens import IssuedToken, issue_token


def sign_in(*, email: str, password: str, address: str, now: datetime | None = None) -> User:
    """Returns the active user with this e-mail and password; `address` is where the attempt comes from.

    Raises TooManySignIns before the password is looked at, and SignInRefused without saying what was wrong.
    Takes the same time for an unknown e-mail as for a wrong password.
    """
    count_attempt(email=email, address=address, now=now or timezone.now())
    user = authenticate(request=None, username=email, password=password)
    if not isinstance(user, User):
        raise SignInRefused
    return user


def sign_in_for_token(*, email: str, password: str, address: str, now: datetime | None = None) -> IssuedToken:
    """Signs in and issues an API token with the shop's usual life; raises what `sign_in` raises."""
    user = sign_in(email=email, password=password, address=address, now=now)
    issued = issue_token(user=user, name=_("Signed in over the API"), now=now)
    update_last_login(User, user)
    return issued
