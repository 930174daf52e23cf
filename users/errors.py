"""The refusals and errors of accounts, roles, tokens and signing in."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.errors import Conflict, InvalidInput, Missing, Refusal


class UserMissing(Missing):
    """There is no user with this id or e-mail."""

    def __init__(self, who: int | str) -> None:
        super().__init__(_("There is no user %(who)s.") % {"who": who})


class EmailTaken(InvalidInput):
    """Another account signs in with this e-mail."""

    def __init__(self, email: str) -> None:
        sentence = _("%(email)s is taken by another account. Choose another e-mail.") % {"email": email}
        super().__init__(sentence, errors={"email": [sentence]})


class WeakPassword(InvalidInput):
    """The password does not pass the shop's validators; `errors.password` says why."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(" ".join(sentences), errors={"password": sentences})


class LastAdmin(Conflict):
    """Without this person nobody could manage the accounts any more."""

    code = "last_admin"

    def __init__(self) -> None:
        super().__init__(_("This is the last active admin. Make another account an admin first, then change this one."))


class TokenMissing(Missing):
    """The user has no such API token."""

    def __init__(self) -> None:
        super().__init__(_("There is no such API token. It may have been revoked already."))


class SignInRefused(InvalidInput):
    """The e-mail or the password is wrong, or the account is deactivated; the sentence doesn't say which."""

    def __init__(self) -> None:
        sentence = _("The e-mail or the password is wrong, or the account is switched off. Check both and try again.")
        super().__init__(sentence, errors={"non_field_errors": [sentence]})


class TooManySignIns(Refusal):
    """This address, or this e-mail, has used up its attempts. `retry_after` seconds from now there are new ones."""

    code = "throttled"

    def __init__(self, *, retry_after: int) -> None:
        sentence = ngettext(
            "Too many attempts to sign in. Try again in %(seconds)d second.",
            "Too many attempts to sign in. Try again in %(seconds)d seconds.",
            retry_after,
        ) % {"seconds": retry_after}
        super().__init__(sentence)
        self.retry_after = retry_after


class RoleDeclarationError(ImproperlyConfigured):
    """An app's roles.py names a role or a permission that doesn't exist."""
