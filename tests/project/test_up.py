"""`manage.py up`: the whole shop once from beginning to end, and each sentence with which it refuses to start."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from foundation.programs.account import Account
from project.embedded.leftovers import is_alive
from tests.monitoring.measuring.told import values
from tests.project.conftest import processes_of, run_up
from tests.project.started import Started
from tests.project.test_bootstrap import free_port
from tests.project.test_supervisor import until

OPEN = "Ctrl-C stops everything."


class Shop(Started):
    """A shop that was started in a checkout."""

    def __init__(self, checkout: Path, environment: dict[str, str], prefix: list[str]) -> None:
        command = [*prefix, sys.executable, "manage.py", "up"]
        super().__init__(command, folder=checkout, environment=environment, open_words=OPEN)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def start(checkout: Path, bare_environment: dict[str, str]) -> Iterator[Callable[..., Shop]]:
    started: list[Shop] = []

    def start_shop(*prefix: str, **variables: str) -> Shop:
        started.append(Shop(checkout, bare_environment | variables, list(prefix)))
        return started[-1]

    yield start_shop
    for shop in started:
        if shop.process.poll() is None:
            shop.press_ctrl_c()
        shop.process.stdout.close()


def manage(checkout: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_the_shop_opens_recovers_from_kill_9_and_closes(
    checkout: Path, bare_environment: dict[str, str], start: Callable[..., Shop]
):
    port = free_port()
    shop = start(PORT=port, DEMO="0")
    address = f"http://127.0.0.1:{port}/"
    assert f"Samovar is open:  {address}" in shop.words
    with urllib.request.urlopen(f"{address}admin/login/", timeout=60) as page:
        assert page.status == 200

    # Whoever answers tells of all programs; `manage.py` beside them is none of the shop's own.
    def programs() -> dict[tuple[str, ...], float]:
        with urllib.request.urlopen(f"{address}metrics", timeout=60) as answer:
            return values(answer.read(), "samovar_processes")

    until(
        lambda: programs().items() >= {("web",): 2, ("backup_agent",): 1, ("beat",): 1, ("worker",): 3}.items(),
        within=60,
    )
    assert "PROMETHEUS_MULTIPROC_DIR" not in (checkout / "var" / "env").read_text()

    # What was made up is its owner's alone.
    var = checkout / "var"
    assert var.stat().st_mode & 0o777 == 0o700
    secret_files = [var / "env", var / "secrets.json", *(var / "log").iterdir()]
    assert {file.name for file in secret_files} >= {
        *("env", "web.log", "worker.log", "beat.log", "watchdog.log", "postgresql.log")
    }
    assert [file.name for file in secret_files if file.stat().st_mode & 0o077] == []
    secrets = json.loads((var / "secrets.json").read_text())
    for log in (var / "log").iterdir():
        words = log.read_text()
        assert not [name for name in ("secret_key", "postgres_password", "redis_password") if secrets[name] in words]

    # The other commands need no variable.
    asked = manage(checkout, bare_environment, "showmigrations", "users", "--plan")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "[X]" in asked.stdout
    assert "[ ]" not in asked.stdout

    # One shop per folder.
    second = run_up(checkout, bare_environment, PORT=port)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.strip() == (
        f"Samovar is already running in this folder at {address} (process {shop.process.pid}): "
        f"stop it with Ctrl-C in its terminal first."
    )

    # A killed worker comes back.
    worker = next(process for process in shop.family() if "worker" in process.cmdline())
    worker.kill()
    until(lambda: "The worker was killed by signal 9 and is started again" in shop.process.stdout.readline())

    # kill -9 of the parent, and the same again at once.
    before = shop.family()
    shop.process.kill()
    again = start(PORT=port, DEMO="0")
    shop.process.wait()
    assert not any(is_alive(process) for process in before)
    with urllib.request.urlopen(f"{address}health/live", timeout=60) as answer:
        assert answer.status == 200

    before = again.family()
    assert len(before) > 6
    assert again.press_ctrl_c() == 0
    assert again.words.endswith("Stopping …\nSamovar is closed.\n")
    assert not any(is_alive(process) for process in before)
    assert processes_of(checkout) == []

    # Now the embedded database is not running, which is said so.
    asked = manage(checkout, bare_environment, "showmigrations", "users")
    assert asked.returncode == 1
    assert asked.stderr.startswith(
        "The database cannot be reached; `make run` starts the embedded one. connection to server"
    )
    assert len(asked.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.as_root
@pytest.mark.on_linux
def test_root_can_try_it_as_an_ordinary_user(checkout: Path, account: Account, start: Callable[..., Shop]):
    account.own(checkout)
    # It may read everything, because the tests' Python may be out of an ordinary user's reach; it may write nothing.
    ordinary = (
        *("setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"),
        *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    )
    shop = start(*ordinary, PORT=free_port(), DEMO="0", HOME="/nonexistent")
    family = shop.family()
    accounts = set()
    for process in family:
        # A server's connection may have ended meanwhile.
        with suppress(psutil.NoSuchProcess):
            accounts.add(process.uids().real)
    assert accounts == {account.uid}
    assert (checkout / "var" / "postgres" / "PG_VERSION").is_file()
    assert (checkout / "var" / "redis" / "appendonly.aof").is_file()
    assert {file.stat().st_uid for file in (checkout / "var").iterdir()} == {account.uid}
    assert shop.press_ctrl_c() == 0
    assert not any(is_alive(process) for process in family)

    # Root would make files that this account cannot use any more.
    refused = run_up(checkout, dict(os.environ), PORT=free_port(), DATABASE_URL="", REDIS_URL="")
    assert refused.stderr.strip() == (
        f"{checkout / 'var'} belongs to the account {account.name}, which started the shop here before: start it as "
        f"that account, or move that folder away to begin anew."
    )
    assert {file.stat().st_uid for file in (checkout / "var").iterdir()} == {account.uid}


def test_a_taken_port_is_said_before_anything_is_started(checkout: Path, bare_environment: dict[str, str]):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        refused = run_up(checkout, bare_environment, PORT=port)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.strip().startswith(f"Port {port} of 127.0.0.1 is taken by another program: ")
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not (checkout / "var" / "postgres").exists()


def test_a_database_that_cannot_be_reached_is_one_sentence(checkout: Path, bare_environment: dict[str, str]):
    closed = free_port()
    (checkout / ".env").write_text(f"DATABASE_URL=postgres://samovar:hush@127.0.0.1:{closed}/samovar\n")
    refused = run_up(checkout, bare_environment, PORT=free_port())
    assert refused.returncode == 1
    assert refused.stderr.strip().startswith(
        f'The database of DATABASE_URL cannot be reached: connection to server at "127.0.0.1", port {closed} failed'
    )
    assert "hush" not in refused.stdout + refused.stderr


@pytest.fixture
def tiny_var(checkout: Path) -> Iterator[Path]:
    """`var` on a file system of one page."""
    var = checkout / "var"
    var.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=0700", "tmpfs", var], check=True)
    yield var
    subprocess.run(["umount", "--lazy", var], check=True)


@pytest.mark.as_root
def test_a_full_disk_below_var_is_one_sentence(tiny_var: Path, checkout: Path, bare_environment: dict[str, str]):
    refused = run_up(checkout, bare_environment, PORT=free_port())
    assert refused.returncode == 1
    assert refused.stderr.strip().startswith("The disk is full, so ")
    assert len(refused.stderr.strip().splitlines()) == 1
