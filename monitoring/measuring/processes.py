"""The processes of the shop on this machine: each says what it is, and whoever is asked looks at all of them."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from prometheus_client import Metric as Family
from prometheus_client.core import GaugeMetricFamily

from monitoring.measuring.folder import folder_in_use

WEB, WORKER, BEAT, OTHER = "web", "worker", "beat", "command"
# Commands of manage.py that run as long as the shop does.
PROGRAMS = {"runserver": WEB, "backup_agent": "backup_agent", "watchdog": "watchdog"}
SUFFIX = ".process"
# psutil tells when a process began to a hundredth of a second; one of the same number began later.
SAME_MOMENT = 1.0


@dataclass(frozen=True)
class Running:
    """A process that runs; what another account's does not tell is 0."""

    program: str
    memory: int
    open_files: int


class Me:
    """What this process is."""

    program = OTHER


def program_of(arguments: Sequence[str]) -> str:
    """What a command of manage.py is called in the metrics."""
    return next((PROGRAMS[word] for word in arguments[1:2] if word in PROGRAMS), OTHER)


def introduce(program: str = "") -> None:
    """Says that this process is that program, or what its command line says; so do those that it forks."""
    Me.program = program or program_of(sys.argv)
    leave_a_note()


def leave_a_note() -> None:
    """A file with the process's number and program in its name, and when it began in it."""
    folder = folder_in_use()
    if folder is None:
        return
    pid = os.getpid()
    # Who can't be seen is missing in the figures; nothing else hangs on it.
    with suppress(OSError, psutil.Error):
        began = psutil.Process(pid).create_time()
        for earlier in folder.glob(f"*.{pid}{SUFFIX}"):
            earlier.unlink()
        (folder / f"{Me.program}.{pid}{SUFFIX}").write_text(str(began), encoding="ascii")


os.register_at_fork(after_in_child=leave_a_note)


def running(folder: Path) -> Iterator[Running]:
    """The processes that have left a note and still run; the notes of the others are thrown away."""
    for note in sorted(folder.glob(f"*.*{SUFFIX}")):
        program, _dot, pid = note.stem.rpartition(".")
        try:
            process = psutil.Process(int(pid))
            if abs(process.create_time() - float(note.read_text(encoding="ascii"))) > SAME_MOMENT:
                raise psutil.NoSuchProcess(int(pid))
            yield look_at(program, process)
        except (psutil.NoSuchProcess, ValueError, OSError):
            note.unlink(missing_ok=True)


def look_at(program: str, process: psutil.Process) -> Running:
    """Raises psutil.NoSuchProcess."""
    memory = open_files = 0
    with suppress(psutil.AccessDenied):
        memory = process.memory_info().rss
        open_files = process.num_fds() if psutil.POSIX else 0
    return Running(program, memory, open_files)


def this_one() -> Running:
    """The process that is asked."""
    return look_at(Me.program, psutil.Process())


def figures(found: Iterable[Running]) -> list[Family]:
    """The families of metrics that tell of these processes."""
    by_program: dict[str, list[Running]] = {}
    for one in found:
        by_program.setdefault(one.program, []).append(one)
    families: list[Family] = []
    for name, told, value in (
        ("samovar_processes", "Processes that run.", lambda ones: len(ones)),
        ("samovar_process_memory_bytes", "Resident memory together.", lambda ones: sum(one.memory for one in ones)),
        (
            "samovar_process_memory_largest_bytes",
            "Resident memory of the largest of them.",
            lambda ones: max(one.memory for one in ones),
        ),
        ("samovar_process_open_files", "Open files together.", lambda ones: sum(one.open_files for one in ones)),
    ):
        family = GaugeMetricFamily(name, told, labels=["program"])
        for program, ones in sorted(by_program.items()):
            family.add_metric([program], value(ones))
        families.append(family)
    return families
