"""Which passwords are good enough, and making one that is."""

import secrets
import string

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from users.errors import WeakPassword
from users.models import User

# Without the letters and digits that look like one another: people copy these from a terminal.
READABLE = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


def require_good_password(password: str, *, user: User) -> None:
    """Raises WeakPassword, with every reason, if the shop's validators don't accept it for this user."""
    try:
        validate_password(password, user)
    except ValidationError as refusal:
        raise WeakPassword(refusal.messages) from None


def random_password(*, length: int = 16) -> str:
    """Returns a password nobody can guess: 16 characters are 93 bits."""
    return "".join(secrets.choice(READABLE) for _ in range(length))
