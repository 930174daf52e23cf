"""WAL in other places: `wal/<system identifier>/<segment>`, each sealed.

Segments of two clusters have the same names: each cluster's are in a folder of its own. What is still being received
is copied too, under its name with .partial, and copied again each time.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine import files
from backups.engine.place import Place
from backups.engine.places import Progress, is_name, opened, sealed
from backups.engine.repository import Repository
from backups.engine.sealing import Key, keys_of_the_shop
from backups.engine.wal_archive import ANY_SIZE, refuse_other_server, system_identifiers_of
from backups.engine.wal_mended import mended, note_sent_again
from backups.engine.wal_names import HISTORY_NAME, PARTIAL, SEGMENT_NAME, Archive, Segment, history_name
from backups.errors import Busy, Damaged, Interrupted, UnknownBackup

FOLDER = "wal"
FETCHING = ".fetching"

logger = structlog.get_logger("backups.places")


def send_wal(
    repository: Repository,
    place: Place,
    *,
    keys: Sequence[Key] | None = None,
    progress: Progress = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Copies the WAL that is not in the place yet, the oldest first, and what is still being received; returns the
    names. The receiver may go on meanwhile. What was damaged here and is whole again is sent though it is there.

    Raises PlaceFailed, DiskIsFull, NotWritable, WrongKey, Interrupted; what was sent by then stays.
    """
    key = (keys or keys_of_the_shop())[0]
    # One program at a time sends: a job, or who sends along all the time.
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(repository.lock_when_free("sending", doing=_("Sending WAL"), is_stopped=is_stopped))
        except Busy:
            raise Interrupted(_("It was stopped.")) from None
        return _send(repository, place, key, progress, is_stopped)


def _send(
    repository: Repository,
    place: Place,
    key: Key,
    progress: Progress,
    is_stopped: Callable[[], bool],
) -> list[str]:
    archive = Archive.read(repository.wal, segment_size=ANY_SIZE)
    systems = system_identifiers_of(archive)
    if not systems:
        return []
    folder = f"{FOLDER}/{systems[0]}"
    there = place.sizes(folder)
    again = mended(repository, place.name)
    wanted = [history_name(number) for number in sorted(archive.histories)]
    wanted += [segment.name for segment in sorted(archive.complete.values())]
    wanted = [name for name in wanted if name not in there or name in again]
    wanted += [f"{name}{PARTIAL}" for name in sorted(archive.partial) if name not in archive.complete]
    sent = []
    for number, name in enumerate(wanted):
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        progress(gettext_noop("Sending WAL"), number / len(wanted))
        content = content_of(repository.wal / name)
        if content:
            path = f"{folder}/{name}"
            place.put(path, sealed(content, key, path, squeeze=True))
            sent.append(name)
        if f"{name}{PARTIAL}" in there:
            place.remove(f"{folder}/{name}{PARTIAL}")
    note_sent_again(repository, place.name, {name: again[name] for name in sent if name in again})
    if sent:
        logger.info("wal_sent", place=place.name, segments=len(sent))
    return sent


def content_of(path: Path) -> bytes:
    """What a segment holds; nothing if it was completed, and so renamed, or deleted by now, or is only a mark of where
    receiving begins. Raises Damaged if it can't be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        why = error.strerror or error
        raise Damaged(_("%(path)s can't be read: %(why)s.") % {"path": path, "why": why}) from error


def systems_in(place: Place) -> list[str]:
    """The system identifiers of the clusters whose WAL is in a place."""
    return place.folders(FOLDER)


def wal_in(place: Place, system_identifier: str) -> list[str]:
    """The names of a cluster's WAL in a place, histories included, in the order of time."""
    if not is_name(system_identifier):
        raise UnknownBackup(system_identifier)
    names = [name for name in place.sizes(f"{FOLDER}/{system_identifier}") if is_wal(name)]
    return sorted(names, key=lambda name: (name[8:], name[:8]))


def fetch_wal(
    place: Place,
    repository: Repository,
    system_identifier: str,
    *,
    since: str = "",
    keys: Sequence[Key] | None = None,
    progress: Progress = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Brings a cluster's WAL back, from the segment `since` on, as far as it is not here, and returns the names.

    Raises Busy while WAL is received, OtherServer if another cluster's WAL is here, WrongKey, PlaceFailed,
    DiskIsFull, NotWritable, Interrupted; and Damaged, with a finding for each, if some are not what was sent: then
    all others have come.
    """
    keys = keys or keys_of_the_shop()
    fetched: list[str] = []
    findings: list[str] = []
    with repository.lock("wal", doing=_("Fetching WAL")):
        archive = Archive.read(repository.wal, segment_size=ANY_SIZE)
        refuse_other_server(archive, system_identifier)
        for left in repository.wal.glob(f"*{FETCHING}"):
            left.unlink()
        names = wal_in(place, system_identifier)
        wanted = [name for name in names if is_wanted(name, since, set(names)) and not is_here(repository, name)]
        for number, name in enumerate(wanted):
            if is_stopped():
                raise Interrupted(_("It was stopped."))
            progress(gettext_noop("Fetching WAL"), number / len(wanted))
            path = f"{FOLDER}/{system_identifier}/{name}"
            content = place.get(path)
            if content is None:
                continue
            try:
                write(repository.wal / name, opened(content, keys, path))
            except Damaged as error:
                sentence = _("%(file)s in %(place)s is damaged: %(why)s")
                findings.append(sentence % {"file": path, "place": place.name, "why": error})
            else:
                fetched.append(name)
    logger.info("wal_fetched", place=place.name, segments=len(fetched), damaged=len(findings))
    if findings:
        raise Damaged("\n".join(findings), tuple(findings))
    return fetched


def forget_wal(place: Place, system_identifier: str, segment: str) -> list[str]:
    """Deletes a cluster's segments before this one, on whatever timeline, and returns their names; histories stay.
    Raises PlaceFailed, and ValueError for what is no segment."""
    limit = Segment.named(segment, size=ANY_SIZE).name[8:]
    forgotten = []
    for name in wal_in(place, system_identifier):
        if HISTORY_NAME.fullmatch(name) is None and name.removesuffix(PARTIAL)[8:] < limit:
            place.remove(f"{FOLDER}/{system_identifier}/{name}")
            forgotten.append(name)
    return forgotten


def is_wal(name: str) -> bool:
    return bool(SEGMENT_NAME.fullmatch(name.removesuffix(PARTIAL)) or HISTORY_NAME.fullmatch(name))


def is_wanted(name: str, since: str, names: set[str]) -> bool:
    """Whether recovery from this segment on reads it: histories always, a partial one only if it was not completed."""
    if HISTORY_NAME.fullmatch(name):
        return True
    complete = name.removesuffix(PARTIAL)
    return complete[8:] >= since[8:] and (complete == name or complete not in names)


def is_here(repository: Repository, name: str) -> bool:
    """Whether there is as much of it here; a mark that holds nothing is nothing."""
    complete = repository.wal / name.removesuffix(PARTIAL)
    own = repository.wal / name
    return complete.exists() or (own.exists() and own.stat().st_size > 0)


def write(path: Path, content: bytes) -> None:
    """Writes a segment, which is whole or not there; what was here of its beginning goes. Raises DiskIsFull,
    NotWritable."""
    new = path.with_name(f"{path.name}{FETCHING}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        path.with_name(f"{path.name}{PARTIAL}").unlink(missing_ok=True)
        files.sync_folder(path.parent)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise files.trouble(error, path.parent) from error
