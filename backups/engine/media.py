"""The uploaded media of the shop in one file: packed for a backup, and put back from it."""

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import structlog
from django.utils.translation import gettext as _

from backups.engine import files
from backups.errors import BackupFailed, Damaged, Interrupted

# A file that is being put back; a crash leaves it behind, and the next time it is packed it is left out.
UNFINISHED = ".samovar-unpacking"

logger = structlog.get_logger("backups.media")


def pack_media(media: Path, target: Path, *, is_stopped: Callable[[], bool] = lambda: False) -> int:
    """Packs all files below `media` into a new archive and returns how many they are. Symbolic links and what is no
    file are left out, and so are files that are deleted meanwhile; without such a folder the archive is empty.

    Raises DiskIsFull and NotWritable (of the archive), BackupFailed for a file that can't be read, Interrupted; there
    is no archive then.
    """
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise files.trouble(error, target.parent) from error
    count = 0
    try:
        with os.fdopen(handle, "wb") as sink:
            with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
                for path in files.files_below(media):
                    if is_stopped():
                        raise Interrupted(_("It was stopped."))
                    if not path.name.endswith(UNFINISHED):
                        count += add(archive, path, path.relative_to(media).as_posix())
            sink.flush()
            os.fsync(sink.fileno())
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise files.trouble(error, target.parent) from error
        raise
    return count


def add(archive: tarfile.TarFile, path: Path, name: str) -> int:
    """Puts one file into the archive. Returns 1, or 0 for one that is not there any more."""
    try:
        # A name that has become a link since it was listed is not followed.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise BackupFailed(
            _("%(path)s can't be read (%(why)s): give this account the right to, or move it out of the media.")
            % {"path": path, "why": error.strerror}
        ) from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return 0
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = found.st_size, int(found.st_mtime), 0o644
        archive.addfile(info, PromisedBytes(file, found.st_size, path))
    return 1


class PromisedBytes:
    """A file that gives as many bytes as it had when it was opened: one that is cut short meanwhile would break the
    whole archive, so zeros stand for the rest, and the log says so."""

    def __init__(self, file: IO[bytes], size: int, path: Path) -> None:
        self.file, self.left, self.path = file, size, path

    def read(self, size: int = files.PIECE, /) -> bytes:
        wanted = min(size, self.left)
        piece = self.file.read(wanted)
        if len(piece) < wanted:
            logger.warning("media_file_cut_short", path=str(self.path), missing=self.left - len(piece))
            piece = piece.ljust(wanted, b"\0")
        self.left -= len(piece)
        return piece


def unpack_media(
    archive: Path,
    media: Path,
    *,
    replace: bool = False,
    expected: int | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Puts back the files that are missing below `media`, with `replace` also those that are there, and returns how
    many it wrote. It never deletes one. `expected` is how many the archive must hold.

    Raises Damaged before anything is written if the archive is cut short, holds something else than files, or has a
    path that leads out of `media`; DiskIsFull, NotWritable, Interrupted.
    """
    try:
        with tarfile.open(archive, mode="r:", encoding="utf-8") as source:
            members = source.getmembers()
            check(members, archive, media, expected)
            files.make_folder(media)
            count = 0
            for member in members:
                if is_stopped():
                    raise Interrupted(_("It was stopped."))
                place = media / member.name
                if replace or not place.exists():
                    count += 1
                    write(source, member, place)
    except (tarfile.TarError, FileNotFoundError) as error:
        raise Damaged(_("%(archive)s can't be read: %(why)s.") % {"archive": archive, "why": error}) from error
    except OSError as error:
        raise files.trouble(error, media) from error
    return count


def check(members: list[tarfile.TarInfo], archive: Path, media: Path, expected: int | None) -> None:
    """Raises Damaged for an archive that is not what `pack_media` made."""
    # A damaged header looks to tarfile like the end of the archive.
    if expected is not None and len(members) != expected:
        raise Damaged(
            _("%(archive)s holds %(found)d files instead of %(expected)d.")
            % {"archive": archive, "found": len(members), "expected": expected}
        )
    root = media.resolve()
    for member in members:
        place = (root / member.name).resolve()
        if not member.isreg() or place == root or not place.is_relative_to(root):
            raise Damaged(
                _("%(archive)s holds %(name)s, which leads out of the folder of media or is no file.")
                % {"archive": archive, "name": member.name}
            )


def write(source: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    """Writes one file, so that it is whole or not there."""
    content = source.extractfile(member)
    assert content is not None  # noqa: S101 - `check` let only files through
    new = place.with_name(f"{place.name}{UNFINISHED}")
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with new.open("wb") as file:
            for piece in pieces(content):
                file.write(piece)
        os.utime(new, (member.mtime, member.mtime))
        new.replace(place)
    finally:
        new.unlink(missing_ok=True)


def pieces(content: IO[bytes]) -> Iterator[bytes]:
    while piece := content.read(files.PIECE):
        yield piece
