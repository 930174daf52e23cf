"""The folder in which the processes of one machine count together. Knows nothing of Django: the settings import it.

prometheus_client reads PROMETHEUS_MULTIPROC_DIR when it is imported, and fails with whatever it counts if the folder
is not there. What counts must not hinder what it counts, so the settings ask here first.
"""

import os
import shutil
import sys
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# Its files are written to through memory: a full disk would end the process at that very line, with SIGBUS.
ROOM = 16 * 1024 * 1024


def counting_folder() -> Path | None:
    """The folder of PROMETHEUS_MULTIPROC_DIR, made if need be; None, and each process counts for itself, if none is
    named or the one named can't be used."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        os.environ.pop(VARIABLE, None)
        return None
    folder = Path(named)
    if why := why_not(folder):
        del os.environ[VARIABLE]
        print(f"{VARIABLE}: {folder} can't be used, so every process counts for itself: {why}", file=sys.stderr)  # noqa: T201 - there is no log before the settings
        return None
    # What a child process makes may come after somebody has taken the folder away.
    os.register_at_fork(after_in_child=lambda: why_not(folder))
    return folder


def why_not(folder: Path) -> str:
    """Makes the folder, and says what hinders files in it; "" if nothing does."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            return "it may not be written to"
        if shutil.disk_usage(folder).free < ROOM:
            return "its disk is full"
    except OSError as error:
        return error.strerror or str(error)
    return ""
