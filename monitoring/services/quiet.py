"""When a channel may be disturbed: quiet hours and the limit by the hour."""

import datetime
import zoneinfo

from foundation.shop import current_shop
from monitoring.models import Channel, Delivery
from monitoring.severity import Severity

HOUR = datetime.timedelta(hours=1)
# So much of an hour's messages is kept for critical ones.
KEPT_FOR_CRITICAL = 5


def is_quiet(channel: Channel, *, at: datetime.datetime) -> bool:
    """Whether it is the channel's quiet time, by the wall clock of the shop: over midnight too, and as long as the
    clock says on the days when it is put forward or back."""
    if channel.quiet_from is None or channel.quiet_until is None:
        return False
    clock = at.astimezone(zoneinfo.ZoneInfo(current_shop().time_zone)).time()
    if channel.quiet_from <= channel.quiet_until:
        return channel.quiet_from <= clock < channel.quiet_until
    return clock >= channel.quiet_from or clock < channel.quiet_until


def lets_through(channel: Channel, severity: str) -> bool:
    """Whether something so severe is sent in quiet hours."""
    least = channel.quiet_lets_through
    return bool(least) and Severity(severity).weight >= Severity(least).weight


def may_disturb(channel: Channel, *, at: datetime.datetime) -> bool:
    """Whether the channel's next message may be sent in what may be quiet hours.

    Messages arrive in their order: if one of those that wait may disturb, those before it come along.
    """
    if not is_quiet(channel, at=at):
        return True
    waiting = Delivery.objects.filter(channel=channel, status=Delivery.Status.WAITING, next_attempt_at__lte=at)
    return any(lets_through(channel, severity) for severity in set(waiting.values_list("severity", flat=True)))


def is_within_limit(channel: Channel, severity: str, *, at: datetime.datetime) -> bool:
    """Whether one more message may be sent in the hour that ends now. A fifth of them is kept for critical ones, so
    that a flood of small things never keeps a large one away. Tests do not count."""
    limit = channel.hourly_limit
    if severity != Severity.CRITICAL:
        limit -= limit // KEPT_FOR_CRITICAL
    sent = Delivery.objects.filter(channel=channel, status=Delivery.Status.SENT, sent_at__gt=at - HOUR)
    return sent.exclude(kind=Delivery.Kind.TEST).count() < limit
