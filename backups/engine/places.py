"""Copies of backups in other places.

    backups/<id>/000001.<key id>    the backup's folder in pieces, each sealed; nothing shows its names or sizes
    backups/<id>/manifest           what the backup is and which pieces it has, sealed; written last
    wal/<system>/<segment>          see place_wal.py

A copy whose manifest is not there is none: sending goes on where it was broken off.
"""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine import files
from backups.engine.manifest import NAME, STATE_NAME, Kind, Manifest, State, read_state
from backups.engine.pieces import PIECE, content_of, cut, join
from backups.engine.place import Place
from backups.engine.repository import PARTIAL, Repository, Stored
from backups.engine.sealing import Key, keys_of_the_shop, seal, unseal
from backups.errors import BackupFailed, Damaged, Interrupted, UnknownBackup, WrongKey

FOLDER = "backups"
MANIFEST = "manifest"
FORMAT = 1
SENT = "sent"
# What does not belong to a copy: the manifest has a place of its own, and what was found out here is lost without harm.
LEFT_OUT = frozenset({NAME, STATE_NAME})

Progress = Callable[[str, float | None], None]

logger = structlog.get_logger("backups.places")


@dataclass(frozen=True, slots=True)
class Copy:
    """A whole copy in a place. `sizes` are its files', by path; `pieces` what they are in."""

    manifest: Manifest
    pieces: tuple[str, ...]
    sizes: dict[str, int] = field(repr=False)

    @property
    def id(self) -> str:
        return self.manifest.id


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in a place: the copies, the oldest first; those that can't be read, with a sentence each; and the ids of
    those whose sending was broken off."""

    copies: list[Copy]
    unreadable: dict[str, BackupFailed]
    unfinished: list[str]


def send(
    stored: Stored,
    place: Place,
    *,
    keys: Sequence[Key] | None = None,
    size: int = PIECE,
    progress: Progress = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Copies a backup to a place, sealed with the first of the keys (of the settings, unless given), and returns how
    many pieces were sent: none if the copy is there already; the missing ones if it was broken off.

    Raises PlaceFailed, DiskIsFull (of the place), WrongKey, Interrupted. A copy that is not complete is none.
    """
    key = (keys or keys_of_the_shop())[0]
    folder = f"{FOLDER}/{stored.id}"
    there = place.sizes(folder)
    if MANIFEST in there:
        return 0
    folders, sizes = content_of(stored.folder, without=LEFT_OUT)
    total = sum(sizes.values()) or 1
    # Dumps and pictures are compressed; the files of a cluster are not.
    squeeze = stored.manifest.kind == Kind.PHYSICAL
    pieces: list[str] = []
    sent = 0

    def hand_on(number: int, piece: bytes) -> None:
        nonlocal sent
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        progress(gettext_noop("Sending"), min((number - 1) * size / total, 1.0))
        # Under another key it is another piece: the old one may not be there to open it any more.
        name = f"{number:06d}.{key.id}"
        pieces.append(name)
        if name not in there:
            place.put(f"{folder}/{name}", sealed(piece, key, f"{folder}/{name}", squeeze=squeeze))
            sent += 1

    cut(stored.folder, folders, sizes, size=size, on_piece=hand_on)
    said = {"format": FORMAT, "manifest": stored.manifest.to_json(), "pieces": pieces, "sizes": sizes}
    place.put(f"{folder}/{MANIFEST}", sealed(json.dumps(said).encode(), key, f"{folder}/{MANIFEST}", squeeze=True))
    for name in {*there, *place.leftovers(folder)} - set(pieces):
        place.remove(f"{folder}/{name}")
    logger.info("backup_sent", backup=stored.id, place=place.name, pieces=sent)
    return sent


def send_missing(
    repository: Repository,
    place: Place,
    *,
    keys: Sequence[Key] | None = None,
    progress: Progress = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[Stored]:
    """Copies what is not in the place yet, the oldest first, so that what builds upon it finds it there; notes it down
    with each backup, and returns those that were sent. One that is known to be damaged stays here.

    Raises what `send` raises.
    """
    done = []
    there = {backup_id for backup_id in place.folders(FOLDER) if MANIFEST in place.sizes(f"{FOLDER}/{backup_id}")}
    for stored in repository.backups():
        if stored.state.damage:
            continue
        if stored.id not in there:
            send(stored, place, keys=keys, progress=progress, is_stopped=is_stopped)
            done.append(stored)
        if stored.state.places.get(place.name) != SENT:
            repository.amend(stored, places={**stored.state.places, place.name: SENT})
    return done


def listing(place: Place, *, keys: Sequence[Key] | None = None) -> Listing:
    """What is in a place. Raises PlaceFailed, WrongKey if there is no key at all."""
    keys = keys or keys_of_the_shop()
    copies: list[Copy] = []
    unreadable: dict[str, BackupFailed] = {}
    unfinished = []
    for backup_id in place.folders(FOLDER):
        try:
            copies.append(read_copy(place, backup_id, keys))
        except UnknownBackup:
            unfinished.append(backup_id)
        except (Damaged, WrongKey) as error:
            unreadable[backup_id] = error
    return Listing(sorted(copies, key=lambda copy: copy.id), unreadable, unfinished)


def read_copy(place: Place, backup_id: str, keys: Sequence[Key]) -> Copy:
    """What a copy says of itself. Raises UnknownBackup if it is not there or not complete, Damaged, WrongKey,
    PlaceFailed."""
    path = f"{FOLDER}/{backup_id}/{MANIFEST}"
    content = place.get(path) if is_name(backup_id) else None
    if content is None:
        raise UnknownBackup(backup_id)
    try:
        said = json.loads(opened(content, keys, path))
        if said["format"] > FORMAT:
            raise Damaged(_("The copy was made by a newer Samovar: use that one to fetch it."))
        return Copy(Manifest.from_json(said["manifest"]), tuple(said["pieces"]), said["sizes"])
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(_("The manifest can't be read: %(why)s.") % {"why": error}) from error


def fetch(
    place: Place,
    backup_id: str,
    repository: Repository,
    *,
    keys: Sequence[Key] | None = None,
    replaces: bool = False,
    progress: Progress = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Stored:
    """Brings a backup back from a place, with those that it builds upon. One that is here already is returned as it
    is, or replaced by the copy. What comes back counts as neither verified nor proved.

    Raises UnknownBackup, WrongKey, Damaged if the copy is not what was sent, PlaceFailed, DiskIsFull, NotWritable,
    Interrupted; nothing is left behind then, and what was here is as it was.
    """
    keys = keys or keys_of_the_shop()
    copy = read_copy(place, backup_id, keys)
    if copy.manifest.base_id:
        fetch(place, copy.manifest.base_id, repository, keys=keys, progress=progress, is_stopped=is_stopped)
    folder = repository.root / copy.manifest.kind / copy.id
    if folder.is_dir() and not replaces:
        return repository.read(folder)
    needed = sum(copy.sizes.values())
    files.need_room(repository.root, needed * 21 // 20 // files.MEGABYTE + 50)
    # Not what a deleted one is renamed to, which this may replace.
    partial = folder.with_name(f"{copy.id}.fetched{PARTIAL}")
    repository.discard(partial)
    files.make_folder(partial)
    try:
        if join(read_pieces(place, copy, keys, progress, is_stopped), partial, is_stopped=is_stopped) != copy.sizes:
            raise Damaged(_("The copy in %(place)s does not hold the files that were sent.") % {"place": place.name})
        known = State(is_kept=read_state(folder).is_kept, places={place.name: SENT})
        if folder.is_dir():
            repository.delete(Stored(folder, copy.manifest, State()))
        stored = repository.finish(partial, copy.manifest)
    except BaseException:
        repository.discard(partial)
        raise
    logger.info("backup_fetched", backup=copy.id, place=place.name)
    return repository.note(stored, known)


def check(
    place: Place,
    backup_id: str,
    *,
    keys: Sequence[Key] | None = None,
    progress: Progress = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Reads a whole copy without keeping it, and returns what is wrong with it, one sentence for each piece. Raises
    UnknownBackup, Damaged if its manifest can't be read, WrongKey, PlaceFailed, Interrupted."""
    keys = keys or keys_of_the_shop()
    copy = read_copy(place, backup_id, keys)
    findings = []
    for number, name in enumerate(copy.pieces):
        progress(gettext_noop("Checking"), number / len(copy.pieces))
        try:
            for _piece in read_pieces(place, replace(copy, pieces=(name,)), keys, is_stopped=is_stopped):
                pass
        except Damaged as error:
            findings.append(str(error))
    return findings


def read_pieces(
    place: Place,
    copy: Copy,
    keys: Sequence[Key],
    progress: Progress = lambda _stage, _share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Iterator[bytes]:
    """The pieces of a copy, opened. Raises Damaged at the first that is not what was sent, WrongKey, PlaceFailed,
    Interrupted."""
    for number, name in enumerate(copy.pieces):
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        progress(gettext_noop("Fetching"), number / len(copy.pieces))
        path = f"{FOLDER}/{copy.id}/{name}"
        content = place.get(path)
        where = {"file": path, "place": place.name}
        if content is None:
            raise Damaged(_("The copy is not whole: %(file)s is missing in %(place)s.") % where)
        try:
            yield opened(content, keys, path)
        except Damaged as error:
            raise Damaged(_("%(file)s in %(place)s is damaged: %(why)s") % {**where, "why": error}) from error


def forget(place: Place, backup_id: str) -> None:
    """Deletes a copy, also one that is not complete: first it stops looking whole. Raises PlaceFailed, and
    UnknownBackup if there is nothing of it."""
    if not is_name(backup_id) or backup_id not in place.folders(FOLDER):
        raise UnknownBackup(backup_id)
    place.remove(f"{FOLDER}/{backup_id}/{MANIFEST}")
    place.remove_folder(f"{FOLDER}/{backup_id}")
    logger.info("backup_forgotten", backup=backup_id, place=place.name)


def sealed(content: bytes, key: Key, path: str, *, squeeze: bool) -> bytes:
    """What is written at this path of a place; elsewhere it does not open."""
    sink = io.BytesIO()
    seal(io.BytesIO(content), sink, key, context=path, squeeze=squeeze)
    return sink.getvalue()


def opened(content: bytes, keys: Sequence[Key], path: str) -> bytes:
    """What was sealed for this path. Raises Damaged, WrongKey."""
    sink = io.BytesIO()
    unseal(io.BytesIO(content), sink, keys, context=path)
    return sink.getvalue()


def is_name(text: str) -> bool:
    """Whether it names one folder, and leads nowhere else."""
    return text not in ("", ".", "..") and "/" not in text
