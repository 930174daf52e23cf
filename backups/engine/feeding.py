"""Handing the WAL to a server that recovers, one segment after the other, as it asks for them.

The server may run under another account, which has no way into the folder of backups. So its restore_command asks
through a pipe, and we, who may read the archive, put the segment in its place and answer.
"""

import os
import select
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from django.utils.translation import gettext as _

from backups.engine import files
from backups.engine.wal_names import PARTIAL, SEGMENT_NAME, Archive, Segment
from backups.errors import BackupFailed, Damaged, DiskIsFull
from foundation.programs.account import Account

SCRIPT = """\
#!/bin/sh
# PostgreSQL asks here for a file of the archive; who recovers puts it in its place and answers with an exit code.
echo "$1 $2" > ../ask || exit 126
while read -r name code; do
    [ "$name" = "$1" ] && exit "$code"
done < ../answer
exit 126
"""
# It runs in the data folder. PostgreSQL writes what it wants for %f and %p: no character of them means anything to sh.
COMMAND = "/bin/sh ../restore.sh %f %p"
# "It is not in the archive": the WAL ends there. From 126 on PostgreSQL gives the whole recovery up.
GIVEN, NOT_THERE, GIVE_UP = 0, 1, 126
LOOK_EVERY = 0.2


class Feeder:
    """Serves one recovering server from `archive`, as pg_receivewal writes it.

    Args:
        home: the folder that holds the server's data folder; the pipes and the script are made in it.
        data: the data folder.
        segment_size: of the server's WAL; the last segment, which is still being received, is filled up to it.
        on_segment: told each segment that was handed over.
    """

    def __init__(
        self,
        *,
        archive: Path,
        home: Path,
        data: Path,
        segment_size: int,
        account: Account | None = None,
        on_segment: Callable[[Segment], None] = lambda segment: None,
    ) -> None:
        self.archive, self.home, self.data = archive, home, data
        self.segment_size, self.account, self.on_segment = segment_size, account, on_segment
        # The last one that was handed over, and the last one that was asked for in vain.
        self.given: Segment | None = None
        self.missed: Segment | None = None
        self.error: BackupFailed | None = None
        # What the backup brought along, for as long as PostgreSQL has not replaced it.
        self._brought = {path.name for path in (data / "pg_wal").iterdir()}
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="feeds WAL", daemon=True)

    def start(self) -> None:
        """Makes the pipes and begins to answer."""
        script = self.home / "restore.sh"
        script.write_text(SCRIPT, encoding="utf-8")
        for name in ("ask", "answer"):
            os.mkfifo(self.home / name, 0o600)
        if self.account is not None:
            for name in ("restore.sh", "ask", "answer"):
                self.account.own(self.home / name)
        self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()

    def breaks_at(self) -> Segment | None:
        """Where the WAL that was asked for broke off although the archive goes on behind it: the segment that is
        missing, or that can't be read to its end."""
        asked = [segment for segment in (self.given, self.missed) if segment is not None]
        there = Archive.read(self.archive, segment_size=self.segment_size)
        last = max((segment.number for segment in (*there.complete.values(), *there.partial.values())), default=0)
        end = max(asked, default=None)
        return end if end is not None and last > end.number else None

    def _serve(self) -> None:
        # Opened for both, so that neither side waits for the other one to open it, and none sees an end of file.
        ask, answer = os.open(self.home / "ask", os.O_RDWR), os.open(self.home / "answer", os.O_RDWR)
        try:
            asked = b""
            while not self._ends.is_set():
                if not select.select([ask], [], [], LOOK_EVERY)[0]:
                    continue
                asked += os.read(ask, 4096)
                *lines, asked = asked.split(b"\n")
                for line in lines:
                    name, place = line.decode("ascii", "replace").split(" ", 1)
                    os.write(answer, f"{name} {self._hand_over(name, Path(place).name)}\n".encode())
        finally:
            os.close(ask)
            os.close(answer)

    def _hand_over(self, name: str, place: str) -> int:
        segment = Segment.named(name, size=self.segment_size) if SEGMENT_NAME.fullmatch(name) else None
        # The one that is being received loses its ending once it is full: perhaps between our two looks.
        names = (name, f"{name}{PARTIAL}", name) if segment is not None else (name,)
        try:
            is_there = any(self._copied(self.archive / one, self.data / "pg_wal" / place) for one in names)
        except OSError as error:
            self.error = self._trouble(name, error)
            return GIVE_UP
        if segment is None:
            return GIVEN if is_there else NOT_THERE
        if not is_there:
            self.missed = segment
            return NOT_THERE
        self.given = segment
        self.on_segment(segment)
        return GIVEN

    def _trouble(self, name: str, error: OSError) -> BackupFailed:
        if error.errno in files.FULL:
            return DiskIsFull(self.home)
        return Damaged(_("%(file)s can't be read: %(why)s.") % {"file": name, "why": error.strerror})

    def _copied(self, source: Path, target: Path) -> bool:
        try:
            shutil.copyfile(source, target)
        except FileNotFoundError:
            return False
        if source.name.endswith(PARTIAL):
            # One that is being received may be behind what the backup brought along, or ahead of it.
            brought = self.data / "pg_wal" / source.name.removesuffix(PARTIAL)
            if brought.name in self._brought and filled(brought) >= filled(target):
                target.unlink()
                return False
            os.truncate(target, self.segment_size)
        target.chmod(0o600)
        if self.account is not None:
            self.account.own(target)
        return True


def filled(path: Path) -> int:
    """How much of a segment is written: the rest of it is zeros."""
    return len(path.read_bytes().rstrip(b"\0")) if path.is_file() else 0
