"""The record of running programs, so that the next start finds what a killed supervisor left behind."""

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from foundation.programs.program import Program
from project.embedded.places import BASE_DIR, write_private

# A clock that is set while the shop runs moves the time that the system says a process was started at.
CLOCK_TOLERANCE = 2.0
PATIENCE = 10.0
# Seconds that children may take to follow their parent.
AFTERWARDS = 1.0


@dataclass
class Record:
    """The programs that are running, kept in a file.

    A number alone names no process: after a restart of the machine it may be somebody else's. A program is ours only
    if its number, its start time and its command are the recorded ones, and the record was written in this folder.
    """

    path: Path

    def write(self, programs: list[Program]) -> None:
        """Records the running programs in the order in which they were started."""
        entries = []
        for program in programs:
            if program.pid is None or not program.is_running():
                continue
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(program.pid)
                entries.append(
                    {
                        "name": program.name,
                        "pid": program.pid,
                        "created": process.create_time(),
                        "command": process.cmdline(),
                        "stop_signal": int(program.stop_signal),
                    }
                )
        write_private(self.path, json.dumps({"folder": str(BASE_DIR), "programs": entries}))

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def stop_leftovers(self) -> list[str]:
        """Stops what is still running, the last started first, and returns the names of those programs."""
        stopped = []
        for entry in reversed(self._read()):
            processes = _processes_of(entry)
            if not processes:
                continue
            stopped.append(entry["name"])
            end(processes, stop_signal=entry["stop_signal"])
        self.forget()
        return stopped

    def _read(self) -> list[dict[str, Any]]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        # A copied folder brings along the record of the shop that runs in the original.
        return content["programs"] if content.get("folder") == str(BASE_DIR) else []


def _processes_of(entry: dict[str, Any]) -> list[psutil.Process]:
    """Returns the recorded process and what shares its session, the recorded one first."""
    leader: list[psutil.Process] = []
    try:
        process = psutil.Process(entry["pid"])
        if is_alive(process):
            same_start = abs(process.create_time() - entry["created"]) < CLOCK_TOLERANCE
            if not same_start or process.cmdline() != entry["command"]:
                return []
            leader = [process]
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied:
        return []
    # The number of a dead leader is not given away while its session lives, so these are ours.
    followers = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if pid != entry["pid"] and os.getsid(pid) == entry["pid"]:
                followers.append(psutil.Process(pid))
    return leader + followers


def end(processes: list[psutil.Process], *, stop_signal: int, patience: float = PATIENCE) -> None:
    """Asks the first of `processes` to stop and waits; then the others, which it should have stopped, are killed."""
    with contextlib.suppress(psutil.Error):
        processes[0].send_signal(stop_signal)
    _wait(processes[:1], patience)
    _wait(processes, AFTERWARDS)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait(processes, patience)


def _wait(processes: list[psutil.Process], patience: float) -> None:
    deadline = time.monotonic() + patience
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)


def is_alive(process: psutil.Process) -> bool:
    """A zombie is not alive: where nobody collects orphans, as in some containers, it stays for ever."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
