"""Copies of backups in other places: sent, read again now and then, and what came of it noted with each backup."""

import threading
from collections.abc import Callable

import structlog
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine.jobs import Progress, Stopped
from backups.engine.place import Place, open_place
from backups.engine.place_wal import send_wal
from backups.engine.places import SENT, check, forget, send_missing
from backups.engine.repository import Repository, Stored
from backups.errors import BackupFailed, Damaged, Interrupted, UnknownBackup

# What no place can be opened by.
UNNAMED = "BACKUP_PLACES"
CHECKING_COPIES = gettext_noop("Reading the copies")

logger = structlog.get_logger("backups.copies")


def send_copies(repository: Repository, progress: Progress, is_stopped: Stopped) -> dict[str, str]:
    """Copies what is not there yet to every place that is configured, the WAL too. Returns what came of each: "" or why
    not, which is noted with the backups that are not there; a place that can't be reached makes the backups themselves
    no worse, and is tried again with the next one."""

    def send(place: Place) -> None:
        send_missing(repository, place, progress=progress, is_stopped=is_stopped)
        send_wal(repository, place, progress=progress, is_stopped=is_stopped)

    came_of_it = in_each_place(send)
    for name, why in came_of_it.items():
        for stored in repository.backups() if why and name != UNNAMED else ():
            if stored.state.places.get(name) != SENT and not stored.state.damage:
                repository.amend(stored, places={**stored.state.places, name: why})
    return came_of_it


def send_wal_along(repository: Repository, *, stopped: threading.Event, every: float) -> None:
    """Copies the WAL to every place that is configured as it comes, every so many seconds until it is stopped: who
    loses this machine with its disks loses no more than that. A place that can't be reached is tried again in the next
    round, and told of by the backups and the checks of the WAL."""
    sent: list[tuple[str, int]] = []
    while not stopped.is_set():
        try:
            found = sorted((path.name, path.stat().st_mtime_ns) for path in repository.wal.iterdir())
            if found != sent:
                came_of_it = in_each_place(lambda place: send_wal(repository, place, is_stopped=stopped.is_set))
                sent = [] if any(came_of_it.values()) else found
        except (Interrupted, FileNotFoundError):
            # Stopped; or a segment was completed meanwhile, and has another name.
            pass
        except Exception:
            # Whatever it is, the next round comes; and it is told as an error of the shop.
            logger.exception("wal_not_sent")
        stopped.wait(every)


def check_copies(repository: Repository, stored: Stored, progress: Progress, is_stopped: Stopped) -> dict[str, str]:
    """Reads the whole copy of a backup in every place. One that is not what was sent is sent once more. Returns what
    came of each: "" or what was wrong."""

    def read(place: Place) -> None:
        progress(CHECKING_COPIES, None)
        try:
            findings = check(place, stored.id, progress=progress, is_stopped=is_stopped)
        except UnknownBackup:
            # It was never sent, or somebody has deleted it there.
            findings = []
        except Damaged as error:
            findings = [str(error)]
        if findings:
            logger.warning("copy_damaged", backup=stored.id, place=place.name, findings=findings[:5])
            repository.amend(stored, places={**stored.state.places, place.name: findings[0]})
            forget(place, stored.id)
        send_missing(repository, place, progress=progress, is_stopped=is_stopped)
        if findings:
            raise Damaged(
                _("The copy of %(id)s was damaged, and was sent once more: %(first)s")
                % {"id": stored.id, "first": findings[0]},
                tuple(findings),
            )

    return in_each_place(read)


def in_each_place(act: Callable[[Place], object]) -> dict[str, str]:
    """Does it in each place that is configured. Returns "" or why it did not work, by the place's name. Raises
    Interrupted."""
    came_of_it = {}
    for url in settings.BACKUP_PLACES:
        name = UNNAMED
        try:
            place = open_place(url)
            name = place.name
            act(place)
        except Interrupted:
            raise
        except BackupFailed as error:
            logger.warning("copy_not_sent", place=name, reason=str(error))
            came_of_it[name] = str(error)
        else:
            came_of_it[name] = ""
    return came_of_it
