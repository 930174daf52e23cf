"""Runs one command beside a scratch PostgreSQL and Redis, which are gone afterwards: for tests and benchmarks."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil

from foundation.programs.account import Account
from foundation.programs.program import dies_with_parent
from project.embedded.account import common_parent, services_account
from project.embedded.console import Console
from project.embedded.environment import for_programs, secret_variables
from project.embedded.errors import CannotStart, StopRequested, sentence_of
from project.embedded.home import new_home
from project.embedded.leftovers import Record, is_alive
from project.embedded.places import BASE_DIR, write_private
from project.embedded.postgres import PostgreSQL
from project.embedded.redis_server import Redis, file_broker, find_server
from project.embedded.secrets_file import Secrets
from project.embedded.supervisor import Supervisor

PREFIX = "samovar-scratch-"
# Who uses a scratch folder; if that process is gone, the folder and its services are leftovers.
USER = "used-by"
NOT_FOUND, NOT_EXECUTABLE, SIGNALLED = 127, 126, 128


def run_with_services(command: list[str], console: Console, *, scratch: bool = False, durable: bool = False) -> int:
    """Runs `command` with DATABASE_URL, REDIS_URL, SECRET_KEY and the like set. Returns its exit code.

    Args:
        scratch: start services even if DATABASE_URL or REDIS_URL name others. Only the environment counts, not
            `.env`: tests must not meet the shop's own database by accident.
        durable: the database waits for the disk as the shop's own does, or what is measured on it is too fast.
    """
    for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL") if scratch else ():
        os.environ.pop(name, None)
    account = services_account()
    remove_abandoned(_parent(account))
    home = _scratch_home(account)
    supervisor = Supervisor(console, Record(home / "processes.json"))
    supervisor.listen()
    try:
        made = start_services(home, account, supervisor, durable=durable)
        return _run(command, for_programs(made), console)
    except StopRequested:
        return SIGNALLED + signal.SIGINT
    except CannotStart as refusal:
        console.complain(str(refusal))
        return 1
    except OSError as error:
        console.complain(sentence_of(error))
        return 1
    finally:
        supervisor.stop()
        shutil.rmtree(home, ignore_errors=True)


def start_services(
    home: Path, account: Account | None, supervisor: Supervisor, *, durable: bool = False
) -> dict[str, str]:
    """Starts what the environment does not name, with its data in `home`. Returns the variables made."""
    secrets = Secrets()
    folders = {"MEDIA_ROOT": "media", "STATIC_ROOT": "static", "RECOVERY_DIR": "recovery", "BACKUP_DIR": "backups"}
    made = secret_variables(secrets) | {variable: str(home / name) for variable, name in folders.items()}
    (home / "static").mkdir()
    if not os.environ.get("DATABASE_URL"):
        server = PostgreSQL(
            home=home,
            log=home / "postgresql.log",
            password=secrets.postgres_password,
            account=account,
            scratch=not durable,
        )
        server.initialise()
        made["DATABASE_URL"] = server.url(server.start(supervisor.launch, supervisor.pause))
    if not os.environ.get("REDIS_URL"):
        program = find_server()
        if program is None:
            made |= file_broker(home)
        else:
            cache = Redis(
                server=program, home=home, log=home / "redis.log", password=secrets.redis_password, account=account
            )
            made |= cache.environment(cache.start(supervisor.launch, supervisor.pause))
    return made


def remove_abandoned(parent: Path) -> None:
    """Stops the services and deletes the folders of runs that were killed."""
    for folder in parent.glob(PREFIX + "*"):
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            if folder.stat().st_uid not in {os.geteuid(), _uid(services_account())}:
                continue
            pid, created = (folder / USER).read_text().split()
            if psutil.pid_exists(int(pid)):
                process = psutil.Process(int(pid))
                if is_alive(process) and abs(process.create_time() - float(created)) < 2:
                    continue
            Record(folder / "processes.json").stop_leftovers()
            shutil.rmtree(folder, ignore_errors=True)


def _uid(account: Account | None) -> int:
    return account.uid if account else os.geteuid()


def _parent(account: Account | None) -> Path:
    return common_parent() if account else Path(tempfile.gettempdir())


def _scratch_home(account: Account | None) -> Path:
    made = new_home(account, owner=BASE_DIR, prefix=PREFIX) if account else tempfile.mkdtemp(prefix=PREFIX)
    home = Path(made)
    write_private(home / USER, f"{os.getpid()} {psutil.Process().create_time()}")
    return home


def _run(command: list[str], environment: dict[str, str], console: Console) -> int:
    """Runs the command in this process group, so that Ctrl-C in the terminal reaches it as well as us."""
    try:
        process = subprocess.Popen(  # noqa: S603 - it is what the person typed
            command, env=environment, preexec_fn=dies_with_parent(signal.SIGTERM)
        )
    except FileNotFoundError:
        console.complain(f"There is no program named {command[0]}.")
        return NOT_FOUND
    except PermissionError:
        console.complain(f"{command[0]} cannot be run.")
        return NOT_EXECUTABLE
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, frame: process.send_signal(received))
    code = process.wait()
    return SIGNALLED - code if code < 0 else code
