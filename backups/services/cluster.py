"""The cluster's events in the tables, and what people are told of it: an alert when something begins, which is closed
when it has ended, and one that says who leads."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backups.cluster.changes import BEGINS, MEMBER, kind_of
from backups.cluster.events import Event, EventKind, read_events
from backups.cluster.sentences import sentence_of
from backups.cluster.watched import Trouble, Watched, read_watched
from backups.engine.repository import Repository
from backups.models import ClusterEvent
from backups.services.index import write
from monitoring.selectors import open_alerts
from monitoring.services.alerts import AlertText, notify_many, resolve

# Nothing can be saved; somebody less is there to take over; somebody else leads.
DOWN, WEAK, LEADS = "backups.cluster_down", "backups.cluster_weak", "backups.cluster_leader"
EVENT_OF = {
    EventKind.LEADER_LOST: DOWN,
    EventKind.UNREACHABLE: DOWN,
    EventKind.MEMBER_LOST: WEAK,
    EventKind.SYNC_LOST: WEAK,
    EventKind.PAUSED: WEAK,
}
ABOUT = {kind: about for about, kind in BEGINS.items()}
# What is older is no news: the tables were rebuilt from the folder.
NEWS_FOR = datetime.timedelta(hours=1)
UNWATCHED = "unwatched"
UNWATCHED_AFTER = datetime.timedelta(minutes=1)


def look_after_cluster(*, repository: Repository, now: datetime.datetime) -> list[Event]:
    """Brings the table to what the folder says, opens alerts of what has begun, and closes those of what has ended.
    Returns the events that were new."""
    events = read_events(repository)
    troubles = troubles_of(read_watched(repository), now=now)
    with transaction.atomic():
        known = set(ClusterEvent.objects.values_list("id", flat=True))
        new = [event for event in events if UUID(event.id) not in known]
        if new or len(known) != len(events):
            write(ClusterEvent, {UUID(event.id): row_of(event) for event in events})
        news = [event for event in new if now - event.at < NEWS_FOR]
        tell_who_leads(news)
        open_and_close(news, troubles)
    return new


def row_of(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "kind": event.kind.value,
        "member": event.member[:100],
        "leader": event.leader[:100],
        "timeline": event.timeline,
        "details": event.details,
    }


def tell_who_leads(news: Iterable[Event]) -> None:
    """An alert of each new leader."""
    leaders = [event for event in news if event.kind in (EventKind.LEADER_ELECTED, EventKind.SWITCHOVER)]
    for event in leaders:
        details = {"kind": event.kind.value, "member": event.member, "since": event.at, "details": event.details}
        notify_many(event=LEADS, alerts=[AlertText(event.member, alert_sentence(details), details)])


def open_and_close(news: Iterable[Event], troubles: Mapping[str, Trouble | None]) -> None:
    """What began and ended between two looks is told too."""
    wanted = dict(troubles)
    for event in news:
        if event.kind in ABOUT:
            about = ABOUT[event.kind]
            wanted.setdefault(f"{about}{event.member}" if about == MEMBER else about, trouble_of(event))
    for name in (DOWN, WEAK):
        opened = set(open_alerts().filter(event=name).values_list("subject", flat=True))
        told = {about: one for about, one in wanted.items() if event_of(about) == name and about not in opened}
        notify_many(event=name, alerts=[alert_of(about, one) for about, one in told.items()])
        resolve(event=name, subjects=sorted((opened | set(told)) - set(troubles)))


def trouble_of(event: Event) -> Trouble:
    return Trouble(event.kind, event.at, event.member)


def troubles_of(watched: Watched, *, now: datetime.datetime) -> dict[str, Trouble | None]:
    """What is wrong now, by what it is about; nobody's watching it is one of them."""
    found: dict[str, Trouble | None] = dict(watched.troubles)
    if watched.looked_at is None or now - watched.looked_at > UNWATCHED_AFTER:
        found[UNWATCHED] = None
    return found


def event_of(about: str) -> str:
    return WEAK if about == UNWATCHED else EVENT_OF[BEGINS[kind_of(about)]]


def alert_of(about: str, trouble: Trouble | None) -> AlertText:
    details: dict[str, Any] = {"kind": UNWATCHED}
    if trouble is not None:
        details = {"kind": trouble.kind.value, "member": trouble.member, "since": trouble.since}
    return AlertText(about[:200], alert_sentence(details), details)


def alert_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    if details["kind"] == UNWATCHED:
        return _("Nobody watches the cluster. Start the agent: manage.py backup_agent")
    return sentence_of(EventKind(details["kind"]), member=details["member"], details=details.get("details"))
