"""Whether an account's keys work, and what is noted when they do or don't."""

import datetime
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from marketplaces.choices import Marketplace
from marketplaces.clients.access import client_of
from marketplaces.errors import MarketplaceError, NotAuthorised, UnknownAccount
from marketplaces.locks import lock_account
from marketplaces.models import CredentialEvent, SellerAccount, SyncState
from marketplaces.services.key_alerts import connection_is_back, tell_connection_lost

logger = structlog.get_logger("marketplaces.accounts")

LONGEST_REASON = 300


@dataclass(frozen=True)
class Tested:
    """What a test of the connection came to: the account as it is now, or a sentence that says what is wrong."""

    account: SellerAccount
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error


def test_account(*, account_id: UUID, tested_by_id: int | None, at: datetime.datetime) -> Tested:
    """Makes one cheap call with the account's keys, and keeps what it told: the seller's name, whether the account is
    connected, and when the key ends. What goes wrong is a sentence of the result.

    Whether an Allegro account is connected is for its tokens to say, not for this. Calls the marketplace: not to be
    called in a transaction. Raises UnknownAccount.
    """
    account = SellerAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    asked_with = account.credentials_changed_at
    try:
        client = client_of(account)
        seller_name = client.test()
        key_expires_at = client.key_expires_at()
    except NotAuthorised as error:
        account = connection_is_refused(
            account_id=account_id, reason=str(error), refused_by_id=tested_by_id, keys_of=asked_with, at=at
        )
        return Tested(account, error=sentence_of(error))
    except (MarketplaceError, Refusal) as error:
        logger.info("test_failed", account=str(account_id), reason=str(error), user_id=tested_by_id)
        return Tested(account, error=sentence_of(error))
    with transaction.atomic():
        account = lock_account(account_id)
        if account.credentials_changed_at != asked_with:
            return Tested(account, error=_("The keys were replaced meanwhile. Test once more."))
        connect(account, seller_name=seller_name, key_expires_at=key_expires_at, by_id=tested_by_id, at=at)
    return Tested(account)


def test_untested_accounts(*, at: datetime.datetime) -> int:
    """Tries the keys of all accounts that have some and were never tried with success, and says how many work now.
    Calls the marketplaces: not to be called in a transaction."""
    untested = SellerAccount.objects.filter(
        is_active=True, connection=SellerAccount.Connection.NONE, credentials__isnull=False
    ).exclude(marketplace=Marketplace.ALLEGRO)
    return sum(
        test_account(account_id=account_id, tested_by_id=None, at=at).ok
        for account_id in untested.values_list("pk", flat=True)
    )


def connect(
    account: SellerAccount,
    *,
    seller_name: str,
    key_expires_at: datetime.datetime | None,
    by_id: int | None,
    at: datetime.datetime,
) -> None:
    """Notes in the locked account that its keys are good."""
    is_new = account.connection != SellerAccount.Connection.CONNECTED and not is_by_code(account)
    changed = ["seller_name", "key_expires_at"]
    if account.seller_name and seller_name and account.seller_name != seller_name and account.is_live:
        # Keys without a client id may be somebody else's: nothing is written until a person has looked.
        account.mode = SellerAccount.Mode.READ_ONLY
        changed.append("mode")
    account.seller_name = seller_name[:200]
    account.key_expires_at = key_expires_at
    if is_new:
        account.connection = SellerAccount.Connection.CONNECTED
        changed.append("connection")
    account.save(update_fields=changed)
    if is_new:
        CredentialEvent.objects.create(
            account=account, kind=CredentialEvent.Kind.CONNECTED, created_by_id=by_id, created_at=at
        )
        # It was waiting for this.
        SyncState.objects.filter(account=account).update(next_due_at=Least(F("next_due_at"), at))
        connection_is_back(account)
    logger.info("connected", account=str(account.pk), user_id=by_id)


def connection_is_refused(
    *,
    account_id: UUID,
    reason: str,
    refused_by_id: int | None = None,
    keys_of: datetime.datetime | None,
    at: datetime.datetime,
) -> SellerAccount:
    """Notes that the marketplace does not take the account's keys, and tells people once. `keys_of` is when the refused
    keys were stored: if others have taken their place meanwhile, they are not blamed. Of an Allegro account only its
    tokens say this (`tokens.access_token`). Raises UnknownAccount."""
    with transaction.atomic():
        account = lock_account(account_id)
        is_known = account.connection == SellerAccount.Connection.LOST
        if is_known or account.credentials_changed_at != keys_of or is_by_code(account):
            return account
        was_connected = account.connection == SellerAccount.Connection.CONNECTED
        account.connection = SellerAccount.Connection.LOST
        account.save(update_fields=["connection"])
        CredentialEvent.objects.create(
            account=account,
            kind=CredentialEvent.Kind.REFUSED,
            reason=reason[:LONGEST_REASON],
            created_by_id=refused_by_id,
            created_at=at,
        )
        if was_connected:
            tell_connection_lost(account)
    logger.warning("keys_refused", account=str(account_id), reason=reason, user_id=refused_by_id)
    return account


def is_by_code(account: SellerAccount) -> bool:
    """Whether the account is connected by a code and kept so by its tokens."""
    return account.marketplace == Marketplace.ALLEGRO


def sentence_of(error: MarketplaceError | Refusal) -> str:
    """What a person is told of it."""
    return capfirst(error.detail if isinstance(error, Refusal) else str(error))
