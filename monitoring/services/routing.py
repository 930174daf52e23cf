"""Which channels are told of which alerts: the rules, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from monitoring.models import Alert, AlertRule, Channel
from monitoring.own_events import ABOUT_CHANNELS
from monitoring.severity import Severity


@dataclass(frozen=True, slots=True)
class Wish:
    """How a channel wants to be told of an alert: what its rules say together."""

    group_seconds: int
    repeat_minutes: int | None
    tells_resolution: bool

    def joined(self, other: "Wish") -> "Wish":
        """Both wishes as one: the sooner, the more often, and whatever one of them wants told."""
        intervals = [minutes for minutes in (self.repeat_minutes, other.repeat_minutes) if minutes is not None]
        return Wish(
            group_seconds=min(self.group_seconds, other.group_seconds),
            repeat_minutes=min(intervals, default=None),
            tells_resolution=self.tells_resolution or other.tells_resolution,
        )


@dataclass(frozen=True, slots=True)
class RuleInUse:
    """A rule that is enabled, with the ids of its channels that are."""

    events: frozenset[str]
    weight: int
    channel_ids: tuple[int, ...]
    wish: Wish

    def fits(self, alert: Alert) -> bool:
        return (not self.events or alert.event in self.events) and Severity(alert.severity).weight >= self.weight


def rules_in_use() -> list[RuleInUse]:
    """The rules that are enabled and lead somewhere, in two queries. Channels for customers get no alerts."""
    channels = Channel.objects.filter(is_enabled=True, for_customers=False).only("pk").order_by("pk")
    rules = AlertRule.objects.filter(is_enabled=True).order_by("pk").prefetch_related(Prefetch("channels", channels))
    found = [
        RuleInUse(
            events=frozenset(rule.events),
            weight=Severity(rule.severity).weight,
            channel_ids=tuple(channel.pk for channel in rule.channels.all()),
            wish=Wish(rule.group_seconds, rule.repeat_minutes, rule.tells_resolution),
        )
        for rule in rules
    ]
    return [rule for rule in found if rule.channel_ids]


def wishes_of(alert: Alert, rules: Sequence[RuleInUse]) -> Mapping[int, Wish]:
    """The channels that are told of this alert, and how."""
    wishes: dict[int, Wish] = {}
    for rule in rules:
        if not rule.fits(alert):
            continue
        for channel_id in rule.channel_ids:
            if is_about(alert, channel_id):
                continue
            known = wishes.get(channel_id)
            wishes[channel_id] = rule.wish if known is None else known.joined(rule.wish)
    return wishes


def is_about(alert: Alert, channel_id: int) -> bool:
    """Whether the alert says that this very channel takes nothing."""
    return alert.event in ABOUT_CHANNELS and alert.details.get("channel_id") == channel_id
