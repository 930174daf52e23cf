"""What the first start makes up and every later start must find again: secrets, folders, the lock."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from foundation.programs.account import Account
from project.embedded import home as home_module
from project.embedded.console import Console
from project.embedded.environment import for_programs, read_dotenv, write_env
from project.embedded.errors import CannotStart, sentence_of
from project.embedded.home import earlier_homes, services_home
from project.embedded.lock import STOPPING, FolderLock
from project.embedded.places import Places, write_private
from project.embedded.secrets_file import Secrets


@pytest.fixture
def nobody() -> Account:
    """The account of whoever runs the tests, so that they need no rights."""
    return Account(name="me", uid=os.geteuid(), gid=os.getegid())


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of /var/lib."""
    parent = tmp_path / "lib"
    parent.mkdir()
    monkeypatch.setattr(home_module, "common_parent", lambda: parent)
    return parent


def test_secrets_are_found_again(tmp_path: Path):
    path = tmp_path / "secrets.json"
    made = Secrets.load(path)
    made.save(path)
    assert Secrets.load(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    Fernet(made.field_encryption_keys)
    assert len({made.secret_key, made.postgres_password, made.redis_password, Secrets().secret_key}) == 4


def test_a_later_versions_secrets_do_not_hinder(tmp_path: Path):
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"secret_key": "known", "of a later version": 1}))
    assert Secrets.load(path).secret_key == "known"


def test_an_ordinary_user_keeps_everything_in_var(tmp_path: Path):
    assert services_home(tmp_path, "", None) == tmp_path


def test_root_gets_a_folder_that_is_found_again_and_closed_to_others(tmp_path: Path, parent: Path, nobody: Account):
    var = tmp_path / "shop" / "var"
    home = services_home(var, "", nobody)
    assert home.parent == parent
    assert home.stat().st_mode & 0o777 == 0o700
    assert services_home(var, str(home), nobody) == home
    assert earlier_homes(home, var.parent) == []


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path, nobody: Account):
    with pytest.raises(CannotStart, match="was kept in /var/lib/samovar-gone, which is gone: put it back"):
        services_home(tmp_path, "/var/lib/samovar-gone", nobody)


def test_a_deleted_var_leaves_a_folder_that_is_named(tmp_path: Path, parent: Path, nobody: Account):
    var = tmp_path / "shop" / "var"
    first, second = services_home(var, "", nobody), services_home(var, "", nobody)
    assert earlier_homes(second, var.parent) == [first]


def test_a_copied_shop_does_not_share_the_originals_database(tmp_path: Path, parent: Path, nobody: Account):
    original, copy = tmp_path / "original" / "var", tmp_path / "copy" / "var"
    home = services_home(original, "", nobody)
    for var in (original, copy):
        var.mkdir(parents=True)
        (var / "secrets.json").write_text(json.dumps({"services": str(home)}))
    with pytest.raises(
        CannotStart, match=f"belongs to the shop in {original.parent}, and this folder looks like a copy"
    ):
        services_home(copy, str(home), nobody)


def test_a_moved_shop_keeps_its_database(tmp_path: Path, parent: Path, nobody: Account):
    home = services_home(tmp_path / "old" / "var", "", nobody)
    assert services_home(tmp_path / "new" / "var", str(home), nobody) == home
    assert (home / "belongs-to").read_text().strip() == str(tmp_path / "new")


HOLD = """
import pathlib, sys, time
from project.embedded.lock import FolderLock
lock = FolderLock(pathlib.Path(sys.argv[1])).acquire()
lock.tell(state=sys.argv[2], address="http://127.0.0.1:8000/")
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def hold(tmp_path: Path):
    """Another process that holds the lock in a given state."""
    holders = []

    def start(state: str) -> subprocess.Popen[str]:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "lock"), state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(holder)
        assert holder.stdout.readline() == "held\n"
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


def test_a_second_shop_in_the_folder_is_told_where_the_first_one_is(hold, tmp_path: Path):
    holder = hold("open")
    with pytest.raises(CannotStart) as refusal:
        FolderLock(tmp_path / "lock").acquire(grace=0)
    assert str(refusal.value) == (
        f"Samovar is already running in this folder at http://127.0.0.1:8000/ (process {holder.pid}): "
        f"stop it with Ctrl-C in its terminal first."
    )


def test_a_shop_that_is_being_closed_is_waited_for(hold, tmp_path: Path):
    holder = hold(STOPPING)
    subprocess.Popen(["/bin/sh", "-c", f"sleep 0.3; kill -9 {holder.pid}"])
    began = time.monotonic()
    lock = FolderLock(tmp_path / "lock").acquire(grace=0)
    assert lock.is_held
    assert time.monotonic() > began
    lock.release()
    assert not lock.is_held


def test_var_of_another_account_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Places(tmp_path / "var").make()
    owner = (tmp_path / "var").owner()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(CannotStart, match=f"belongs to the account {owner}, which started the shop here before"):
        Places(tmp_path / "var").make()


def test_a_var_that_others_can_read_is_closed(tmp_path: Path):
    (tmp_path / "var").mkdir(mode=0o755)
    Places(tmp_path / "var").make()
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


def test_a_private_file_is_replaced_as_a_whole(tmp_path: Path):
    path = tmp_path / "env"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_given_comes_before_what_is_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("DATABASE_URL", "HTTPS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECRET_KEY", "given")
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    made = {"SECRET_KEY": "made", "REDIS_URL": "redis://made", "DATABASE_URL": "postgres://made"}
    environment = for_programs(made)
    assert environment["SECRET_KEY"] == "given"
    assert environment["REDIS_URL"] == "redis://made"
    assert environment["HTTPS"] == "0"
    assert "PGOPTIONS" not in environment
    assert for_programs({})["PGOPTIONS"] == "-c search_path=elsewhere"


def test_var_env_keeps_every_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    value = '{"data_folder_in": "/srv/\\u0427\\u0430\\u0439 \'x\'/queue"}'
    write_env(tmp_path / "env", {"SAMOVAR_TEST_VALUE": value})
    monkeypatch.setenv("SAMOVAR_TEST_VALUE", "")
    monkeypatch.delenv("SAMOVAR_TEST_VALUE")
    read_dotenv(tmp_path / "env")
    assert os.environ["SAMOVAR_TEST_VALUE"] == value


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device", "/x"), "The disk is full, so /x could not be written: free some"),
        (OSError(28, "No space left on device"), "The disk is full, so a file could not be written: free some"),
        (PermissionError(13, "Permission denied", "/x"), "There is no permission to use /x: it belongs to another"),
        (OSError(30, "Read-only file system", "/x"), "The operating system refused /x: Read-only file system."),
    ],
)
def test_a_refusal_of_the_system_becomes_a_sentence(error: OSError, sentence: str):
    assert sentence_of(error).startswith(sentence)


def test_a_terminal_without_cyrillic_is_no_reason_to_fail():
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(out=out).say("Чай …")
    assert out.buffer.getvalue() == rb"\u0427\u0430\u0439 \u2026" + b"\n"


def test_a_closed_terminal_is_no_reason_to_fail():
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Console(out=Closed()).say("still here")
