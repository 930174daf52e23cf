"""Bringing into the database what waited as files while it was away: alerts, and what was sent of them."""

import datetime
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, connection, transaction
from django.db.models import Max

from monitoring.locks import lock_gathering, take_planning
from monitoring.models import Alert, Channel, Delivery, DeliveryAlert, SpoolReceipt
from monitoring.registry import events
from monitoring.services.dispatch import GIVE_UP_AFTER, ChannelPlan, add, write
from monitoring.services.routing import rules_in_use, wishes_of
from monitoring.spool import SpooledAlert
from monitoring.watchdog.messages import Outgoing

# A file that was left behind by a crash is forgotten at the next round, and surely after so long.
RECEIPTS_KEPT = datetime.timedelta(days=30)
LONGEST_STATEMENT = "3s"

logger = structlog.get_logger("monitoring.spool")


class Abandoned(Exception):
    """Whoever asked for it waits no more, and tells of it from the files."""


class PlanningIsGoingOn(Exception):
    """Somebody plans messages just now: try again in a moment."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The row of an alert that waited. `is_new`: there was none of this event and subject."""

    alert: Alert
    is_new: bool


@transaction.atomic
def bring_in(
    *,
    alerts: Sequence[SpooledAlert],
    messages: Sequence[Outgoing],
    at: datetime.datetime,
    is_abandoned: Callable[[], bool] = lambda: False,
) -> int:
    """Writes them as if the database had been there: what was sent is sent, and goes out to nobody twice; what waits is
    sent next. Says how many alerts were new to it; called again with the same, it does nothing.

    Args:
        is_abandoned: whether what is in the files may have been told meanwhile. Asked at the very end.

    Raises PlanningIsGoingOn, Abandoned, and what the database raises; nothing is written then.
    """
    wait_for_nobody()
    if not take_planning():
        raise PlanningIsGoingOn
    fresh = received(alerts, at=at)
    kept = {one.id: row for one in alerts if one.id in fresh and (row := keep(one)) is not None}
    told = write_messages(messages, kept)
    finish_planning([row for row in kept.values() if row.is_new and row.alert.pk in told], told, at=at)
    SpoolReceipt.objects.filter(received_at__lt=at - RECEIPTS_KEPT).delete()
    if is_abandoned():
        raise Abandoned
    return len(fresh)


def wait_for_nobody() -> None:
    """No statement of this transaction waits long, and its COMMIT for no standby: what is abandoned is written by none
    that went on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true), "
            "set_config('synchronous_commit', 'local', true)",
            [LONGEST_STATEMENT, LONGEST_STATEMENT],
        )


def received(alerts: Iterable[SpooledAlert], *, at: datetime.datetime) -> set[uuid.UUID]:
    """Notes that the database has them, and says of which that is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO monitoring_spoolreceipt (id, received_at)
            SELECT id, %s FROM unnest(%s::uuid[]) AS given (id) ON CONFLICT DO NOTHING RETURNING id
            """,
            [at, [str(alert.id) for alert in alerts]],
        )
        return {row[0] for row in cursor.fetchall()}


# --- alerts -----------------------------------------------------------------------------------------------


def keep(spooled: SpooledAlert) -> Kept | None:
    """Brings in one alert; None if it only says that an alert of the database is over, or can't be kept at all."""
    try:
        with transaction.atomic():
            row = insert(spooled) if spooled.count else None
            if spooled.resolved_at is not None and not is_news(spooled):
                close(spooled)
    except DataError as error:
        # It would keep all others waiting. The log has it.
        logger.error("spooled_alert_refused", alert=spooled.event, message=spooled.message, reason=str(error)[:200])
        return None
    return row if row is None else Kept(Alert.objects.get(pk=row.alert.pk), row.is_new)


def insert(spooled: SpooledAlert) -> Kept:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO monitoring_alert
                (event, severity, subject, message, details, count, created_at, last_seen_at, resolved_at)
            VALUES (%(event)s, %(severity)s, %(subject)s, %(message)s, %(details)s, %(count)s,
                    %(first_at)s, %(last_at)s, %(resolved_at)s)
            ON CONFLICT (event, subject) WHERE resolved_at IS NULL DO UPDATE SET
                message = CASE WHEN monitoring_alert.last_seen_at <= excluded.last_seen_at AND NOT %(keeps_first)s
                               THEN excluded.message ELSE monitoring_alert.message END,
                details = CASE WHEN monitoring_alert.last_seen_at <= excluded.last_seen_at AND NOT %(keeps_first)s
                               THEN excluded.details ELSE monitoring_alert.details END,
                count = monitoring_alert.count + excluded.count,
                created_at = least(monitoring_alert.created_at, excluded.created_at),
                last_seen_at = greatest(monitoring_alert.last_seen_at, excluded.last_seen_at)
            RETURNING id, xmax = 0
            """,
            {
                "event": spooled.event,
                # Of an app that is gone nobody knows any more.
                "keeps_first": spooled.event in events.entries and events.get(spooled.event).keeps_first,
                "severity": spooled.severity,
                "subject": spooled.subject,
                "message": spooled.message,
                "details": json.dumps(dict(spooled.details), cls=DjangoJSONEncoder),
                "count": spooled.count,
                "first_at": spooled.first_at,
                "last_at": spooled.last_at,
                "resolved_at": spooled.resolved_at if is_news(spooled) else None,
            },
        )
        pk, is_new = cursor.fetchone()
    return Kept(Alert(pk=pk), is_new)


def close(spooled: SpooledAlert) -> None:
    """Unless it has been seen since."""
    open_alerts = Alert.objects.filter(event=spooled.event, subject=spooled.subject, resolved_at=None)
    open_alerts.filter(last_seen_at__lte=spooled.resolved_at).update(resolved_at=spooled.resolved_at)


def is_news(spooled: SpooledAlert) -> bool:
    """Whether it was over once it was told."""
    return spooled.count > 0 and spooled.resolved_at == spooled.first_at


# --- messages ---------------------------------------------------------------------------------------------


def write_messages(messages: Sequence[Outgoing], kept: Mapping[uuid.UUID, Kept]) -> dict[int, set[int]]:
    """Writes the messages, and says which channels have been told of which alert, by its id."""
    there = set(Channel.objects.values_list("pk", flat=True))
    known = set(Delivery.objects.filter(key__in=[one.key for one in messages]).values_list("key", flat=True))
    told: dict[int, set[int]] = {}
    for message in messages:
        if message.key in known or message.channel_id not in there:
            continue
        delivery = Delivery.objects.create(
            key=message.key,
            channel_id=message.channel_id,
            kind=message.kind,
            severity=message.severity,
            title=message.title,
            text=message.text,
            data=message.data,
            number=len(message.parts),
            status=message.status,
            attempts=message.attempts,
            next_attempt_at=message.next_attempt_at,
            give_up_at=message.created_at + GIVE_UP_AFTER,
            last_error=message.last_error,
            created_at=message.created_at,
            rendered_at=message.created_at,
            sending_since=message.sending_since,
            sent_at=message.sent_at,
        )
        if message.sent_at is not None:
            Channel.objects.filter(pk=message.channel_id).update(last_sent_at=message.sent_at)
        for part in message.parts:
            if (row := kept.get(part.alert)) is not None:
                told.setdefault(row.alert.pk, set()).add(message.channel_id)
                kind, number = as_what(row, delivery, part.kind)
                DeliveryAlert.objects.bulk_create(
                    [
                        DeliveryAlert(
                            delivery=delivery,
                            channel_id=message.channel_id,
                            alert=row.alert,
                            kind=kind,
                            number=number,
                            tells_resolution=part.tells_resolution,
                        )
                    ],
                    ignore_conflicts=True,
                )
    return told


def as_what(row: Kept, delivery: Delivery, kind: str) -> tuple[str, int]:
    """Of an alert that the channel knew already, a message was one more reminder."""
    if kind != Delivery.Kind.ALERT:
        return kind, 0
    earlier = DeliveryAlert.objects.filter(alert=row.alert, channel_id=delivery.channel_id)
    highest = earlier.aggregate(highest=Max("number"))["highest"]
    return (Delivery.Kind.ALERT, 0) if highest is None else (Delivery.Kind.REPEAT, highest + 1)


def finish_planning(told_of: Sequence[Kept], told: Mapping[int, set[int]], *, at: datetime.datetime) -> None:
    """Has those channels told too that no message has reached yet, because they were not to be disturbed, say. What was
    told to nobody is planned as any other new alert."""
    if not told_of:
        return
    rules, plans = rules_in_use(), dict[int, ChannelPlan]()
    for row in told_of:
        for channel_id, wish in wishes_of(row.alert, rules).items():
            if channel_id not in told[row.alert.pk]:
                add(plans, channel_id, row.alert, Delivery.Kind.ALERT, wish, at=at)
    write(plans, lock_gathering(), at=at)
    Alert.objects.filter(pk__in=[row.alert.pk for row in told_of]).update(dispatched_at=at)
