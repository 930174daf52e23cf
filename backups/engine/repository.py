"""The folder that holds the backups: what lies where, what is complete, and who is at it.

    logical/<id>/      manifest.json, state.json, dump/ (pg_dump's directory), media.tar
    physical/<id>/     manifest.json, state.json, data/ (pg_basebackup's), media.tar
    wal/               the segments as pg_receivewal writes them
    jobs/<id>.json     what is to be done, is being done, and was done
    locks/             who is at it

A backup is made in `<id>.partial` and renamed when it is complete: what has no such ending is whole. Nothing here
needs a database.
"""

import datetime
import fcntl
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from backups.engine import files
from backups.engine.manifest import NAME, STATE_NAME, Kind, Manifest, State, read_manifest, read_state
from backups.errors import Busy, Damaged, UnknownBackup
from foundation.uuids import uuid7

PARTIAL = ".partial"
# How often who waits for a lock looks, in seconds.
LOOK_EVERY = 0.1

logger = structlog.get_logger("backups.repository")


@dataclass(frozen=True, slots=True)
class Stored:
    """A complete backup: its folder, what it says of itself, and what was found out about it."""

    folder: Path
    manifest: Manifest
    state: State

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def media(self) -> Path:
        return self.folder / "media.tar"

    @property
    def data(self) -> Path:
        """What the tool made: a dump's directory, or a cluster's."""
        return self.folder / ("dump" if self.manifest.kind == Kind.LOGICAL else "data")


class Repository:
    """The backups below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of_the_shop(cls) -> "Repository":
        """The one of the settings, made if it is not there. Raises DiskIsFull, NotWritable."""
        repository = cls(settings.BACKUP_DIR)
        repository.make()
        return repository

    @property
    def wal(self) -> Path:
        return self.root / "wal"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    def make(self) -> None:
        """Makes the folders. Raises DiskIsFull, NotWritable."""
        for folder in (self.root, *(self.root / kind for kind in Kind), self.wal, self.jobs, self.locks):
            files.make_folder(folder)

    # --- backups ----------------------------------------------------------------------------------------

    def begin(self, kind: Kind, *, backup_id: str = "") -> tuple[str, Path]:
        """The id of a new backup (that of the work that makes it, if it has one), and its folder while it is being
        made. Raises DiskIsFull, NotWritable."""
        backup_id = backup_id or str(uuid7())
        folder = self.root / kind / f"{backup_id}{PARTIAL}"
        files.make_folder(folder)
        return backup_id, folder

    def finish(self, partial: Path, manifest: Manifest) -> Stored:
        """The backup is complete: its manifest is written, and everything survives a power cut from here on."""
        files.write_whole(partial / NAME, manifest.to_json())
        files.sync_tree(partial)
        folder = partial.with_name(manifest.id)
        partial.rename(folder)
        files.sync_folder(folder.parent)
        return Stored(folder, manifest, State())

    def discard(self, partial: Path) -> None:
        """Forgets a backup that came to nothing."""
        shutil.rmtree(partial, ignore_errors=True)

    def discard_leftovers(self) -> list[str]:
        """Forgets what killed backups left behind. Only for who holds the lock "work"."""
        left = [path for kind in Kind for path in (self.root / kind).glob(f"*{PARTIAL}")]
        for path in left:
            self.discard(path)
        return [path.name.removesuffix(PARTIAL) for path in left]

    def backups(self) -> list[Stored]:
        """The complete ones, the oldest first. One whose manifest can't be read is left out, and the log says so."""
        found = []
        for kind in Kind:
            folder = self.root / kind
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.name.endswith(PARTIAL) or not path.is_dir():
                    continue
                try:
                    found.append(self.read(path))
                except Damaged as error:
                    logger.warning("backup_unreadable", folder=str(path), reason=str(error))
        return sorted(found, key=lambda one: one.id)

    def unreadable(self) -> list[Path]:
        """Folders that look complete and whose manifest can't be read."""
        known = {stored.folder for stored in self.backups()}
        folders = [path for kind in Kind for path in (self.root / kind).iterdir() if path.is_dir()]
        return sorted(path for path in folders if path not in known and not path.name.endswith(PARTIAL))

    def get(self, backup_id: str) -> Stored:
        """Raises UnknownBackup, Damaged."""
        # What is no plain name would lead elsewhere.
        is_name = backup_id not in ("", "..") and Path(backup_id).name == backup_id and not backup_id.endswith(PARTIAL)
        for kind in Kind if is_name else ():
            folder = self.root / kind / backup_id
            if folder.is_dir():
                return self.read(folder)
        raise UnknownBackup(backup_id)

    def read(self, folder: Path) -> Stored:
        """Raises Damaged."""
        return Stored(folder, read_manifest(folder), read_state(folder))

    def note(self, stored: Stored, state: State) -> Stored:
        """Writes down what was found out about a backup."""
        files.write_whole(stored.folder / STATE_NAME, state.to_json())
        return replace(stored, state=state)

    def amend(self, stored: Stored, **changes: Any) -> Stored:
        """Writes down some of it. What others found out since `stored` was read stays."""
        return self.note(stored, replace(read_state(stored.folder), **changes))

    def delete(self, stored: Stored) -> None:
        """Deletes a backup: first it stops looking whole."""
        partial = stored.folder.with_name(f"{stored.id}{PARTIAL}")
        stored.folder.rename(partial)
        files.sync_folder(partial.parent)
        shutil.rmtree(partial)

    # --- who is at it -----------------------------------------------------------------------------------

    @contextmanager
    def lock(self, name: str, *, doing: str) -> Iterator[None]:
        """Nobody else has this lock ("work", "wal", …) meanwhile; it ends with the process, however that ends. Raises
        Busy, which says what the other one is doing, DiskIsFull, NotWritable."""
        path = self.locks / name
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise files.trouble(error, self.locks) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(path.read_text(encoding="utf-8").strip()) from None
            # On a full disk others are told less; the lock holds.
            with suppress(OSError):
                os.ftruncate(handle, 0)
                os.pwrite(handle, doing.encode(), 0)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def lock_when_free(
        self, name: str, *, doing: str, is_stopped: Callable[[], bool], seconds: float = math.inf
    ) -> Iterator[None]:
        """As `lock`, for who may wait so long for it. Raises Busy when it is stopped or the time is over."""
        deadline = time.monotonic() + seconds
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(self.lock(name, doing=doing))
                    break
                except Busy:
                    if is_stopped() or time.monotonic() > deadline:
                        raise
                time.sleep(LOOK_EVERY)
            yield

    def is_locked(self, name: str) -> bool:
        """Whether somebody has this lock now; also on a disk that can only be read."""
        try:
            handle = os.open(self.locks / name, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def now() -> datetime.datetime:
    """The moment, as manifests write it."""
    return datetime.datetime.now(datetime.UTC)
