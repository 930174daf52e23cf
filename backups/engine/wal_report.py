"""What a check of the WAL says: findings, each with the segment and with what it means for recovery."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from backups.engine.files import MEGABYTE
from backups.engine.receiver_state import ReceiverState
from backups.engine.repository import Stored
from backups.engine.slots import SlotState
from backups.engine.spans import Span, own_copy, recoverable
from backups.engine.wal_names import Segment, parse_lsn
from backups.engine.wal_pages import Kind

# A receiver that works is behind by less.
MOST_BEHIND = 128 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Finding:
    """`segment` is a segment's name, or "" for what is of the archive as a whole. `is_refetchable`: a sound copy may be
    got from the server or a backup."""

    segment: str
    kind: Kind
    sentence: str
    is_refetchable: bool = False


@dataclass(frozen=True, slots=True)
class Flawed:
    """What is wrong with a segment, without what it means, which depends on all of them. `is_partial`: it is still
    being received; `is_breaking`: recovery can't pass over it."""

    segment: Segment
    kind: Kind
    why: str
    is_partial: bool = False
    is_breaking: bool = True


@dataclass(frozen=True, slots=True)
class WalReport:
    """`first`, `last`: the segments that were expected, "" if none were; `checked`, `size`: how many of them are there,
    and their bytes; `read`: how many were read record by record, because they were new or had changed."""

    checked_at: datetime.datetime
    findings: tuple[Finding, ...] = ()
    spans: tuple[Span, ...] = ()
    first: str = ""
    last: str = ""
    checked: int = 0
    read: int = 0
    size: int = 0
    receiver: ReceiverState = field(default_factory=ReceiverState)
    slot: SlotState | None = None

    @property
    def is_sound(self) -> bool:
        return not self.findings

    @property
    def lag_bytes(self) -> int | None:
        """What the server has written and the archive has not; None if that is unknown."""
        return self.slot.lag_bytes if self.slot is not None else None

    @property
    def refetchable(self) -> list[str]:
        """The segments to be given to `refetch`."""
        return sorted({finding.segment for finding in self.findings if finding.is_refetchable})

    @property
    def recoverable(self) -> list[tuple[datetime.datetime, datetime.datetime]]:
        """From when to when recovery is possible, whichever backup it begins with."""
        return recoverable(self.spans)


def said(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


def meaning(segment: Segment, backups: Sequence[Stored], spans: Sequence[Span], *, is_missing: bool) -> str:
    """What it means for recovery that this segment is missing or broken.

    Args:
        backups: the physical ones of the same cluster.
        spans: those that are left.
    """
    needing = [one for one in backups if parse_lsn(one.manifest.start_lsn) < segment.end]
    if is_missing and any(own_copy(one, segment) for one in needing):
        return _("The backup that needs it brings a copy of its own, so recovery is as it was.")
    names = {one.id for one in needing}
    until = max((span.ends_at for span in spans if span.backup_id in names), default=None)
    since = min((span.starts_at for span in spans if span.backup_id not in names), default=None)
    if until is not None and since is not None and since <= until:
        return _("A later backup takes over before it, so no moment is lost.")
    if until is not None and since is not None:
        return _("Recovery is possible up to %(until)s, and from %(since)s on; not to a moment between them.") % {
            "until": said(until),
            "since": said(since),
        }
    if until is not None:
        return _("Recovery is possible up to %(until)s; to a later moment only after a new physical backup.") % {
            "until": said(until)
        }
    if since is not None:
        return _("Recovery is possible from %(since)s on, and to no moment before.") % {"since": said(since)}
    return _("Nothing can be recovered to a moment until there is a new physical backup.")


def finding_of(flawed: Flawed, backups: Sequence[Stored], spans: Sequence[Span]) -> Finding:
    """Says it, with what it means for recovery: arguments as for `meaning`."""
    segment, values = flawed.segment, {"name": flawed.segment.name, "why": flawed.why}
    if flawed.kind == Kind.DOUBLE:
        sentence = _(
            "The WAL segment %(name)s is there twice, complete and as a part. Recovery takes the complete one: delete "
            "%(name)s.partial."
        )
        return Finding(segment.name, flawed.kind, sentence % values)
    if flawed.kind == Kind.CHANGED:
        sentence = _(
            "The WAL segment %(name)s is not what it was at the last check. All its records are whole, so recovery "
            "passes over it; but the disk changes what is on it."
        )
        return Finding(segment.name, flawed.kind, sentence % values, is_refetchable=True)
    is_missing = flawed.kind == Kind.MISSING
    if is_missing:
        what = (
            _("The WAL segment %(name)s is missing: %(why)s.")
            if flawed.why
            else _("The WAL segment %(name)s is missing.")
        )
    elif flawed.is_partial:
        what = _(
            "The WAL segment %(name)s, which is still being received, is damaged: %(why)s. It is received anew when "
            "the receiver is started again."
        )
    else:
        what = _("The WAL segment %(name)s is damaged: %(why)s.")
    consequence = meaning(segment, backups, spans, is_missing=is_missing)
    return Finding(
        segment.name,
        flawed.kind,
        f"{what % values} {consequence}",
        is_refetchable=is_missing or not flawed.is_partial,
    )


def about_receiver(slot: SlotState | None, failure: str, receiver: ReceiverState) -> list[Finding]:
    """What is wrong with receiving: `slot` is None where there is no server, or it failed as `failure` says."""
    if failure:
        return [Finding("", Kind.RECEIVER, _("No WAL comes in: %(why)s") % {"why": failure})]
    if slot is None:
        return []
    if not slot.exists:
        sentence = _(
            "The server has no replication slot for the archive, so it may throw away WAL before it is received. "
            "Start the receiver, which makes one."
        )
        return [Finding("", Kind.SLOT, sentence)]
    found = []
    if slot.is_lost:
        sentence = _(
            "The server has thrown away WAL before it was received. What is written from now on can be recovered only "
            "after the receiver was started and a new physical backup was made."
        )
        found.append(Finding("", Kind.SLOT, sentence))
    if not slot.active:
        sentence = _("Nobody receives the WAL, so what is written now can't be recovered. Start the receiver.")
        if receiver.last_error:
            sentence += " " + _("Its last error: %(why)s") % {"why": receiver.last_error}
        found.append(Finding("", Kind.RECEIVER, sentence))
    if slot.lag_bytes is not None and slot.lag_bytes > MOST_BEHIND:
        sentence = _("The archive is %(megabytes)d MB behind the server.")
        found.append(Finding("", Kind.BEHIND, sentence % {"megabytes": slot.lag_bytes // MEGABYTE}))
    return found
