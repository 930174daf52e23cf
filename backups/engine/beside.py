"""A server recovered beside the running one: a folder of its own, a socket that only its account can reach, and
nothing that leads back to the original. It can be closed, opened again by another process, and thrown away."""

import contextlib
import datetime
import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import structlog
from django.utils.translation import gettext as _

from backups.engine import files
from backups.engine.beside_account import not_runnable, server_account, try_out
from backups.engine.programs import Programs
from backups.engine.records import read_record, write_record
from backups.engine.server import Server
from backups.errors import BackupFailed, Busy, Interrupted, NothingRecovered
from foundation.programs.account import Account
from foundation.programs.program import Program

RECORD = "recovery.json"
# Only a part of the socket's name: the server listens on no port of the machine.
PORT = 5432
# A socket's path may have 107 bytes.
LONGEST_SOCKET = 107 - len(f"/.s.PGSQL.{PORT}")
LOOK_EVERY = 0.05
PATIENCE = 60.0

logger = structlog.get_logger("backups.recovery")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was recovered, as it stands in the folder. `recovered_to` is the last commit that is in it; `warnings` are
    sentences for who is about to use it; `is_closed`: it was put aside, to be opened again; `opened_in`: which run of
    this machine it was opened in since."""

    name: str
    backup_id: str
    target: str
    at: datetime.datetime
    user: str
    database: str
    socket: str
    recovered_to: datetime.datetime | None = None
    warnings: tuple[str, ...] = ()
    is_closed: bool = False
    opened_in: str = ""

    def to_json(self) -> str:
        return write_record(asdict(self))

    @classmethod
    def read(cls, home: Path) -> "Recovered | None":
        """None for what can't be read: that recovery was not finished."""
        try:
            values = read_record((home / RECORD).read_text(encoding="utf-8"))
            for name in ("at", "recovered_to"):
                values[name] = datetime.datetime.fromisoformat(values[name]) if values.get(name) else None
            values["warnings"] = tuple(values.get("warnings", ()))
            known = {one.name for one in fields(cls)}
            return cls(**{name: value for name, value in values.items() if name in known})
        except (OSError, ValueError, TypeError, AttributeError):
            return None


class Beside:
    """The server and its folder. As a context manager it is thrown away at the end, unless it was closed.

    It ends with the thread that started it, however that ends.
    """

    def __init__(self, home: Path, recovered: Recovered, *, programs: Programs, account: Account | None) -> None:
        self.home, self.recovered, self.programs, self.account = home, recovered, programs, account
        self._lock = _take(home)
        self._program: Program | None = None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def name(self) -> str:
        return self.recovered.name

    @property
    def recovered_to(self) -> datetime.datetime | None:
        """When what was committed last in it was committed."""
        return self.recovered.recovered_to

    @property
    def server(self) -> Server:
        """How to reach the database that was recovered, as a superuser."""
        return Server(self.recovered.socket, str(PORT), self.recovered.user, "", self.recovered.database)

    def note(self, **changes: Any) -> None:
        """Writes down more about it."""
        self.recovered = replace(self.recovered, **changes)
        files.write_whole(self.home / RECORD, self.recovered.to_json())

    def start(self) -> None:
        """Starts it, without waiting."""
        self._program = Program(
            name="recovered",
            title="PostgreSQL",
            command=[self.programs.path("postgres"), "-D", str(self.data)],
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            folder=self.home,
            log=self.home / "log",
            # At once: what it did not write is thrown away, and so is the rest if we die.
            stop_signal=signal.SIGQUIT,
            patience=PATIENCE,
            account=self.account,
        )
        try:
            self._program.start()
        except OSError as error:
            raise not_runnable(error, self.programs, self.account) from error

    def wait(
        self, *, is_stopped: Callable[[], bool] = lambda: False, on_look: Callable[[], None] = lambda: None
    ) -> bool:
        """Waits until it lets people in (True), or has given up (False). `on_look` is called now and then. Raises
        Interrupted."""
        while not self.is_ready():
            on_look()
            if is_stopped():
                raise Interrupted(_("It was stopped."))
            if not self.is_running():
                return False
            time.sleep(LOOK_EVERY)
        return True

    def is_ready(self) -> bool:
        """Asked of its file, not of itself: who is turned away would stand in its log as an error."""
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            # A killed one leaves its file behind.
            is_its_own = self._program is not None and lines[:1] == [str(self._program.pid)]
            return self.is_running() and is_its_own and len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def is_running(self) -> bool:
        return self._program is not None and self._program.is_running()

    def exit_code(self) -> int | None:
        return self._program.exit_code() if self._program else None

    def words(self) -> str:
        """What it said since it was started."""
        return self._program.last_words() if self._program else ""

    def stop(self) -> None:
        """Stops it at once."""
        if self._program is not None:
            self._program.stop()

    def close(self) -> None:
        """Stops it and keeps the folder, for `open_beside`. Raises DiskIsFull, Interrupted."""
        if self._program is not None:
            # Everything is written before it ends.
            self._program.stop_signal = signal.SIGINT
            self._program.stop()
            if self._program.exit_code() != 0:
                raise Interrupted(_("The recovered server could not be stopped in order: recover once more."))
        # It runs without syncing.
        files.sync_tree(self.data)
        self.note(is_closed=True, opened_in="")
        self.let_go()

    def discard(self) -> None:
        """Stops it and removes all of it."""
        self.stop()
        _remove(self.home, self.recovered.socket)
        self.let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self.discard()

    def let_go(self) -> None:
        """Leaves the folder to whoever comes next, as it is."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def begin_beside(folder: Path, recovered: Recovered, *, programs: Programs) -> Beside:
    """Makes the folder of a new one below `folder`. Raises Busy (there is one of this name), NotWritable, NoPrograms,
    BackupFailed (no account to run it)."""
    account = server_account()
    is_new = not folder.exists()
    files.make_folder(folder)
    if is_new and account is not None:
        account.own(folder)
    home = folder / recovered.name
    try:
        home.mkdir(mode=0o700)
    except FileExistsError:
        # An empty one was left by who was killed right here.
        if any(home.iterdir()):
            raise Busy(_("The recovery %(name)s") % {"name": recovered.name}) from None
    except OSError as error:
        raise files.trouble(error, folder) from error
    try:
        files.write_whole(home / RECORD, recovered.to_json())
        socket = home / "socket"
        if len(os.fsencode(socket)) > LONGEST_SOCKET:
            socket = Path(tempfile.mkdtemp(prefix="samovar-", dir="/tmp"))
        socket.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            account.own(home)
            account.own(socket)
        try_out(programs, account, home)
        beside = Beside(home, replace(recovered, socket=str(socket)), programs=programs, account=account)
        beside.note()
    except BaseException:
        _remove(home, str(socket))
        raise
    return beside


def open_beside(folder: Path, name: str, *, programs: Programs) -> Beside:
    """Starts a recovered server that was closed, and waits until it answers. Raises NothingRecovered, Busy,
    BackupFailed."""
    home = folder / name
    recovered = Recovered.read(home) if Path(name).name == name else None
    if recovered is None or not recovered.is_closed:
        raise NothingRecovered
    if recovered.opened_in not in ("", this_run()):
        # The machine went down while it ran without syncing: what is on the disk may be anything.
        discard_recovery(folder, name)
        raise NothingRecovered
    beside = Beside(home, recovered, programs=programs, account=server_account())
    beside.note(opened_in=this_run())
    _end_server_of(beside.data)
    (beside.data / "postmaster.pid").unlink(missing_ok=True)
    Path(recovered.socket).mkdir(mode=0o700, exist_ok=True)
    if beside.account is not None:
        beside.account.own(Path(recovered.socket))
    beside.start()
    if not beside.wait():
        words = beside.words()
        beside.stop()
        beside.let_go()
        raise BackupFailed(_("The recovered server does not start again: %(why)s") % {"why": words.strip()[-300:]})
    return beside


def this_run() -> str:
    """What tells this run of the machine from the one before it went down."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.is_file() else str(psutil.boot_time())


def closed_recoveries(folder: Path) -> list[Recovered]:
    """Those that can be opened, the oldest first."""
    found = [Recovered.read(home) for home in _homes(folder)]
    return sorted((one for one in found if one is not None and one.is_closed), key=lambda one: one.at)


def discard_recovery(folder: Path, name: str) -> None:
    """Removes a closed one. Raises NothingRecovered, Busy."""
    home = folder / name
    if Path(name).name != name or not (home / RECORD).is_file():
        raise NothingRecovered
    _discard(home)


def discard_leftover_recoveries(folder: Path, *, older_than: datetime.datetime | None = None) -> list[str]:
    """Stops and removes what killed recoveries left behind, and what was closed before `older_than`; returns their
    names. One that somebody is at is left alone."""
    gone = []
    for home in _homes(folder):
        recovered = Recovered.read(home)
        if recovered is not None and recovered.is_closed and (older_than is None or recovered.at >= older_than):
            continue
        with contextlib.suppress(Busy):
            _discard(home)
            gone.append(home.name)
            logger.info("recovery_discarded", folder=str(home))
    return gone


def _homes(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path.parent for path in folder.glob(f"*/{RECORD}"))


def _take(home: Path) -> int | None:
    """The lock that says that somebody is at it; it ends with the process. Raises Busy, NothingRecovered."""
    try:
        handle = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        raise NothingRecovered from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Busy(_("The recovery %(name)s") % {"name": home.name}) from None
    return handle


def _discard(home: Path) -> None:
    handle = _take(home)
    try:
        _end_server_of(home / "data")
        recovered = Recovered.read(home)
        _remove(home, recovered.socket if recovered else "")
    finally:
        if handle is not None:
            os.close(handle)


def _remove(home: Path, socket: str) -> None:
    # The record goes last: what can't be removed now is found again.
    for path in sorted(home.iterdir(), key=lambda path: path.name == RECORD):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    if socket:
        shutil.rmtree(socket, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def _end_server_of(data: Path) -> None:
    """Ends the server that works in this folder, if one is left. Its number alone names no process."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        if Path(process.exe()).name != "postgres" or not os.path.samefile(process.cwd(), data):
            return
        children = process.children(recursive=True)
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGQUIT)
        _gone, alive = psutil.wait_procs([process, *children], timeout=PATIENCE)
        for one in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(alive, timeout=PATIENCE)
    except (OSError, ValueError, psutil.Error):
        return
