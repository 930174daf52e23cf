"""What a message says: its title, its lines, and what programs read of it, in the channel's language and by the
clock of the shop."""

import datetime
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.utils import timezone, translation
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.shop import current_shop
from monitoring.models import Alert, Channel, Delivery, DeliveryAlert
from monitoring.registry import events
from monitoring.severity import Severity

logger = structlog.get_logger(__name__)

# Lines of one message for people, and how long each may be if there are several.
LINES = 20
LINE_LENGTH = 300
# Alerts of one message for programs.
ALERTS_OF_DATA = 500
# Parts that are read to write a message: of more, the newest.
PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """What a message says of one subject: the last that is known of it, and how often it happened.

    `is_over`: it is back to normal. `is_known`: the reader has heard of it before.
    """

    alert: Alert
    count: int
    since: datetime.datetime
    is_over: bool
    is_known: bool

    @property
    def weight(self) -> int:
        return Severity(self.alert.severity).weight


def render(delivery: Delivery, *, channel: Channel, at: datetime.datetime) -> bool:
    """Gives a message its words, on the locked row; the caller saves it. False if there is nothing to say.

    An alert that is over by now is said to be over, and its end is not told again.
    """
    # Alerts are read by their ids: a join is planned badly just after a flood, when the statistics are of before.
    rows = DeliveryAlert.objects.filter(delivery=delivery).prefetch_related("alert").order_by("-pk")
    parts = list(rows[:PARTS])[::-1]
    if not parts:
        return False
    over = [part for part in parts if part.alert.resolved_at is not None and part.kind != Delivery.Kind.RESOLUTION]
    for part in over:
        part.tells_resolution = True
    # What ends only now is told to be over by another message: no part says so.
    DeliveryAlert.objects.filter(pk__in=[part.pk for part in over]).update(tells_resolution=True)
    number = len(parts) if len(parts) < PARTS else DeliveryAlert.objects.filter(delivery=delivery).count()
    lines = lines_of(parts)
    zone = zoneinfo.ZoneInfo(current_shop().time_zone)
    with translation.override(channel.language), timezone.override(zone):
        delivery.title = title_of(lines)
        delivery.text = text_of(lines, at=at)
        delivery.data = data_of(parts, number=number)
    delivery.number = number
    delivery.rendered_at = at
    return True


def lines_of(parts: Sequence[DeliveryAlert]) -> list[Line]:
    """One line for each subject: what is wrong first, the worst above, then what is over."""
    lines: dict[tuple[str, str], Line] = {}
    for part in parts:
        alert, is_end = part.alert, part.kind == Delivery.Kind.RESOLUTION
        key = alert.event, alert.subject
        known = lines.get(key)
        has_been_counted = known is not None and known.alert.pk == alert.pk
        earlier = known.count - (known.alert.count if has_been_counted else 0) if known else 0
        lines[key] = Line(
            alert=alert,
            count=earlier + alert.count,
            since=min(known.since, alert.created_at) if known else alert.created_at,
            is_over=is_end or part.tells_resolution,
            is_known=is_end or part.kind == Delivery.Kind.REPEAT,
        )
    return sorted(lines.values(), key=lambda line: (line.is_over, -line.weight))


def title_of(lines: Sequence[Line]) -> str:
    """A few words: what it is about, and which shop says it."""
    if len(lines) == 1:
        headline = title_of_one(lines[0])
    else:
        wrong = sum(not line.is_over for line in lines)
        over = len(lines) - wrong
        said = []
        if wrong:
            said.append(ngettext("%(count)s alert", "%(count)s alerts", wrong) % {"count": number_of(wrong)})
        if over:
            said.append(
                ngettext("%(count)s back to normal", "%(count)s back to normal", over) % {"count": number_of(over)}
            )
        headline = ", ".join(said)
    return f"{headline} – {current_shop().name}"


def title_of_one(line: Line) -> str:
    event = title_of_event(line.alert)
    if line.is_over and not is_news(line.alert):
        return _("Back to normal: %(event)s") % {"event": event}
    if line.is_known:
        return _("Still open: %(event)s") % {"event": event}
    severity = str(Severity(line.alert.severity).label)
    return f"{severity[:1].upper()}{severity[1:]}: {event}"


def text_of(lines: Sequence[Line], *, at: datetime.datetime) -> str:
    if len(lines) == 1:
        return sentence_of(lines[0], at=at)
    said = [f"• {sentence_of(line, at=at, longest=LINE_LENGTH)}" for line in lines[:LINES]]
    more = len(lines) - LINES
    if more > 0:
        said.append(ngettext("… and %(count)s more.", "… and %(count)s more.", more) % {"count": number_of(more)})
    return "\n".join(said)


def sentence_of(line: Line, *, at: datetime.datetime, longest: int | None = None) -> str:
    """What one line says. `longest`: characters of the alert's own text."""
    alert = line.alert
    text = words_of(alert)
    if longest is not None and len(text) > longest:
        text = f"{text[: longest - 1]}…"
    is_over = line.is_over and not is_news(alert)
    values = {"text": text, "count": number_of(line.count), "time": clock(line.since, at=at)}
    if is_over:
        values["duration"] = duration_of((alert.resolved_at or at) - alert.created_at)
    times = ""
    if line.is_known:
        form = _("Back to normal after %(duration)s: %(text)s") if is_over else _("Still open since %(time)s: %(text)s")
        sentence = form % values
        if line.count > 1:
            times = ngettext("(%(count)s time)", "(%(count)s times)", line.count) % values
    else:
        sentence = text
        if line.count > 1:
            times = ngettext("(%(count)s time since %(time)s)", "(%(count)s times since %(time)s)", line.count) % values
    said = " ".join(filter(None, (sentence, times)))
    if not is_over or line.is_known:
        return said
    stop = "" if said.endswith((".", "!", "?", "…")) else "."
    return f"{said}{stop} " + _("Back to normal after %(duration)s.") % values


def data_of(parts: Sequence[DeliveryAlert], *, number: int) -> dict[str, Any]:
    """What programs read: every alert by itself, in the order in which they were planned."""
    kept = parts[-ALERTS_OF_DATA:]
    return {
        "shop": current_shop().name,
        "number": number,
        "left_out": number - len(kept),
        "alerts": [
            {
                "id": part.alert_id,
                "kind": part.kind,
                "event": part.alert.event,
                "subject": part.alert.subject,
                "severity": part.alert.severity,
                "text": words_of(part.alert),
                "count": part.alert.count,
                "since": part.alert.created_at.isoformat(),
                "last_seen_at": part.alert.last_seen_at.isoformat(),
                "resolved_at": ended.isoformat() if (ended := end_of(part)) else None,
            }
            for part in kept
        ],
    }


def end_of(part: DeliveryAlert) -> datetime.datetime | None:
    """When the alert was over, if the message says so."""
    if part.tells_resolution or part.kind == Delivery.Kind.RESOLUTION:
        return part.alert.resolved_at
    return None


def words_of(alert: Alert) -> str:
    """Its sentence. One that can't be told in the reader's language is told as it was written: a fault in an app's
    words must not keep a message back."""
    try:
        return str(alert.text)
    except Exception:
        logger.exception("words_failed", alert=alert.pk, name=alert.event)
        return alert.message


def is_news(alert: Alert) -> bool:
    """Whether it was over once it was told (see Event.is_news): nothing goes back to normal."""
    return alert.resolved_at == alert.created_at


def title_of_event(alert: Alert) -> str:
    # Of an app that is gone, the name is all that is left.
    registered = events.entries.get(alert.event)
    return str(registered.title) if registered else alert.event


def number_of(number: int) -> str:
    """With the language's own separators: 10,000."""
    return number_format(number, use_l10n=True, force_grouping=True)


def clock(moment: datetime.datetime, *, at: datetime.datetime) -> str:
    """The time of day, with the date if it was another day."""
    local, now = timezone.localtime(moment), timezone.localtime(at)
    return date_format(local, "H:i" if local.date() == now.date() else "j E H:i")


def duration_of(span: datetime.timedelta) -> str:
    """For people, in two units at most: 45 s, 14 min, 3 h 5 min, 2 d 3 h."""
    seconds = max(0, int(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if not minutes:
        return _("%(seconds)d s") % {"seconds": seconds}
    if not hours:
        return _("%(minutes)d min") % {"minutes": minutes}
    if not days:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes % 60}
    return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours % 24}
