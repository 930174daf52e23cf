"""Files that are whole or not there: written beside their place, synced, and moved."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from backups.errors import DiskIsFull, NotWritable

MEGABYTE = 1024 * 1024
PIECE = MEGABYTE
SYNCED_AT_ONCE = 8
FULL = (28, 122)  # ENOSPC, EDQUOT


def write_whole(path: Path, text: str) -> None:
    """Writes `text`, so that a crash leaves the old file or the new one; readable by its owner only. Raises DiskIsFull,
    NotWritable."""
    new = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise trouble(error, path.parent) from error


def make_folder(folder: Path) -> None:
    """Makes it, closed to everybody but its owner. Raises DiskIsFull, NotWritable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise trouble(error, folder) from error


def trouble(error: OSError, folder: Path) -> DiskIsFull | NotWritable:
    """Our error for the system's."""
    return DiskIsFull(folder) if error.errno in FULL else NotWritable(folder, error.strerror or error)


def sync_folder(folder: Path) -> None:
    """Has the names in it survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Has all files below it survive a power cut. Several at once: the disk's journal takes them together."""
    with ThreadPoolExecutor(SYNCED_AT_ONCE) as threads:
        for _synced in threads.map(sync_file, files_below(folder)):
            pass
    for name, _folders, _files in os.walk(folder):
        sync_folder(Path(name))


def sync_file(path: Path) -> None:
    """Has its content survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def files_below(folder: Path) -> Iterator[Path]:
    """All regular files below a folder, in the order of their names."""
    for name, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = Path(name, file)
            if path.is_file() and not path.is_symlink():
                yield path


def size_of(folder: Path) -> int:
    """The bytes of all files below it."""
    return sum(path.stat().st_size for path in files_below(folder))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def need_room(folder: Path, megabytes: int) -> None:
    """Raises DiskIsFull if the disk that holds `folder` has less than that left."""
    free = shutil.disk_usage(folder).free // MEGABYTE
    if free < megabytes:
        raise DiskIsFull(folder, free_mb=free, needed_mb=megabytes)
