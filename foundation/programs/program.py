"""One program that runs beside the others: started in a session of its own, asked to stop, killed if it does not."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foundation.programs.account import Account

LOG_LIMIT = 10 * 1024 * 1024
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def dies_with_parent(signal_number: int) -> Callable[[], None]:
    """Returns what a child has to do between fork and exec so that the kernel stops it when its parent dies.

    Only Linux can. Elsewhere what a killed parent leaves behind is found and stopped at the next start.
    """
    parent = os.getpid()

    def arrange() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return arrange


def run_to_end(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    account: Account | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a short command of the services and returns its exit code and its words."""
    return subprocess.run(  # noqa: S603 - commands of this package
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


def identity(account: Account | None) -> dict[str, Any]:
    """Returns the arguments that make `subprocess` drop root's rights."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


@dataclass
class Program:
    """A program under the supervisor.

    Its session is its own, so that Ctrl-C in the terminal reaches the supervisor alone, which then stops the
    programs in their order.

    Args:
        restarts: it is started again when it ends; without it, everything stops.
        is_spared: the shop goes on without it: one that ends again and again stops nothing, and is tried anew later.
        serves: other programs need it, so it is asked to stop when they have ended.
    """

    name: str
    title: str
    command: list[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0
    account: Account | None = None
    restarts: bool = False
    is_spared: bool = False
    serves: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    log_start: int = 0

    def start(self) -> None:
        """Starts the program; its words are appended to its log."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        with open(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(  # noqa: S603 - commands of this package
                self.command,
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_parent(self.stop_signal),
                **identity(self.account),
            )

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def exit_code(self) -> int | None:
        """Returns None while the program runs or before it was started."""
        return self.process.poll() if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        """Sends the stop signal, without waiting."""
        if self.process is not None and self.is_running():
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.stop_signal)

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Asks the program to stop, waits as long as it is patient, then kills what is left of its session.

        Args:
            hurry: asked while waiting; once it answers True the waiting ends.
        """
        if self.process is None:
            return
        self.ask_to_stop()
        deadline = time.monotonic() + self.patience
        while self.is_running() and time.monotonic() < deadline and not hurry():
            time.sleep(0.02)
        self.kill()

    def kill(self) -> None:
        """Ends the program and the children that share its process group."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def last_words(self) -> str:
        """Returns what the program has written since it was started."""
        with self.log.open("rb") as log:
            log.seek(max(self.log_start, self.log.stat().st_size - 20_000))
            return log.read().decode("utf-8", "replace")
