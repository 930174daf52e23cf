"""Sending what waits: one sender at a time to a channel, one message after the other, never inside a transaction.

    claim the channel, write the message's words, note that it is being sent     (committed)
    ask the network                                                              (no transaction, no lock)
    note what became of it, and let the channel go                               (committed)

A program that dies between the first and the last leaves `sending_since` behind: when its claim has run out, the same
message is sent again under the same key. See docs/adr/0071-messages-arrive-at-least-once.md.
"""

import datetime
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import structlog
from django.db import Error, connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from foundation.encryption import CanNotDecrypt
from monitoring import channels
from monitoring.channels.addresses import with_number
from monitoring.channels.base import LONGEST_SEND, Address, ChannelError, ChannelUnreachable, Message
from monitoring.locks import claim_channel, lock_first_waiting, release_channel
from monitoring.models import Channel, Delivery
from monitoring.selectors import channels_with_due_messages
from monitoring.services.dispatch import plan_deliveries
from monitoring.services.outcomes import Outcome, close_channel, give_up, give_up_overdue, note_outcome
from monitoring.services.quiet import is_within_limit, may_disturb
from monitoring.services.wording import render
from monitoring.severity import Severity

# A claim outlives the longest sending.
LEASE = datetime.timedelta(seconds=LONGEST_SEND + 30)
# Channels that are sent to at the same time.
THREADS = 32
# A round begins nothing new after so many seconds, unless a channel hangs.
LONGEST_ROUND = 20.0
# While one channel hangs, the others are looked after so often.
LOOK_AGAIN = 1.0

logger = structlog.get_logger(__name__)


class InsideATransaction(transaction.TransactionManagementError):
    """Somebody sends inside a transaction: its locks would be held for as long as the network takes."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message on its way. `number` tells it from any other attempt at the same message."""

    delivery_id: int
    number: int
    channel_id: int
    channel_name: str
    was_failing: bool
    address: Address
    message: Message


@dataclass(slots=True)
class Round:
    """What one round has done: how many messages arrived, how many did not, how many were given up."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


@dataclass(slots=True)
class Clock:
    """The given moment and what has passed since, in whole seconds."""

    start: datetime.datetime
    started: float = field(default_factory=time.monotonic)

    @property
    def passed(self) -> float:
        return time.monotonic() - self.started

    def now(self) -> datetime.datetime:
        return self.start + datetime.timedelta(seconds=int(self.passed))


def send_due(*, sender: str, at: datetime.datetime, turn: Callable[[], None] = lambda: None) -> Round:
    """Sends every message that is due, of all channels at the same time, and of one channel in their order.

    A channel that hangs keeps none of the others waiting: while it does, what happens is planned and sent as always.
    Several calls at once do no harm: each channel has one sender.

    Args:
        sender: a name that nobody else who sends at the same time has; who comes back under the name of one that died
            goes on where that one stood, without waiting for its claims to run out.
        at: now.
        turn: called now and then, as long as it works.

    Raises InsideATransaction, and what the database raises; a channel's faults are noted, not raised.
    """
    outside_a_transaction()
    clock, done = Clock(at), Round()
    done.given_up += give_up_overdue(at=at)
    under_way: dict[Future[Outcome], Attempt] = {}
    planned_at = time.monotonic()
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="channel") as pool:
        while True:
            turn()
            # As long as one hangs, the round goes on, for the others.
            if clock.passed < LONGEST_ROUND or under_way:
                busy = {attempt.channel_id for attempt in under_way.values()}
                for attempt in begin_attempts(sender=sender, at=clock.now(), busy=busy, done=done):
                    under_way[pool.submit(ask_the_network, attempt)] = attempt
            if not under_way:
                return done
            answered, _rest = wait(under_way, timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)
            for future in answered:
                note(under_way.pop(future), future.result(), sender=sender, at=clock.now(), done=done)
            if time.monotonic() - planned_at >= LOOK_AGAIN:
                plan_deliveries(at=clock.now())
                planned_at = time.monotonic()


def outside_a_transaction() -> None:
    """Raises InsideATransaction inside one; that of a test case does not count (as for Django's `durable`)."""
    if connection.in_atomic_block and not getattr(connection.atomic_blocks[-1], "_from_testcase", False):
        raise InsideATransaction("No message is sent inside a transaction.")


def begin_attempts(*, sender: str, at: datetime.datetime, busy: Collection[int], done: Round) -> Iterator[Attempt]:
    """The next attempt of each channel that has something due and is not busy."""
    for channel in channels_with_due_messages(at=at):
        if channel.pk in busy:
            continue
        try:
            attempt = begin_attempt(channel.pk, sender=sender, at=at, done=done)
        except CanNotDecrypt as error:
            close_channel(channel_id=channel.pk, reason=str(error), at=at)
        except Error:
            raise
        except Exception:
            # A fault of ours about one message must not keep the other channels from theirs.
            logger.exception("attempt_not_begun", channel=channel.name)
        else:
            if attempt is not None:
                yield attempt


@transaction.atomic
def begin_attempt(channel_id: int, *, sender: str, at: datetime.datetime, done: Round) -> Attempt | None:
    """Claims the channel, gives its next message its words, and notes that it is being sent.

    None, and the channel stays free, if nothing may be sent to it now.
    """
    if not may_send(Channel.objects.defer(*Channel.SEALED).get(pk=channel_id), at=at):
        return None
    channel = claim_channel(channel_id, sender=sender, at=at, until=at + LEASE)
    if channel is None:
        return None
    delivery = next_delivery(channel, at=at, done=done)
    if delivery is None:
        release_channel(channel_id, sender=sender)
        return None
    is_uncertain = delivery.sending_since is not None
    delivery.attempts += 1
    delivery.sending_since = at
    delivery.save()
    return Attempt(
        delivery_id=delivery.pk,
        number=delivery.attempts,
        channel_id=channel_id,
        channel_name=channel.name,
        was_failing=channel.failing_since is not None,
        address=address_of(channel),
        message=message_of(delivery, channel, is_uncertain=is_uncertain),
    )


def may_send(channel: Channel, *, at: datetime.datetime) -> bool:
    """Whether quiet hours and the hour's limit allow the channel's next message, without locking anything."""
    waiting = Delivery.objects.filter(channel=channel, status=Delivery.Status.WAITING).order_by("pk")
    first = waiting.first()
    if first is None or first.next_attempt_at > at or not may_disturb(channel, at=at):
        return False
    # What is critical brings those before it along.
    severities = set(waiting.filter(next_attempt_at__lte=at).values_list("severity", flat=True))
    worst = max((Severity(one) for one in severities), key=lambda one: one.weight)
    return is_within_limit(channel, worst, at=at)


def next_delivery(channel: Channel, *, at: datetime.datetime, done: Round) -> Delivery | None:
    """The channel's next message, locked and with its words, if it is due. What is too old by now is given up."""
    while (delivery := lock_first_waiting(channel.pk)) is not None:
        if delivery.next_attempt_at > at:
            return None
        if delivery.rendered_at is None and not render(delivery, channel=channel, at=at):
            # Its alerts have been deleted: there is nothing to say.
            delivery.delete()
        elif delivery.attempts and delivery.give_up_at <= at:
            give_up(delivery, error=delivery.last_error or _("It was tried for too long."), at=at)
            done.given_up += 1
        else:
            return delivery
    return None


def address_of(channel: Channel, *, phone: str = "") -> Address:
    """Where a channel's messages go; `phone` is the customer's, where it is for messages to customers."""
    return Address(
        kind=channel.kind,
        address=with_number(channel.address, phone) if channel.for_customers else channel.address,
        secret=channel.secret,
        language=channel.language,
        name=channel.name,
    )


def message_of(delivery: Delivery, channel: Channel, *, is_uncertain: bool = False) -> Message:
    """The message as the edge of the network takes it.

    `is_uncertain`: nobody knows whether an earlier attempt arrived. A program sees the same key; people are told.
    """
    text = delivery.text
    if is_uncertain and channel.kind != Channel.Kind.WEBHOOK:
        with translation.override(channel.language):
            text += "\n\n" + _("(Sent again: it is not known whether this has arrived before.)")
    return Message(
        key=str(delivery.key),
        title=delivery.title,
        text=text,
        severity=delivery.severity,
        picture=None if delivery.picture is None else bytes(delivery.picture),
        data={"kind": delivery.kind, **delivery.data},
    )


def ask_the_network(attempt: Attempt) -> Outcome:
    """Sends it, in a thread that touches no database, and says what became of it."""
    return outcome_of(attempt.address, attempt.message)


def outcome_of(address: Address, message: Message) -> Outcome:
    """Sends a message and says what became of it, in the channel's language."""
    with translation.override(address.language):
        try:
            return Outcome(new_address=channels.send(address, message))
        except ChannelError as error:
            return Outcome(error=error)
        except Exception as error:
            # A fault of ours. Its text may hold the address; the message waits for a better day.
            logger.error("sending_crashed", channel=address.name, error=type(error).__name__)
            return Outcome(error=ChannelUnreachable(type(error).__name__))


def note(attempt: Attempt, outcome: Outcome, *, sender: str, at: datetime.datetime, done: Round) -> None:
    """Notes what became of the attempt, and lets the channel go."""
    status = note_outcome(
        delivery_id=attempt.delivery_id,
        attempt=attempt.number,
        channel_id=attempt.channel_id,
        failing=attempt.channel_name if attempt.was_failing else "",
        outcome=outcome,
        at=at,
    )
    release_channel(attempt.channel_id, sender=sender)
    match status:
        case Delivery.Status.SENT:
            done.sent += 1
        case Delivery.Status.GIVEN_UP:
            done.given_up += 1
        case _waits:
            done.failed += 1
