"""Channels: added, changed, deleted, and tried out."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import translation
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.services.records import check_record, in_use
from foundation.shop import current_shop
from foundation.uuids import uuid7
from monitoring.channels.addresses import check_number, checked_address, checked_secret, is_for_customers
from monitoring.channels.base import Message
from monitoring.locks import lock_channel, lock_waiting
from monitoring.models import Channel, Delivery
from monitoring.own_events import CHANNEL_FAILING
from monitoring.services.alerts import resolve
from monitoring.services.outcomes import give_up, switched_off
from monitoring.services.sending import address_of, outcome_of, outside_a_transaction
from monitoring.severity import Severity

# What may be changed of a channel. The kind may not: its messages and faults are those of another.
CHANGEABLE = (
    *("name", "address", "secret", "language", "quiet_from", "quiet_until", "quiet_lets_through"),
    *("hourly_limit", "gets_daily_report", "is_enabled"),
)
# After one of these the other side may well take what it refused.
CONNECTING = frozenset({"address", "secret", "is_enabled"})


@transaction.atomic
def add_channel(*, kind: str, at: datetime.datetime, **settings: Any) -> Channel:
    """Adds a channel; `settings` are fields of CHANGEABLE, of which name and address are needed.

    Raises InvalidInput at the fields.
    """
    refuse_other_settings(settings)
    channel = Channel(kind=kind, created_at=at, updated_at=at, **stripped(settings))
    check_channel(channel, changed=[*settings, "address"])
    channel.save(force_insert=True)
    return channel


@transaction.atomic
def change_channel(*, channel_id: int, changes: Mapping[str, Any], at: datetime.datetime) -> Channel:
    """Changes these fields of a channel (see CHANGEABLE).

    A new address or secret, and switching on, opens a channel that the other side had refused; what waits is sent at
    once. What waits for a channel that is switched off, or is for customers from now on, is given up. Raises
    UnknownChannel, and InvalidInput at the fields.
    """
    refuse_other_settings(changes)
    if "name" in changes or changes.get("is_enabled") is False:
        forget_failure(channel_id)
    channel = lock_channel(channel_id)
    was_enabled, was_for_customers = channel.is_enabled, channel.for_customers
    for name, value in stripped(changes).items():
        setattr(channel, name, value)
    check_channel(channel, changed=changes)
    if was_enabled and not channel.is_enabled:
        give_up_waiting(channel, error=switched_off(), at=at)
    if channel.for_customers and not was_for_customers:
        give_up_waiting(channel, error=_("The channel is for messages to customers now."), at=at)
    channel.version += 1
    channel.updated_at = at
    channel.save(update_fields=[*changes, "for_customers", "version", "updated_at"])
    if channel.is_enabled and CONNECTING & set(changes):
        open_channel(channel, at=at)
    return channel


@transaction.atomic
def delete_channel(*, channel_id: int) -> Channel:
    """Deletes a channel with its messages, and returns it as it was. Raises UnknownChannel, and InUse if a message to
    it was just planned."""
    forget_failure(channel_id)
    channel = lock_channel(channel_id)
    try:
        with transaction.atomic():
            # A copy is what the caller gets: deleting takes the primary key away.
            Channel.objects.filter(pk=channel_id).delete()
            # Keys are checked at the commit otherwise, too late for a sentence.
            connection.check_constraints()
    except IntegrityError as error:
        raise in_use(channel, _("a message that was planned just now")) from error
    return channel


def send_test(*, channel_id: int, phone: str = "", at: datetime.datetime) -> Delivery:
    """Sends a few words to the channel at once, whatever waits for it and whatever its quiet hours and limits are, and
    notes how that went: the message returned is sent, or given up with what was wrong in `last_error`. A channel for
    messages to customers sends them to the number `phone`.

    If it arrives, the channel is open again. Raises UnknownChannel, InvalidInput at `phone`, and InsideATransaction: it
    asks the network.
    """
    outside_a_transaction()
    with transaction.atomic():
        channel = lock_channel(channel_id)
        if channel.for_customers:
            check_number(phone)
        elif phone:
            raise InvalidInput.at("phone", _("Only a channel for messages to customers takes a number."))
        address = address_of(channel, phone=phone)
    with translation.override(channel.language):
        message = Message(
            key=str(uuid7()),
            title=_("A test – %(shop)s") % {"shop": current_shop().name},
            text=_("If you can read this, “%(channel)s” works.") % {"channel": channel.name},
            severity=Severity.INFO,
            data={"kind": Delivery.Kind.TEST.value},
        )
    outcome = outcome_of(address, message)
    error = "" if outcome.error is None else outcome.error.sentence
    return note_test(channel_id, message, error=error, new_address=outcome.new_address, at=at)


@transaction.atomic
def note_test(
    channel_id: int, message: Message, *, error: str, new_address: str | None = None, at: datetime.datetime
) -> Delivery:
    if not error:
        forget_failure(channel_id)
    channel = lock_channel(channel_id)
    if error:
        Channel.objects.filter(pk=channel_id).update(last_error=error)
    else:
        open_channel(channel, at=at)
        Channel.objects.filter(pk=channel_id).update(failing_since=None, last_error="", last_sent_at=at)
        if new_address is not None:
            moved = Channel.objects.filter(pk=channel_id)
            moved.update(address=new_address, version=F("version") + 1, updated_at=at)
    return Delivery.objects.create(
        key=message.key,
        channel=channel,
        kind=Delivery.Kind.TEST,
        title=message.title,
        text=message.text,
        data=dict(message.data),
        status=Delivery.Status.GIVEN_UP if error else Delivery.Status.SENT,
        attempts=1,
        last_error=error,
        next_attempt_at=at,
        give_up_at=at,
        created_at=at,
        rendered_at=at,
        sent_at=None if error else at,
    )


def give_up_waiting(channel: Channel, *, error: str, at: datetime.datetime) -> None:
    for delivery in lock_waiting(channel.pk):
        give_up(delivery, error=error, at=at, is_told=False)


def forget_failure(channel_id: int) -> None:
    """Closes the alert that the channel takes nothing. Before the channel is locked: alerts come first."""
    names = Channel.objects.filter(pk=channel_id).values_list("name", flat=True)
    resolve(event=CHANNEL_FAILING, subjects=list(names))


def open_channel(channel: Channel, *, at: datetime.datetime) -> None:
    """Has what waits for a locked channel sent now: what held it back may be over."""
    channel.disabled_reason, channel.blocked_until = "", None
    channel.save(update_fields=["disabled_reason", "blocked_until"])
    tried = Delivery.objects.filter(channel=channel, status=Delivery.Status.WAITING, attempts__gt=0)
    tried.update(next_attempt_at=Least("next_attempt_at", at))


def check_channel(channel: Channel, *, changed: Any) -> None:
    """Raises InvalidInput at the fields."""
    check_record(channel)
    if channel.quiet_from is not None and channel.quiet_from == channel.quiet_until:
        raise InvalidInput.at("quiet_until", _("Quiet hours end at another time than they begin."))
    if "address" in changed:
        channel.address = checked_address(kind=channel.kind, address=channel.address)
        channel.for_customers = is_for_customers(kind=channel.kind, address=channel.address)
    if "secret" in changed:
        channel.secret = checked_secret(kind=channel.kind, secret=channel.secret)


def stripped(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.strip() if isinstance(value, str) else value for name, value in settings.items()}


def refuse_other_settings(settings: Mapping[str, Any]) -> None:
    """What is no field that anybody may set is a mistake of the caller's, not of the person."""
    if unknown := sorted(set(settings) - set(CHANGEABLE)):
        raise TypeError(f"No setting of a channel: {', '.join(unknown)}")
