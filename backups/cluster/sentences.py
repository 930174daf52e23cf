"""What happened to the cluster, in words, in the reader's language."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.cluster.events import EventKind
from foundation.moments import span

SENTENCES = {
    EventKind.LEADER_LOST: gettext_noop("%(member)s, which led the cluster, is lost: nothing can be saved."),
    EventKind.LEADER_ELECTED: gettext_noop("%(member)s leads the cluster."),
    EventKind.SWITCHOVER: gettext_noop("%(member)s has taken the lead from %(before)s, as planned."),
    EventKind.MEMBER_LOST: gettext_noop(
        "The node %(member)s is lost: its server does not run or does not follow the leader, or its Patroni does not "
        "answer."
    ),
    EventKind.MEMBER_BACK: gettext_noop("The node %(member)s is back."),
    EventKind.SYNC_LOST: gettext_noop(
        "No standby confirms what is saved: if the leader is lost now, nobody takes its place without losing something."
    ),
    EventKind.SYNC_BACK: gettext_noop("A standby confirms what is saved again."),
    EventKind.PAUSED: gettext_noop("Patroni is paused: if the leader is lost now, nobody takes its place."),
    EventKind.RESUMED: gettext_noop("Patroni looks after the cluster again."),
    EventKind.UNREACHABLE: gettext_noop("No Patroni of the cluster answers: nobody knows how it stands."),
    EventKind.REACHABLE: gettext_noop("Patroni answers again."),
}
NOBODY = gettext_noop("Nobody leads the cluster: nothing can be saved.")
AGAIN = gettext_noop("%(member)s leads the cluster again.")
INSTEAD = gettext_noop("%(member)s leads the cluster in the place of %(before)s.")
UNSAVED = gettext_noop("For %(length)s nothing could be saved.")
LASTED = gettext_noop("It lasted %(length)s.")
# Shorter ones are told in seconds, and tenths of them.
A_WHILE = datetime.timedelta(minutes=2)


def sentence_of(kind: EventKind, *, member: str = "", details: Mapping[str, Any] | None = None) -> str:
    """What happened, to whom, and how long it lasted."""
    values = {"before": "", **(details or {}), "member": member}
    before = values["before"]
    said = SENTENCES[kind]
    if kind == EventKind.LEADER_LOST and not member:
        said = NOBODY
    if kind == EventKind.LEADER_ELECTED and before:
        said = AGAIN if before == member else INSTEAD
    sentences = [_(said) % values]
    if values.get("seconds") is not None:
        has_new_leader = kind in (EventKind.LEADER_ELECTED, EventKind.SWITCHOVER)
        sentences.append(_(UNSAVED if has_new_leader else LASTED) % {"length": length_of(values["seconds"])})
    return " ".join(sentences)


def length_of(seconds: float) -> str:
    length = datetime.timedelta(seconds=seconds)
    return span(length) if length >= A_WHILE else _("%(seconds)s s") % {"seconds": f"{seconds:.1f}"}
