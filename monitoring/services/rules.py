"""Alert rules: added, changed, deleted."""

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.services.records import check_record
from monitoring.locks import lock_rule
from monitoring.models import AlertRule, Channel
from monitoring.registry import events

# What may be changed of a rule, besides its channels.
CHANGEABLE = ("name", "events", "severity", "group_seconds", "repeat_minutes", "tells_resolution", "is_enabled")


@transaction.atomic
def add_rule(*, channel_ids: Collection[int], at: datetime.datetime, **settings: Any) -> AlertRule:
    """Adds a rule; `settings` are fields of CHANGEABLE, of which the name is needed. It counts for what happens from
    now on. Raises InvalidInput at the fields."""
    refuse_other_settings(settings)
    rule = AlertRule(created_at=at, updated_at=at, **settings)
    check_events(rule.events, known=[])
    check_record(rule)
    rule.save(force_insert=True)
    rule.channels.set(known_channels(channel_ids))
    return rule


@transaction.atomic
def change_rule(
    *,
    rule_id: int,
    changes: Mapping[str, Any],
    channel_ids: Collection[int] | None = None,
    at: datetime.datetime,
) -> AlertRule:
    """Changes these fields of a rule (see CHANGEABLE), and its channels if some are given.

    Raises UnknownRule, and InvalidInput at the fields.
    """
    refuse_other_settings(changes)
    rule = lock_rule(rule_id)
    # An event of an app that is gone may stay.
    known = list(rule.events)
    for name, value in changes.items():
        setattr(rule, name, value)
    if "events" in changes:
        check_events(rule.events, known=known)
    check_record(rule)
    rule.updated_at = at
    rule.save(update_fields=[*changes, "updated_at"])
    if channel_ids is not None:
        rule.channels.set(known_channels(channel_ids))
    return rule


@transaction.atomic
def delete_rule(*, rule_id: int) -> AlertRule:
    """Deletes a rule and returns it as it was: what was planned by it is still sent. Raises UnknownRule."""
    rule = lock_rule(rule_id)
    # A copy is what the caller gets: deleting takes the primary key away.
    AlertRule.objects.filter(pk=rule_id).delete()
    return rule


def check_events(names: Any, *, known: Sequence[str]) -> None:
    """Raises InvalidInput at `events` for a name under which nobody has registered an event."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidInput.at("events", _("Events are a list of names."))
    if unknown := [name for name in names if name not in events.entries and name not in known]:
        raise InvalidInput.at("events", _("There is no event called %(names)s.") % {"names": ", ".join(unknown)})


def known_channels(channel_ids: Collection[int]) -> list[Channel]:
    """Raises InvalidInput at `channels` if one of them is none."""
    found = list(Channel.objects.filter(pk__in=channel_ids).defer(*Channel.SEALED))
    if missing := sorted(set(channel_ids) - {channel.pk for channel in found}):
        names = ", ".join(str(channel_id) for channel_id in missing)
        raise InvalidInput.at("channels", _("There is no channel with the id %(id)s.") % {"id": names})
    return found


def refuse_other_settings(settings: Mapping[str, Any]) -> None:
    """What is no field that anybody may set is a mistake of the caller's, not of the person."""
    if unknown := sorted(set(settings) - set(CHANGEABLE)):
        raise TypeError(f"No setting of a rule: {', '.join(unknown)}")
