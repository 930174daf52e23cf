"""A planned switchover: another node of the cluster takes the lead, because somebody wants it to."""

import datetime
import time

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.cluster.look import Look
from backups.cluster.patroni import Patroni
from backups.cluster.watched import Plan, read_watched, write_plan
from backups.engine.jobs import Job, JobKind, Progress, Result, Stopped, all_jobs, request_job
from backups.engine.repository import Repository, now
from backups.errors import Busy, ClusterSilent, NoAgent, NoCluster, SwitchoverLate
from foundation.errors import InvalidInput

# Who looked that long ago looks no more.
WATCHED_WITHIN = datetime.timedelta(seconds=30)
# It is meant now, not when a long backup is done.
MEANT_FOR = datetime.timedelta(minutes=2)
# After Patroni's word the new leader still has to end its recovery.
LEADS_WITHIN = 30.0
LOOK_EVERY = 0.3

SWITCHING = gettext_noop("another node takes the lead")
logger = structlog.get_logger("backups.cluster")


def request_switchover(*, leader: str, candidate: str, by: str = "", reason: str) -> Job:
    """Has the agent ask Patroni for it, at once. `leader` is who leads as far as the person knows: if that is no longer
    so, nothing is done. Raises NoCluster, InvalidInput, NoAgent, Busy, DiskIsFull, NotWritable."""
    if not settings.PATRONI_URLS:
        raise NoCluster
    if not candidate or candidate == leader:
        raise InvalidInput.at("candidate", _("Choose one that does not lead yet."))
    if not reason.strip():
        raise InvalidInput.at("reason", _("Say why."))
    repository = Repository.of_the_shop()
    if not is_watched(repository, at=timezone.now()):
        raise NoAgent
    for job in all_jobs(repository):
        if not job.has_ended:
            # Its connection to the leader would be cut.
            raise Busy(job.label.capitalize())
    return request_job(
        repository,
        JobKind.SWITCH_OVER,
        arguments={"leader": leader, "candidate": candidate},
        by=by,
        reason=reason.strip(),
    )


def is_watched(repository: Repository, *, at: datetime.datetime) -> bool:
    """Whether an agent has looked at the cluster lately."""
    looked_at = read_watched(repository).looked_at
    return looked_at is not None and at - looked_at < WATCHED_WITHIN


def switch_over(repository: Repository, job: Job, progress: Progress, is_stopped: Stopped) -> Result:
    """Asks Patroni, and waits until the other one leads. Raises SwitchoverRefused, SwitchoverLate, ClusterSilent."""
    if now() - job.requested_at > MEANT_FOR:
        raise SwitchoverLate(_("It was asked for too long ago. Look who leads, and ask again if it is still wanted."))
    leader, candidate = job.arguments["leader"], job.arguments["candidate"]
    logger.info("switchover_begins", leader=leader, candidate=candidate, by=job.by, reason=job.reason)
    progress(SWITCHING, None)
    plan = Plan(leader, candidate, job.by, job.reason, began_at=now())
    write_plan(repository, plan)
    try:
        look, words = carried_out(Patroni.of_the_shop(), leader=leader, candidate=candidate)
    finally:
        write_plan(repository, Plan(leader, candidate, job.by, job.reason, plan.began_at, ended_at=now()))
    name = look.leading.name if look.leading else ""
    logger.info("switchover_ended", leader=name, before=leader, by=job.by, reason=job.reason, words=words)
    return {"leader": name, "before": leader, "words": words}


def carried_out(patroni: Patroni, *, leader: str, candidate: str) -> tuple[Look, str]:
    """The look at which another one leads, and Patroni's words. Raises SwitchoverRefused, SwitchoverLate,
    ClusterSilent."""
    unsaid: ClusterSilent | None = None
    words = ""
    try:
        words = patroni.switch_over(leader=leader, candidate=candidate)
    except ClusterSilent as error:
        # The answer may have been lost on its way: who leads tells.
        unsaid = error
    deadline = time.monotonic() + LEADS_WITHIN
    while True:
        look = patroni.look()
        if look.leading is not None and look.leading.name != leader:
            return look, words
        if unsaid is not None and look.is_silent:
            raise unsaid
        if time.monotonic() > deadline:
            break
        time.sleep(LOOK_EVERY)
    raise unsaid or SwitchoverLate(
        _("Patroni says “%(words)s”, but nobody leads yet. Look at the page of the cluster.") % {"words": words}
    )
