"""The files of log lines, into which all of the shop's programs write at once.

Every line is one write at the end of the file, which the system does not mix with others. Whoever finds the file full,
or of an earlier day, gives it another name; the others notice by its number and go on in the new one. What they wrote
meanwhile stands in the renamed one: no line is lost. See docs/adr/0074-log-files.md.
"""

import fcntl
import json
import logging
import os
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from monitoring.logs.handlers import QuietHandler, say

MEGABYTE = 1024 * 1024
# A file is given another name once it has this share of what all of its kind may have.
SHARE = 10
# So often is a disk tried that does not take lines, in seconds.
TRIED_EVERY = 1.0
MOVED_EVERY = 60.0
# A line may hold several of the longest texts.
LONGEST_LINE = MEGABYTE
DAY = 86_400


class LogFile(QuietHandler):
    """Writes lines into `path`, which only this account may read. A disk that is full, or not there, costs the lines,
    and one sentence on standard error when that begins and when it is over.

    Args:
        days: older lines are deleted.
        megabytes: of all files of this name together; the oldest are deleted.
    """

    def __init__(self, path: str | Path, *, days: int, megabytes: int) -> None:
        super().__init__()
        self.path = Path(path)
        self.days = days
        self.most_bytes = megabytes * MEGABYTE
        self.file: int | None = None
        # Device and number of the open file, and the day (UTC) of its first line.
        self.known: tuple[int, int] | None = None
        self.day: date | None = None
        self.ends_in_a_line = True
        self.left_out = 0
        self.try_again_at = 0.0
        self.move_again_at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if self.left_out and time.monotonic() < self.try_again_at:
            self.left_out += 1
            return
        try:
            line = self.format(record).encode(errors="backslashreplace") + b"\n"
        except Exception:  # the line's own fault
            self.handleError(record)
            return
        try:
            self.write(line)
        except OSError as error:
            self.give_up(error)
        else:
            if self.left_out:
                say(f"Log lines are written into {self.path} again; {self.left_out} were left out.")
                self.left_out = 0

    def write(self, line: bytes) -> None:
        """Raises OSError."""
        file = self.current()
        # After a disk was full, half a line may stand there.
        data = line if self.ends_in_a_line else b"\n" + line
        written = os.write(file, data)
        self.ends_in_a_line = written == len(data)
        if not self.ends_in_a_line:
            raise OSError("the disk is full")

    def current(self) -> int:
        """The file that has the name now, opened; moved away first if it is full or of an earlier day."""
        seen = self.look()
        if seen is None or (seen.st_dev, seen.st_ino) != self.known:
            seen = self.open()
        if seen.st_size and (seen.st_size >= self.most_bytes // SHARE or self.day != today()):
            self.make_room()
        if self.file is None:
            raise OSError("the file is not open")
        return self.file

    def make_room(self) -> None:
        if time.monotonic() < self.move_again_at:
            return
        try:
            self.move_away()
        except OSError as error:
            # Better a file that grows than lines that are lost.
            say(f"{self.path} can't be renamed, so it grows: {error.strerror or error}.")
            self.move_again_at = time.monotonic() + MOVED_EVERY
        else:
            self.open()

    def look(self) -> os.stat_result | None:
        try:
            return self.path.stat()
        except FileNotFoundError:
            return None

    def open(self) -> os.stat_result:
        self.let_go()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # No symbolic link: in a folder that others may write to it could lead anywhere.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self.file = os.open(self.path, flags, 0o600)
        seen = os.fstat(self.file)
        folder = self.path.parent.stat()
        if os.geteuid() == 0 and seen.st_uid != folder.st_uid:
            # A command that root runs must not shut the service's own account out.
            os.fchown(self.file, folder.st_uid, folder.st_gid)
        if seen.st_mode & 0o077:
            os.fchmod(self.file, 0o600)
        self.known = (seen.st_dev, seen.st_ino)
        self.day = first_day(self.path) if seen.st_size else today()
        return seen

    def move_away(self) -> None:
        """Renames the file, unless another process is at it, and deletes those that are too old or too much."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # A lock on the folder itself: a file for it would belong to whoever made it first.
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            seen = self.look()
            # Whoever held the lock before us may have done it.
            if seen is not None and (seen.st_dev, seen.st_ino) == self.known:
                self.path.rename(self.dated_name())
            self.delete_old()
        except BlockingIOError:
            pass
        finally:
            os.close(folder)

    def dated_name(self) -> Path:
        return self.path.with_name(f"{self.path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}{self.path.suffix}")

    def delete_old(self) -> None:
        kept = 0
        for path in reversed(older_files(self.path)):
            # Another process's command may tidy the same folder.
            with suppress(FileNotFoundError):
                seen = path.stat()
                kept += seen.st_size
                if kept > self.most_bytes - self.most_bytes // SHARE or seen.st_mtime < time.time() - self.days * DAY:
                    path.unlink()

    def give_up(self, error: OSError) -> None:
        if not self.left_out:
            say(f"Log lines can't be written into {self.path}: {error.strerror or error}. The shop goes on without.")
        self.left_out += 1
        self.try_again_at = time.monotonic() + TRIED_EVERY
        self.let_go()

    def let_go(self) -> None:
        file, self.file, self.known = self.file, None, None
        if file is not None:
            with suppress(OSError):
                os.close(file)

    def close(self) -> None:
        self.let_go()
        super().close()


def older_files(path: Path) -> list[Path]:
    """The renamed files of this name, the oldest first."""
    return sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))


def today() -> date:
    return datetime.now(UTC).date()


def first_day(path: Path) -> date | None:
    """The day of a file's first line; None if it does not say."""
    try:
        with path.open("rb") as file:
            return datetime.fromisoformat(json.loads(file.readline(LONGEST_LINE))["timestamp"]).date()
    except (OSError, ValueError, KeyError, TypeError):
        return None
