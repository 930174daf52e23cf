"""A Python that root's account without privileges can run: this one where it may, else a copy of it."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from foundation.programs.account import Account
from foundation.programs.program import run_to_end

# What Patroni never imports, and would make the copy three times as large.
LEFT_OUT = ("test", "site-packages", "__pycache__", "idlelib", "tkinter", "turtledemo", "ensurepip", "config-*", "*.a")


def interpreter_for(account: Account, home: Path) -> tuple[str, dict[str, str]]:
    """Returns a Python of this version that `account` can run, and the variables that it needs. One that was built
    in root's own folder is copied: no permission of any other folder is changed."""
    here = getattr(sys, "_base_executable", None) or sys.executable
    if can_run([here, "-c", "pass"], {}, account, home):
        return here, {}
    copy = home / f"python-{sys.version.split()[0]}"
    if not copy.is_dir():
        _copy(copy.with_name(copy.name + ".new"), here, account)
        copy.with_name(copy.name + ".new").rename(copy)
    return str(copy / "bin" / "python"), {"PYTHONHOME": str(copy), "LD_LIBRARY_PATH": str(copy / "lib")}


def can_run(command: list[str], variables: Mapping[str, str], account: Account, folder: Path) -> bool:
    """Whether `account` can run this."""
    try:
        tried = run_to_end(command, environment={"PATH": os.defpath, **variables}, folder=folder, account=account)
    except OSError:
        return False
    return tried.returncode == 0


def _copy(target: Path, program: str, account: Account) -> None:
    shutil.rmtree(target, ignore_errors=True)
    library = Path(sysconfig.get_path("stdlib"))
    (target / "bin").mkdir(parents=True)
    shutil.copy(program, target / "bin" / "python")
    shutil.copytree(library, target / "lib" / library.name, ignore=shutil.ignore_patterns(*LEFT_OUT))
    shared = Path(sysconfig.get_config_var("LIBDIR") or "")
    for file in shared.glob(f"libpython{sys.version_info[0]}*.so*"):
        shutil.copy(file, target / "lib" / file.name)
    account.own(target)
