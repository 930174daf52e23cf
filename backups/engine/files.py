"""Files of backups: whole or not there, and what hinders them in our own words."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from backups.errors import DiskIsFull, NotWritable
from foundation import files as plain
from foundation.files import sync_folder

MEGABYTE = 1024 * 1024
PIECE = MEGABYTE
SYNCED_AT_ONCE = 8
FULL = (28, 122)  # ENOSPC, EDQUOT


def write_whole(path: Path, text: str) -> None:
    """Writes `text`, so that a crash leaves the old file or the new one; readable by its owner only. Raises DiskIsFull,
    NotWritable."""
    try:
        plain.write_whole(path, text)
    except OSError as error:
        raise trouble(error, path.parent) from error


def make_folder(folder: Path) -> None:
    """Makes it, closed to everybody but its owner. Raises DiskIsFull, NotWritable."""
    try:
        plain.make_folder(folder)
    except OSError as error:
        raise trouble(error, folder) from error


def trouble(error: OSError, folder: Path) -> DiskIsFull | NotWritable:
    """Our error for the system's."""
    return DiskIsFull(folder) if error.errno in FULL else NotWritable(folder, error.strerror or error)


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
