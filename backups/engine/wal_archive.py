"""The folder of received WAL: where pg_receivewal goes on in it, and what may be deleted from it.

pg_receivewal begins behind the segment with the greatest number that it finds, and has no option to begin elsewhere.
An empty `.partial` file is the way to tell it.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import structlog
from django.utils.translation import gettext as _

from backups.engine import files
from backups.engine.manifest import Kind
from backups.engine.repository import Repository, Stored
from backups.engine.wal_names import PARTIAL, SEGMENT_NAME, Archive, Lineage, Segment
from backups.engine.wal_pages import IS_LONG, LONG_HEADER
from backups.errors import OtherServer

# Below the folder of WAL: what the server's history does not hold any more.
LEFT = "left"
DAMAGED = ".damaged"
# Names sort by their place whatever the size of a segment is.
ANY_SIZE = 1
# So many segments tell whose WAL it is: one alone may be damaged.
LOOKED_AT = 3

logger = structlog.get_logger("backups.wal")


def segments_of(archive: Archive) -> list[tuple[Segment, Path]]:
    """Every segment with its file, in the order of the WAL; one that lies there complete and partial comes twice."""
    complete = [(segment, archive.folder / name) for name, segment in archive.complete.items()]
    partial = [(segment, archive.folder / f"{name}{PARTIAL}") for name, segment in archive.partial.items()]
    return sorted(complete + partial)


def newest(archive: Archive) -> Segment | None:
    """The segment behind which pg_receivewal goes on."""
    found = segments_of(archive)
    return found[-1][0] if found else None


def newest_received(archive: Archive) -> Segment | None:
    """The last segment of which anything was received: an empty file only says where to begin."""
    return next((segment for segment, path in reversed(segments_of(archive)) if path.stat().st_size), None)


def system_identifiers_of(archive: Archive) -> list[str]:
    """The clusters whose WAL lies there, by the headers of the newest segments that have one."""
    found: list[str] = []
    for _segment, path in reversed(segments_of(archive)):
        with path.open("rb") as file:
            header = file.read(LONG_HEADER.size)
        if len(header) == LONG_HEADER.size:
            _magic, info, _timeline, _address, _rest, _padding, system, _size, _page = LONG_HEADER.unpack(header)
            if info & IS_LONG:
                found.append(str(system))
        if len(found) == LOOKED_AT:
            break
    return found


def refuse_other_server(archive: Archive, system_identifier: str) -> None:
    """Raises OtherServer if the WAL there is another cluster's: mixed with this one's, none could be used."""
    found = system_identifiers_of(archive)
    if found and system_identifier not in found:
        raise OtherServer(archive.folder, found[0], system_identifier)


def set_aside_wal(repository: Repository) -> Path:
    """Moves another cluster's WAL to a folder of its own and begins an empty one; its backups need it still. Returns
    the new place. Raises Busy while WAL is received, DiskIsFull, NotWritable."""
    with repository.lock("wal", doing=_("The receiver of WAL")):
        found = system_identifiers_of(Archive.read(repository.wal, segment_size=ANY_SIZE))
        system = found[0] if found else "unknown"
        place = repository.root / f"wal-{system}"
        number = 1
        while place.exists():
            number += 1
            place = repository.root / f"wal-{system}-{number}"
        repository.wal.rename(place)
        files.make_folder(repository.wal)
        files.sync_folder(repository.root)
    logger.warning("wal_set_aside", place=str(place))
    return place


def mend(archive: Archive) -> None:
    """Puts right what a full disk or a killed pg_receivewal left: a newest segment shorter than it must be, at which
    pg_receivewal would stop for ever. The server sends it again."""
    for name, segment in archive.partial.items():
        path = archive.folder / f"{name}{PARTIAL}"
        if path.stat().st_size in (0, segment.size):
            continue
        # It is filled with zeros before anything is written to it.
        if path.read_bytes().strip(b"\0"):
            path.rename(path.with_name(f"{path.name}{DAMAGED}"))
        else:
            path.unlink()
        logger.warning("wal_segment_incomplete", file=path.name)


def begin_at(archive: Archive, segment: Segment) -> None:
    """Has pg_receivewal begin at this segment, which must come after all that are there. Raises DiskIsFull,
    NotWritable."""
    path = archive.folder / f"{segment.name}{PARTIAL}"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        files.sync_folder(archive.folder)
    except OSError as error:
        raise files.trouble(error, archive.folder) from error


def leave_other_history(archive: Archive, lineage: Lineage) -> bool:
    """After another server took over: sets aside what the old one had written and the new one never had, and has
    pg_receivewal begin where the new timeline does. A server on an older timeline than what it does not know has not
    taken over: then nothing is done. Returns whether anything had to be done. Raises DiskIsFull, NotWritable."""
    unknown = [timeline for timeline in archive.timelines() if not lineage.knows(timeline)]
    if max(unknown, default=0) > lineage.timeline:
        # An old leader that came back would have what its followers wrote since thrown out.
        logger.warning("server_is_behind", timeline=lineage.timeline, received=max(unknown))
        return False
    moved = []
    for segment, path in segments_of(archive):
        if lineage.holds_segment(segment):
            continue
        files.make_folder(archive.folder / LEFT)
        path.rename(archive.folder / LEFT / path.name)
        moved.append(path.name)
    files.sync_folder(archive.folder)
    logger.warning("wal_of_other_history", moved=moved, timeline=lineage.timeline)

    remaining = Archive.read(archive.folder, segment_size=archive.segment_size)
    last = newest(remaining)
    following = (*(timeline for timeline, _end in lineage.ends[1:]), lineage.timeline)
    for (_timeline, end), timeline in zip(lineage.ends, following, strict=True):
        fork = Segment.at(end, timeline=timeline, size=archive.segment_size)
        if last is None or fork > last:
            begin_at(remaining, fork)
            return True
    return bool(moved)


def keep_wal_since(backups: Iterable[Stored]) -> str:
    """The oldest segment that a recovery from one of these backups reads; "" if none of them needs any."""
    physical = [stored.manifest for stored in backups if stored.manifest.kind == Kind.PHYSICAL]
    starts = (Segment.named(one.start_wal, size=one.segment_size) for one in physical)
    first = min(starts, default=None)
    return first.name if first is not None else ""


def forget_wal_before(repository: Repository, segment: str) -> list[str]:
    """Deletes the segments before this one, on whatever timeline, and returns their names; so goes what was set aside
    long ago. The newest always stays: receiving goes on behind it. Histories of timelines are small and stay.

    Raises ValueError for what is no segment.
    """
    limit = Segment.named(segment, size=ANY_SIZE).name[8:]
    archive = Archive.read(repository.wal, segment_size=ANY_SIZE)
    last = newest(archive)
    forgotten = []
    for one, path in segments_of(archive):
        if one.name[8:] < limit and last is not None and one.number < last.number:
            path.unlink(missing_ok=True)
            forgotten.append(path.name)
    aside = [*(repository.wal / LEFT).glob("*"), *repository.wal.glob(f"*{DAMAGED}")]
    for path in sorted(aside):
        if SEGMENT_NAME.match(path.name) and path.name[8:24] < limit:
            path.unlink(missing_ok=True)
            forgotten.append(path.name)
    if forgotten:
        files.sync_folder(repository.wal)
    return forgotten
