"""What people are told about backups without looking: an alert opens when something begins, and is closed when it has
ended."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine.jobs import Job, JobKind, JobStatus, all_jobs
from backups.engine.manifest import Kind
from backups.engine.places import SENT
from backups.engine.receiver_state import receiver_state
from backups.engine.repository import Repository
from backups.models import Backup
from backups.services.index import refresh_index
from monitoring.models import Alert
from monitoring.services.alerts import AlertText, notify_many
from monitoring.services.standing import tell_what_stands

EVENT = "backups.trouble"
DONE = "backups.done"
# What is older is no news: the tables were rebuilt from the folder.
NEWS_FOR = datetime.timedelta(hours=1)
# A daily backup that is missing for a day and a half was forgotten by somebody.
OLD_AFTER = datetime.timedelta(hours=36)
# One is proved every Sunday.
UNPROVED_AFTER = datetime.timedelta(days=15)
# An alert's subject has room for 200 characters.
LONGEST_ABOUT = 150

SENTENCES = {
    "backup_failed": gettext_noop("The last %(what)s backup failed: %(reason)s"),
    "drill_failed": gettext_noop("The last drill failed, so no backup is proved: %(reason)s"),
    "wal_damaged": gettext_noop("The WAL that was received has %(number)s faults: %(reason)s"),
    "wal_not_received": gettext_noop("The WAL is not received: nothing after the last backup can be recovered."),
    "copy_failed": gettext_noop("The newest backup is not in %(place)s: %(reason)s"),
    "backup_old": gettext_noop("The newest %(what)s backup is of %(at)s."),
    "unproved": gettext_noop("No backup was restored for proof since %(at)s."),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about backups that somebody has to see to; `details` fill the sentence of its kind."""

    kind: str
    details: Mapping[str, Any]
    about: str = ""

    @property
    def subject(self) -> str:
        return f"{self.kind}:{self.about}" if self.about else self.kind

    @property
    def sentence(self) -> str:
        return trouble_sentence({"kind": self.kind, **self.details})


def trouble_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    values = {**details}
    if "what" in values:
        values["what"] = Backup.Kinds(values["what"]).label
    return _(SENTENCES[details["kind"]]) % values


@transaction.atomic
def look_after_backups(*, repository: Repository, now: datetime.datetime) -> list[Trouble]:
    """Brings the tables to what the folder says, opens alerts of what is new and closes those of what has ended.
    Returns all trouble that there is."""
    refresh_index(repository=repository)
    found = troubles(repository, now=now)
    tell_what_stands(
        event=EVENT,
        alerts=[AlertText(one.subject, one.sentence, {"kind": one.kind, **one.details}) for one in found],
    )
    tell_what_is_done(now=now)
    return found


def tell_what_is_done(*, now: datetime.datetime) -> None:
    """An alert of each backup that was completed lately, once."""
    backups = Backup.objects.filter(status=Backup.Status.DONE, completed_at__gt=now - NEWS_FOR)
    told = set(Alert.objects.filter(event=DONE, created_at__gt=now - 2 * NEWS_FOR).values_list("subject", flat=True))
    notify_many(
        event=DONE,
        alerts=[
            AlertText(str(pk), done_sentence(details), details)
            for pk, kind, completed_at, size in backups.values_list("pk", "kind", "completed_at", "size")
            if completed_at is not None and str(pk) not in told
            for details in [{"what": kind, "at": said(completed_at), "size": size}]
        ],
    )


def done_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    values = {**details, "what": Backup.Kinds(details["what"]).label, "size": filesizeformat(details["size"])}
    return _("The %(what)s backup of %(at)s is complete: %(size)s.") % values


def troubles(repository: Repository, *, now: datetime.datetime) -> list[Trouble]:
    """What is wrong now, as the folder says. A shop that never made a backup is told nothing: it has no agent."""
    backups = repository.backups()
    ended = [job for job in all_jobs(repository) if job.has_ended and job.status != JobStatus.STOPPED]
    return [*of_jobs(ended), *of_ages(backups, now), *of_copies(backups), *of_wal(repository, ended, backups)]


def of_jobs(ended: list[Job]) -> Iterable[Trouble]:
    for kind in Kind:
        job = newest([job for job in ended if job.arguments.get("kind") == kind], JobKind.BACKUP)
        if job is not None and job.status == JobStatus.FAILED:
            yield Trouble("backup_failed", {"what": kind.value, "reason": job.error}, kind.value)
    job = newest(ended, JobKind.DRILL)
    if job is not None and job.status == JobStatus.FAILED:
        yield Trouble("drill_failed", {"reason": job.error})


def newest(ended: list[Job], kind: JobKind) -> Job | None:
    """The job of this kind that ended last."""
    fitting = [job for job in ended if job.kind == kind]
    return max(fitting, key=lambda job: job.ended_at or job.requested_at, default=None)


def of_ages(backups: list[Any], now: datetime.datetime) -> Iterable[Trouble]:
    for kind in Kind:
        moments = [one.manifest.completed_at for one in backups if one.manifest.kind == kind]
        if moments and now - max(moments) > OLD_AFTER:
            yield Trouble("backup_old", {"what": kind.value, "at": said(max(moments))}, kind.value)
    proofs = [one.state.proved_at for one in backups if one.state.proved_at is not None]
    since = max(proofs, default=None) or min((one.manifest.completed_at for one in backups), default=None)
    if since is not None and now - since > UNPROVED_AFTER:
        yield Trouble("unproved", {"at": said(since)})


def of_copies(backups: list[Any]) -> Iterable[Trouble]:
    """Of the newest backup: an older one that is missing there is not needed for it, or its trouble is the same."""
    newest = max(backups, key=lambda one: one.manifest.started_at, default=None)
    for place, what in newest.state.places.items() if newest is not None else ():
        if what != SENT:
            yield Trouble("copy_failed", {"place": place, "reason": what}, place[:LONGEST_ABOUT])


def of_wal(repository: Repository, ended: list[Job], backups: list[Any]) -> Iterable[Trouble]:
    if not any(one.manifest.kind == Kind.PHYSICAL for one in backups):
        return
    job = newest(ended, JobKind.CHECK_WAL)
    findings = job.result.get("findings", []) if job is not None else []
    if findings:
        yield Trouble("wal_damaged", {"number": len(findings), "reason": findings[0]["sentence"]})
    if not receiver_state(repository).is_running:
        yield Trouble("wal_not_received", {})


def said(at: datetime.datetime) -> str:
    return f"{at.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"
