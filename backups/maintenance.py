"""The shop rests for a moment: a file says so, because its database is just what can't be asked then.

Every process looks for the file before each request and each task. Several machines have to see the same one:
MAINTENANCE_FILE then names a folder that they share.
"""

import datetime
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings

from backups.engine import files
from backups.engine.repository import now
from backups.errors import CannotRest, DiskIsFull, NotWritable

SWAPPED = ".swapped"

logger = structlog.get_logger("backups.maintenance")


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Since when the shop rests, what is said to whoever comes, and what began it ("": somebody by hand)."""

    since: datetime.datetime
    sentence: str
    by: str = ""


@contextmanager
def maintenance(sentence: str = "") -> Iterator[None]:
    """The shop rests meanwhile. One inside of another changes nothing. Raises CannotRest.

    A process that is killed leaves the shop at rest: `end_maintenance` is for whoever puts right what it left.
    """
    if is_under_maintenance():
        yield
        return
    begin_maintenance(sentence)
    try:
        yield
    finally:
        end_maintenance()


def begin_maintenance(sentence: str = "", *, by: str = "") -> None:
    """Raises CannotRest."""
    said = {"since": now().isoformat(), "sentence": sentence, "by": by}
    try:
        files.make_folder(settings.MAINTENANCE_FILE.parent)
        files.write_whole(settings.MAINTENANCE_FILE, json.dumps(said, ensure_ascii=False))
    except (DiskIsFull, NotWritable) as error:
        raise CannotRest(settings.MAINTENANCE_FILE) from error
    logger.info("maintenance_begins", sentence=sentence, by=by)


def end_maintenance() -> bool:
    """The shop works again. Returns whether it rested."""
    try:
        settings.MAINTENANCE_FILE.unlink()
    except FileNotFoundError:
        return False
    logger.info("maintenance_ends")
    return True


def is_under_maintenance() -> bool:
    """One look at the file's name: cheap enough for every request."""
    try:
        os.stat(settings.MAINTENANCE_FILE)
    except OSError:
        return False
    return True


def current_maintenance() -> Maintenance | None:
    """What is said of it; None while the shop works."""
    try:
        text = settings.MAINTENANCE_FILE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    try:
        said = json.loads(text)
        since = datetime.datetime.fromisoformat(said["since"])
        return Maintenance(since, str(said["sentence"]), str(said.get("by", "")))
    except (ValueError, KeyError, TypeError):
        return Maintenance(now(), "")


def swap_file() -> Path:
    """Beside the other one; its time is that of the last swap."""
    return Path(settings.MAINTENANCE_FILE).with_suffix(SWAPPED)


def note_swap() -> None:
    """Another database is in its place from now on: tasks that were sent before name rows of the old one."""
    swap_file().touch(mode=0o600)
    # The clock of files may run a few milliseconds behind the one that tasks are sent by.
    moment = time.time()
    os.utime(swap_file(), (moment, moment))


def last_swap() -> float:
    """When that was, in seconds since 1970; 0 for never."""
    try:
        return os.stat(swap_file()).st_mtime
    except OSError:
        return 0.0
