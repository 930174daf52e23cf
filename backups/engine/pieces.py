"""A folder as a row of pieces of the same size: an archive (tar) that is cut, so that sending can be taken up where
it was broken off, and that holds thousands of small files without a request for each.

The same folder gives the same pieces every time.
"""

import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.utils.translation import gettext as _

from backups.engine import files
from backups.errors import BackupFailed, Damaged, Interrupted

PIECE = 32 * 1024 * 1024
BLOCK = 1024 * 1024


class Cutter(io.RawIOBase):
    """Takes what is written, and hands it on in pieces."""

    def __init__(self, size: int, on_piece: Callable[[int, bytes], None]) -> None:
        super().__init__()
        self.size = size
        self.on_piece = on_piece
        self.number = 0
        self.waiting = bytearray()
        self.is_broken_off = False

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        if self.is_broken_off:
            # A tar that is broken off still writes its end, which would make a piece that looks like the right one.
            return len(data)
        self.waiting += data
        while len(self.waiting) >= self.size:
            self._hand_on(self.size)
        return len(data)

    def finish(self) -> None:
        """Hands on what is left."""
        if self.waiting:
            self._hand_on(len(self.waiting))

    def _hand_on(self, size: int) -> None:
        piece = bytes(memoryview(self.waiting)[:size])
        del self.waiting[:size]
        self.number += 1
        self.on_piece(self.number, piece)


class Joiner(io.RawIOBase):
    """Reads pieces as one file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self.pieces = pieces
        self.current = io.BytesIO()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        while not (part := self.current.read(size)):
            piece = next(self.pieces, None)
            if piece is None:
                return b""
            self.current = io.BytesIO(piece)
        return part


def content_of(folder: Path, *, without: frozenset[str] = frozenset()) -> tuple[list[Path], dict[str, int]]:
    """The folders below a folder, also empty ones, and its files with their sizes, but for those of these names right
    in it. Raises BackupFailed for a link, which would not come back as it was."""
    folders, sizes = [], {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise BackupFailed(_("%(path)s is no plain file: it can't be copied.") % {"path": path})
        if path.is_dir():
            folders.append(path)
        elif name not in without:
            sizes[name] = path.stat().st_size
    return folders, sizes


def cut(
    folder: Path, folders: list[Path], sizes: dict[str, int], *, size: int, on_piece: Callable[[int, bytes], None]
) -> int:
    """Has `on_piece` told each piece's number, from 1 on, and content; returns how many there are. `folders` and
    `sizes` are what `content_of` found.

    Raises Damaged if a file can't be read or is not as large as it was, and what `on_piece` raises.
    """
    cutter = Cutter(size, on_piece)
    with tarfile.open(fileobj=cutter, mode="w|", format=tarfile.GNU_FORMAT, bufsize=BLOCK) as archive:
        archive.copybufsize = BLOCK  # type: ignore[attr-defined]  # 16 kB otherwise, which costs as much as sealing
        try:
            for path in folders:
                add_folder(archive, path.relative_to(folder).as_posix())
            for name, expected in sizes.items():
                add_file(archive, folder / name, name, expected)
        except BaseException:
            cutter.is_broken_off = True
            raise
    cutter.finish()
    return cutter.number


def add_folder(archive: tarfile.TarFile, name: str) -> None:
    """Adds an empty folder, the same every time."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o700
    archive.addfile(entry)


def add_file(archive: tarfile.TarFile, path: Path, name: str, size: int) -> None:
    """Adds a file, the same every time. Raises Damaged."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            entry.mtime = int(status.st_mtime)
            if status.st_size == size:
                archive.addfile(entry, file)
                return
            why = _("it is not as large as it was")
    except OSError as error:
        why = error.strerror or str(error)
    raise Damaged(_("%(path)s can't be read: %(why)s.") % {"path": path, "why": why})


def join(pieces: Iterator[bytes], folder: Path, *, is_stopped: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Writes the files of the pieces below `folder`, and returns their sizes.

    Raises Damaged if the pieces are no archive, or one that leads out of the folder; DiskIsFull, NotWritable,
    Interrupted, and what `pieces` raises.
    """
    source, sizes = Joiner(pieces), {}
    try:
        with tarfile.open(fileobj=source, mode="r|", bufsize=BLOCK) as archive:
            archive.copybufsize = BLOCK  # type: ignore[attr-defined]
            for entry in archive:
                if is_stopped():
                    raise Interrupted(_("It was stopped."))
                if not entry.isdir():
                    sizes[entry.name] = entry.size
                unpack_entry(archive, entry, folder)
        while source.read(BLOCK):
            # Behind the archive's end there may be a last piece of filling, which is to be whole too.
            pass
    except tarfile.TarError as error:
        raise Damaged(_("The copy can't be unpacked: %(why)s.") % {"why": error}) from error
    except OSError as error:
        raise files.trouble(error, folder) from error
    return sizes


def unpack_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    """Writes one folder or file, readable by its owner only. Raises TarError for anything else, for a path that leads
    out of the folder, and for a file that is cut off. (`extract(filter="data")` is not in every Python 3.11.)"""
    path = folder / entry.name
    if not (entry.isreg() or entry.isdir()) or not path.resolve().is_relative_to(folder.resolve()):
        raise tarfile.TarError(f"{entry.name!r} does not belong there")
    if entry.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = archive.extractfile(entry)
    if content is None:
        raise tarfile.TarError(f"{entry.name!r} has no content")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
        shutil.copyfileobj(content, sink, BLOCK)
        if sink.tell() != entry.size:
            raise tarfile.TarError(f"{entry.name!r} is cut off")
