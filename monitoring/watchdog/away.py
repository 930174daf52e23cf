"""Telling people while the database is away: alerts come from the spool, whom to tell from the sealed copy.

The same rules hold as with the database (services/dispatch.py, services/sending.py), but no reminders are sent.
"""

import datetime
import json
import uuid
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone, translation

from foundation.shop import remember_shop
from monitoring.channels.base import ChannelBusy, ChannelError, MessageRefused
from monitoring.models import Alert, Channel, Delivery, DeliveryAlert
from monitoring.services.dispatch import KINDS
from monitoring.services.outcomes import LONGEST_PAUSE, delay_after
from monitoring.services.quiet import HOUR, KEPT_FOR_CRITICAL, is_quiet, lets_through
from monitoring.services.routing import wishes_of
from monitoring.services.sending import address_of, message_of, outcome_of
from monitoring.services.wording import data_of, lines_of, text_of, title_of
from monitoring.severity import Severity
from monitoring.spool import Spool, SpooledAlert
from monitoring.watchdog.copy import Copy
from monitoring.watchdog.messages import Outgoing, Part, read_messages, write_message

# Channels that are sent to at the same time.
THREADS = 8

logger = structlog.get_logger("monitoring.watchdog")


def tell(spool: Spool, copy: Copy, *, at: datetime.datetime) -> int:
    """Sends what is due and says how many messages arrived. Returns when all channels have answered, or have not.

    Raises OSError if the spool can't be written: what could not be noted would be sent again and again.
    """
    # Who words messages asks for the shop's name and clock, and not the database.
    remember_shop(copy.shop)
    alerts, messages = spool.all(), read_messages(spool)
    for channel in copy.channels.values():
        if (message := plan(channel, copy, alerts, messages, at=at)) is not None:
            write_message(spool, message)
            messages.append(message)
    due = list(due_messages(copy, messages, at=at))
    if not due:
        return 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="channel") as threads:
        return sum(threads.map(lambda one: send(spool, *one, at=at), due))


# --- what is to be said -----------------------------------------------------------------------------------


def plan(
    channel: Channel, copy: Copy, alerts: Sequence[SpooledAlert], messages: Sequence[Outgoing], *, at: datetime.datetime
) -> Outgoing | None:
    """The next message to a channel; None if there is nothing to say yet. While one waits, what happens gathers."""
    to_it = [message for message in messages if message.channel_id == channel.pk]
    if any(message.is_waiting for message in to_it):
        return None
    wanted = list(parts_wanted(channel, copy, alerts, to_it))
    parts = [part for part, _due in wanted]
    if not any(due <= at for _part, due in wanted) or not may_disturb(channel, parts, to_it, at=at):
        return None
    with translation.override(channel.language), timezone.override(zoneinfo.ZoneInfo(copy.shop.time_zone)):
        lines = lines_of(parts)
        data = data_of(parts, number=len(parts))
        return Outgoing(
            channel_id=channel.pk,
            kind=min((Delivery.Kind(part.kind) for part in parts), key=KINDS.index).value,
            severity=worst_of(parts).value,
            title=title_of(lines),
            text=text_of(lines, at=at),
            data=json.loads(json.dumps(data, cls=DjangoJSONEncoder)),
            parts=[Part(uuid.UUID(str(part.alert.pk)), part.kind, part.tells_resolution) for part in parts],
            created_at=at,
            next_attempt_at=at,
        )


def parts_wanted(
    channel: Channel, copy: Copy, alerts: Sequence[SpooledAlert], messages: Sequence[Outgoing]
) -> Iterator[tuple[DeliveryAlert, datetime.datetime]]:
    """What the channel has not been told, and from when on it is to be."""
    open_pairs: set[tuple[str, str]] = set()
    for spooled in alerts:
        alert = row_of(spooled)
        wish = wishes_of(alert, copy.rules).get(channel.pk) if spooled.count else None
        if wish is None or spooled.pair in open_pairs:
            # Nobody wants to know, the database knows more of it, or it goes on from one that is being brought there.
            continue
        if spooled.resolved_at is None:
            open_pairs.add(spooled.pair)
        told = [part for message in messages for part in message.parts if part.alert == spooled.id]
        group = datetime.timedelta(seconds=wish.group_seconds)
        if not told:
            is_urgent = spooled.severity == Severity.CRITICAL
            part = DeliveryAlert(
                alert=alert, kind=Delivery.Kind.ALERT, tells_resolution=spooled.resolved_at is not None
            )
            yield part, spooled.first_at if is_urgent else spooled.first_at + group
        elif spooled.resolved_at and wish.tells_resolution and not any(part.says_it_is_over for part in told):
            yield DeliveryAlert(alert=alert, kind=Delivery.Kind.RESOLUTION), spooled.resolved_at + group


def row_of(spooled: SpooledAlert) -> Alert:
    """As a row that is not to be saved."""
    return Alert(
        pk=str(spooled.id),
        event=spooled.event,
        severity=spooled.severity,
        subject=spooled.subject,
        message=spooled.message,
        details=spooled.details,
        count=spooled.count,
        created_at=spooled.first_at,
        last_seen_at=spooled.last_at,
        resolved_at=spooled.resolved_at,
    )


def worst_of(parts: Iterable[DeliveryAlert]) -> Severity:
    return max((Severity(part.alert.severity) for part in parts), key=lambda one: one.weight)


def may_disturb(
    channel: Channel, parts: Sequence[DeliveryAlert], messages: Sequence[Outgoing], *, at: datetime.datetime
) -> bool:
    """Whether quiet hours and the hour's limit allow it. What the channel was sent before the database went away is
    not counted: nobody can ask."""
    worst = worst_of(parts)
    if is_quiet(channel, at=at) and not lets_through(channel, worst):
        return False
    limit = channel.hourly_limit
    if worst is not Severity.CRITICAL:
        limit -= limit // KEPT_FOR_CRITICAL
    return sum(message.sent_at is not None and message.sent_at > at - HOUR for message in messages) < limit


# --- saying it --------------------------------------------------------------------------------------------


def due_messages(
    copy: Copy, messages: Sequence[Outgoing], *, at: datetime.datetime
) -> Iterator[tuple[Channel, Outgoing]]:
    """The next message of each channel that has one, if it is due. One that waits holds back those after it."""
    first: dict[int, Outgoing] = {}
    for message in messages:
        if message.is_waiting:
            first.setdefault(message.channel_id, message)
    for channel_id, message in first.items():
        channel = copy.channels.get(channel_id)
        if channel is None or channel.disabled_reason or message.next_attempt_at > at:
            continue
        if channel.blocked_until is None or channel.blocked_until <= at:
            yield channel, message


def send(spool: Spool, channel: Channel, message: Outgoing, *, at: datetime.datetime) -> bool:
    """Sends a message and notes what became of it, in its file. Says whether it arrived. Raises OSError."""
    is_uncertain = message.sending_since is not None
    message.attempts += 1
    message.sending_since = at
    write_message(spool, message)
    row = Delivery(
        key=message.key,
        kind=message.kind,
        severity=message.severity,
        title=message.title,
        text=message.text,
        data=message.data,
    )
    outcome = outcome_of(address_of(channel), message_of(row, channel, is_uncertain=is_uncertain))
    if outcome.error is not None:
        note_failure(message, outcome.error, at=at)
    else:
        message.status, message.sent_at, message.last_error = Delivery.Status.SENT.value, at, ""
    message.sending_since = None
    write_message(spool, message)
    logger.info(
        "message_without_database",
        channel=channel.name,
        key=str(message.key),
        status=message.status,
        attempt=message.attempts,
        error=message.last_error,
    )
    return message.status == Delivery.Status.SENT


def note_failure(message: Outgoing, error: ChannelError, *, at: datetime.datetime) -> None:
    """When it is tried again. A channel that refuses is asked again now and then: only the database can switch it
    off."""
    message.last_error = error.sentence
    if isinstance(error, ChannelBusy):
        pause = datetime.timedelta(seconds=max(1.0, error.retry_after))
        message.next_attempt_at = at + min(pause, LONGEST_PAUSE)
    elif isinstance(error, MessageRefused):
        message.status = Delivery.Status.GIVEN_UP.value
    else:
        message.next_attempt_at = at + delay_after(message.attempts)
