"""What is asked about the cluster: of Patroni itself, and of what the watch has written down. No database is asked."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from backups.cluster.look import Look
from backups.cluster.patroni import Patroni, Turn
from backups.cluster.watched import read_watched
from backups.engine.jobs import Job, JobKind, JobStatus, all_jobs
from backups.engine.repository import Repository
from backups.errors import ClusterSilent
from backups.services.cluster import alert_of, troubles_of
from backups.services.switchover import is_watched

# A switchover that failed is shown for so long.
FAILURE_SHOWS = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ClusterOverview:
    """The cluster now, its timelines (the newest first), what the watch finds wrong, and the last switchover that is
    under way or has failed."""

    look: Look
    history: Sequence[Turn]
    troubles: Sequence[str]
    is_watched: bool
    switchover: Job | None


def has_cluster(request: Any = None) -> bool:
    """Whether the settings name one."""
    return bool(settings.PATRONI_URLS)


def cluster_overview() -> ClusterOverview | None:
    """Asks Patroni, so it must not be called in a transaction; None where there is no cluster."""
    if not has_cluster():
        return None
    repository, at = Repository.of_the_shop(), timezone.now()
    watched = read_watched(repository)
    patroni = Patroni.of_the_shop()
    look = patroni.look(names=watched.names)
    try:
        history = patroni.history([node.url for node in look.nodes if node.answers])
    except ClusterSilent:
        history = []
    return ClusterOverview(
        look=look,
        history=history,
        troubles=[alert_of(about, one).message for about, one in sorted(troubles_of(watched, now=at).items())],
        is_watched=is_watched(repository, at=at),
        switchover=last_switchover(repository, at=at),
    )


def last_switchover(repository: Repository, *, at: datetime.datetime) -> Job | None:
    """The newest one, if it is under way or has failed lately."""
    jobs = [job for job in all_jobs(repository) if job.kind == JobKind.SWITCH_OVER]
    if not jobs:
        return None
    newest = jobs[-1]
    has_failed = newest.status == JobStatus.FAILED and at - newest.requested_at < FAILURE_SHOWS
    return newest if has_failed or not newest.has_ended else None
