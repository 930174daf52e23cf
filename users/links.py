"""The links with which somebody who can't sign in chooses a password: signed, good once, for three days."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse

from users.models import User


def password_link(user: User) -> str:
    """The path of the page. What signs it goes with the password, the e-mail and the last sign-in: any of them, once
    changed, makes it worthless."""
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})


def password_link_is_good(user: User, key: str) -> bool:
    """Whether this key is from such a link, and still good."""
    return user.is_active and default_token_generator.check_token(user, key)
