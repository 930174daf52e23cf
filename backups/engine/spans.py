"""From when to when recovery is possible: from each physical backup on, as far as the archive has the WAL unbroken."""

import datetime
import itertools
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from backups.engine.manifest import Kind
from backups.engine.programs import find_programs
from backups.engine.repository import Repository, Stored
from backups.engine.server import Server
from backups.engine.wal_dump import last_commit, waldump_for
from backups.engine.wal_memory import remembered
from backups.engine.wal_names import Archive, Lineage, Segment, parse_lsn
from backups.engine.wal_pages import LONG_HEADER
from backups.errors import Damaged


class Ends(StrEnum):
    """Why a span ends: nothing more was received, or a segment is missing or broken."""

    NOTHING_MORE = "nothing_more"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Span:
    """Recovery to any moment from `starts_at` on and before `ends_at` is possible from this backup.

    `ends_at` is when the last transaction that the WAL holds was ended: to that very moment and later ones there is
    nothing more to recover, and PostgreSQL refuses them as not reached. `timeline` is the newest one that can be
    followed. `last` is the last segment, `broken_at` the one that is missing or broken behind it.
    """

    backup_id: str
    timeline: int
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    last: Segment
    why: Ends
    broken_at: Segment | None = None

    @property
    def sentence(self) -> str:
        """Why it ends, for a person."""
        if self.broken_at is None:
            return _("No later WAL was received.")
        if self.why == Ends.MISSING:
            return _("The WAL segment %(name)s is missing.") % {"name": self.broken_at.name}
        return _("The WAL segment %(name)s is damaged.") % {"name": self.broken_at.name}

    def holds(self, moment: datetime.datetime) -> bool:
        """Whether this moment can be recovered to."""
        return self.starts_at <= moment < self.ends_at


@dataclass(frozen=True, slots=True)
class Stretch:
    """The WAL that a backup can be followed along: `segments` are those that recovery takes, the oldest first; what
    the backup brings itself is not among them."""

    backup: Stored
    lineage: Lineage
    segments: tuple[Segment, ...]
    last: Segment
    why: Ends
    broken_at: Segment | None = None


def recoverable_spans(
    repository: Repository, *, server: Server | None = None, broken: Collection[str] | None = None
) -> list[Span]:
    """From when to when each physical backup can be recovered, the oldest backup first. One that can't be recovered at
    all (its base or WAL of its own time is gone, or it is of a version of PostgreSQL that the programs here are not of)
    has no span. Sizes and origins of segments are looked at; their records are not.

    Args:
        server: asked for its cluster's identity, so that backups of another cluster are left out.
        broken: the names of segments that are there and can't be used; None takes what the last check of the WAL found.

    Raises ServerGone, NoPrograms.
    """
    system_identifier = server.facts().system_identifier if server is not None else ""
    clocks: dict[Segment, datetime.datetime | None] = {}
    spans = []
    for stretch in stretches(repository, system_identifier=system_identifier, broken=broken):
        starts_at = stretch.backup.manifest.consistent_at
        if starts_at is not None and is_of_this_version(stretch.backup):
            spans.append(
                Span(
                    backup_id=stretch.backup.id,
                    timeline=stretch.lineage.timeline,
                    starts_at=starts_at,
                    ends_at=_end_of(repository, stretch, starts_at, clocks),
                    last=stretch.last,
                    why=stretch.why,
                    broken_at=stretch.broken_at,
                )
            )
    return spans


def is_of_this_version(stored: Stored) -> bool:
    """Whether the programs here can recover it: after an upgrade of the server they can't, and the newer backups are
    to be shown all the same. Raises NoPrograms."""
    return stored.manifest.server_version // 10_000 == find_programs().major


def recoverable(spans: Collection[Span]) -> list[tuple[datetime.datetime, datetime.datetime]]:
    """The same for all backups together: spans that overlap are one."""
    joined: list[tuple[datetime.datetime, datetime.datetime]] = []
    for span in sorted(spans, key=lambda one: one.starts_at):
        if joined and span.starts_at <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], span.ends_at)
        else:
            joined.append((span.starts_at, span.ends_at))
    return joined


def stretches(
    repository: Repository, *, system_identifier: str = "", broken: Collection[str] | None = None
) -> list[Stretch]:
    """The WAL of each physical backup, as far as it is unbroken.

    Args:
        system_identifier: of the cluster whose backups are meant, "" for all.
        broken: as for `recoverable_spans`.
    """
    backups = {stored.id: stored for stored in repository.backups() if stored.manifest.kind == Kind.PHYSICAL}
    found = []
    for stored in backups.values():
        manifest = stored.manifest
        if (system_identifier and manifest.system_identifier != system_identifier) or not _has_bases(stored, backups):
            continue
        archive = Archive.read(repository.wal, segment_size=manifest.segment_size)
        known = remembered(repository, manifest.system_identifier).broken if broken is None else broken
        if (stretch := _stretch_of(stored, archive, lineage_of(stored, archive), frozenset(known))) is not None:
            found.append(stretch)
    return found


def lineage_of(stored: Stored, archive: Archive) -> Lineage:
    """The newest timeline that the backup can be followed to: the one that PostgreSQL calls "latest"."""
    manifest = stored.manifest
    for timeline in reversed(archive.timelines()):
        try:
            lineage = archive.lineage(timeline)
        except Damaged:
            continue
        if lineage.holds(manifest.timeline, parse_lsn(manifest.stop_lsn)):
            return lineage
    return Lineage(manifest.timeline)


def own_segments(stored: Stored) -> range:
    """The numbers of the segments that the backup itself needs to be whole; it brings them along."""
    manifest = stored.manifest
    first, last = (Segment.named(name, size=manifest.segment_size) for name in (manifest.start_wal, manifest.stop_wal))
    return range(first.number, last.number + 1)


def own_copy(stored: Stored, segment: Segment) -> bool:
    """Whether the backup brings this segment along."""
    return segment.number in own_segments(stored) and (stored.data / "pg_wal" / segment.name).is_file()


def is_usable(archive: Archive, segment: Segment, system_identifier: str) -> bool:
    """A quick look at a segment: its size, and whether its first page says that it is this one. Of one that is still
    being received nothing may be there yet."""
    try:
        path = archive.path(segment)
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(LONG_HEADER.size)
    except OSError:
        return False
    if segment.name not in archive.complete and not header.strip(b"\0"):
        return True
    if size != segment.size:
        return False
    fields = LONG_HEADER.unpack(header)
    return fields[3] == segment.start and str(fields[6]) == system_identifier


def _has_bases(stored: Stored, backups: dict[str, Stored]) -> bool:
    """Whether all backups that an incremental one builds upon are there."""
    while stored.manifest.base_id:
        if stored.manifest.base_id not in backups:
            return False
        stored = backups[stored.manifest.base_id]
    return True


def _stretch_of(stored: Stored, archive: Archive, lineage: Lineage, broken: frozenset[str]) -> Stretch | None:
    """None, if what the backup itself needs is broken: recovery takes the archive's segment before the backup's own."""
    own = own_segments(stored)
    taken: list[Segment] = []
    last: Segment | None = None
    for number in itertools.count(own.start):
        candidates = lineage.candidates(number, size=archive.segment_size)
        brought = next((segment for segment in candidates if own_copy(stored, segment)), None)
        here = next((segment for segment in candidates if archive.holds(segment)), None)
        is_partial = here is not None and here.name not in archive.complete
        if is_partial and brought is not None:
            # The backup's own is whole.
            here, is_partial = None, False
        if here is None and brought is None:
            why, at = Ends.MISSING, candidates[0]
            break
        if here is not None and (
            here.name in broken or not is_usable(archive, here, stored.manifest.system_identifier)
        ):
            why, at = Ends.BROKEN, here
            break
        last = here or brought
        if here is not None:
            taken.append(here)
        if is_partial:
            why, at = Ends.MISSING, candidates[0]
            break
    if last is None or last.number < own[-1]:
        return None
    if why == Ends.MISSING and _highest(archive, lineage) <= last.number:
        return Stretch(stored, lineage, tuple(taken), last, Ends.NOTHING_MORE)
    return Stretch(stored, lineage, tuple(taken), last, why, at)


def _highest(archive: Archive, lineage: Lineage) -> int:
    """The number of the newest segment that there is anything of."""
    segments = (*archive.complete.values(), *archive.partial.values())
    return max((segment.number for segment in segments if lineage.holds_segment(segment)), default=-1)


def _end_of(
    repository: Repository,
    stretch: Stretch,
    starts_at: datetime.datetime,
    clocks: dict[Segment, datetime.datetime | None],
) -> datetime.datetime:
    """When the last transaction along a stretch ended; never before its beginning."""
    manifest = stretch.backup.manifest
    archive = Archive.read(repository.wal, segment_size=manifest.segment_size)
    programs = waldump_for(manifest.server_version)
    for segment in reversed(stretch.segments):
        if segment not in clocks:
            clocks[segment] = last_commit(programs, archive.path(segment), segment)
        if (ended := clocks[segment]) is not None:
            return max(starts_at, ended)
    return starts_at
