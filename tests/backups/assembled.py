"""Servers started from what a backup was put together to, and small disks."""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from project.embedded.account import services_account
from project.embedded.home import new_home
from tests.backups.cluster import Cluster


@contextmanager
def server_of(owner: Path, put_together: Callable[[Path], None]) -> Iterator[Cluster]:
    """A running server whose folder `put_together` makes; thrown away afterwards."""
    account = services_account()
    home = owner / "assembled" if account is None else new_home(account, owner=owner, prefix="samovar-test-")
    home.mkdir(exist_ok=True)
    cluster = None
    try:
        put_together(home / "postgres")
        if account is not None:
            account.own(home / "postgres")
        cluster = Cluster(home)
        yield cluster
    finally:
        for program in cluster.programs if cluster else []:
            program.stop_signal = signal.SIGQUIT
            program.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def small_disk(folder: Path, *, megabytes: int, options: str = "") -> Iterator[Path]:
    """A disk of that size at `folder`. Only root can make one."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m{options}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, *, leave: int = 0) -> Path:
    """Writes a file that takes all of the disk but `leave` bytes, and returns it."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        # Somebody else may be writing too.
        while (free := shutil.disk_usage(folder).free - leave) > 0:
            file.write(bytes(min(free, 1024**2)))
    return filler
