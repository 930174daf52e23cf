"""What Patroni 4.1.5 answered, of a cluster of three nodes (ttl 20, loop_wait 5, retry_timeout 5, synchronous_mode on,
PostgreSQL 18), while things were done to it.

`recordings/steady.json` holds whole answers; the others what changed from one moment to the next, without places in
the WAL and clocks. `None` is no answer.
"""

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backups.cluster.changes import what_happened
from backups.cluster.events import Event
from backups.cluster.look import Look, Own, put_together
from backups.cluster.watched import Plan, Watched

FOLDER = Path(__file__).parent / "recordings"
BEGAN = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
NODES = ("node1", "node2", "node3")
SYNCHRONOUS = {"synchronous_mode": True}
# What Patroni says in words, and with which status: of a switchover.
SWITCHED = (200, 'Successfully switched over to "{candidate}"')
REFUSALS = {
    "no account": (401, "no auth header received"),
    "wrong password": (401, "not authenticated"),
    "another leads": (412, "leader name does not match"),
    "not synchronous": (412, "candidate name does not match with sync_standby"),
    "alone": (412, "switchover is not possible: can not find sync_standby"),
}


def recording(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def after(seconds: float) -> datetime.datetime:
    """So many seconds after the recording began."""
    return BEGAN + datetime.timedelta(seconds=seconds)


def frames(name: str) -> Iterator[tuple[float, dict[str, Any]]]:
    """A second after the other, and what was answered then."""
    kept = recording(name)
    for second in range(int(kept[-1]["at"]) + 1):
        yield float(second), next(frame for frame in reversed(kept) if frame["at"] <= second)


def look_of(frame: dict[str, Any], *, at: datetime.datetime, names: dict[str, str] | None = None) -> Look:
    owns = [Own(f"http://{node}:8008", frame["patroni"][node]) for node in NODES]
    config = SYNCHRONOUS if frame["cluster"] else None
    return put_together(owns, at=at, cluster=frame["cluster"], config=config, names=names)


@dataclass
class Replayed:
    """What the watch made of a recording: the seconds of each event and its name, and what it remembers at the end."""

    events: list[Event] = field(default_factory=list)
    watched: Watched = field(default_factory=Watched)

    @property
    def told(self) -> list[tuple[float, str, str]]:
        return [((event.at - BEGAN).total_seconds(), event.kind.value, event.member) for event in self.events]


def replay(name: str, *, plan: Plan | None = None, until: float = 1000.0) -> Replayed:
    """Looks at a recording once a second."""
    replayed = Replayed()
    for second, frame in frames(name):
        if second <= until:
            look = look_of(frame, at=after(second), names=replayed.watched.names)
            replayed.watched, events = what_happened(replayed.watched, look, plan=plan)
            replayed.events += events
    return replayed
