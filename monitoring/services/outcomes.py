"""What became of an attempt: noted on the message and its channel, and told to others where a channel fails."""

import datetime
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from monitoring.channels.base import ChannelBusy, ChannelError, ChannelRefused, MessageRefused
from monitoring.locks import lock_channel, lock_delivery, lock_waiting
from monitoring.models import Channel, Delivery, DeliveryAlert
from monitoring.own_events import (
    ABOUT_CHANNELS,
    CHANNEL_FAILING,
    MESSAGE_GIVEN_UP,
    failing_sentence,
    given_up_sentence,
)
from monitoring.services.alerts import notify, resolve
from monitoring.services.wording import render

FIRST_DELAY = datetime.timedelta(seconds=10)
LONGEST_DELAY = datetime.timedelta(hours=1)
# A pause that the other side asks for is kept, but not for ever.
LONGEST_PAUSE = datetime.timedelta(days=1)
# A channel that has failed for so long is told of elsewhere.
TOLD_AFTER = datetime.timedelta(minutes=5)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """It arrived, unless there is an error. `new_address`: the other side has given the channel another one."""

    error: ChannelError | None = None
    new_address: str | None = None


def delay_after(attempts: int) -> datetime.timedelta:
    """How long to wait after so many attempts: 10 s, 20 s, 40 s … up to an hour."""
    return min(FIRST_DELAY * 2 ** min(attempts - 1, 20), LONGEST_DELAY)


@transaction.atomic
def note_outcome(
    *,
    delivery_id: int,
    attempt: int,
    channel_id: int,
    failing: str,
    outcome: Outcome,
    at: datetime.datetime,
) -> Delivery.Status | None:
    """Notes what became of an attempt, and says what the message is now.

    A success always counts. A failure counts while nobody else has begun another attempt: None if somebody has, and
    if the message or its channel is gone.

    Args:
        attempt: its number, by which it is told from others.
        failing: the channel's name, if it was failing when the attempt began; else empty.
    """
    error = outcome.error
    if error is None:
        return note_success(delivery_id, channel_id, failing=failing, outcome=outcome, at=at)
    channel = Channel.objects.defer(*Channel.SEALED).filter(pk=channel_id).first()
    current = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.WAITING, attempts=attempt)
    if channel is None or not current.exists():
        return None
    tell_of_failure(channel, error, at=at)
    channel, delivery = lock_channel(channel_id), lock_delivery(delivery_id)
    if delivery.status != Delivery.Status.WAITING or delivery.attempts != attempt:
        return None
    delivery.last_error, delivery.sending_since = error.sentence, None
    if isinstance(error, MessageRefused):
        give_up(delivery, error=error.sentence, at=at)
        return Delivery.Status.GIVEN_UP
    note_failure(channel, delivery, error, at=at)
    if delivery.give_up_at <= at:
        give_up(delivery, error=error.sentence, at=at)
        return Delivery.Status.GIVEN_UP
    delivery.save(update_fields=["last_error", "sending_since", "next_attempt_at"])
    logger.warning(
        "message_not_sent",
        channel=channel.name,
        delivery=delivery_id,
        attempt=attempt,
        kind=type(error).__name__,
        error=error.sentence,
        next_attempt_at=delivery.next_attempt_at.isoformat(),
    )
    return Delivery.Status.WAITING


def note_success(
    delivery_id: int, channel_id: int, *, failing: str, outcome: Outcome, at: datetime.datetime
) -> Delivery.Status | None:
    if failing:
        resolve(event=CHANNEL_FAILING, subjects=[failing])
    works = {"last_sent_at": at, "failing_since": None, "last_error": "", "blocked_until": None}
    Channel.objects.filter(pk=channel_id).update(**works)
    if outcome.new_address is not None:
        moved = Channel.objects.filter(pk=channel_id)
        moved.update(address=outcome.new_address, version=F("version") + 1, updated_at=at)
    waiting = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.WAITING)
    sent = waiting.update(status=Delivery.Status.SENT, sent_at=at, sending_since=None, last_error="")
    return Delivery.Status.SENT if sent else None


def note_failure(channel: Channel, delivery: Delivery, error: ChannelError, *, at: datetime.datetime) -> None:
    """When it is tried again, and what the channel's page says. Both rows are locked; the message's is not saved."""
    channel.last_error = error.sentence
    if isinstance(error, ChannelBusy):
        # It works, and says when it wants more.
        pause = datetime.timedelta(seconds=max(1.0, error.retry_after))
        channel.blocked_until = delivery.next_attempt_at = at + min(pause, LONGEST_PAUSE)
    else:
        channel.failing_since = channel.failing_since or at
        if isinstance(error, ChannelRefused):
            channel.disabled_reason = error.sentence
            delivery.next_attempt_at = at
        else:
            delivery.next_attempt_at = at + delay_after(delivery.attempts)
    channel.save(update_fields=["last_error", "blocked_until", "failing_since", "disabled_reason"])


def tell_of_failure(channel: Channel, error: ChannelError, *, at: datetime.datetime) -> None:
    """Has others told that a channel takes nothing. Before the channel is locked: alerts come first."""
    if isinstance(error, ChannelRefused) or is_failing_for_long(channel, error, at=at):
        said = details_of(channel, error.sentence)
        notify(event=CHANNEL_FAILING, subject=channel.name, message=failing_sentence(said), details=said)


@transaction.atomic
def close_channel(*, channel_id: int, reason: str, at: datetime.datetime) -> None:
    """Sends nothing more to a channel whose address can't even be read, until somebody has seen to it."""
    channel = Channel.objects.defer(*Channel.SEALED).filter(pk=channel_id).first()
    if channel is None:
        return
    tell_of_failure(channel, ChannelRefused(reason), at=at)
    Channel.objects.filter(pk=channel_id).update(
        disabled_reason=reason, last_error=reason, failing_since=channel.failing_since or at
    )


def is_failing_for_long(channel: Channel, error: ChannelError, *, at: datetime.datetime) -> bool:
    if isinstance(error, (ChannelBusy, MessageRefused)) or channel.failing_since is None:
        return False
    return at - channel.failing_since >= TOLD_AFTER


def give_up(delivery: Delivery, *, error: str, at: datetime.datetime, is_told: bool = True) -> None:
    """Gives a locked message up: nobody sends it any more, unless a person asks for it. Its words stay readable.

    `is_told`: others hear of it. The alert is news, of which no two are one row: so it may be written with the message
    locked.
    """
    if delivery.rendered_at is None:
        render(delivery, channel=delivery.channel, at=at)
    delivery.status = Delivery.Status.GIVEN_UP
    delivery.last_error = error
    delivery.sending_since = None
    delivery.save()
    logger.error("message_given_up", channel=delivery.channel.name, delivery=delivery.pk, error=error)
    # Else two channels that take nothing would tell each other so without end.
    parts = DeliveryAlert.objects.filter(delivery=delivery)
    if is_told and (not parts.exists() or parts.exclude(alert__event__in=ABOUT_CHANNELS).exists()):
        said = details_of(delivery.channel, error)
        notify(event=MESSAGE_GIVEN_UP, subject=delivery.channel.name, message=given_up_sentence(said), details=said)


def details_of(channel: Channel, error: str) -> dict[str, Any]:
    return {"channel_id": channel.pk, "channel": channel.name, "error": error}


@transaction.atomic
def give_up_overdue(*, at: datetime.datetime) -> int:
    """Gives up what waits too long for channels that are switched off or refuse, and says how many that were."""
    closed = Q(channel__is_enabled=False) | ~Q(channel__disabled_reason="")
    waiting = Delivery.objects.filter(closed, status=Delivery.Status.WAITING, give_up_at__lte=at)
    number = 0
    for channel_id in sorted(set(waiting.values_list("channel_id", flat=True))):
        channel = lock_channel(channel_id)
        for delivery in lock_waiting(channel_id):
            if delivery.give_up_at <= at and not channel.is_open:
                give_up(delivery, error=channel.disabled_reason or switched_off(), at=at)
                number += 1
    return number


def switched_off() -> str:
    return _("The channel was switched off.")
