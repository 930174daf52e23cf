"""The verbs of API tokens. The token itself is shown once, when it is issued; the database holds its digest."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from foundation.errors import InvalidInput
from users.errors import SignInRefused, TokenMissing
from users.locks import lock_user
from users.models import ApiToken, User

LONGEST_DAYS = 366


@dataclass(frozen=True)
class IssuedToken:
    """A new token: its record, and the secret that nobody can read again."""

    record: ApiToken
    secret: str

    def __repr__(self) -> str:
        """Without the secret, so that no log gets it."""
        return f"<IssuedToken {self.record!r}>"


def issue_token(
    *, user: User, name: str, days: int | None = None, external_user_id: str = "", now: datetime | None = None
) -> IssuedToken:
    """Makes a token with which `user` may call the API for `days` (else the shop's API_TOKEN_DAYS). One that is bound
    to an `external_user_id` opens that seller's marketplace data, with the user's permissions, and nothing else.

    `user` is as the caller has checked it, signed in or by password: raises SignInRefused if the account has
    been deactivated or its password changed since then, for that has deleted the tokens it had. Raises
    InvalidInput at `name`, `days` or `external_user_id`.
    """
    name = name.strip()
    if not name:
        raise InvalidInput.at("name", _("Say what will use the token, for example “Till 2”."))
    if len(name) > 100:
        raise InvalidInput.at("name", _("Use at most 100 characters."))
    days = settings.API_TOKEN_DAYS if days is None else days
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput.at("days", _("Choose from 1 to %(days)d days.") % {"days": LONGEST_DAYS})
    external_user_id = external_user_id.strip()
    if len(external_user_id) > 100:
        raise InvalidInput.at("external_user_id", _("Use at most 100 characters."))
    digest, secret = get_digest_token()
    record = ApiToken(
        user=user,
        name=name,
        digest=digest,
        beginning=secret[: CONSTANTS.TOKEN_KEY_LENGTH],
        external_user_id=external_user_id,
        expires_at=(now or timezone.now()) + timedelta(days=days),
    )
    with transaction.atomic():
        current = lock_user(user.pk)
        if not current.is_active or current.password != user.password:
            raise SignInRefused
        record.save(force_insert=True)
    return IssuedToken(record, secret)


def revoke_token(*, user: User, token_id: int) -> None:
    """Deletes the user's own token; raises TokenMissing."""
    revoke_tokens(user=user, token_ids=[token_id])


def revoke_tokens(*, user: User, token_ids: Collection[int]) -> None:
    """Deletes these tokens of the user, all or none; raises TokenMissing."""
    with transaction.atomic():
        deleted, _per_model = ApiToken.objects.filter(user=user, pk__in=token_ids).delete()
        if deleted != len(set(token_ids)):
            raise TokenMissing


def revoke_all_tokens(*, user_ids: Collection[int]) -> None:
    """Deletes every API token of these users; called in the transaction that shuts their accounts."""
    ApiToken.objects.filter(user_id__in=user_ids).delete()


def forget_expired_tokens(*, now: datetime) -> int:
    """Deletes tokens that open nothing any more; returns how many."""
    return ApiToken.objects.filter(expires_at__lt=now).delete()[0]
