"""The Makefile and its bootstrap on a fresh machine: which Python is taken, and each sentence when none will do."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from project.embedded import bootstrap
from project.embedded.places import BASE_DIR

OLD = 'case "$1" in --version) echo "Python 3.9.18" ;; *) exit 1 ;; esac'
TOOLS = ("sh", "make", "sed", "env")


class Machine:
    """A folder with the Makefile and the bootstrap, and a PATH that holds what the test puts there."""

    def __init__(self, place: Path, environment: dict[str, str]) -> None:
        self.folder = place / "Чайная лавка"
        self.bin = place / "bin"
        self.environment = environment | {"PATH": str(self.bin)}
        embedded = self.folder / "project" / "embedded"
        embedded.mkdir(parents=True)
        self.bin.mkdir()
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name))
        shutil.copy(BASE_DIR / "Makefile", self.folder)
        for name in ("bootstrap.py", "address.py"):
            shutil.copy(BASE_DIR / "project" / "embedded" / name, embedded)
        (self.folder / "requirements.txt").write_text("# nothing\n")
        (self.folder / "requirements-dev.txt").write_text("# nothing\n")
        (self.folder / "manage.py").write_text(
            "import os, sys; print(*sys.argv[:3], os.getppid() == int(sys.argv[3]))\n"
        )

    def program(self, name: str, script: str) -> None:
        """Puts a program on the PATH."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def python(self, name: str = "python3", before: str = "") -> None:
        """Puts this Python on the PATH; `before` is run in it before anything else."""
        if not before:
            self.program(name, f'exec "{base_python()}" "$@"')
            return
        start = self.bin / f"{name}.py"
        start.write_text(
            f"import runpy, sys\n{before}\n"
            "arguments = sys.argv[1:]\n"
            "if arguments[0] == '-c': sys.argv = ['-c', *arguments[2:]]; exec(arguments[1])\n"
            "else: sys.argv = arguments; runpy.run_path(arguments[0], run_name='__main__')\n"
        )
        self.program(name, f'exec "{base_python()}" "{start}" "$@"')

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env=self.environment | variables,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )


def base_python() -> str:
    """The interpreter below this virtual environment."""
    return sys._base_executable


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Returns the one line on stderr; make's own last line does not count."""
    assert done.returncode == 2, done.stdout + done.stderr  # make's code for any failure of a recipe
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def machine(tmp_path: Path, bare_environment: dict[str, str]) -> Machine:
    names = [name for name in bare_environment if name.startswith("PIP_")]
    return Machine(tmp_path, {name: bare_environment[name] for name in names})


@pytest.mark.parametrize("goal", ["run", "test", "bench", "lint"])
def test_a_python_that_is_too_old_is_named(machine: Machine, goal: str):
    machine.program("python3", OLD)
    assert sentence(machine.make(goal)) == (
        "Samovar needs Python 3.11 or newer, and python3 is Python 3.9.18: install a newer one, or name one, "
        "for example: PYTHON=python3.12 make run"
    )


def test_no_python_at_all_is_one_sentence(machine: Machine):
    assert sentence(machine.make("run")) == (
        "Python was not found: install Python 3.11 or newer, or name one, for example: "
        "PYTHON=/opt/python/bin/python3 make run"
    )


def test_a_named_python_that_is_not_there_is_one_sentence(machine: Machine):
    machine.python()
    assert sentence(machine.make("run", PYTHON="/no/such python")).startswith("Python was not found: ")


@pytest.mark.parametrize("goal", ["run", "test"])
def test_a_missing_venv_module_names_debians_package(machine: Machine, goal: str):
    machine.python(before="sys.modules['ensurepip'] = None")
    assert sentence(machine.make(goal)) == (
        f"The venv module of {base_python()} is missing: on Debian and Ubuntu run `apt install python3-venv` as root, "
        f"then the same command again."
    )
    assert not (machine.folder / ".venv").exists()


def test_a_taken_port_is_said_before_anything_is_installed(machine: Machine):
    machine.python()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        assert sentence(machine.make("run", PORT=port)).startswith(f"Port {port} of 127.0.0.1 is taken")
    assert not (machine.folder / ".venv").exists()


def test_it_installs_once_into_a_folder_with_any_name_and_with_the_python_that_is_new_enough(machine: Machine):
    machine.program("python3", OLD)
    machine.python("python3.11")
    first = machine.make("run", PORT=free_port())
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines()[0].startswith("Installing the packages into .venv")
    assert first.stdout.splitlines()[-1] == "manage.py up --parent True"

    # No other Python is needed from now on, and nothing is installed again.
    (machine.bin / "python3.11").unlink()
    second = machine.make("run")
    assert (second.returncode, second.stdout, second.stderr) == (0, "manage.py up --parent True\n", "")

    # Other requirements are installed; the index has no such package.
    (machine.folder / "requirements.txt").write_text("no-such-package==1.2.3\n")
    machine.environment |= {"PIP_NO_INDEX": "1"}
    missing = sentence(machine.make("run", PORT=free_port()))
    assert missing.startswith("The package no-such-package==1.2.3 could not be installed: there is no wheel of it for")
    assert missing.endswith("All of pip's words are in var/log/install.log.")
    assert "no-such-package" in (machine.folder / "var" / "log" / "install.log").read_text()

    # What was broken off is made anew. What had been installed on top is gone then, and no longer noted.
    stamp = machine.folder / ".venv" / "installed.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"requirements-dev.txt": "installed once"}))
    (machine.folder / "requirements.txt").write_text("# nothing again\n")
    (machine.folder / ".venv" / "broken").touch()
    machine.python()
    assert machine.make("run", PORT=free_port()).returncode == 0
    assert not (machine.folder / ".venv" / "broken").exists()
    assert list(json.loads(stamp.read_text())) == ["requirements.txt"]


def test_another_named_python_makes_the_environment_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    monkeypatch.delenv("PYTHON", raising=False)
    assert bootstrap.venv_works() is True
    monkeypatch.setenv("PYTHON", "python3.99")
    assert bootstrap.venv_works() is True
    monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
    assert bootstrap.venv_works() is False


def test_an_environment_whose_python_is_gone_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(tmp_path / "gone")
    assert bootstrap.venv_works() is False


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_clean_never_deletes_the_shops_data(machine: Machine):
    for name in ("find", "rm"):
        (machine.bin / name).symlink_to(shutil.which(name))
    for folder in (".venv", "var/__pycache__", "project/__pycache__", ".mypy_cache"):
        (machine.folder / folder).mkdir(parents=True)
    assert machine.make("clean").returncode == 0
    assert (machine.folder / "var" / "__pycache__").exists()
    for folder in (".venv", "project/__pycache__", ".mypy_cache"):
        assert not (machine.folder / folder).exists()


def test_help_names_every_command(machine: Machine):
    said = machine.make().stdout
    for goal in ("run", "cluster", "test", "bench", "lint", "requirements", "clean"):
        assert f"  make {goal} " in said


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (
            "ERROR: Could not find a version that satisfies the requirement psycopg2-binary==2.9.13 (from versions: "
            "none)\nERROR: No matching distribution found for psycopg2-binary==2.9.13\n",
            "The package psycopg2-binary==2.9.13 could not be installed: there is no wheel of it for this Python",
        ),
        (
            "error: subprocess-exited-with-error\nERROR: Failed building wheel for cffi\n",
            "The package cffi could not be installed",
        ),
        ("ERROR: Failed to build 'Pillow' when getting requirements", "The package Pillow could not be installed"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError('...')'\n"
            "ERROR: No matching distribution found for amqp==5.4.2",
            "The package index cannot be reached to fetch amqp==5.4.2: check the network.",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "The disk is full: free some space and run the same command again.",
        ),
        ("ERROR: something else\n\n", "The packages could not be installed: something else."),
        ("", "The packages could not be installed: nothing was said."),
    ],
)
def test_pips_complaint_becomes_a_sentence(words: str, start: str):
    assert bootstrap.why_pip_failed(words).startswith(start)


def test_too_little_room_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.txt").write_text("")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=20 * 1024 * 1024))
    assert bootstrap.main(["requirements.txt"]) == 1
    assert capsys.readouterr().err == (
        "The disk is full: 20 MB are free and the packages need 600 MB; free some space and run the same command "
        "again.\n"
    )


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ("The virtual environment was not created because ensurepip is not available.", "The venv module of "),
        ("OSError: [Errno 28] No space left on device", "The disk is full: free some space"),
        ("a\nsomething else", "Python could not make the virtual environment: something else."),
    ],
)
def test_a_venv_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, start: str
):
    monkeypatch.chdir(tmp_path)
    failing = tmp_path / "python"
    failing.write_text(f"#!/bin/sh\ncat <<'END' >&2\n{words}\nEND\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(sys, "_base_executable", os.fspath(failing))
    with pytest.raises(bootstrap.CannotInstall, match=f"^{start}"):
        bootstrap.make_venv()
