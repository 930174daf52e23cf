"""What has happened between two looks at a cluster. Pure: the clock is that of the looks."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from backups.cluster.events import Event, EventKind
from backups.cluster.look import Look
from backups.cluster.watched import Plan, Trouble, Watched

SECOND = datetime.timedelta(seconds=1)
LEADER, SYNC, PAUSE, SILENCE, MEMBER = "leader", "sync", "pause", "silence", "member:"
# So long something has to last before it is told. A second look confirms that nobody leads; a standby that restarts,
# and the choice of another one to be synchronous, take a few seconds after each change of the leader.
GRACE = {LEADER: 0.5 * SECOND, SYNC: 15 * SECOND, PAUSE: 0 * SECOND, SILENCE: 5 * SECOND, MEMBER: 10 * SECOND}
# In a planned switchover nobody leads for some seconds: only after these is it a failure.
PLANNED_GRACE = 30 * SECOND
# A plan whose process was killed counts no longer.
PLAN_LASTS = 60 * SECOND

BEGINS = {
    LEADER: EventKind.LEADER_LOST,
    SYNC: EventKind.SYNC_LOST,
    PAUSE: EventKind.PAUSED,
    SILENCE: EventKind.UNREACHABLE,
    MEMBER: EventKind.MEMBER_LOST,
}
ENDS = {
    SYNC: EventKind.SYNC_BACK,
    PAUSE: EventKind.RESUMED,
    SILENCE: EventKind.REACHABLE,
    MEMBER: EventKind.MEMBER_BACK,
}


def kind_of(about: str) -> str:
    """ "member:node1" is of the kind "member:"."""
    return MEMBER if about.startswith(MEMBER) else about


@dataclass(slots=True)
class Changes:
    """Goes from one look to the next."""

    watched: Watched
    look: Look
    plan: Plan | None
    events: list[Event]

    def settle(self) -> None:
        """Compares, and remembers what it has to."""
        if self.look.is_silent:
            self.judge(SILENCE, is_wrong=True)
        else:
            self.judge(SILENCE, is_wrong=False)
            self.meet_members()
            self.judge_leader()
            self.judge_others()
        self.watched = replace(self.watched, looked_at=self.look.at)

    # --- who there is -----------------------------------------------------------------------------------

    def meet_members(self) -> None:
        """Nodes come, get a name, and are forgotten once nobody names them any more."""
        members = dict(self.watched.members)
        here = {node.name: node for node in self.look.nodes}
        for name, url in list(members.items()):
            # Each address that the settings name is a node of the look: one with an address was renamed, or taken out
            # of the settings. Without an address only the cluster knew it.
            if name not in here and (url or self.look.is_agreed):
                del members[name]
                self.drop(f"{MEMBER}{name}")
        members |= {name: node.url if node.is_asked else "" for name, node in here.items()}
        lags = {name: node.lag for name, node in here.items() if node.lag is not None and not node.is_leader}
        self.watched = replace(self.watched, members=members, lags=lags)

    def drop(self, about: str) -> None:
        """Forgets what was wrong, without a word."""
        doubts, troubles = dict(self.watched.doubts), dict(self.watched.troubles)
        doubts.pop(about, None)
        troubles.pop(about, None)
        self.watched = replace(self.watched, doubts=doubts, troubles=troubles)

    # --- what is wrong ----------------------------------------------------------------------------------

    def judge_leader(self) -> None:
        leading = self.look.leading
        if leading is None:
            self.judge(LEADER, is_wrong=True, grace=PLANNED_GRACE if self.is_planned(self.look.at) else GRACE[LEADER])
            return
        before, trouble = self.watched.leader, self.watched.troubles.get(LEADER)
        doubted = self.watched.doubts.get(LEADER)
        timeline = leading.timeline or self.watched.timeline
        since = trouble.since if trouble else doubted
        has_changed = leading.name != before
        if trouble or (has_changed and before):
            plan = self.plan if has_changed and trouble is None and self.is_planned(since or self.look.at) else None
            if has_changed and doubted and trouble is None and plan is None:
                # It was seen once only that nobody led, and then somebody else did.
                self.tell(EventKind.LEADER_LOST, at=doubted, member=before, leader=before)
            details: dict[str, Any] = {"before": before} if before else {}
            if since is not None:
                details["seconds"] = seconds(since, self.look.at)
            if plan is not None:
                details |= {"by": plan.by, "reason": plan.reason}
            kind = EventKind.LEADER_ELECTED if plan is None else EventKind.SWITCHOVER
            self.tell(kind, member=leading.name, leader=leading.name, timeline=timeline, details=details)
        self.drop(LEADER)
        self.watched = replace(self.watched, leader=leading.name, timeline=timeline)

    def is_planned(self, at: datetime.datetime) -> bool:
        """Whether somebody has asked for a switchover that may be what happens at this moment."""
        if self.plan is None or self.plan.leader != self.watched.leader:
            return False
        ends_at = self.plan.ended_at + PLANNED_GRACE if self.plan.ended_at else self.plan.began_at + PLAN_LASTS
        return self.plan.began_at - SECOND <= at <= ends_at

    def judge_others(self) -> None:
        look = self.look
        if look.is_in_synchronous_mode is False:
            # Nobody asks for it any more.
            self.drop(SYNC)
        elif look.is_in_synchronous_mode and look.leading is not None:
            # Patroni's word counts: while it names one that is dead, nothing is acknowledged.
            self.judge(SYNC, is_wrong=not any(node.is_synchronous for node in look.nodes))
        self.judge(PAUSE, is_wrong=look.is_paused)
        here = {node.name: node for node in look.nodes}
        for name in self.watched.members:
            node = here.get(name)
            # Of one that is not asked, only the others know; while they can't be asked, nobody does.
            if node is None and not look.is_agreed:
                continue
            # While nobody leads there is nobody to follow.
            is_right = node is not None and (node.is_there if look.leading is None else node.is_well)
            self.judge(f"{MEMBER}{name}", is_wrong=not is_right, member=name)

    def judge(self, about: str, *, is_wrong: bool, member: str = "", grace: datetime.timedelta | None = None) -> None:
        """Tells that something began, once it has lasted long enough, and that it has ended."""
        kind, at = kind_of(about), self.look.at
        doubts, troubles = dict(self.watched.doubts), dict(self.watched.troubles)
        told = troubles.get(about)
        if not is_wrong:
            doubts.pop(about, None)
            if told is not None:
                del troubles[about]
                self.tell(ENDS[kind], member=member, details={"seconds": seconds(told.since, at)})
        elif told is None:
            since = doubts.setdefault(about, at)
            if at - since >= (GRACE[kind] if grace is None else grace):
                del doubts[about]
                member = self.watched.leader if about == LEADER else member
                troubles[about] = Trouble(BEGINS[kind], since, member)
                self.tell(BEGINS[kind], at=since, member=member)
        self.watched = replace(self.watched, doubts=doubts, troubles=troubles)

    def tell(
        self,
        kind: EventKind,
        *,
        at: datetime.datetime | None = None,
        member: str = "",
        leader: str | None = None,
        timeline: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        self.events.append(
            Event(
                kind,
                at or self.look.at,
                member=member,
                leader=self.watched.leader if leader is None else leader,
                timeline=timeline or self.watched.timeline,
                details=dict(details or {}),
            )
        )


def seconds(since: datetime.datetime, until: datetime.datetime) -> float:
    return round((until - since).total_seconds(), 1)


def what_happened(watched: Watched, look: Look, *, plan: Plan | None = None) -> tuple[Watched, list[Event]]:
    """What is to be remembered after this look, and what has happened since the one before it."""
    changes = Changes(watched, look, plan, [])
    changes.settle()
    return changes.watched, changes.events
