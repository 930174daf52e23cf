"""Which backup a recovery begins from: the newest one from which the target can be reached."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from backups.engine.landmarks import Before, end_of_transaction, last_before, place_of_point, with_each_wal
from backups.engine.manifest import Kind
from backups.engine.repository import Repository, Stored, now
from backups.engine.spans import Span, Stretch, is_of_this_version, recoverable_spans, stretches
from backups.engine.targets import Target, in_utc
from backups.engine.wal_dump import waldump_for
from backups.engine.wal_names import Archive, Segment, format_lsn, parse_lsn
from backups.errors import WrongTarget


@dataclass(frozen=True, slots=True)
class Choice:
    """A backup, and the repository with the WAL that goes with it. `goal` is what PostgreSQL is told, and `last` the
    last commit on the way there, where that is known."""

    repository: Repository
    stored: Stored
    goal: Target
    last: datetime.datetime | None = None


def choose_backup(repository: Repository, target: Target, *, at: datetime.datetime | None = None) -> Stored:
    """The backup to recover from.

    Args:
        at: what counts as now.

    Raises WrongTarget, with a sentence that says what can be recovered to instead; NoPrograms, WrongVersion.
    """
    return choose(repository, target, at=at).stored


def choose(
    repository: Repository, target: Target, *, backup: Stored | None = None, at: datetime.datetime | None = None
) -> Choice:
    """As `choose_backup`; `backup` must be begun from, if it is given."""
    if target.time is not None and target.time > (at or now()):
        raise WrongTarget(_("%(target)s lies in the future.") % {"target": target})
    physical = [stored for stored in repository.backups() if stored.manifest.kind == Kind.PHYSICAL]
    if not physical:
        raise WrongTarget(_("There is no physical backup, so there is no moment to recover to. Make one first."))
    if backup is not None and backup.manifest.kind != Kind.PHYSICAL:
        raise WrongTarget(_("The backup %(id)s is a logical one: only a physical one can be recovered to a moment."))
    candidates = physical if backup is None else [backup]
    usable = [one for one in candidates if is_of_this_version(one)]
    if not usable:
        # It says so.
        waldump_for(candidates[-1].manifest.server_version)
    # What was found damaged is begun from only if there is nothing else.
    backups = {one.id: one for one in usable}
    whole = {one.id: one for one in backups.values() if not one.state.damage}
    places = with_each_wal(repository)
    if target.xid is not None or target.lsn is not None or target.name is not None:
        found = [(place, one) for place in places for one in stretches(place) if one.backup.id in backups]
        return _by_position(found, target, whole)
    spans = [(place, one) for place in places for one in recoverable_spans(place) if one.backup_id in backups]
    if not spans:
        raise WrongTarget(
            _(
                "None of the physical backups can be recovered: what they build upon, or the WAL of the time when they "
                "were made, is gone."
            )
        )
    if target.time is not None:
        return _by_time(spans, target, target.time, backups, whole)
    best = max(
        spans,
        key=lambda one: (
            one[1].backup_id in whole,
            one[1].ends_at if target.is_latest else one[1].starts_at,
            one[1].starts_at,
        ),
    )
    return Choice(best[0], backups[best[1].backup_id], target)


def _by_time(
    spans: list[tuple[Repository, Span]],
    target: Target,
    time: datetime.datetime,
    backups: dict[str, Stored],
    whole: dict[str, Stored],
) -> Choice:
    begun = [one for one in spans if one[1].starts_at <= time]
    if not begun:
        first = min(span.starts_at for _place, span in spans)
        raise WrongTarget(
            _("%(target)s is before the first backup: recovery is possible from %(first)s on.")
            % {"target": target, "first": in_utc(first)}
        )
    reaching = [one for one in begun if time <= one[1].ends_at]
    if not reaching:
        _place, span = max(begun, key=lambda one: one[1].ends_at)
        raise WrongTarget(
            _("%(target)s can't be recovered to: the WAL reaches to %(until)s. %(why)s")
            % {"target": target, "until": in_utc(span.ends_at), "why": span.sentence}
        )
    place, span = max(reaching, key=lambda one: (one[1].backup_id in whole, one[1].starts_at))
    stored = backups[span.backup_id]
    before = _last_before(
        place,
        stored,
        lambda _position, ended: ended > time or (ended == time and not target.is_inclusive),
    )
    if not before.is_passed and time < span.ends_at:
        # The WAL could not be read so far. PostgreSQL says why.
        return Choice(place, stored, target)
    return _behind(before, place, stored)


def _last_before(place: Repository, stored: Stored, is_past: Callable[[int, datetime.datetime], bool]) -> Before:
    manifest = stored.manifest
    (stretch,) = (one for one in stretches(place) if one.backup.id == stored.id)
    stop = Segment.named(manifest.stop_wal, size=manifest.segment_size).number
    return last_before(
        waldump_for(manifest.server_version),
        Archive.read(place.wal, segment_size=manifest.segment_size),
        [segment for segment in stretch.segments if segment.number >= stop],
        is_past,
    )


def _behind(before: Before, place: Repository, stored: Stored) -> Choice:
    """The place behind the last transaction that is to be there.

    PostgreSQL itself goes on up to the first one that is too late, and needs one to see that it got there. On this
    way what a transaction does at once and not at its end is done too: a database that was dropped is gone.
    """
    if before.position is None or before.position < parse_lsn(stored.manifest.stop_lsn):
        return Choice(place, stored, Target.as_backed_up())
    return Choice(place, stored, Target(lsn=format_lsn(before.position)), before.at)


def _by_position(found: list[tuple[Repository, Stretch]], target: Target, whole: dict[str, Stored]) -> Choice:
    positions = _positions(found, target)
    known = [(place, one, lsn) for place, one in found if (lsn := positions[place]) is not None]
    if not known and (broken_at := next((one.broken_at for _place, one in found if one.broken_at), None)):
        raise WrongTarget(
            _("%(target)s was not found: WAL segment %(segment)s is missing or damaged, and what is behind it is lost.")
            % {"target": target, "segment": broken_at.name}
        )
    if not known:
        raise WrongTarget(
            _("The WAL that was received does not have this: %(target)s. It may have been written before the first "
              "backup, or not be received yet.")
            % {"target": target}
        )  # fmt: skip
    begun = [one for one in known if parse_lsn(one[1].backup.manifest.stop_lsn) <= one[2]]
    if not begun:
        raise WrongTarget(_("This is before the end of the first backup: %(target)s.") % {"target": target})
    reaching = [one for one in begun if one[2] < one[1].last.end]
    if not reaching:
        _place, stretch, _lsn = begun[-1]
        if stretch.broken_at is not None:
            raise WrongTarget(
                _("%(target)s can't be recovered to: WAL segment %(segment)s is missing or damaged.")
                % {"target": target, "segment": stretch.broken_at.name}
            )
        raise WrongTarget(_("The WAL that was received does not reach to this: %(target)s.") % {"target": target})
    place, stretch, end = max(
        reaching, key=lambda one: (one[1].backup.id in whole, parse_lsn(one[1].backup.manifest.stop_lsn))
    )
    if target.xid is not None and not target.is_inclusive:
        before = _last_before(place, stretch.backup, lambda position, _ended: position >= end)
        return _behind(before, place, stretch.backup)
    return Choice(place, stretch.backup, target)


def _positions(found: list[tuple[Repository, Stretch]], target: Target) -> dict[Repository, int | None]:
    """Where the target is in each repository's WAL. What belongs to several backups is read once."""
    positions: dict[Repository, int | None] = {}
    seen: set[tuple[Repository, Segment]] = set()
    for place, stretch in found:
        positions.setdefault(place, None)
        if target.lsn is not None:
            positions[place] = parse_lsn(target.lsn)
        elif stretch.segments and (place, stretch.segments[-1]) not in seen:
            position = _position(place, stretch, target)
            positions[place] = position if position is not None else positions[place]
            seen.update((place, segment) for segment in stretch.segments)
    return positions


def _position(place: Repository, stretch: Stretch, target: Target) -> int | None:
    manifest = stretch.backup.manifest
    programs = waldump_for(manifest.server_version)
    archive = Archive.read(place.wal, segment_size=manifest.segment_size)
    if target.xid is not None:
        return end_of_transaction(programs, archive, stretch.segments, target.xid)
    return place_of_point(programs, archive, stretch.segments, str(target.name))
