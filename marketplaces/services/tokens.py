"""Allegro's tokens: the pair that is used, refreshed by one worker at a time and never lost.

A refresh gives a new pair and ends the old one 60 s later. So one worker does it, by a lease that it takes in one
UPDATE; the call is made outside any transaction; the pair is stored in one UPDATE under the account's lock. Who dies
between leaves `refresh_started_at` behind: as soon as the lease is over, the next one repeats the refresh with the old
token, which is still taken. See docs/adr/0050-tokens-that-rotate.md.
"""

import datetime
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from marketplaces.choices import Marketplace
from marketplaces.clients import allegro_auth, http
from marketplaces.clients.allegro_auth import RefreshRefused, TokenPair
from marketplaces.errors import MarketplaceError, NotAuthorised, NotConnected, Timeout, UnknownAccount
from marketplaces.locks import lock_account
from marketplaces.models import CredentialEvent, SellerAccount
from marketplaces.services.key_alerts import about, connection_is_back, connection_lost_sentence, tell_connection_lost

# Whoever refreshes does so alone for so long: longer than its call may take (5 s to connect, 10 s to be answered), and
# short enough for another to take over, by a caller or by beat, while the old token is still taken (60 s).
LEASE = datetime.timedelta(seconds=20)
# The share of its life that an access token has left when a caller, or the background, asks for a new pair.
LEFT_FOR_CALLERS, LEFT_FOR_BACKGROUND = 0.2, 0.5
REFRESH_LIFE = datetime.timedelta(days=90)
# Seconds that an access token lives where it is not said.
USUAL_LIFE = 43_199
# How somebody without a usable token waits for the one who refreshes: past the lease.
WAIT_SECONDS, MOST_WAITS = 0.25, 100
# A refresh whose answer did not come may have happened: it is repeated once by the same caller.
MOST_ATTEMPTS = 2

logger = structlog.get_logger("marketplaces.credentials")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to refresh the pair of `account` (as it was read) alone until `until`."""

    account: SellerAccount
    taken_at: datetime.datetime
    until: datetime.datetime


def access_token(*, account_id: UUID, rejected: str = "") -> str:
    """The access token to call Allegro with: refreshed first when little of its life is left, or when it is the one
    that Allegro has just `rejected`.

    Raises UnknownAccount, NotConnected without a pair, NotAuthorised when Allegro takes the refresh token no more and
    the access token is over too, or another MarketplaceError when there is no token to go on with.
    """
    attempts = waits = 0
    while True:
        account, now = account_with_pair(account_id), timezone.now()
        current = usable(account, now=now, rejected=rejected)
        if current and not is_due(account, now=now, share=LEFT_FOR_CALLERS):
            return used(account, current)
        if account.connection == SellerAccount.Connection.LOST:
            return used(account, current or lost(account))
        lease = take_lease(account, now=now)
        if lease is not None:
            attempts += 1
            try:
                refresh_pair(lease)
            except MarketplaceError as error:
                if current:
                    # Due, but not over: it serves on, and the next call tries again unless the connection is lost.
                    return used(account, current)
                if not error.may_have_acted or attempts == MOST_ATTEMPTS:
                    raise
        elif current:
            return used(account, current)
        elif waits == MOST_WAITS:
            raise Timeout(_("Another worker is refreshing Allegro's tokens, and does not come to an end."))
        else:
            waits += 1
            http.pause(WAIT_SECONDS)


def refresh_due_tokens(*, at: datetime.datetime) -> int:
    """Refreshes the tokens of all accounts that are past half of their life, or whose refresh was cut short, and says
    how many were. What fails is tried again the next time, and raises nothing."""
    refreshed = 0
    accounts = SellerAccount.objects.filter(
        marketplace=Marketplace.ALLEGRO,
        is_active=True,
        connection=SellerAccount.Connection.CONNECTED,
        tokens__isnull=False,
    )
    for account in accounts.order_by("pk"):
        if not is_due(account, now=at, share=LEFT_FOR_BACKGROUND):
            continue
        lease = take_lease(account, now=at)
        if lease is None:
            continue
        try:
            refresh_pair(lease)
        except (MarketplaceError, NotConnected) as error:
            logger.warning("refresh_failed", account=str(account.pk), error=str(error))
        else:
            refreshed += 1
    return refreshed


def keep_pair(
    *,
    account: SellerAccount,
    pair: TokenPair,
    issued_at: datetime.datetime,
    kind: CredentialEvent.Kind,
    created_by_id: int | None = None,
) -> None:
    """Stores a pair of the locked account, whole, in one UPDATE: there is no moment at which half of it is new.
    `issued_at` is when it was asked for."""
    SellerAccount.objects.filter(pk=account.pk).update(
        tokens={
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "issued_at": issued_at.isoformat(),
            "expires_in": pair.expires_in,
        },
        access_expires_at=issued_at + datetime.timedelta(seconds=pair.expires_in),
        refresh_expires_at=issued_at + REFRESH_LIFE,
        connection=SellerAccount.Connection.CONNECTED,
        refresh_started_at=None,
        refresh_leased_until=None,
    )
    CredentialEvent.objects.create(account=account, kind=kind, created_by_id=created_by_id)
    connection_is_back(account)
    logger.info("credential_changed", account=str(account.pk), kind=kind.value)


# --- one refresh --------------------------------------------------------------------------------------


def take_lease(account: SellerAccount, *, now: datetime.datetime) -> Lease | None:
    """Takes the right to refresh the pair that was read, unless somebody has it or has changed the pair meanwhile."""
    until = now + LEASE
    is_free = Q(refresh_leased_until__isnull=True) | Q(refresh_leased_until__lte=now)
    is_same_pair = (
        Q(access_expires_at=account.access_expires_at)
        if account.access_expires_at
        else Q(access_expires_at__isnull=True)
    )
    taken = (
        SellerAccount.objects.filter(is_free, is_same_pair, pk=account.pk, tokens__isnull=False)
        .exclude(connection=SellerAccount.Connection.LOST)
        .update(refresh_leased_until=until, refresh_started_at=Coalesce(F("refresh_started_at"), now))
    )
    return Lease(account, now, until) if taken else None


def refresh_pair(lease: Lease) -> None:
    """Refreshes the pair that the lease is for. Raises a MarketplaceError; RefreshRefused when the connection is
    lost."""
    account = lease.account
    try:
        pair = allegro_auth.refresh(account, refresh_token=stored(account)["refresh_token"])
    except RefreshRefused:
        if is_lost(lease):
            raise
    except (MarketplaceError, NotConnected) as error:
        give_back(lease, may_have_refreshed=getattr(error, "may_have_acted", False))
        raise
    else:
        store_refreshed(lease, pair)


@transaction.atomic
def store_refreshed(lease: Lease, pair: TokenPair) -> None:
    """Stores the new pair, unless one that was asked for later is there by now: whoever took too long and lost the
    lease to another must not put the older pair over the newer one."""
    account = lock_account(lease.account.pk)
    if account.tokens is None or issued_at(account) > lease.taken_at:
        # Or the keys were taken away meanwhile.
        return
    keep_pair(account=account, pair=pair, issued_at=lease.taken_at, kind=CredentialEvent.Kind.REFRESHED)


@transaction.atomic
def is_lost(lease: Lease) -> bool:
    """Whether the refused token is still the account's: then the connection is lost, which is written down and told.
    The access token goes on serving while it lives."""
    account = lock_account(lease.account.pk)
    if account.access_expires_at != lease.account.access_expires_at:
        return False
    SellerAccount.objects.filter(pk=account.pk).update(
        connection=SellerAccount.Connection.LOST, refresh_started_at=None, refresh_leased_until=None
    )
    CredentialEvent.objects.create(account=account, kind=CredentialEvent.Kind.REFUSED, reason="invalid_grant")
    tell_connection_lost(account)
    logger.error("credential_refused", account=str(account.pk))
    return True


def give_back(lease: Lease, *, may_have_refreshed: bool) -> None:
    """Ends the lease after a failed call. That a refresh began stays known if it may have happened."""
    mine = SellerAccount.objects.filter(pk=lease.account.pk, refresh_leased_until=lease.until)
    was_started_by_another = lease.account.refresh_started_at is not None
    if may_have_refreshed or was_started_by_another:
        mine.update(refresh_leased_until=None)
    else:
        mine.update(refresh_leased_until=None, refresh_started_at=None)


# --- what is known of the pair ------------------------------------------------------------------------


def account_with_pair(account_id: UUID) -> SellerAccount:
    account = SellerAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    if not account.tokens:
        raise NotConnected(account.name)
    return account


def stored(account: SellerAccount) -> dict[str, Any]:
    return account.tokens or {}


def usable(account: SellerAccount, *, now: datetime.datetime, rejected: str) -> str:
    """The access token if it lives and has not been rejected, else nothing."""
    token: str = stored(account).get("access_token", "")
    is_alive = account.access_expires_at is not None and now < account.access_expires_at
    return token if is_alive and token != rejected else ""


def is_due(account: SellerAccount, *, now: datetime.datetime, share: float) -> bool:
    """Whether less than `share` of the access token's life is left, or a refresh began and did not end."""
    if account.refresh_started_at is not None or account.access_expires_at is None:
        return True
    life = datetime.timedelta(seconds=stored(account).get("expires_in", USUAL_LIFE))
    return account.access_expires_at - now < share * life


def issued_at(account: SellerAccount) -> datetime.datetime:
    """When the stored pair was asked for; one that was put there by hand is older than any other."""
    moment = parse_datetime(stored(account).get("issued_at", ""))
    return moment or datetime.datetime.min.replace(tzinfo=datetime.UTC)


def used(account: SellerAccount, token: str) -> str:
    logger.debug("credential_used", account=str(account.pk), marketplace=account.marketplace)
    return token


def lost(account: SellerAccount) -> NoReturn:
    raise NotAuthorised(connection_lost_sentence(about(account)))
