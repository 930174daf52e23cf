"""The watch over a cluster: looks every second, and writes down what has happened. A thread of the agent."""

import datetime
import time
from collections.abc import Callable

import structlog

from backups.cluster.changes import what_happened
from backups.cluster.events import Event, write_events
from backups.cluster.patroni import Patroni
from backups.cluster.watched import Watched, read_plan, read_watched, write_watched
from backups.engine.repository import Repository
from backups.errors import BackupFailed

LOOK_EVERY = 1.0
# Without news the file is written so often: it says that somebody watches.
WRITE_EVERY = datetime.timedelta(seconds=5)

logger = structlog.get_logger("backups.cluster")


class ClusterWatch:
    """Watches the cluster of these addresses, and writes into this repository."""

    def __init__(self, repository: Repository, patroni: Patroni) -> None:
        self.repository, self.patroni = repository, patroni
        self.watched = read_watched(repository)
        # What the file says: without news it is not written at every look.
        self.written = self.watched
        # Told, and not written down yet: the disk may be full.
        self.unwritten: list[Event] = []

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """Looks until it is stopped. Nothing ends it before: whoever watches has to outlive what it watches."""
        while not is_stopped():
            began = time.monotonic()
            try:
                self.look()
            except Exception:
                logger.exception("cluster_watch_failed")
            while not is_stopped() and time.monotonic() - began < LOOK_EVERY:
                time.sleep(LOOK_EVERY / 10)

    def look(self) -> list[Event]:
        """One look. Returns what has happened since the one before."""
        look = self.patroni.look(names=self.watched.names)
        self.watched, events = what_happened(self.watched, look, plan=read_plan(self.repository))
        for event in events:
            logger.warning(
                "cluster_event",
                kind=event.kind,
                member=event.member,
                leader=event.leader,
                timeline=event.timeline,
                happened_at=event.at.isoformat(),
                **event.details,
            )
        self.unwritten += events
        self.write()
        return events

    def write(self) -> None:
        """The events first: who reads that something is wrong finds what it was."""
        try:
            write_events(self.repository, self.unwritten)
            self.unwritten = []
            if self.has_news():
                write_watched(self.repository, self.watched)
                self.written = self.watched
        except BackupFailed as error:
            logger.warning("cluster_events_not_written", reason=str(error), waiting=len(self.unwritten))

    def has_news(self) -> bool:
        def lasting(watched: Watched) -> tuple[object, ...]:
            return watched.leader, watched.timeline, watched.members, watched.doubts, watched.troubles

        before, at = self.written.looked_at, self.watched.looked_at
        is_old = before is None or at is None or at - before >= WRITE_EVERY
        return is_old or lasting(self.written) != lasting(self.watched)
