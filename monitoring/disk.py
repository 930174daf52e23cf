"""Room on the disks that the shop writes to, as this machine sees them."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from monitoring.errors import CheckFailed, CheckWarning
from monitoring.registry import Check, Event, register_check, register_event
from monitoring.severity import Severity
from monitoring.watchdog.health import health_sentence

LITTLE, FULL = "disk.little_space", "disk.almost_full"
# Of the disk's size. PostgreSQL stops at a full disk, and a backup needs as much room again as the database.
LITTLE_SHARE, FULL_SHARE = 0.10, 0.03
FULL_BYTES = 500 * 1024**2
GIGABYTE = 1024**3


@dataclass(frozen=True)
class Disk:
    """One disk, named by the folders of the shop that it holds: the paths are nobody's business."""

    names: tuple[str, ...]
    total: int
    free: int

    @property
    def name(self) -> str:
        return ", ".join(self.names)

    @property
    def share(self) -> float:
        return self.free / self.total if self.total else 0.0

    @property
    def is_full(self) -> bool:
        return self.share < FULL_SHARE or self.free < FULL_BYTES

    @property
    def is_little(self) -> bool:
        return self.share < LITTLE_SHARE


def register() -> None:
    """Called once, when the apps are ready."""
    register_event(Event(LITTLE, Severity.WARNING, gettext_lazy("Little disk space"), tell=health_sentence))
    register_event(Event(FULL, Severity.CRITICAL, gettext_lazy("A disk is almost full"), tell=health_sentence))
    register_check(
        Check(
            name="disk",
            run=has_room,
            is_probed=True,
            title=gettext_lazy("Disk space"),
            advice=gettext_lazy("Delete old backups and logs, or give the disk more room."),
            event=FULL,
            warning_event=LITTLE,
            needs_database=False,
        )
    )


def has_room() -> str:
    """Raises CheckFailed for a disk that is almost full, CheckWarning for one with little room."""
    tightest = min(disks(), key=lambda disk: (not disk.is_full, disk.share))
    values = {
        "name": tightest.name,
        "percent": f"{tightest.share * 100:.1f}",
        "free": f"{tightest.free / GIGABYTE:.1f}",
    }
    text = gettext_noop("%(name)s: %(free)s GB are free, %(percent)s %%.")
    if tightest.is_full:
        raise CheckFailed(text, **values)
    if tightest.is_little:
        raise CheckWarning(text, **values)
    return _(text) % values


def disks(usage: Callable[[Path], Any] = shutil.disk_usage) -> list[Disk]:
    """The disks of the shop's folders, each once."""
    found: dict[int, tuple[list[str], Path]] = {}
    for name, folder in folders():
        place = nearest(folder)
        names, _place = found.setdefault(place.stat().st_dev, ([], place))
        names.append(name)
    return [
        Disk(tuple(names), total=used.total, free=used.free)
        for names, place in found.values()
        for used in (usage(place),)
    ]


def folders() -> Iterator[tuple[str, Path]]:
    """What the shop writes, and where."""
    yield "var", Path(settings.VAR_DIR)
    yield "media", Path(settings.MEDIA_ROOT)
    yield "backups", Path(settings.BACKUP_DIR)
    yield "spool", Path(settings.SPOOL_DIR)
    if settings.LOG_DIR:
        yield "logs", Path(settings.LOG_DIR)


def nearest(folder: Path) -> Path:
    """The folder, or the one above it that is there already."""
    return next(place for place in (folder, *folder.parents) if place.exists())
