"""Retention: which backups are kept, and what becomes of the others and of the WAL before them.

Of each kind the newest backup of each of the last `daily` days is kept, of the last `weekly` weeks, and of the last
`monthly` months; days, weeks and months without a backup do not count. Whatever these numbers say, some always stay:

- the newest of each kind, and the newest that is whole: of which, and of what it builds upon, no damage is known;
- the newest of each kind that was proved by restoring it, and the newest of these that is whole;
- what somebody has marked to be kept;
- what is younger than a day: it may have been made because of what somebody is about to do;
- what a kept incremental backup builds upon.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from backups.engine.manifest import Kind, State
from backups.engine.place import Place
from backups.engine.place_wal import forget_wal
from backups.engine.places import Progress, forget, listing
from backups.engine.repository import Repository, Stored, now
from backups.engine.sealing import Key
from backups.engine.wal_archive import forget_wal_before, keep_wal_since
from backups.errors import BackupNeeded, Interrupted

DAILY, WEEKLY, MONTHLY = 7, 4, 6
FRESH = datetime.timedelta(days=1)
GIVEN_UP = datetime.timedelta(days=7)

logger = structlog.get_logger("backups.retention")


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted: ids of backups, their bytes, and names of segments. `held_back` is a sentence if less was
    deleted than the numbers say."""

    backups: list[str]
    size: int
    segments: list[str]
    held_back: str = ""


def plan(
    backups: Iterable[Stored],
    *,
    at: datetime.datetime,
    daily: int = DAILY,
    weekly: int = WEEKLY,
    monthly: int = MONTHLY,
    wal_days: int | None = None,
    time_zone: datetime.tzinfo = datetime.UTC,
) -> list[Stored]:
    """The backups to delete, in the order in which to do it: no moment comes at which one is there without what it
    builds upon.

    Args:
        at: now.
        wal_days: for so many days back any moment can be recovered, and physical backups that are older are kept for
            no week's or month's sake, because all WAL since the oldest is kept too. None: they are.
        time_zone: whose days, weeks and months.

    Raises ValueError for a number below zero.
    """
    if min(daily, weekly, monthly, wal_days or 0) < 0:
        raise ValueError("how many are kept can't be less than none")
    ordered = sorted(backups, key=lambda one: (one.manifest.started_at, one.id))
    kept: set[str] = {one.id for one in ordered if one.state.is_kept or one.manifest.started_at > at - FRESH}
    whole = whole_ones(ordered)
    for kind in Kind:
        own = [one for one in ordered if one.manifest.kind == kind]
        proved = [one for one in own if one.state.proved_at is not None]
        for some in (own, proved):
            kept |= ids_of(some[-1:]) | ids_of([one for one in some if one.id in whole][-1:])
        if kind == Kind.PHYSICAL and wal_days is not None:
            own = since(own, at - datetime.timedelta(days=wal_days), whole)
            kept |= ids_of(own[:1])
        for number, period in ((daily, day_of), (weekly, week_of), (monthly, month_of)):
            kept |= ids_of(newest_of_each(own, number, period, time_zone, whole))
    kept |= built_upon(kept, ordered)
    return [one for one in reversed(ordered) if one.id not in kept]


def prune(
    repository: Repository,
    *,
    at: datetime.datetime | None = None,
    daily: int = DAILY,
    weekly: int = WEEKLY,
    monthly: int = MONTHLY,
    wal_days: int | None = None,
    time_zone: datetime.tzinfo = datetime.UTC,
    progress: Progress = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Pruned:
    """Deletes the backups that `plan` names, and the WAL before the oldest physical one that stays. For who holds the
    lock "work".

    As long as a physical backup is there whose manifest can't be read, no physical one and no WAL is deleted: it may
    build upon them. Raises Interrupted; what was deleted by then is gone.
    """
    backups = repository.backups()
    doomed = plan(
        backups,
        at=at or now(),
        daily=daily,
        weekly=weekly,
        monthly=monthly,
        wal_days=wal_days,
        time_zone=time_zone,
    )
    unreadable = [path for path in repository.unreadable() if path.parent.name == Kind.PHYSICAL]
    held_back = ""
    if unreadable:
        doomed = [one for one in doomed if one.manifest.kind != Kind.PHYSICAL]
        held_back = _(
            "No physical backup and no WAL was deleted, because the manifest of %(folder)s can't be read: it may build "
            "upon them. Delete or replace that one."
        ) % {"folder": unreadable[0]}
        logger.warning("prune_held_back", folder=str(unreadable[0]))
    for number, stored in enumerate(doomed):
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        progress(gettext_noop("Deleting old backups"), number / len(doomed))
        repository.delete(stored)
        logger.info("backup_pruned", backup=stored.id, kind=stored.manifest.kind, size=stored.manifest.size)
    gone = ids_of(doomed)
    oldest = keep_wal_since(one for one in backups if one.id not in gone)
    segments = forget_wal_before(repository, oldest) if oldest and not unreadable else []
    if segments:
        logger.info("wal_pruned", segments=len(segments), before=oldest)
    return Pruned([one.id for one in doomed], sum(one.manifest.size for one in doomed), segments, held_back)


def refuse_needed(stored: Stored, backups: Iterable[Stored]) -> None:
    """A person may delete any backup but these. Raises BackupNeeded for one that is to be kept, that others build upon,
    or that is the last one that was proved."""
    others = [one for one in backups if one.id != stored.id]
    if stored.state.is_kept:
        raise BackupNeeded(_("The backup is kept for good. Say first that it need not be kept any longer."))
    if upon := [one for one in others if one.manifest.base_id == stored.id]:
        raise BackupNeeded(
            ngettext(
                "%(number)d backup builds upon this one. Delete that one first.",
                "%(number)d backups build upon this one. Delete those first.",
                len(upon),
            )
            % {"number": len(upon)}
        )
    if is_proved(stored) and not any(is_proved(one) for one in others):
        raise BackupNeeded(
            _("It is the last backup that was proved by restoring it. Prove another one by a drill first.")
        )


def is_proved(stored: Stored) -> bool:
    return stored.state.proved_at is not None and not stored.state.damage


def prune_place(
    place: Place,
    repository: Repository,
    *,
    keys: Sequence[Key] | None = None,
    at: datetime.datetime | None = None,
    daily: int = DAILY,
    weekly: int = WEEKLY,
    monthly: int = MONTHLY,
    wal_days: int | None = None,
    time_zone: datetime.tzinfo = datetime.UTC,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Pruned:
    """The same for the copies in a place: what was proved and marked here counts for the copy. Copies that were broken
    off go too if the backup is not here any more; another machine may be sending them, so not before a week.

    As long as a copy is there that can't be read, no physical one and no WAL is deleted. Raises PlaceFailed, WrongKey,
    Interrupted.
    """
    found = listing(place, keys=keys)
    here = {stored.id: stored for stored in repository.backups()}
    copies = []
    for copy in found.copies:
        known = here[copy.id].state if copy.id in here else State()
        # That the one here is damaged says nothing of its copy, which may be the only whole one.
        state = State(proved_at=known.proved_at, is_kept=known.is_kept)
        copies.append(Stored(repository.root / copy.manifest.kind / copy.id, copy.manifest, state))
    at = at or now()
    doomed = plan(
        copies,
        at=at,
        daily=daily,
        weekly=weekly,
        monthly=monthly,
        wal_days=wal_days,
        time_zone=time_zone,
    )
    held_back = ""
    if found.unreadable:
        doomed = [one for one in doomed if one.manifest.kind != Kind.PHYSICAL]
        held_back = _(
            "No physical backup and no WAL was deleted in %(place)s, because the copy %(id)s can't be read: it may "
            "build upon them. (%(why)s)"
        ) % {"place": place.name, "id": min(found.unreadable), "why": found.unreadable[min(found.unreadable)]}
    gone = [*(one.id for one in doomed), *(one for one in found.unfinished if one not in here and is_given_up(one, at))]
    for backup_id in gone:
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        forget(place, backup_id)
    segments: list[str] = []
    remaining = [one for one in copies if one.id not in gone and one.manifest.kind == Kind.PHYSICAL]
    for system in {one.manifest.system_identifier for one in remaining} if not found.unreadable else ():
        oldest = keep_wal_since(one for one in remaining if one.manifest.system_identifier == system)
        segments += forget_wal(place, system, oldest)
    return Pruned(gone, sum(one.manifest.size for one in doomed), segments, held_back)


def is_given_up(backup_id: str, at: datetime.datetime) -> bool:
    """Whether the backup of this id, which says when it was begun, is so old that nobody sends it any more."""
    try:
        began = UUID(backup_id).int >> 80
    except ValueError:
        return False
    return began / 1000 < (at - GIVEN_UP).timestamp()


def newest_of_each(
    ordered: Sequence[Stored],
    number: int,
    period: Callable[[datetime.date], object],
    time_zone: datetime.tzinfo,
    whole: set[str],
) -> list[Stored]:
    """Of the last `number` days, weeks or months that have a backup, the newest of each; rather a whole one."""
    newest: dict[object, Stored] = {}
    for one in ordered:
        name = period(one.manifest.started_at.astimezone(time_zone).date())
        if name not in newest or one.id in whole or newest[name].id not in whole:
            newest[name] = one
    return list(newest.values())[max(len(newest) - number, 0) :]


def day_of(date: datetime.date) -> object:
    return date


def week_of(date: datetime.date) -> object:
    return date.isocalendar()[:2]


def month_of(date: datetime.date) -> object:
    return date.year, date.month


def since(ordered: Sequence[Stored], moment: datetime.datetime, whole: set[str]) -> list[Stored]:
    """Those from the last whole one before a moment on: from it recovery reaches that moment."""
    before = [one for one in ordered if one.manifest.completed_at <= moment and one.id in whole]
    return [*before[-1:], *(one for one in ordered if one.manifest.completed_at > moment)]


def whole_ones(ordered: Sequence[Stored]) -> set[str]:
    """The ids of those that are there with all that they build upon, and of which no damage is known."""
    whole: set[str] = set()
    for one in ordered:
        if not one.state.damage and (not one.manifest.base_id or one.manifest.base_id in whole):
            whole.add(one.id)
    return whole


def built_upon(ids: set[str], backups: Sequence[Stored]) -> set[str]:
    """What these build upon, down to the full ones."""
    bases = {one.id: one.manifest.base_id for one in backups}
    found: set[str] = set()
    for one in ids:
        base = bases.get(one, "")
        while base and base not in found:
            found.add(base)
            base = bases.get(base, "")
    return found


def ids_of(backups: Iterable[Stored]) -> set[str]:
    return {one.id for one in backups}
