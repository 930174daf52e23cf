"""Patroni's packages, where the account that runs the nodes can read them."""

import importlib.metadata
import re
import shutil
import sys
from pathlib import Path, PurePath

from foundation.programs.account import Account
from project.embedded.cluster.interpreter import can_run, interpreter_for
from project.embedded.errors import CannotStart
from project.embedded.places import BASE_DIR

REQUIREMENTS = BASE_DIR / "requirements-cluster.txt"


def is_installed() -> bool:
    """Whether Patroni is here; `make cluster` installs it."""
    try:
        importlib.metadata.version("patroni")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def patroni_command(account: Account | None, home: Path) -> tuple[list[str], dict[str, str]]:
    """Returns the command that runs Patroni, and the variables that it needs.

    Another account than the installing one may have no way into the virtual environment, so it gets a copy of the
    packages, as it gets one of PostgreSQL's programs.

    Raises:
        CannotStart: Patroni is not installed, or the account cannot run this Python.
    """
    if not is_installed():
        raise CannotStart(f"Patroni is not installed: run `pip install -r {REQUIREMENTS.name}`, or `make cluster`.")
    if account is None:
        return [sys.executable, "-m", "patroni"], {}
    python, variables = interpreter_for(account, home)
    variables |= {"PYTHONPATH": str(copied_packages(account, home)), "PYTHONNOUSERSITE": "1"}
    if not can_run([python, "-c", "import patroni.dcs.etcd3, psycopg2, ydiff"], variables, account, home):
        raise CannotStart(
            f"The account {account.name}, under which root's services run, cannot use {python}: start the cluster as "
            f"an ordinary user."
        )
    return [python, "-m", "patroni"], variables


def copied_packages(account: Account, home: Path) -> Path:
    """The copy of what requirements-cluster.txt names; made anew for another version of Patroni or Python."""
    version = f"{importlib.metadata.version('patroni')}-python{sys.version_info[0]}.{sys.version_info[1]}"
    copy = home / f"patroni-{version}"
    if not copy.is_dir():
        unfinished = copy.with_name(copy.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        for name in re.findall(r"^([\w.-]+)==", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE):
            package = importlib.metadata.distribution(name)
            for file in installed_files(package):
                # Programs for the command line lie outside the packages' folder.
                if ".." not in file.parts and file.suffix != ".pyc":
                    target = unfinished / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(str(package.locate_file(file)), target)
        account.own(unfinished)
        unfinished.rename(copy)
    return copy


def installed_files(package: importlib.metadata.Distribution) -> list[PurePath]:
    """Its files, seen from the packages' folder. A pip before 23.1, such as Debian 12 has, notes them in its own way
    where it had no wheel, and `files` then names those that the package was made from."""
    noted = package.read_text("installed-files.txt")
    if noted is None:
        return list(package.files or [])
    # They are seen from a folder beside the packages.
    return [PurePath(line.removeprefix("../")) for line in noted.splitlines() if line.startswith("../")]
