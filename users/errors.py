"""The refusals and errors of accounts, roles, tokens and signing in."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.errors import Conflict, InvalidInput, Missing, Refusal

if TYPE_CHECKING:
    from users.models import User

# Seconds above which a person would rather read minutes.
LONG_TO_COUNT = 120


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


class AccountIsOff(Conflict):
    """The account is switched off."""

    def __init__(self) -> None:
        super().__init__(_("This account is switched off. Switch it on first."))


class TokenMissing(Missing):
    """The user has no such API token."""

    def __init__(self) -> None:
        super().__init__(_("There is no such API token. It may have been revoked already."))


class SignInRefused(InvalidInput):
    """The e-mail or the password is wrong, or the account is deactivated; the sentence doesn't say which."""

    def __init__(self) -> None:
        sentence = _("The e-mail or the password is wrong, or the account is switched off. Check both and try again.")
        super().__init__(sentence, errors={"non_field_errors": [sentence]})


class EmailNotConfirmed(InvalidInput):
    """The password is right, but nobody has shown yet that the e-mail is theirs."""

    def __init__(self) -> None:
        sentence = _("This e-mail is not confirmed yet. Open the link in the mail that we sent to it, then sign in.")
        super().__init__(sentence, errors={"non_field_errors": [sentence]})


class CodeNeeded(Refusal):
    """The password is right, and the account asks for a code of its second factor too."""

    code = "mfa_required"

    def __init__(self, user: "User") -> None:
        super().__init__(_("This account also asks for a code. Send the one that your authenticator app shows."))
        self.user = user


class WrongCode(InvalidInput):
    """The code is wrong, too old, or has been used before; the sentence doesn't say which."""

    def __init__(self) -> None:
        super().__init__(
            _("This code is wrong or has been used already. Wait for the next one and try again."),
            errors={"code": [_("This code is wrong or has been used already. Wait for the next one and try again.")]},
        )


class SecondFactorIsOn(Conflict):
    """The account asks for codes already."""

    def __init__(self) -> None:
        super().__init__(_("Codes are switched on already. Switch them off first to use another phone."))


class SecondFactorIsOff(Conflict):
    """The account does not ask for codes."""

    def __init__(self) -> None:
        super().__init__(_("Codes are not switched on for this account."))


class LinkUsedUp(InvalidInput):
    """The link from a mail has been used, is too old, or was never ours."""

    def __init__(self) -> None:
        super().__init__(_("This link has been used already, or is too old. Ask for a new one."))


class TooManyAttempts(Refusal):
    """The limit is reached. `retry_after` seconds from now there are new attempts."""

    code = "throttled"

    def __init__(self, sentence: str, *, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class TooManySignIns(TooManyAttempts):
    """This address, this e-mail or this account has used up its attempts."""

    def __init__(self, *, retry_after: int) -> None:
        if retry_after <= LONG_TO_COUNT:
            sentence = ngettext(
                "Too many attempts to sign in. Try again in %(seconds)d second.",
                "Too many attempts to sign in. Try again in %(seconds)d seconds.",
                retry_after,
            ) % {"seconds": retry_after}
        else:
            minutes = ceil(retry_after / 60)
            sentence = ngettext(
                "Too many attempts to sign in. Try again in %(minutes)d minute.",
                "Too many attempts to sign in. Try again in %(minutes)d minutes.",
                minutes,
            ) % {"minutes": minutes}
        super().__init__(sentence, retry_after=retry_after)


class TooManyMails(TooManyAttempts):
    """So many mails to this e-mail, or from this address, have been asked for that no more are sent for a while."""

    def __init__(self, *, retry_after: int) -> None:
        minutes = ceil(retry_after / 60)
        sentence = ngettext(
            "Too many mails have been asked for. Look into your mailbox, or try again in %(minutes)d minute.",
            "Too many mails have been asked for. Look into your mailbox, or try again in %(minutes)d minutes.",
            minutes,
        ) % {"minutes": minutes}
        super().__init__(sentence, retry_after=retry_after)


class RoleDeclarationError(ImproperlyConfigured):
    """An app's roles.py names a role or a permission that doesn't exist."""
