"""The second factor: a code from an app on the phone (TOTP, RFC 6238), or one of ten that lie in a drawer.

A code opens one door once, also when two requests bring it at the same moment: the account's row remembers the last
half minute whose code was used, under a lock, and nothing up to it is taken again.
"""

import re
from datetime import datetime

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import transaction
from django.utils import timezone

from foundation.encryption import decrypt, encrypt
from users.choices import MailKind
from users.errors import SecondFactorIsOff, SecondFactorIsOn, UserMissing, WrongCode
from users.locks import lock_second_factor, lock_user
from users.models import User
from users.services.outbox import post_mail
from users.services.sign_in_limit import count_code

TOTP, RECOVERY_CODES = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES
# A phone's clock may be half a minute wrong, either way.
TOLERANCE = 1
# In `Authenticator.data`, beside allauth's "secret".
LAST_PERIOD = "last_period"


def turn_on(*, user_id: int, secret: str, code: str, address: str, now: datetime | None = None) -> None:
    """Has the account ask for codes from now on; `code` shows that the app has got the secret. Makes recovery codes.

    Raises WrongCode, SecondFactorIsOn, TooManySignIns, UserMissing.
    """
    now = now or timezone.now()
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise UserMissing(user_id)
    count_code(user=user, address=address, now=now)
    period = _period_of(secret, code, now=now, after=None)
    if period is None:
        raise WrongCode
    with transaction.atomic():
        user = lock_user(user_id)
        if TOTP in lock_second_factor(user_id):
            raise SecondFactorIsOn
        Authenticator.objects.create(user=user, type=TOTP, data={"secret": encrypt(secret), LAST_PERIOD: period})
        RecoveryCodes.activate(user)
        post_mail(kind=MailKind.SECOND_FACTOR_ON, to=user.email, user=user, language=user.language)


def turn_off(*, user_id: int) -> User:
    """Has the account ask for no codes any more, and forgets the secret. Raises SecondFactorIsOff, UserMissing."""
    with transaction.atomic():
        user = lock_user(user_id)
        if TOTP not in lock_second_factor(user_id):
            raise SecondFactorIsOff
        Authenticator.objects.filter(user=user).delete()
        post_mail(kind=MailKind.SECOND_FACTOR_OFF, to=user.email, user=user, language=user.language)
    return user


def renew_recovery_codes(*, user_id: int) -> None:
    """Makes ten new recovery codes; the old ones open nothing any more. Raises SecondFactorIsOff, UserMissing."""
    with transaction.atomic():
        user = lock_user(user_id)
        factors = lock_second_factor(user_id)
        if TOTP not in factors:
            raise SecondFactorIsOff
        if RECOVERY_CODES in factors:
            factors[RECOVERY_CODES].delete()
        RecoveryCodes.activate(user)


def check_code(*, user: User, code: str, address: str, now: datetime | None = None) -> Authenticator:
    """Uses up a code of the app or a recovery code, and returns what it belongs to.

    Raises TooManySignIns before the code is looked at, and WrongCode. Not to be called inside a transaction.
    """
    now = now or timezone.now()
    count_code(user=user, address=address, now=now)
    code = re.sub(r"[\s-]", "", code)
    with transaction.atomic():
        factors = lock_second_factor(user.pk)
        if TOTP not in factors:
            raise WrongCode
        used = _use_totp(factors[TOTP], code, now=now)
        if not used and RECOVERY_CODES in factors and RecoveryCodes(factors[RECOVERY_CODES]).validate_code(code):
            used = Authenticator.objects.get(pk=factors[RECOVERY_CODES].pk)
        if not used:
            raise WrongCode
        used.last_used_at = now
        used.save(update_fields=["last_used_at", "data"])
    return used


def _use_totp(factor: Authenticator, code: str, *, now: datetime) -> Authenticator | None:
    """Notes in the locked row whose code this is; None if it is nobody's, or of a period that is used up."""
    period = _period_of(decrypt(factor.data["secret"]), code, now=now, after=factor.data.get(LAST_PERIOD))
    if period is None:
        return None
    factor.data[LAST_PERIOD] = period
    return factor


def _period_of(secret: str, code: str, *, now: datetime, after: int | None) -> int | None:
    """The period of half a minute that the code is for, of those that count now and come `after` the last used."""
    current = int(now.timestamp()) // app_settings.TOTP_PERIOD
    for period in range(current - TOLERANCE, current + TOLERANCE + 1):
        is_new = after is None or period > after
        if is_new and compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, period))):
            return period
    return None
