"""Makes `.venv` and installs the pinned requirements into it, if they are not there yet.

The Makefile runs this file as a script with the interpreter that it found, so it uses the standard library alone. What
was installed is noted in `.venv`, by the content of the requirements, so that the next start asks nobody.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
UNFINISHED = VENV / "unfinished"
LOG = Path("var") / "log" / "install.log"
ADDRESS = Path(__file__).with_name("address.py")
MEGABYTES_NEEDED = 600


class CannotInstall(Exception):
    """The requirements cannot be installed; the message is one sentence that says why and what to do."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes .venv and installs the requirements.")
    parser.add_argument("--for-run", action="store_true", help="look at the shop's port before installing anything")
    parser.add_argument("requirements", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    # A sentence may name a folder in letters that this terminal does not have.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # The lock of the folder itself: two starts at once would install over each other.
    folder = os.open(".", os.O_RDONLY)
    try:
        wait_for_another(folder)
        install(options.requirements, look_at_the_port=options.for_run)
    except CannotInstall as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The packages could not be installed: {error.strerror} ({error.filename}).\n")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        os.close(folder)
    return 0


def wait_for_another(folder: int) -> None:
    """Takes the folder's lock; says so if it has to wait, for example for what a killed make left running."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stdout.write("Something else is installing packages here; waiting for it …\n")
        sys.stdout.flush()
        fcntl.flock(folder, fcntl.LOCK_EX)


def install(requirements: list[Path], *, look_at_the_port: bool = False) -> None:
    """Installs `requirements` unless exactly they are installed already.

    Raises:
        CannotInstall: the interpreter cannot, the disk is full, the port is taken, or a package is not to be had.
    """
    wanted = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in requirements}
    installed = read_stamp()
    if wanted.items() <= installed.items() and venv_works():
        return
    need_python()
    if look_at_the_port and subprocess.run([sys.executable, str(ADDRESS)], check=False).returncode:  # noqa: S603
        raise SystemExit(1)
    need_room()
    began = time.monotonic()
    sys.stdout.write("Installing the packages into .venv: once, it takes about a minute …\n")
    sys.stdout.flush()
    if UNFINISHED.exists() or not venv_works():
        make_venv()
        installed = {}
    UNFINISHED.touch()
    pip_install(requirements)
    STAMP.write_text(json.dumps(installed | wanted), encoding="utf-8")
    UNFINISHED.unlink()
    sys.stdout.write(f"Installed in {time.monotonic() - began:.0f} seconds.\n")
    sys.stdout.flush()


def read_stamp() -> dict[str, str]:
    """Returns the hashes of the requirements that were installed, none after an installation that was broken off."""
    if UNFINISHED.exists():
        return {}
    try:
        stamp: dict[str, str] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return stamp


def venv_works() -> bool:
    """Whether the environment's interpreter starts and is new enough: the one it was made from may be gone.

    If somebody named another Python in PYTHON, the environment has to be of that version.
    """
    wanted = f"== {sys.version_info[:2]}" if os.environ.get("PYTHON") else f">= {OLDEST}"
    code = f"import sys, pip; sys.exit(not sys.version_info[:2] {wanted})"
    try:
        return subprocess.run([str(PYTHON), "-c", code], capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def need_python() -> None:
    """Raises CannotInstall unless this interpreter can make virtual environments."""
    if sys.version_info < OLDEST:
        raise CannotInstall(
            f"Samovar needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}: install a newer "
            f"one, or name one, for example: PYTHON=python3.12 make run"
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise CannotInstall(
            f"The venv module of {sys.executable} is missing: on Debian and Ubuntu run `apt install python3-venv` "
            f"as root, then the same command again."
        )


def need_room() -> None:
    free = shutil.disk_usage(".").free // (1024 * 1024)
    if free < MEGABYTES_NEEDED:
        raise CannotInstall(
            f"The disk is full: {free} MB are free and the packages need {MEGABYTES_NEEDED} MB; free some space and "
            f"run the same command again."
        )


def make_venv() -> None:
    """Makes `.venv` anew.

    Raises:
        CannotInstall: Python's venv module failed.
    """
    if VENV.is_symlink():
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    # Run from inside an environment, a new one would hang on it; so it is made with the interpreter underneath.
    base = getattr(sys, "_base_executable", None) or sys.executable
    made = subprocess.run([base, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode:
        words = made.stdout + made.stderr
        if "ensurepip" in words:
            raise CannotInstall(
                f"The venv module of {base} is incomplete: on Debian and Ubuntu run `apt install python3-venv` "
                f"as root, then the same command again."
            )
        if "No space left" in words:
            raise CannotInstall("The disk is full: free some space and run the same command again.")
        raise CannotInstall(f"Python could not make the virtual environment: {last_line(words)}")


def pip_install(requirements: list[Path]) -> None:
    """Runs pip.

    Raises:
        CannotInstall: pip failed; the sentence names the package.
    """
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    for path in requirements:
        command += ["--requirement", str(path)]
    # Without a locale, pip would read the requirements' comments as ASCII.
    environment = os.environ | {"PYTHONUTF8": "1"}
    done = subprocess.run(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False
    )
    words = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        LOG.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        LOG.write_text(words, encoding="utf-8")
        raise CannotInstall(f"{why_pip_failed(words)} All of pip's words are in {LOG}.")


def why_pip_failed(words: str) -> str:
    """Puts pip's complaint into a sentence that names the package."""
    if "No space left on device" in words:
        return "The disk is full: free some space and run the same command again."
    package = None
    for pattern in (
        r"No matching distribution found for ([^\s;]+)",
        r"Could not find a version that satisfies the requirement ([^\s;]+)",
        r"Failed building wheel for ([^\s;]+)",
        r"Failed to build '?([^\s;']+)",
        r"Could not build wheels for ([^\s,;]+)",
        r"([\w.-]+) requires a different Python",
        r"from versions .*? for ([^\s;]+)",
    ):
        if match := re.search(pattern, words):
            package = match[1].strip("'\"()")
            break
    offline = re.search("NewConnectionError|Temporary failure in name resolution|ProxyError|ConnectTimeout", words)
    if offline:
        return f"The package index cannot be reached{f' to fetch {package}' if package else ''}: check the network."
    if package:
        return (
            f"The package {package} could not be installed: there is no wheel of it for this Python "
            f"({sys.version_info[0]}.{sys.version_info[1]}) and system; try another Python, for example: "
            f"PYTHON=python3.12 make run."
        )
    return f"The packages could not be installed: {last_line(words)}"


def last_line(words: str) -> str:
    """Returns the last line that is an error, else the last line."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    line = (errors or lines or ["nothing was said"])[-1].removeprefix("ERROR:").strip()
    return line if line.endswith(".") else line + "."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
