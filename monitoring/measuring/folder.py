"""The folder in which the processes of this machine count: read as a whole, and kept from growing.

Each process writes files of its own, `counter_4711.db`, which stay when it ends, since what it counted was counted.
A shop that runs for months starts thousands of processes; so what the dead have left is added up in one set of files
(`counter_gone.db`). That needs no hook in any server, and happens also to those that were killed.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import structlog
from django.conf import settings
from prometheus_client import Metric as Family
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from foundation.files import alone

GONE = "gone"
LOCK = "counting.lock"
BROKEN = ".broken"

logger = structlog.get_logger(__name__)


def folder_in_use() -> Path | None:
    """Where this process counts together with others; None if it counts for itself."""
    folder: Path | None = settings.METRICS_FOLDER
    return folder if folder is not None and folder.is_dir() else None


def counted_in(folder: Path) -> list[Family]:
    """What all processes have counted together, the dead ones too. A file that can't be read is left out and set
    aside."""
    with at_rest(folder):
        add_up_the_dead(folder)
        try:
            return merged(files_in(folder))
        except Exception as error:
            # A power cut in the middle of a page; every reader of the library fails as a whole then.
            logger.warning("counted_file_broken", reason=f"{type(error).__name__}: {error}")
            set_the_broken_aside(folder)
            return merged(files_in(folder))


def files_in(folder: Path) -> list[Path]:
    """One that is empty was begun in this moment."""
    return [file for file in folder.glob("*.db") if file.stat().st_size]


def merged(files: Iterable[Path]) -> list[Family]:
    return list(MultiProcessCollector.merge([str(file) for file in files], accumulate=True))


@contextmanager
def at_rest(folder: Path) -> Iterator[None]:
    """Nobody else adds up meanwhile, so that nothing is seen twice or not at all. The processes go on counting."""
    with alone(folder / LOCK, waits=True):
        yield


def add_up_the_dead(folder: Path) -> None:
    """Moves what processes that have ended counted to the files of the gone."""
    for file in sorted(folder.glob("*_*.db")):
        kind, _underscore, pid = file.stem.rpartition("_")
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            if kind in {"counter", "histogram", "summary"}:
                add(file, to=folder / f"{kind}_{GONE}.db")
            file.unlink()


def add(file: Path, *, to: Path) -> None:
    with suppress(OSError, RuntimeError, ValueError):
        total = MmapedDict(str(to))
        try:
            for key, value, _timestamp, _position in list(MmapedDict.read_all_values_from_file(str(file))):
                before, _at = total.read_value(key)
                total.write_value(key, before + value, 0.0)
        finally:
            total.close()


def set_the_broken_aside(folder: Path) -> None:
    for file in files_in(folder):
        try:
            merged([file])
        except Exception:
            # Its process goes on writing to it, and nobody reads what.
            file.rename(file.with_suffix(BROKEN))
