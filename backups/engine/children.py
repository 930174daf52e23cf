"""Running a tool of PostgreSQL as a child: it dies with us, can be stopped, and its words become our errors."""

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext as _

from backups.errors import BackupFailed, DiskIsFull, Interrupted, NotWritable, ServerGone, ToolFailed, WrongVersion
from foundation.logs import mask_text
from foundation.programs.account import Account
from foundation.programs.program import dies_with_parent, identity

# Of what a tool writes the last lines are kept.
MOST_LINES = 400
LOOK_EVERY = 0.2
PATIENCE_WITH_A_STOP = 10.0

FULL = re.compile(r"No space left on device|could not extend file|disk full|Disk quota exceeded", re.IGNORECASE)
# As the system writes it: PostgreSQL's own "permission denied for table …" is about no folder.
NOT_ALLOWED = re.compile(r"Permission denied|Read-only file system")
GONE = re.compile(
    r"could not connect|connection to server|server closed the connection|terminating connection|Connection refused"
    r"|the database system is (?:shutting down|starting up|in recovery)"
    r"|could not receive data|could not read COPY data",
    re.IGNORECASE,
)
VERSION = re.compile(
    r"server version mismatch|unsupported version|incompatible with server|manifest version|is not compatible",
    re.IGNORECASE,
)

logger = structlog.get_logger("backups.tools")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a tool ended: its exit code (negative: the signal), and the last lines that it wrote."""

    code: int
    lines: tuple[str, ...]

    @property
    def words(self) -> str:
        return "\n".join(self.lines)


def run_tool(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    is_stopped: Callable[[], bool] = lambda: False,
    on_line: Callable[[str], None] | None = None,
    account: Account | None = None,
    accept: Sequence[int] = (0,),
    forks: bool = False,
) -> Ended:
    """Runs a tool to its end. `folder` is where it works and what a full disk is said of; `is_stopped` is asked five
    times a second, and `on_line` told each line of its output and its messages; `forks` for one whose own children
    would outlive us.

    Raises Interrupted, and for any exit code but `accept` the error that its words mean (`failure_of`).
    """
    ended = wait_for(
        start_tool(guarded(command) if forks else command, environment=environment, folder=folder, account=account),
        is_stopped=is_stopped,
        on_line=on_line,
    )
    if ended.code not in accept:
        raise failure_of(command, ended, folder)
    return ended


def start_tool(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, account: Account | None = None
) -> subprocess.Popen[str]:
    """Starts it in a session of its own; the kernel ends it when we die."""
    return subprocess.Popen(  # noqa: S603 - commands of this package
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGTERM),
        **identity(account),
    )


def wait_for(
    process: subprocess.Popen[str],
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    on_line: Callable[[str], None] | None = None,
) -> Ended:
    """Waits for the end of a started tool, reading what it writes. Raises Interrupted, and what `on_line` raised."""
    lines: deque[str] = deque(maxlen=MOST_LINES)
    failures: list[Exception] = []

    def read() -> None:
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        for line in process.stdout:
            plain = line.rstrip()
            lines.append(plain)
            if on_line is not None and not failures:
                # It must not keep the tool's words from being read: a full pipe would stop the tool.
                try:
                    on_line(plain)
                except Exception as error:
                    failures.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_EVERY)
                break
            if failures:
                break
            if is_stopped():
                raise Interrupted(_("It was stopped."))
    finally:
        end_tool(process)
        reader.join(PATIENCE_WITH_A_STOP)
    if failures:
        raise failures[0]
    # A shell that guards a tool says with more than 128 which signal ended it.
    code = process.returncode if process.returncode <= 128 else 128 - process.returncode
    return Ended(code, tuple(lines))


def guarded(command: Sequence[str]) -> list[str]:
    """The command for a tool that forks: what it forked ends too when we are killed, and would go on for ever without
    this, because the kernel tells only the tool itself."""
    return ["/bin/sh", "-c", 'trap "kill -KILL 0" TERM INT; "$@" & wait "$!"', "guard", *command]


def end_tool(process: subprocess.Popen[Any]) -> None:
    """Ends it and its children, if it still runs."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_WITH_A_STOP)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def failure_of(command: Sequence[str], ended: Ended, folder: Path) -> BackupFailed:
    """The error that a tool's last words mean."""
    name, words = Path(command[0]).name, mask_text(ended.words)
    logger.warning("tool_failed", tool=name, code=ended.code, words=words[-2000:])
    if ended.code < 0:
        return Interrupted(
            _("%(tool)s was killed (%(signal)s).") % {"tool": name, "signal": signal.Signals(-ended.code).name}
        )
    if FULL.search(words):
        return DiskIsFull(folder)
    if NOT_ALLOWED.search(words):
        return NotWritable(folder, telling_line(words))
    if VERSION.search(words):
        return WrongVersion(_("The versions do not go together: %(why)s") % {"why": telling_line(words)})
    if GONE.search(words):
        return ServerGone(_("The database server went away: %(why)s") % {"why": telling_line(words)})
    return ToolFailed(
        _("%(tool)s failed with exit code %(code)d: %(why)s")
        % {"tool": name, "code": ended.code, "why": telling_line(words) or _("it said nothing.")}
    )


def telling_line(words: str) -> str:
    """The line that says most of what went wrong: the first error, or the last line."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\b(?:error|fatal|panic)\b", line, re.IGNORECASE)]
    return (errors or lines[-1:] or [""])[0][:500]
