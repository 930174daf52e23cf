"""The keys of seller accounts: stored, grown old, encrypted anew."""

import datetime
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from foundation.encryption import CanNotDecrypt
from foundation.services.rotation import Rotated, rotate_model
from marketplaces.choices import Marketplace
from marketplaces.errors import WrongCredentials
from marketplaces.keys import checked_credentials
from marketplaces.locks import lock_account
from marketplaces.models import CredentialEvent, DeviceConnection, SellerAccount
from marketplaces.services.key_alerts import KEY_EXPIRING, KEY_OLD, key_is_new, tell_key_age

logger = structlog.get_logger("marketplaces.accounts")

# The key that says whose orders are read.
TELLING = {Marketplace.OZON: "client_id", Marketplace.WILDBERRIES: "token"}
OLD_AFTER = datetime.timedelta(days=80)
OVERDUE_AFTER = datetime.timedelta(days=90)
ENDS_SOON = datetime.timedelta(days=14)
ENDS_NOW = datetime.timedelta(days=3)


def store_credentials(
    *, account_id: UUID, credentials: Mapping[str, Any], stored_by_id: int | None, at: datetime.datetime
) -> SellerAccount:
    """Gives an account its keys, or new ones; nobody is shown them again. Their age begins anew unless they are the
    ones that it has.

    An account with other keys has to be tested again. One whose `client_id` is another one may belong to somebody
    else: it is read only until somebody decides otherwise, and loses the tokens of the old one.

    Raises UnknownAccount, and WrongCredentials at the keys that are missing, unknown, empty, or another account's.
    """
    with transaction.atomic():
        account = lock_account(account_id)
        put_credentials(account, credentials, stored_by_id=stored_by_id, at=at)
    return account


def put_credentials(
    account: SellerAccount, credentials: Mapping[str, Any], *, stored_by_id: int | None, at: datetime.datetime
) -> None:
    """Stores the keys in the locked account. See `store_credentials`."""
    checked = checked_credentials(account.marketplace, credentials)
    known: Mapping[str, str] = account.credentials or {}
    if checked == known:
        return
    refuse_known_key(account, checked)
    account.credentials = checked
    account.credentials_changed_at = at
    account.key_expires_at = None
    changed = ["credentials", "credentials_changed_at", "key_expires_at"]
    is_other_client = bool(known) and known.get("client_id") != checked.get("client_id")
    if is_other_client:
        account.mode = SellerAccount.Mode.READ_ONLY
        account.seller_name = ""
        changed += ["mode", "seller_name"]
    # With the same client, Allegro's tokens stay good when its secret is replaced.
    if is_other_client or not account.tokens:
        account.connection = SellerAccount.Connection.NONE
        account.tokens = None
        account.access_expires_at = account.refresh_expires_at = None
        account.refresh_started_at = account.refresh_leased_until = None
        changed += ["connection", "tokens", "access_expires_at", "refresh_expires_at"]
        changed += ["refresh_started_at", "refresh_leased_until"]
        DeviceConnection.objects.filter(account=account).delete()
    account.save(update_fields=changed)
    CredentialEvent.objects.create(
        account=account, kind=CredentialEvent.Kind.STORED, created_by_id=stored_by_id, created_at=at
    )
    key_is_new(account)
    logger.info("key_stored", account=str(account.pk), user_id=stored_by_id)


def refuse_known_key(account: SellerAccount, checked: Mapping[str, str]) -> None:
    """Raises WrongCredentials where another account of the same seller reads the same orders: both would take them from
    the stock. An application of Allegro's may be used for several of its sellers; its keys say nothing of that. Nor
    are other sellers' keys compared: who guesses one must not learn that it is here, nor keep its owner out."""
    name = TELLING.get(Marketplace(account.marketplace))
    if name is None:
        return
    others = SellerAccount.objects.filter(
        marketplace=account.marketplace, external_user_id=account.external_user_id, is_demo=account.is_demo
    ).exclude(pk=account.pk)
    for pk in others.values_list("pk", flat=True):
        try:
            known = SellerAccount.objects.values_list("credentials", flat=True).get(pk=pk) or {}
        except CanNotDecrypt:
            continue
        if known.get(name) == checked[name]:
            raise WrongCredentials.at(
                f"credentials.{name}",
                _("Another account has this key: each order would be taken from the stock twice."),
            )


def watch_keys(*, now: datetime.datetime) -> int:
    """Tells people of keys that are old or end soon: a warning first, then an alarm, each once; closes what is over.
    Says of how many accounts there was news."""
    return sum(
        watch_key(account_id=account_id, now=now)
        for account_id in SellerAccount.objects.filter(is_demo=False).values_list("pk", flat=True)
    )


@transaction.atomic
def watch_key(*, account_id: UUID, now: datetime.datetime) -> bool:
    """Tells people if this account's key has become old or overdue, and says whether it had."""
    account = lock_account(account_id)
    event = event_of(account, now=now)
    if event is None:
        key_is_new(account)
        return False
    age = now - account.credentials_changed_at  # type: ignore[operator]
    is_news = tell_key_age(account, event=event, age_days=age.days)
    if is_news:
        CredentialEvent.objects.create(
            account=account, kind=CredentialEvent.Kind.WARNED, reason=f"{age.days} d", created_at=now
        )
    return is_news


def event_of(account: SellerAccount, *, now: datetime.datetime) -> str | None:
    """What is to be said of the account's key now; None if it is young, or nobody uses it."""
    if not account.is_active or not account.credentials or account.credentials_changed_at is None:
        return None
    age = now - account.credentials_changed_at
    left = account.key_expires_at - now if account.key_expires_at else datetime.timedelta.max
    if age >= OVERDUE_AFTER or left <= ENDS_NOW:
        return KEY_EXPIRING
    return KEY_OLD if age >= OLD_AFTER or left <= ENDS_SOON else None


def rotate_credentials() -> list[Rotated]:
    """Encrypts all keys and tokens anew with the first key of FIELD_ENCRYPTION_KEYS; what has it already is left as it
    is, so that an interrupted run goes on where it stopped. What can't be decrypted is counted and stays."""
    return [rotated for model in (SellerAccount, DeviceConnection) for rotated in rotate_model(model)]


def note_rotation(account_ids: Collection[Any]) -> None:
    """Writes down, in the rotation's transaction, that these accounts' keys were encrypted anew."""
    CredentialEvent.objects.bulk_create(
        CredentialEvent(account_id=account_id, kind=CredentialEvent.Kind.ROTATED) for account_id in account_ids
    )
