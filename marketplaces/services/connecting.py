"""Connecting an Allegro account by the device code flow: a code is shown, the seller types it in, we ask until
Allegro says yes or no.

Source: RFC 8628; what Allegro is known to answer stands in docs/adr/0050-tokens-that-rotate.md.
"""

import datetime
from collections.abc import Callable
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from marketplaces.choices import Marketplace
from marketplaces.clients import allegro_auth
from marketplaces.clients.allegro_auth import DeviceCode, PollAnswer, TokenPair
from marketplaces.errors import CallFailed, MarketplaceError, NoConnectionInProgress, NotByCode, UnknownAccount
from marketplaces.locks import lock_account, lock_device_connection
from marketplaces.models import CredentialEvent, DeviceConnection, SellerAccount, SyncState
from marketplaces.services.tokens import keep_pair

Status = DeviceConnection.Status

ENDS = {
    PollAnswer.DENIED: Status.DENIED,
    PollAnswer.EXPIRED: Status.EXPIRED,
    PollAnswer.INVALID: Status.INVALID,
}

logger = structlog.get_logger("marketplaces.credentials")


def begin_connection(*, account_id: UUID, started_by_id: int | None, at: datetime.datetime) -> DeviceConnection:
    """Asks Allegro for a code to show. An earlier attempt of the account ends with it; the account stays connected as
    it is until the seller has said yes.

    Calls Allegro: not to be called in a transaction. Raises UnknownAccount, NotByCode for an account of another
    marketplace, NotConnected without client id and secret, and CallFailed when Allegro did not give a code.
    """
    account = account_by_code(account_id)
    try:
        code = allegro_auth.ask_for_code(account)
    except MarketplaceError as error:
        raise CallFailed(str(error)) from error
    with transaction.atomic():
        lock_account(account_id)
        device = store_code(account, code, started_by_id=started_by_id, at=at)
    logger.info("connection_begun", account=str(account_id), user_id=started_by_id)
    return device


def check_connection(
    *, account_id: UUID, at: datetime.datetime, hand_over: Callable[[UUID], None] = lambda account_id: None
) -> DeviceConnection:
    """How the attempt stands at the moment `at`: asks Allegro if it is due (`next_poll_at`), and stores the tokens
    that it gives. A check that comes too early asks nothing. `hand_over` is called with the account's id, in the
    transaction that connects it.

    Calls Allegro: not to be called in a transaction. Raises UnknownAccount, NoConnectionInProgress if none was begun,
    and CallFailed when Allegro could not be asked: the attempt goes on.
    """
    account = account_by_code(account_id)
    device, is_mine = take_turn(account, at=at)
    if not is_mine:
        return device
    try:
        answer = allegro_auth.poll(account, device_code=device.device_code)
    except MarketplaceError as error:
        logger.warning("connection_poll_failed", account=str(account_id), error=str(error))
        raise CallFailed(str(error)) from error
    return settle(account, device, answer, at=at, hand_over=hand_over)


def connection_of(*, account_id: UUID) -> DeviceConnection | None:
    """The account's attempt as it stands, without asking Allegro."""
    return DeviceConnection.objects.filter(account_id=account_id).first()


def guidance(device: DeviceConnection) -> str:
    """How the attempt stands, and what to do now."""
    match device.status:
        case Status.CONNECTED:
            return _("Connected. Allegro has let this shop in; orders and offers are read from now on.")
        case Status.DENIED:
            return _("The seller said no on Allegro. Get a new code if that was a mistake.")
        case Status.EXPIRED:
            return _("The code was not used in time. Get a new one, and type it in within the hour.")
        case Status.INVALID:
            return _("Allegro does not know this code any more: it is wrong, or it has been used. Get a new one.")
    return _("Waiting for Allegro. Open the address, check that the code is the same, and allow the access there.")


def account_by_code(account_id: UUID) -> SellerAccount:
    account = SellerAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    if account.marketplace != Marketplace.ALLEGRO:
        raise NotByCode(account.name)
    return account


def store_code(
    account: SellerAccount, code: DeviceCode, *, started_by_id: int | None, at: datetime.datetime
) -> DeviceConnection:
    device, _is_new = DeviceConnection.objects.update_or_create(
        account=account,
        defaults={
            "device_code": code.device_code,
            "user_code": code.user_code,
            "verification_uri": code.verification_uri,
            "verification_uri_complete": code.verification_uri_complete,
            "interval": code.interval,
            "status": Status.WAITING,
            "started_by_id": started_by_id,
            "started_at": at,
            "expires_at": at + datetime.timedelta(seconds=code.expires_in),
            "next_poll_at": at + datetime.timedelta(seconds=code.interval),
        },
    )
    return device


@transaction.atomic
def take_turn(account: SellerAccount, *, at: datetime.datetime) -> tuple[DeviceConnection, bool]:
    """The attempt, and whether whoever asks now may poll: two open pages must not poll twice as often."""
    lock_account(account.pk)
    device = lock_device_connection(account.pk)
    if device is None:
        raise NoConnectionInProgress(account.name)
    if device.status != Status.WAITING:
        return device, False
    if at >= device.expires_at:
        end(device, Status.EXPIRED)
        return device, False
    if at < device.next_poll_at:
        return device, False
    device.next_poll_at = at + datetime.timedelta(seconds=device.interval)
    device.save(update_fields=["next_poll_at"])
    return device, True


@transaction.atomic
def settle(
    account: SellerAccount,
    asked: DeviceConnection,
    answer: TokenPair | PollAnswer,
    *,
    at: datetime.datetime,
    hand_over: Callable[[UUID], None],
) -> DeviceConnection:
    """Writes down what Allegro said to the poll of the attempt `asked`."""
    account = lock_account(account.pk)
    device = lock_device_connection(account.pk)
    if device is None:
        raise NoConnectionInProgress(account.name)
    if device.device_code != asked.device_code or device.status != Status.WAITING:
        # Somebody has asked for another code meanwhile: it alone counts.
        return device
    if isinstance(answer, TokenPair):
        keep_pair(
            account=account,
            pair=answer,
            issued_at=at,
            kind=CredentialEvent.Kind.CONNECTED,
            created_by_id=device.started_by_id,
        )
        end(device, Status.CONNECTED)
        # They were waiting for this.
        SyncState.objects.filter(account=account).update(next_due_at=Least(F("next_due_at"), at))
        hand_over(account.pk)
    elif answer in ENDS:
        end(device, ENDS[answer])
        logger.info("connection_ended", account=str(account.pk), status=device.status)
    elif answer is PollAnswer.SLOW_DOWN:
        device.interval *= 2
        device.next_poll_at = at + datetime.timedelta(seconds=device.interval)
        device.save(update_fields=["interval", "next_poll_at"])
    return device


def end(device: DeviceConnection, status: Status) -> None:
    """Ends the attempt; its secret is of no more use."""
    device.status, device.device_code = status, ""
    device.save(update_fields=["status", "device_code"])
