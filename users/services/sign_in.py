"""Signing in with e-mail, password and, where somebody has switched that on, a code: every door goes through here."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from users import selectors
from users.errors import CodeNeeded, EmailNotConfirmed, SignInRefused, WrongCode
from users.models import User
from users.services.accounts import set_password
from users.services.second_factor import check_code
from users.services.sign_in_limit import count_attempt
from users.services.tokens import IssuedToken, issue_token


def check_password(*, email: str, password: str, address: str, now: datetime | None = None) -> User:
    """Returns the active user with this e-mail and password; `address` is where the attempt comes from.

    The first step only: whether the e-mail is confirmed and a code is needed is still to be asked. Raises
    TooManySignIns before the password is looked at, and SignInRefused without saying what was wrong. Takes the same
    time for an unknown e-mail as for a wrong password.
    """
    count_attempt(email=email, address=address, now=now or timezone.now())
    user = authenticate(request=None, username=email, password=password)
    if not isinstance(user, User):
        raise SignInRefused
    return user


def sign_in(*, email: str, password: str, address: str, code: str = "", now: datetime | None = None) -> User:
    """Returns the user whom this e-mail, password and code open the shop to.

    Raises what `check_password` raises, EmailNotConfirmed, and CodeNeeded if the account asks for a code and none is
    given. A wrong code is refused as a wrong password is; a code that nobody asks for is not looked at.
    """
    user = check_password(email=email, password=password, address=address, now=now)
    if not selectors.email_is_confirmed(user):
        raise EmailNotConfirmed
    if selectors.has_second_factor(user):
        if not code:
            raise CodeNeeded(user)
        try:
            check_code(user=user, code=code, address=address, now=now)
        except WrongCode:
            raise SignInRefused from None
    return user


def sign_in_for_token(
    *, email: str, password: str, address: str, code: str = "", now: datetime | None = None
) -> IssuedToken:
    """Signs in and issues an API token with the shop's usual life; raises what `sign_in` raises."""
    user = sign_in(email=email, password=password, code=code, address=address, now=now)
    issued = issue_token(user=user, name=_("Signed in over the API"), now=now)
    update_last_login(User, user)
    return issued


def confirm_password(*, user: User, password: str, address: str, now: datetime | None = None) -> None:
    """Asks somebody who has signed in for their password again; raises TooManySignIns and SignInRefused."""
    if check_password(email=user.email, password=password, address=address, now=now) != user:
        raise SignInRefused


def change_password(*, user: User, old_password: str, password: str, address: str, now: datetime | None = None) -> User:
    """Sets the password of somebody who gives the old one; see `accounts.set_password` for what that ends.

    Raises TooManySignIns, WeakPassword, and InvalidInput at `oldpassword`.
    """
    try:
        confirm_password(user=user, password=old_password, address=address, now=now)
    except SignInRefused:
        raise InvalidInput.at("oldpassword", _("This is not your password. Type the one you sign in with.")) from None
    return set_password(user_id=user.pk, password=password)
